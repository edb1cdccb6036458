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

from models.motion import RATE, SECONDS, clip, encoder_of, main, read_picture, write_mp4, write_webp
from models.serving.painter import load_painter
from transforms.errors import ConfigError, Rejected
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
