"""What is no image, what only costs, and what is not read."""

import struct
import time
import tracemalloc
import zlib

import pytest
from PIL import Image

from tests.image_files import NOISE, png_chunk, saved
from tests.strategies import FILE_FORMATS, encoded
from transforms.errors import (
    NotAnImage,
    SourceEmpty,
    SourceTooLarge,
    TooManyPixels,
    TruncatedImage,
    UnsupportedImage,
    WrongContent,
)
from transforms.ops.decode import DecodeLimits, decode

LIMITS = DecodeLimits()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", SourceEmpty),
        (b"<!DOCTYPE html><html></html>", WrongContent),
        (b"\xef\xbb\xbf\n <html>", WrongContent),
        (b'{"error": "not found"}', WrongContent),
        (b"%PDF-1.7", WrongContent),
        (b"PK\x03\x04" + bytes(30), WrongContent),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(30), WrongContent),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", WrongContent),
        (b"\x00\x00\x00\x18ftypheic" + bytes(30), UnsupportedImage),
        (b"\x00\x00\x00\x18ftypheim" + bytes(30), UnsupportedImage),
        (b"\x00\x00\x00\x18ftypavif" + bytes(30), UnsupportedImage),
        (b"BM" + bytes(60), UnsupportedImage),
        (b"just some text", NotAnImage),
        (b"\x00" * 100, NotAnImage),
        (b"\xff", NotAnImage),
    ],
)
def test_what_is_no_accepted_image_has_its_own_error(data, error):
    with pytest.raises(error):
        decode(data, LIMITS)


def test_the_first_bytes_of_what_is_no_image_are_told():
    with pytest.raises(NotAnImage, match="begins with 6a 75 73 74"):
        decode(b"just some text", LIMITS)


def huge(file_format):
    data = bytearray(encoded(NOISE, file_format))
    if file_format == "PNG":
        data[16:24] = struct.pack(">II", 100_000, 100_000)
        data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    elif file_format == "GIF":
        data[6:10] = struct.pack("<HH", 65535, 65535)
    elif file_format == "JPEG":
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", 65000, 65000)
    elif file_format == "WEBP":
        at = data.index(b"\x9d\x01\x2a") + 3
        data[at : at + 4] = struct.pack("<HH", 16383, 16383)
    else:
        value = struct.pack("<HHII", 256, 4, 1, 32)
        at = data.index(value) if value in data else data.index(struct.pack("<HHIH", 256, 3, 1, 32))
        data[at : at + 12] = struct.pack("<HHII", 256, 4, 1, 4_000_000_000)
    return bytes(data)


@pytest.mark.parametrize("file_format", FILE_FORMATS)
def test_a_bomb_is_refused_by_its_header_before_anything_is_decoded(file_format):
    with pytest.raises(TooManyPixels):
        decode(huge(file_format), LIMITS)


def test_a_tiff_whose_tiles_are_larger_than_it_is_refused():
    entries = [(256, 4, 8), (257, 4, 8), (322, 4, 1 << 30), (323, 4, 1 << 30), (324, 4, 8), (325, 4, 64)]
    page = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, kind, 1, v) for tag, kind, v in entries)
    with pytest.raises(TruncatedImage, match="tiles"):
        decode(b"II*\x00" + struct.pack("<I", 8) + page + bytes(80), LIMITS)


def test_the_limits_are_the_callers():
    data = encoded(NOISE, "PNG")
    with pytest.raises(TooManyPixels):
        decode(data, DecodeLimits(max_pixels=24 * 32 - 1))
    with pytest.raises(SourceTooLarge):
        decode(data, DecodeLimits(max_bytes=len(data) - 1))
    assert decode(data, DecodeLimits(max_bytes=len(data), max_pixels=24 * 32)).size == (24, 32)


def exif_of(tags, size):
    """An EXIF block with tags that each claim the same `size` bytes; the first is the orientation's."""
    names = (274, *range(1000, 999 + tags))
    entries = b"".join(struct.pack("<HHII", name, 1, size, 14 + 12 * tags) for name in names)
    return b"II*\x00" + struct.pack("<IH", 8, tags) + entries + bytes(4) + bytes(size)


def hostile(kind):
    """Small files whose parts cost minutes or gigabytes where they are read one by one."""
    png, gif = encoded(NOISE, "PNG"), encoded(NOISE, "GIF")
    if kind == "exif":
        return png[:33] + png_chunk(b"eXIf", exif_of(400, 1_000_000)) + png[33:]
    if kind == "orientations":
        return png[:33] + png_chunk(b"eXIf", exif_of(1, 20_000_000)) + png[33:]
    if kind == "profiles":
        return png[:33] + png_chunk(b"iCCP", b"x\x00\x00" + zlib.compress(bytes(7_900_000), 9)) * 100 + png[33:]
    if kind == "comments":
        at = 13 + 3 * (2 << (gif[10] & 7))
        return gif[:at] + b"\x21\xfe" + (b"\xff" + bytes(255)) * 30_000 + b"\x00" + gif[at:]
    if kind == "fill":
        return b"\xff\xd8" + b"\xff" * 4_000_000 + saved(Image.fromarray(NOISE), "JPEG")[2:]
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", ["exif", "orientations", "profiles", "comments", "fill"])
def test_hostile_files_cost_little_time_and_memory(kind):
    data = hostile(kind)
    tracemalloc.start()
    started = time.process_time()
    decode(data, LIMITS)
    spent, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert spent < 1.5 and peak < 60_000_000 + 3 * len(data)


def apart(kind):
    """Sound files of kinds that are not read."""
    if kind == "CgBI":
        png = encoded(NOISE, "PNG")
        return png[:8] + png_chunk(b"CgBI", b"\x50\x00\x20\x02") + png[8:]
    if kind == "DNL":
        data = bytearray(saved(Image.fromarray(NOISE), "JPEG"))
        at = data.index(b"\xff\xc0") + 5
        height, data[at : at + 2] = bytes(data[at : at + 2]), b"\x00\x00"
        return bytes(data[:-2]) + b"\xff\xdc\x00\x04" + height + b"\xff\xd9"
    return saved(Image.fromarray(NOISE).convert("YCbCr"), "TIFF")


@pytest.mark.parametrize("kind", ["CgBI", "DNL", "YCbCr"])
def test_a_sound_file_of_a_kind_that_is_not_read_is_called_that_and_not_truncated(kind):
    with pytest.raises(UnsupportedImage, match=kind):
        decode(apart(kind), LIMITS)


def test_a_tiff_of_more_strips_than_any_writer_makes_is_refused():
    tags = [(256, 1, 8), (257, 1, 8), (258, 1, 8), (259, 1, 1), (262, 1, 1), (273, 1_000_000, 200), (277, 1, 1)]
    tags += [(278, 1, 8), (279, 1_000_000, 200)]
    page = b"".join(struct.pack("<HHII", tag, 4, count, value) for tag, count, value in tags)
    with pytest.raises(UnsupportedImage, match="tag 273"):
        decode((b"II*\x00" + struct.pack("<IH", 8, len(tags)) + page).ljust(200, b"\x00") + bytes(4_000_000), LIMITS)
