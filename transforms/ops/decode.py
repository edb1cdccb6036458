"""Bytes to a `ProductImage`: oriented, 8-bit sRGB, alpha apart. Every failure is a `SourceError`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from transforms.errors import CanvasError, TooManyPixels, TruncatedImage, UnsupportedImage
from transforms.ops.colour import Raster, to_srgb
from transforms.ops.containers.container import Container
from transforms.ops.containers.sniff import open_container
from transforms.ops.metadata import Credits, orientation_of, read_credits
from transforms.records import Pixels, ProductImage, SourceFacts

# Called directly: `Image.open` consults process-wide registries and the process-wide pixel limit, and warns.
_DECODERS: Mapping[str, Any] = {
    "jpeg": JpegImageFile,
    "png": PngImageFile,
    "webp": WebPImageFile,
    "tiff": TiffImageFile,
    "gif": GifImageFile,
}
# EXIF orientation -> the operation that turns the stored pixels upright.
_UPRIGHT: Mapping[int, Callable[[Any], Any]] = {
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
    8: np.rot90,
}


_UNTOLD = {127, 128}  # of a block without data; CMYK is inverted
_MORE = b"".join(bytes(range(1, 255)) + bytes((0xFF, 0xD0 + number)) for number in range(8))  # with restart markers


@dataclass(frozen=True)
class DecodeLimits:
    """What a source may cost.

    Attributes:
        max_bytes: of the file.
        max_pixels: height x width, checked before a pixel is decoded.
    """

    max_bytes: int = 64_000_000
    max_pixels: int = 50_000_000


def decode(data: bytes, limits: DecodeLimits, *, admit: Callable[[int], None] | None = None) -> ProductImage:
    """Decode a JPEG, PNG, WebP, TIFF (first page) or GIF (first frame).

    Orientation is applied, colours are brought to sRGB (without a profile they are taken for sRGB, CMYK is converted
    by the complement rule), 16 bits are rounded to 8, and what is transparent lies on white with its alpha beside it.
    The same bytes give the same pixels; safe to call from many threads.

    Args:
        data: the file.
        limits: what it may cost.
        admit: told the number of pixels before any is decoded; it may wait for memory.

    Raises:
        SourceEmpty, SourceTooLarge, NotAnImage, WrongContent, UnsupportedImage, TruncatedImage, TooManyPixels.
    """
    container = open_container(data, max_bytes=limits.max_bytes, max_pixels=limits.max_pixels)
    if admit is not None:
        admit(container.size.height * container.size.width)
    mode, raster = _rasterise(container)
    turn = orientation_of(container)
    return ProductImage(
        _upright(raster.pixels, turn),
        _facts(data, container, mode, raster.profile, turn, read_credits(container)),
        None if raster.alpha is None else _upright(raster.alpha, turn),
    )


def _rasterise(container: Container) -> tuple[str, Raster]:
    try:
        image = _load(container)
        return image.mode, to_srgb(image, container)
    except CanvasError:
        raise
    except MemoryError as error:
        raise TooManyPixels(f"{container.file_format}: not enough memory for {container.size}") from error
    except Exception as error:  # decoders raise a dozen kinds for damaged files; all mean the same here
        raise TruncatedImage(f"{container.file_format}: {type(error).__name__}: {error}") from error


def _load(container: Container) -> Image.Image:
    image = _opened(container)
    if (image.height, image.width) != tuple(container.size):
        raise TruncatedImage(f"{container.file_format}: its parts contradict each other about the size")
    image.load()
    if container.file_format == "jpeg" and _is_cut(image, container.body):
        raise TruncatedImage("jpeg: its data end before its picture does")
    return image


def _is_cut(image: Image.Image, body: bytes) -> bool:
    """Whether a JPEG's scans end early, with an end of image behind them.

    libjpeg says nothing of it, and leaves blocks that it was not told at zero: mid-grey down to the last one. More data
    change such a picture; behind a whole one, which may be grey as well, they are passed over. Progressive
    files that lack whole scans are refused before (`transforms.ops.containers.progression`).
    """
    corner = image.crop((image.width - 1, image.height - 1, image.width, image.height)).tobytes()
    if not set(corner) <= _UNTOLD:
        return False
    fuller = JpegImageFile(BytesIO(body[:-2] + _MORE + body[-2:]))
    fuller.load()
    return fuller.tobytes() != image.tobytes()


def _opened(container: Container) -> Image.Image:
    try:
        opened: Image.Image = _DECODERS[container.file_format](BytesIO(container.body))
    except (SyntaxError, KeyError) as error:
        if container.file_format != "tiff":
            raise
        # The directory was checked already: what is left is a layout or a compression that Pillow does not know.
        raise UnsupportedImage(f"tiff: {error}") from error
    return opened


def _upright(stored: Pixels, orientation: int) -> Pixels:
    turn = _UPRIGHT.get(orientation)
    return np.ascontiguousarray(stored if turn is None else turn(stored))


def _facts(
    data: bytes, container: Container, mode: str, profile: str, orientation: int, credits_: Credits
) -> SourceFacts:
    return SourceFacts(
        digest=hashlib.sha256(data).hexdigest(),
        byte_size=len(data),
        file_format=container.file_format,
        mode=mode,
        orientation=orientation,
        artist=credits_.artist,
        copyright=credits_.copyright,
        profile=profile,
        digital_source_type=credits_.digital_source_type,
    )
