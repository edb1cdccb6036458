"""Files to pixels: formats, orientation, alpha, and whatever damage."""

import io
import struct
import threading
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.image_files import NOISE, png_chunk, saved, smooth, swapped_profile
from tests.strategies import FILE_FORMATS, encoded, image_files, images
from transforms.errors import (
    SourceError,
    TruncatedImage,
)
from transforms.ops.decode import DecodeLimits, decode

LIMITS = DecodeLimits()


# Stored pixels of a picture whose upright form has its red corner at the top left.
MARKED = np.full((4, 6, 3), 200, np.uint8)


MARKED[0, 0] = (255, 0, 0)


MARKED[0, 5] = (0, 0, 255)


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


@pytest.mark.parametrize("file_format", FILE_FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_an_error_of_its_own(file_format, share):
    data = encoded(NOISE, file_format)
    with pytest.raises(TruncatedImage):
        decode(data[: int(len(data) * share)], LIMITS)


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
