import hashlib
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from transforms.errors import Rejected
from transforms.ops import encode
from transforms.ops.decode import DecodeLimits, decode
from transforms.ops.encode import EncoderSettings, decode_evidence, encode_creative, encode_evidence
from transforms.ops.encoded import EncodedLimits, check_encoded, colour_difference, read_label, read_metadata
from transforms.ops.icc import srgb_profile
from transforms.ops.metadata import COMPOSITE, Credits
from transforms.placements import Placement
from transforms.records import Scene, Size

SETTINGS, LIMITS = EncoderSettings(), EncodedLimits()
CREDITS = Credits("Ann Ax", "© 2026 Ann Ax", COMPOSITE)
FORMATS = ("jpeg", "png", "webp")


def slot(file_format="jpeg", **fields):
    return Placement("slot", Size(96, 64), file_format=file_format, **fields)


def picture(seed=3):
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 4, 3), dtype=np.uint8))
    return np.asarray(coarse.resize((64, 96), Image.Resampling.BICUBIC))


def scene_of(pixels):
    everything = np.ones(pixels.shape[:2], bool)
    return Scene(pixels, everything, everything, everything)


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_same_scene_gives_the_same_bytes(file_format):
    one, other = (encode_creative(picture(), slot(file_format), CREDITS, SETTINGS) for _ in range(2))
    assert one == other and one.digest == hashlib.sha256(one.data).hexdigest()
    assert one.file_format == file_format and one.size == (96, 64)


@pytest.mark.parametrize("quality", [92, 99])
def test_a_picture_full_of_noise_is_encoded_like_any_other(quality):
    noise = np.random.default_rng(1).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    placement = Placement("slot", Size(400, 400), max_bytes=1_000_000)
    creative = encode_creative(noise, placement, CREDITS, replace(SETTINGS, jpeg_quality=quality))
    plain = io.BytesIO()
    Image.fromarray(noise).save(plain, "JPEG", quality=quality, subsampling=0)
    assert np.array_equal(decode(creative.data, DecodeLimits()).pixels, np.asarray(Image.open(plain)))
    assert creative.quality == quality and len(creative.data) < plain.tell() + 10_000


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("full_chroma", [False, True])
def test_a_jpeg_is_the_same_whoever_writes_it(progressive, full_chroma, monkeypatch):
    image = Image.fromarray(picture())

    def refuse(*_, **__):
        raise OSError

    usual = encode.jpeg_stream(image, 92, progressive=progressive, full_chroma=full_chroma)
    monkeypatch.setattr(encode, "_saved", refuse)
    assert encode.jpeg_stream(image, 92, progressive=progressive, full_chroma=full_chroma) == usual


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_creative_decodes_to_its_scene_with_profile_label_and_credits(file_format):
    pixels = picture()
    creative = encode_creative(pixels, slot(file_format), CREDITS, SETTINGS)
    image = decode(creative.data, DecodeLimits())
    assert image.facts.profile == "srgb" and image.alpha is None and image.facts.orientation == 1
    assert (image.facts.artist, image.facts.copyright) == (CREDITS.artist, CREDITS.copyright)
    assert read_label(creative.data) == COMPOSITE and read_metadata(creative.data) == CREDITS
    mean, _ = colour_difference(image.pixels, pixels, np.ones((96, 64), bool))
    assert mean <= {"png": 0, "jpeg": 1.5, "webp": 3.0}[file_format]  # WebP halves the chroma's resolution


def test_jpeg_keeps_full_chroma_and_carries_iptc():
    creative = encode_creative(picture(), slot(), CREDITS, SETTINGS)
    with Image.open(io.BytesIO(creative.data)) as image:
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3
        assert image.info["icc_profile"] == srgb_profile()
        assert image.info["photoshop"][1028].startswith(b"\x1c\x01\x5a")
        assert set(image.getexif()) == {315, 33432}


@pytest.mark.parametrize("file_format", FORMATS)
def test_no_date_is_in_the_bytes(file_format):
    data = encode_creative(picture(), slot(file_format), CREDITS, SETTINGS).data
    assert b"tIME" not in data and b"CreateDate" not in data and b"ModifyDate" not in data


@pytest.mark.parametrize("file_format", ["jpeg", "webp"])
def test_quality_falls_only_as_far_as_the_limit_forces(file_format):
    noisy = np.random.default_rng(1).integers(0, 256, (96, 64, 3), dtype=np.uint8)
    settings = replace(SETTINGS, jpeg_floor=10, webp_floor=10)
    free = encode_creative(noisy, slot(file_format), CREDITS, settings)
    limit = len(free.data) * 3 // 4
    tight = encode_creative(noisy, slot(file_format, max_bytes=limit), CREDITS, settings)
    assert tight.quality < free.quality and len(tight.data) <= limit
    above = replace(settings, **{f"{file_format}_quality": tight.quality + 1})
    assert len(encode_creative(noisy, slot(file_format), CREDITS, above).data) > limit


@pytest.mark.parametrize("file_format", FORMATS)
def test_what_does_not_fit_at_the_floor_is_rejected_with_both_values(file_format):
    with pytest.raises(Rejected) as caught:
        encode_creative(picture(), slot(file_format, max_bytes=500), CREDITS, SETTINGS)
    assert caught.value.reason == "bytes" and caught.value.value > caught.value.limit == 500


def test_pixels_of_another_size_are_refused():
    with pytest.raises(ValueError, match="placement"):
        encode_creative(picture()[:50], slot(), CREDITS, SETTINGS)


@given(st.integers(0, 2**32 - 1), st.integers(75, 95))
def test_any_smooth_scene_stays_within_the_colour_bound(seed, quality):
    pixels, settings = picture(seed), replace(SETTINGS, jpeg_quality=quality)
    creative = encode_creative(pixels, slot(), CREDITS, settings)
    scores = check_encoded(creative.data, scene_of(pixels), slot(), COMPOSITE, LIMITS)
    assert scores["encoded_bytes"] == len(creative.data)
    assert 0 < scores["encoded_colour_difference_mean"] <= LIMITS.max_mean_colour_difference


def check(data, pixels, placement=None, label=COMPOSITE, limits=LIMITS):
    with pytest.raises(Rejected) as caught:
        check_encoded(data, scene_of(pixels), placement or slot(), label, limits)
    return caught.value.reason


def test_each_fault_of_a_file_is_found():
    pixels = picture()
    good = encode_creative(pixels, slot(), CREDITS, SETTINGS).data
    assert check(good[: len(good) // 2], pixels) == "undecodable"
    assert check(good, pixels, replace(slot(), size=Size(96, 65))) == "size"
    assert check(good, pixels, slot("png")) == "format"
    assert check(good, pixels, slot(max_bytes=100)) == "bytes"
    assert check(good, pixels, label="http://example.com/other") == "label"
    assert check(good, 255 - pixels) == "encoding_loss"
    assert check(good, pixels, limits=replace(LIMITS, max_p99_colour_difference=0.01)) == "encoding_loss"
    bare = io.BytesIO()
    Image.fromarray(pixels).save(bare, "JPEG", quality=95)
    assert check(bare.getvalue(), pixels) == "profile"


def test_colour_difference_is_cie_1976():
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    where = np.array([[True, False], [False, False]])
    assert colour_difference(black, white, where).mean == pytest.approx(100, abs=0.1)
    assert colour_difference(black, white, ~where & where) == (0, 0)
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 255
    # Lab of sRGB red: 53.24, 80.09, 67.20 (Lindbloom, D65)
    assert colour_difference(black, red, where).p99 == pytest.approx(117.3, abs=0.3)


def test_the_profile_is_constant_and_is_srgb():
    digest = hashlib.sha256(srgb_profile()).hexdigest()
    assert digest == "ef604c98f1e850eebbb5a034d957aef14e914d728f188d585cded6078b0a3574"
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile())), ImageCms.createProfile("sRGB"), "RGB", "RGB"
    )
    probe = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(transform.apply(Image.fromarray(probe))), probe)


def test_evidence_keeps_core_edge_and_frame_apart():
    core, mask, kept = (np.zeros((6, 6), bool) for _ in range(3))
    kept[:, :5], mask[1:4, 1:4], core[2, 2] = True, True, True
    levels = decode_evidence(encode_evidence(core, mask, kept))
    assert levels.dtype == np.uint8 and levels.shape == (6, 6)
    assert np.array_equal(levels == 255, core)
    assert np.array_equal(levels >= 192, kept & ~mask | core) and (levels[:, 5] == 0).all()
    assert (levels == 128).sum() == 8
