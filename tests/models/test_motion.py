"""Two seconds of motion: they begin with the picture, end where the network says, and play in a browser."""

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
    with_detail,
    write_mp4,
    write_webp,
)
from models.movement import Movement, words_of
from models.serving.painter import load_painter
from transforms.errors import ConfigError, Rejected
from transforms.ops.motion import follow
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


def test_a_clip_goes_from_the_picture_to_what_is_painted_and_is_an_animation(weights, tmp_path, monkeypatch):
    monkeypatch.setattr("models.motion.check_motion", lambda _: None)  # random weights paint something else
    frames = list(clip(load_painter(weights, 1), picture(), "oak floor", 3, COUNT, Size(48, 32)))
    assert len(frames) == COUNT and np.array_equal(frames[0], picture())
    steps = [np.abs(one.astype(int) - other).mean() for one, other in pairwise(frames)]
    assert 0 < max(steps) < 0.5 * np.abs(frames[0].astype(int) - frames[-1]).mean()
    write_webp(iter(frames), tmp_path / "clip.webp")
    with Image.open(tmp_path / "clip.webp") as animation:
        assert (animation.size, animation.is_animated) == ((64, 96), True)
        shown = np.asarray(animation.convert("RGB")).astype(int)
        # the encoder shows frames that hardly differ as one, for longer
        assert sum(duration_of(animation, number) for number in range(animation.n_frames)) == 1000 * SECONDS
    assert np.abs(shown - picture()).mean() < 4


def test_what_is_no_later_frame_of_the_picture_is_refused(weights):
    with pytest.raises(Rejected, match="no later frame"):
        clip(load_painter(weights, 1), picture(), "oak floor", 3, COUNT, Size(48, 32))


def scene():
    """Something with edges, 96 x 128."""
    noise = np.random.Generator(np.random.Philox(3)).normal(0, 1, (24, 32, 3)).astype(np.float32)
    return np.clip(128 + 15 * cv2.resize(noise, (128, 96), interpolation=cv2.INTER_NEAREST), 0, 255).astype(np.uint8)


def blurred(pixels, sigma=2.0):
    return cv2.GaussianBlur(pixels, (0, 0), sigma)


def test_a_blurred_copy_is_refused_however_it_was_moved():
    for copy in (blurred(scene(), 4), np.roll(blurred(scene(), 4), 5, axis=1)):
        with pytest.raises(Rejected, match=r"what was painted is blurred"):
            check_motion(follow(scene(), copy))
    with pytest.raises(Rejected, match=r"nothing moves"):
        check_motion(follow(scene(), scene()))
    check_motion(follow(scene(), np.roll(scene(), 5, axis=1)))


def test_the_detail_that_latents_lose_is_carried_to_where_things_went():
    first, later = scene(), np.roll(scene(), 6, axis=1)
    inner, painted = (slice(8, -8), slice(16, -16)), blurred(later)
    sharp = with_detail(painted, first, blurred(first))
    off = [np.abs(picture[inner].astype(int) - later[inner]).mean() for picture in (painted, sharp)]
    assert off[1] < 0.5 * off[0]
    large = cv2.resize(first, (256, 192), interpolation=cv2.INTER_CUBIC)
    assert with_detail(painted, large, blurred(first)).shape == large.shape


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
