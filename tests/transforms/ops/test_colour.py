"""Samples of any depth and space become 8-bit sRGB."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.image_files import NOISE, png_chunk, saved, swapped_profile
from tests.strategies import encoded
from transforms.errors import (
    UnsupportedImage,
)
from transforms.ops.decode import DecodeLimits, decode
from transforms.ops.icc import srgb_profile

LIMITS = DecodeLimits()
WIDE = np.random.default_rng(8).integers(0, 65536, (24, 32, 3), dtype=np.uint16)


def rounded(wide):
    return np.rint(wide.astype(np.float64) / 257).astype(np.uint8)


@pytest.mark.parametrize("extension", [".png", ".tiff"])
def test_sixteen_bit_colour_is_rounded_not_cut(extension):
    data = cv2.imencode(extension, WIDE[..., ::-1])[1].tobytes()
    assert np.array_equal(decode(data, LIMITS).pixels, rounded(WIDE))


def test_sixteen_bit_colour_with_a_spare_sample_is_rounded_too():
    data = cv2.imencode(".tiff", np.dstack([WIDE[..., ::-1], WIDE[..., 0]]))[1].tobytes()
    at = data.index(struct.pack("<HHI", 339, 3, 4))  # how samples are to be read, which is as usual
    data = data[:at] + struct.pack("<HHII", 338, 3, 1, 0) + data[at + 12 :]
    assert np.array_equal(decode(data, LIMITS).pixels, rounded(WIDE))


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_rounded_not_cut(file_format):
    image = decode(saved(Image.fromarray(WIDE[..., 0]), file_format), LIMITS)
    assert np.array_equal(image.pixels, np.dstack([rounded(WIDE[..., 0])] * 3))


def test_sixteen_bit_with_alpha():
    alpha = np.full((24, 32), 32896, np.uint16)
    data = cv2.imencode(".png", np.dstack([WIDE[..., ::-1], alpha]))[1].tobytes()
    image = decode(data, LIMITS)
    assert (image.alpha == 128).all()
    expected = rounded(WIDE) * (128 / 255) + 255 * (127 / 255)
    assert np.abs(image.pixels - expected).max() <= 0.5 + 1e-9


def test_a_transparent_colour_of_sixteen_bits_is_compared_with_sixteen_bits():
    wide = np.zeros((1, 2, 3), np.uint16)
    wide[0, 0], wide[0, 1] = (256, 512, 768), (257, 512, 768)
    data = cv2.imencode(".png", wide[..., ::-1])[1].tobytes()
    at = data.index(b"IDAT") - 4
    data = data[:at] + png_chunk(b"tRNS", struct.pack(">3H", 256, 512, 768)) + data[at:]
    assert decode(data, LIMITS).alpha.tolist() == [[0, 255]]


def planar_tiff(samples, photometric, compress):
    """A TIFF with each sample in a plane of its own; `samples` is uint8 or uint16 [h, w, count]."""
    height, width, count = samples.shape
    planes = [samples[..., at].astype(samples.dtype.newbyteorder("<")).tobytes() for at in range(count)]
    planes = [zlib.compress(plane) if compress else plane for plane in planes]
    sizes = [len(plane) for plane in planes]
    places = [400 + sum(sizes[:at]) for at in range(count)]
    tags = [(256, [width]), (257, [height]), (258, [8 * samples.itemsize] * count), (259, [8 if compress else 1])]
    tags += [(262, [photometric]), (273, places), (277, [count]), (278, [height]), (279, sizes), (284, [2])]
    entries, tail, start = b"", b"", 14 + 12 * len(tags)
    for tag, values in tags:
        entries += struct.pack("<HHI", tag, 4, len(values))
        entries += struct.pack("<I", values[0] if len(values) == 1 else start + len(tail))
        tail += struct.pack(f"<{count}I", *values) if len(values) > 1 else b""
    return (b"II*\x00" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + tail).ljust(400, b"\x00") + b"".join(
        planes
    )


@pytest.mark.parametrize(("samples", "compress"), [(NOISE, False), (NOISE, True), (WIDE, True)])
def test_planes_apart_are_put_together(samples, compress):
    image = decode(planar_tiff(samples, 2, compress), LIMITS)
    assert np.abs(image.pixels.astype(int) - (samples if samples is NOISE else rounded(samples))).max() <= 1


@pytest.mark.parametrize(
    ("samples", "photometric", "compress"), [(WIDE, 2, False), (NOISE, 8, True), (NOISE[..., :2], 1, True)]
)
def test_planes_apart_that_the_decoder_mixes_up_are_refused(samples, photometric, compress):
    with pytest.raises(UnsupportedImage, match="interleaved"):
        decode(planar_tiff(samples, photometric, compress), LIMITS)


def test_cmyk_without_a_profile_follows_the_complement_rule():
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:8, :, 1] = inks[:8, :, 2] = 255  # magenta + yellow
    inks[8:, :, 3] = 255
    for file_format in ("JPEG", "TIFF"):
        image = decode(saved(Image.fromarray(inks, "CMYK"), file_format), LIMITS)
        assert image.facts.mode == "CMYK"
        assert np.abs(image.pixels[2, 2].astype(int) - (255, 0, 0)).max() <= 3
        assert image.pixels[13, 13].max() <= 3


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_profile_is_converted_to_srgb(file_format):
    flat = np.full((16, 16, 3), (180, 60, 40), np.uint8)
    options = {"lossless": True} if file_format == "WEBP" else {}
    image = decode(saved(Image.fromarray(flat), file_format, icc_profile=swapped_profile(), **options), LIMITS)
    assert image.facts.profile == "converted"
    assert np.abs(image.pixels[8, 8].astype(int) - (60, 180, 40)).max() <= 3


def cmyk_profile():
    """A printer profile (ICC.1:2001-04, lut8) of two grid points an ink: paper is white, any full ink is mid grey."""
    ramp = bytes(range(256))
    grid = b"".join(b"\xff\x80\x80" if node == 0 else b"\x80\x80\x80" for node in range(16))
    identity = struct.pack(">9i", *(65536 if index % 4 == 0 else 0 for index in range(9)))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + ramp * 4 + grid + ramp * 3
    text = b"text" + bytes(4) + b"any\x00"
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags = {
        b"cprt": text,
        b"wtpt": white,
        b"A2B0": lut,
        b"A2B1": lut,
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 1) + bytes(80),
    }
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x02100000, b"prtr", b"CMYK", b"Lab ") + bytes(12)
    head += b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\x00") + struct.pack(">I", len(tags)) + table + body


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk_with_a_profile_follows_the_profile(file_format):
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[8:, :, 0] = 255  # cyan, which this printer prints grey
    image = decode(saved(Image.fromarray(inks, "CMYK"), file_format, icc_profile=cmyk_profile()), LIMITS)
    assert image.facts.profile == "converted"
    assert image.pixels[2, 2].min() >= 250
    grey = image.pixels[13, 13].astype(int)
    assert np.ptp(grey) <= 4 and 90 <= grey.mean() <= 140


def test_lab_becomes_rgb():
    lab = Image.merge("LAB", [Image.new("L", (4, 4), value) for value in (255, 128, 128)])
    assert decode(saved(lab, "TIFF"), LIMITS).pixels.min() >= 254


def test_floats_and_unknown_layouts_are_unsupported_not_damaged():
    with pytest.raises(UnsupportedImage):
        decode(saved(Image.new("F", (4, 4), 0.5), "TIFF"), LIMITS)
    data = bytearray(encoded(NOISE, "TIFF"))
    at = data.index(struct.pack("<HHIH", 262, 3, 1, 2)) + 8
    data[at : at + 2] = struct.pack("<H", 32803)  # a camera's colour filter array
    with pytest.raises(UnsupportedImage):
        decode(bytes(data), LIMITS)


def test_an_srgb_profile_changes_no_pixel():
    for profile in (srgb_profile(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()):
        image = decode(saved(Image.fromarray(NOISE), "PNG", icc_profile=profile), LIMITS)
        assert image.facts.profile == "srgb" and np.array_equal(image.pixels, NOISE)


@pytest.mark.parametrize("profile", [b"no profile", srgb_profile()[:200], b"\x00" * 4000])
def test_a_damaged_profile_is_ignored_and_said_so(profile):
    image = decode(saved(Image.fromarray(NOISE), "PNG", icc_profile=profile), LIMITS)
    assert image.facts.profile == "ignored" and np.array_equal(image.pixels, NOISE)


def test_a_profile_in_more_pieces_than_there_are_numbers_is_none():
    data = saved(Image.fromarray(NOISE), "JPEG")
    pieces = b"".join(b"\xff\xe2\x00\x11ICC_PROFILE\x00" + bytes([number % 256, 255, 0]) for number in range(1, 258))
    assert decode(data[:2] + pieces + data[2:], LIMITS).facts.profile == "none"


def test_a_profile_of_another_colour_space_is_ignored():
    image = decode(saved(Image.fromarray(NOISE[..., 0]), "PNG", icc_profile=srgb_profile()), LIMITS)
    assert image.facts.profile == "ignored"
