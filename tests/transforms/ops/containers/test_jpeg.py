"""JPEG files that end early, go on too long, or only look as if they did."""

import re

import numpy as np
import pytest
from PIL import Image

from tests.image_files import NOISE, saved, smooth
from transforms.errors import (
    TruncatedImage,
    UnsupportedImage,
)
from transforms.ops.containers import jpeg
from transforms.ops.decode import DecodeLimits, decode

LIMITS = DecodeLimits()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize(
    "options", [{}, {"subsampling": 2}, {"restart_marker_blocks": 3}], ids=["444", "420", "restart"]
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_that_was_cut_and_ended_anew_is_truncated(mode, options, share):
    data = saved(Image.fromarray(NOISE).resize((160, 120)).convert(mode), "JPEG", **options)
    scan = data.index(b"\xff\xda") + 20
    kept = data[: scan + round(share * (len(data) - scan))].rstrip(b"\xff")
    with pytest.raises(TruncatedImage, match="end before its picture"):
        decode(kept + b"\xff\xd9", LIMITS)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_progressive_jpeg_without_its_last_scans_is_truncated(mode):
    data = saved(Image.fromarray(NOISE).resize((160, 120)).convert(mode), "JPEG", progressive=True)
    assert decode(data, LIMITS).size == (120, 160)
    scans = [at.start() for at in re.finditer(rb"\xff\xda", data)]
    for scan in scans[1:]:
        with pytest.raises(TruncatedImage, match="last scans are missing"):
            decode(data[:scan] + b"\xff\xd9", LIMITS)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}])
@pytest.mark.parametrize(
    ("mode", "grey"), [("RGB", (128,) * 3), ("L", 128), ("CMYK", (127,) * 4), ("CMYK", (128,) * 4)]
)
def test_a_whole_jpeg_may_end_in_grey(mode, grey, options):
    picture = Image.fromarray(NOISE).resize((160, 120)).convert(mode)
    picture.paste(grey, (0, 80, 160, 120))
    data = saved(picture, "JPEG", **options)
    assert decode(data, LIMITS).size == (120, 160)


def test_many_empty_scans_are_refused():
    data = saved(Image.fromarray(smooth()), "JPEG", progressive=True)
    scan = next(part.raw for part in jpeg.segments(data) if part.marker == 0xDA)
    with pytest.raises(UnsupportedImage, match="scans"):
        decode(data[:-2] + scan * 200 + b"\xff\xd9", LIMITS)


def test_what_follows_the_end_of_a_jpeg_is_not_looked_at():
    data = saved(Image.fromarray(smooth()), "JPEG")
    expected = decode(data, LIMITS).pixels
    assert np.array_equal(decode(data + b"\xff\xda\x00" * 500, LIMITS).pixels, expected)
