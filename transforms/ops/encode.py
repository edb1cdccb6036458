"""A scene's pixels to a finished file: within the byte limit, in sRGB, labelled, and the same bytes every time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from transforms.errors import Rejected, TruncatedImage
from transforms.ops.containers import jpeg, png
from transforms.ops.icc import srgb_profile
from transforms.ops.metadata import Credits, exif_block, iptc_block, xmp_packet
from transforms.placements import Placement
from transforms.records import Creative, Mask, Pixels

LOSSLESS = 100
BACKGROUND, EDGE, KEPT, CORE = 0, 128, 192, 255


@dataclass(frozen=True)
class EncoderSettings:
    """How creatives are encoded.

    Attributes:
        jpeg_quality, webp_quality: libjpeg's and libwebp's scales, 1..100; tried first.
        jpeg_floor, webp_floor: the lowest that the byte limit may force.
        finer: qualities that are tried in turn where the first loses too much colour.
        jpeg_progressive: ten passes instead of one: a few percent smaller.
        png_compression: zlib's level, 0..9.
        webp_effort: libwebp's method, 0..6.
    """

    jpeg_quality: int = 92
    jpeg_floor: int = 75
    finer: tuple[int, ...] = (96, 99)
    jpeg_progressive: bool = True
    webp_quality: int = 92
    webp_floor: int = 85
    webp_effort: int = 4
    png_compression: int = 6


def encode_creative(pixels: Pixels, placement: Placement, metadata: Credits, settings: EncoderSettings) -> Creative:
    """Encode a finished scene for its placement.

    JPEG has no chroma subsampling (4:4:4). Where the first quality exceeds the placement's limit, bisection finds the
    highest that fits. The file carries the sRGB profile, the DigitalSourceType and the credits (XMP; EXIF; JPEG also
    IPTC-IIM), and no timestamp: the same input gives the same bytes.

    Args:
        pixels: uint8 [h, w, 3], sRGB, of the placement's size.
        placement: gives format and byte limit.
        metadata: what the file says about itself.
        settings: see :class:`EncoderSettings`.

    Raises:
        Rejected: `bytes`: over the limit even at the floor (value and limit in bytes).
        ValueError: `pixels` have another size.
    """
    if pixels.shape != (*placement.size, 3) or pixels.dtype != np.uint8:
        raise ValueError(f"{pixels.dtype} {pixels.shape} for a placement of {tuple(placement.size)}")
    first, floor, write = _encoder(pixels, placement.file_format, metadata, settings)
    quality, data = _within(placement.max_bytes, first, floor, write)
    return Creative(data, placement.file_format, placement.size, quality, hashlib.sha256(data).hexdigest())


Write = Callable[[int], bytes]


def _within(max_bytes: int, first: int, floor: int, write: Write) -> tuple[int, bytes]:
    """The highest quality in `floor..first` whose file fits, by bisection, and the file."""
    data = write(first)
    if len(data) <= max_bytes:
        return first, data
    best = floor, write(floor) if floor < first else data
    if len(best[1]) > max_bytes:
        raise Rejected("bytes", "the file exceeds the placement's limit", value=len(best[1]), limit=max_bytes)
    fits, exceeds = floor, first
    while exceeds - fits > 1:
        middle = (fits + exceeds) // 2
        data = write(middle)
        if len(data) <= max_bytes:
            fits, best = middle, (middle, data)
        else:
            exceeds = middle
    return best


def _encoder(pixels: Pixels, file_format: str, metadata: Credits, settings: EncoderSettings) -> tuple[int, int, Write]:
    """First quality, floor, and `quality -> file` of a format."""
    image, xmp, exif = Image.fromarray(pixels), xmp_packet(metadata), exif_block(metadata)

    def as_jpeg(quality: int) -> bytes:
        stream = jpeg_stream(image, quality, progressive=settings.jpeg_progressive)
        return jpeg.embed(stream, exif=exif, xmp=xmp, iptc=iptc_block(metadata), icc=srgb_profile())

    def as_png(_: int) -> bytes:
        stream = _saved(image, "PNG", compress_level=settings.png_compression)
        return png.embed(stream, exif=exif, xmp=xmp, icc=srgb_profile())

    def as_webp(quality: int) -> bytes:
        blocks = {"exif": exif, "xmp": xmp, "icc_profile": srgb_profile()}
        return _saved(image, "WEBP", quality=quality, method=settings.webp_effort, **blocks)

    if file_format == "jpeg":
        return settings.jpeg_quality, settings.jpeg_floor, as_jpeg
    if file_format == "webp":
        return settings.webp_quality, settings.webp_floor, as_webp
    return LOSSLESS, LOSSLESS, as_png


def jpeg_stream(image: Image.Image, quality: int, *, progressive: bool, full_chroma: bool = True) -> bytes:
    """An RGB image as a JPEG with optimised Huffman tables, and chroma at full or at half size, however busy it is.

    Such a file must fit into Pillow's buffer as a whole, which takes a byte or two for a pixel: too little where noise
    or glitter fills the picture. OpenCV's buffer grows; both bring libjpeg-turbo, so it writes what Pillow would have.
    """
    subsampling = 0 if full_chroma else 2
    try:
        return _saved(image, "JPEG", quality=quality, subsampling=subsampling, optimize=True, progressive=progressive)
    except OSError:
        sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if full_chroma else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
        options = {
            cv2.IMWRITE_JPEG_QUALITY: quality,
            cv2.IMWRITE_JPEG_OPTIMIZE: 1,
            cv2.IMWRITE_JPEG_PROGRESSIVE: int(progressive),
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR: sampling,
        }
        bgr = np.ascontiguousarray(np.asarray(image)[..., ::-1])
        return cv2.imencode(".jpg", bgr, [number for pair in options.items() for number in pair])[1].tobytes()


def _saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    target = BytesIO()
    image.save(target, file_format, **options)
    return target.getvalue()


def encode_evidence(core: Mask, mask: Mask, kept: Mask) -> bytes:
    """What a later proof needs to know of a scene, as a grey PNG of its size.

    0 painted, 128 the product's edge (blended), 192 the kept frame around it (outpaint), 255 the core, where the
    pixels are the resampled source's own.

    Args:
        core, mask, kept: bool [h, w], as in `transforms.records.Scene`.
    """
    levels = np.full(core.shape, BACKGROUND, np.uint8)
    levels[kept] = KEPT
    levels[mask] = EDGE
    levels[core] = CORE
    return _saved(Image.fromarray(levels), "PNG", compress_level=6)


def decode_evidence(data: bytes) -> Pixels:
    """The grey levels of an evidence file, uint8 [h, w].

    Raises:
        TruncatedImage: it is not one, or damaged.
    """
    try:
        return np.asarray(PngImageFile(BytesIO(data)))
    except Exception as error:  # Pillow raises a dozen kinds for damaged files
        message = f"evidence: {type(error).__name__}: {error}"
        raise TruncatedImage(message, remedy="restore the evidence file") from error
