import io
import re
import struct
import threading
import time
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tests.strategies import FILE_FORMATS, encoded, image_files, images
from transforms.errors import (
    NotAnImage,
    SourceEmpty,
    SourceError,
    SourceTooLarge,
    TooManyPixels,
    TruncatedImage,
    UnsupportedImage,
    WrongContent,
)
from transforms.ops.containers import jpeg
from transforms.ops.decode import DecodeLimits, decode
from transforms.ops.icc import srgb_profile

LIMITS = DecodeLimits()
RNG = np.random.default_rng(7)
NOISE = RNG.integers(0, 256, (24, 32, 3), dtype=np.uint8)
WIDE = RNG.integers(0, 65536, (24, 32, 3), dtype=np.uint16)
# Stored pixels of a picture whose upright form has its red corner at the top left.
MARKED = np.full((4, 6, 3), 200, np.uint8)
MARKED[0, 0] = (255, 0, 0)
MARKED[0, 5] = (0, 0, 255)


def saved(image, file_format, **options):
    target = io.BytesIO()
    image.save(target, file_format, **options)
    return target.getvalue()


def smooth(size=64):
    ramp = np.linspace(20, 230, size)
    return np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], ramp[::-1, None]), axis=2).astype(np.uint8)


@pytest.mark.parametrize(
    ("file_format", "options"),
    [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})],
)
def test_lossless_files_give_their_very_pixels(file_format, options):
    image = decode(saved(Image.fromarray(NOISE), file_format, **options), LIMITS)
    assert np.array_equal(image.pixels, NOISE) and image.alpha is None
    assert image.facts.file_format == file_format.lower() and image.facts.mode == "RGB"


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_gives_the_decoders_pixels_progressive_or_not(options):
    data = saved(Image.fromarray(smooth()), "JPEG", **options)
    expected = np.asarray(Image.open(io.BytesIO(data)))
    assert np.array_equal(decode(data, LIMITS).pixels, expected)


def test_a_gif_gives_its_first_frame():
    frames = [Image.fromarray(np.full((5, 7), value, np.uint8)) for value in (10, 200)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (decode(data, LIMITS).pixels == 10).all()


def test_a_tiff_gives_its_first_page():
    pages = [Image.fromarray(np.full((5, 7, 3), value, np.uint8)) for value in (10, 200)]
    assert (decode(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]), LIMITS).pixels == 10).all()


def stored(orientation, file_format):
    inverse = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
    operation = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    image = Image.fromarray(MARKED)
    if orientation > 1:
        image = image.transpose(operation[inverse[orientation]])
    exif = Image.Exif()
    exif[274] = orientation
    lossless = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}.get(file_format, {})
    return saved(image, file_format, exif=exif, **lossless)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(file_format, orientation):
    image = decode(stored(orientation, file_format), LIMITS)
    assert image.facts.orientation == orientation
    assert image.size == (4, 6) and image.pixels.flags["C_CONTIGUOUS"]
    tolerance = 60 if file_format == "JPEG" else 0
    assert np.abs(image.pixels.astype(int) - MARKED).max() <= tolerance


def test_grey_palette_and_bilevel_become_rgb():
    grey = NOISE[..., 0]
    assert np.array_equal(decode(saved(Image.fromarray(grey), "PNG"), LIMITS).pixels, np.dstack([grey] * 3))
    palette = Image.fromarray(NOISE).quantize(16)
    assert np.array_equal(decode(saved(palette, "PNG"), LIMITS).pixels, np.asarray(palette.convert("RGB")))
    bilevel = Image.fromarray(grey).convert("1")
    assert np.array_equal(decode(saved(bilevel, "PNG"), LIMITS).pixels[..., 1], np.asarray(bilevel.convert("L")))


def test_alpha_is_kept_apart_and_its_colours_lie_on_white():
    alpha = np.linspace(0, 255, 32, dtype=np.uint8)[None].repeat(24, axis=0)
    image = decode(saved(Image.fromarray(np.dstack([NOISE, alpha])), "PNG"), LIMITS)
    share = alpha[..., None] / 255
    assert np.array_equal(image.alpha, alpha)
    assert np.abs(image.pixels - (NOISE * share + 255 * (1 - share))).max() <= 0.5 + 1e-9


def test_an_opaque_alpha_channel_is_none():
    image = decode(saved(Image.fromarray(np.dstack([NOISE, np.full((24, 32), 255, np.uint8)])), "PNG"), LIMITS)
    assert image.alpha is None and np.array_equal(image.pixels, NOISE)


def test_grey_with_alpha_and_palette_with_transparency():
    grey_alpha = np.dstack([NOISE[..., 0], NOISE[..., 1]])
    assert np.array_equal(decode(saved(Image.fromarray(grey_alpha, "LA"), "PNG"), LIMITS).alpha, NOISE[..., 1])
    palette = Image.fromarray(NOISE).quantize(4)
    image = decode(saved(palette, "PNG", transparency=b"\x00\x80\xff\xff"), LIMITS)
    expected = np.array([0, 128, 255, 255], np.uint8)[np.asarray(palette)]
    assert np.array_equal(image.alpha, expected) and (image.pixels[image.alpha == 0] == 255).all()


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_transparent_colour_becomes_alpha(mode):
    picture = Image.fromarray(NOISE).convert(mode)
    key = picture.getpixel((3, 2))
    image = decode(saved(picture, "PNG", transparency=key), LIMITS)
    same = np.asarray(picture) == key
    assert np.array_equal(image.alpha == 0, same.all(axis=2) if mode == "RGB" else same)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_transparent_grey_of_few_bits_is_compared_in_its_own_scale(bits):
    header = struct.pack(">IIBBBBB", 8, 2, bits, 0, 0, 0, 0)
    rows = b"\x00" + b"\xff" * bits + b"\x00" + b"\x00" * bits
    chunks = [(b"IHDR", header), (b"tRNS", struct.pack(">H", (1 << bits) - 1)), (b"IDAT", zlib.compress(rows))]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*each) for each in (*chunks, (b"IEND", b"")))
    assert decode(data, LIMITS).alpha[:, 0].tolist() == [0, 255]


def test_what_the_first_frame_of_a_gif_leaves_uncovered_is_transparent():
    data = bytearray(saved(Image.fromarray(np.full((4, 5), 90, np.uint8)), "GIF"))
    at = data.index(b"\x2c\x00\x00\x00\x00")
    data[6:10] = struct.pack("<HH", 9, 8)
    data[at + 1 : at + 5] = struct.pack("<HH", 3, 2)
    image = decode(bytes(data), LIMITS)
    expected = np.zeros((8, 9), np.uint8)
    expected[2:6, 3:8] = 255
    assert np.array_equal(image.alpha, expected)
    assert (image.pixels[2:6, 3:8] == 90).all() and (image.pixels[expected == 0] == 255).all()


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


def png_chunk(kind, payload):
    return len(payload).to_bytes(4, "big") + kind + payload + zlib.crc32(kind + payload).to_bytes(4, "big")


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


def swapped_profile():
    """A profile whose red and green primaries are exchanged: a conversion that nobody can overlook."""
    profile = bytearray(srgb_profile())
    for index in range(int.from_bytes(profile[128:132], "big")):
        entry = profile[132 + 12 * index : 144 + 12 * index]
        if entry[:4] in (b"rXYZ", b"gXYZ"):
            profile[132 + 12 * index : 136 + 12 * index] = b"gXYZ" if entry[:4] == b"rXYZ" else b"rXYZ"
    return bytes(profile)


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


@pytest.mark.parametrize("file_format", FILE_FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_an_error_of_its_own(file_format, share):
    data = encoded(NOISE, file_format)
    with pytest.raises(TruncatedImage):
        decode(data[: int(len(data) * share)], LIMITS)


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


@given(images(), st.sampled_from(FILE_FORMATS))
def test_every_sound_file_decodes_to_its_size_and_always_the_same(pixels, file_format):
    data = encoded(pixels, file_format)
    one, other = decode(data, LIMITS), decode(data, LIMITS)
    assert one.size == pixels.shape[:2] and one.pixels.dtype == np.uint8
    assert np.array_equal(one.pixels, other.pixels) and one.facts == other.facts


@st.composite
def mutilated_files(draw):
    data = bytearray(draw(image_files()))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
        data = data or bytearray(b"\x00")
    return bytes(data[: draw(st.integers(1, len(data)))]) if draw(st.booleans()) else bytes(data)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(mutilated_files())
def test_no_damage_leads_to_anything_but_an_image_or_a_source_error(data):
    try:
        image = decode(data, LIMITS)
    except SourceError:
        return
    assert image.pixels.shape == (*image.size, 3)


@given(
    st.binary(max_size=400), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00+", b"GIF89a"])
)
def test_random_bytes_behind_a_signature_are_a_source_error(tail, signature):
    with pytest.raises(SourceError):
        decode(signature + tail, LIMITS)


def test_threads_decode_the_same_pixels():
    data = saved(Image.fromarray(smooth(200)), "JPEG", icc_profile=swapped_profile())
    expected, results = decode(data, LIMITS).pixels, []
    threads = [threading.Thread(target=lambda: results.append(decode(data, LIMITS).pixels)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8 and all(np.array_equal(result, expected) for result in results)
