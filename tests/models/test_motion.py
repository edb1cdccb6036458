"""Two seconds of motion: they begin with the picture, go where the network says, and play in a browser."""

import shutil
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image
from variants import write_variant

pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from models.motion import (
    MOVES,
    RATE,
    SECONDS,
    check_motion,
    clip,
    encoder_of,
    main,
    read_picture,
    size_of,
    write_mp4,
    write_webp,
)
from models.movement import Movement, movement_of, words_of
from models.serving.painter import load_painter
from transforms.errors import ConfigError, Rejected
from transforms.ops.camera_flow import PanZoom, flow_by
from transforms.ops.following import follow
from transforms.ops.later_frames import last_frame
from transforms.ops.motion import detail_kept, drawn
from transforms.records import Size

COUNT = round(SECONDS * RATE)


def picture(height=96, width=64):
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 2, columns * 3, np.full_like(rows, 90)], -1).astype(np.uint8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("motion")
    write_variant(folder / "weights", "image_to_motion", folder)
    return folder / "weights"


def duration_of(animation, number):
    """Milliseconds that a frame is shown."""
    animation.seek(number)
    animation.load()
    return animation.info["duration"]


def test_a_clip_begins_with_the_picture_and_is_an_animation(weights, tmp_path, monkeypatch):
    monkeypatch.setattr("models.motion.check_motion", lambda *_: None)  # random weights paint something else
    frames = list(clip(load_painter(weights, 1), picture(), "oak floor", 3, COUNT, Size(48, 32)))
    assert len(frames) == COUNT and np.array_equal(frames[0], picture())
    steps = [np.abs(one.astype(int) - other).mean() for one, other in pairwise(frames)]
    assert 0 < max(steps) < 3
    write_webp(iter(frames), tmp_path / "clip.webp")
    with Image.open(tmp_path / "clip.webp") as animation:
        assert (animation.size, animation.is_animated) == ((64, 96), True)
        shown = np.asarray(animation.convert("RGB")).astype(int)
        # the encoder shows frames that hardly differ as one, for longer
        assert sum(duration_of(animation, number) for number in range(animation.n_frames)) == 1000 * SECONDS
    assert np.abs(shown - picture()).mean() < 4


def test_what_random_weights_paint_is_refused(weights):
    with pytest.raises(Rejected):
        clip(load_painter(weights, 1), picture(), "oak floor", 3, COUNT, Size(48, 32))


SMALL = Size(208, 304)


def scene():
    """Something with edges, as large as it is painted."""
    noise = np.random.Generator(np.random.Philox(3)).normal(0, 1, (26, 38, 3)).astype(np.float32)
    return np.clip(128 + 40 * cv2.resize(noise, SMALL[::-1], interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def soft(pixels):
    """As a network paints it."""
    return cv2.GaussianBlur(pixels, (0, 0), 2)


def away(across=0.0, grown=0.0):
    """`scene` two seconds later, softly painted: moved to the right by `across` pixels, and grown."""
    return soft(drawn(scene(), flow_by(PanZoom(-across, 0, -grown), SMALL)))


def bent(pixels):
    field = np.random.Generator(np.random.Philox(1)).normal(0, 3, (5, 5, 2)).astype(np.float32)
    return drawn(pixels, cv2.resize(field, SMALL[::-1], interpolation=cv2.INTER_CUBIC))


def checked(painted, asked):
    """As `clip` checks what was painted."""
    found = follow(scene(), painted)
    check_motion(found, words_of(movement_of(scene(), last_frame(scene(), painted, found.flow))), asked)


@pytest.mark.parametrize(
    ("across", "grown", "asked"),
    [
        (7, 0.0, "leftwards"),
        (-7, 0.03, "to the right and nearer"),
        (0, 0.04, "nearer"),
        (6, -0.03, "leftwards and away"),
    ],
)
def test_a_later_frame_that_moves_as_it_was_told_passes_however_soft_it_is(across, grown, asked):
    checked(away(across, grown), f"the camera moves {asked}")


@pytest.mark.parametrize(
    ("painted", "message"),
    [
        (soft(scene()), "nothing moves"),
        (bent(soft(scene())), "bends as no camera does"),
        (bent(away(7, 0.03)), "bends as no camera does"),
        (np.ascontiguousarray(scene()[::-1, ::-1]), "no later frame"),
        (away(-7), "the camera moves to the right, and not as asked"),
        (away(7, 0.04), "the camera moves leftwards and nearer, and not as asked"),
    ],
)
def test_a_wrong_flow_is_refused(painted, message):
    with pytest.raises(Rejected, match=message) as refusal:
        checked(painted, "the camera moves leftwards")
    assert refusal.value.reason == "likely_defect"


def test_a_flow_that_folds_is_refused():
    found = follow(scene(), away(7))
    with pytest.raises(Rejected, match="folds or tears"):
        check_motion(found._replace(torn=0.05), "the camera moves leftwards", "the camera moves leftwards")


class Soft:
    """A painter whose frames are soft: the picture moved leftwards."""

    def __call__(self, images, known, prompts, seeds):
        assert prompts == ["the camera moves leftwards"] and known.min() == 255 and seeds == [5]
        return soft(drawn(images[0], flow_by(PanZoom(-7, 0, 0), SMALL)))[None]

    def coded(self, image):
        return soft(image)


def test_the_last_frame_is_as_sharp_as_the_picture_though_what_is_painted_is_not():
    large = cv2.resize(scene(), (608, 416), interpolation=cv2.INTER_NEAREST)
    frames = list(clip(Soft(), large, "the camera moves leftwards", 5, 3, SMALL))
    assert len(frames) == 3 and frames[-1].shape == large.shape
    assert detail_kept(large, frames[-1]) > 0.9 and detail_kept(large, frames[1]) > 0.9
    assert np.abs(frames[-1][:, 40:].astype(int) - np.roll(large, 14, axis=1)[:, 40:]).mean() < 3


def test_frames_are_painted_at_half_of_a_candidates_size_in_whole_cells():
    sizes = [size_of(Size(*size)) for size in ((1500, 1000), (1000, 1000), (1350, 1080), (1920, 1080))]
    assert sizes == [(304, 208), (256, 256), (288, 224), (352, 192)]


def test_the_moves_that_can_be_asked_for_are_those_that_training_names():
    ways = [Movement(across, nearer) for across in (-0.03, 0.0, 0.03) for nearer in (-0.05, 0.0, 0.05)]
    told = {words_of(way).removeprefix("the camera moves ") for way in ways if any(way)}
    assert told == set(MOVES)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg on this machine")
def test_an_mp4_is_h264_of_two_seconds(tmp_path):
    frames = [np.roll(picture(), number, axis=1) for number in range(COUNT)]
    write_mp4(iter(frames), tmp_path / "clip.mp4")
    video = cv2.VideoCapture(str(tmp_path / "clip.mp4"))
    code = int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little")
    assert code in (b"avc1", b"h264") and video.get(cv2.CAP_PROP_FRAME_COUNT) == COUNT
    assert video.get(cv2.CAP_PROP_FPS) == RATE


def test_odd_sides_lose_a_line_and_what_cannot_be_written_is_said(weights, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "odd.png"), picture(33, 21)[..., ::-1])
    assert read_picture(tmp_path / "odd.png").shape == (32, 20, 3)
    with pytest.raises(ConfigError, match=r"H\.264 needs the program 'no-such-program'"):
        encoder_of("no-such-program")
    options = ["--weights", str(weights), "--picture", str(tmp_path / "odd.png")]
    assert main([*options, "--out", str(tmp_path / "clip.gif")]) == 2
    assert "is .mp4 or .webp" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (Rejected("likely_defect", "nothing moves", value=0.001, limit=0.003), "nothing moves (0.001, limit 0.003)\n"),
        (Rejected("likely_defect", "the camera stands still, and not as asked"), "still, and not as asked\n"),
    ],
)
def test_a_refusal_is_told_and_writes_nothing(refusal, told, weights, tmp_path, monkeypatch, capsys):
    def refuse(*_):
        raise refusal

    monkeypatch.setattr("models.motion.check_motion", refuse)
    cv2.imwrite(str(tmp_path / "picture.png"), picture(192, 128))
    out = tmp_path / "clip.webp"
    argv = ["--weights", str(weights), "--picture", str(tmp_path / "picture.png"), "--out", str(out)]
    assert main(argv) == 1
    assert capsys.readouterr().err.endswith(told) and not out.exists()
