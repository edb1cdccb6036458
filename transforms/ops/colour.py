"""Any accepted Pillow mode to 8-bit sRGB and an alpha channel."""

from __future__ import annotations

from io import BytesIO
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from transforms.errors import UnsupportedImage
from transforms.ops.containers.container import Container
from transforms.ops.icc import srgb_profile
from transforms.records import Pixels

_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}
# A profile whose conversion moves no probe colour by more than this is sRGB under another name: applying it would
# only add rounding noise to pixels that are already right.
_SAME_LEVELS = 2
_ROWS = 256  # of one pass of blending: keeps temporaries small


class Raster(NamedTuple):
    """Decoded pixels as stored: RGB uint8 [H, W, 3], alpha uint8 [H, W] or None, and what the profile did."""

    pixels: Pixels
    alpha: Pixels | None
    profile: str


def to_srgb(image: Image.Image, container: Container) -> Raster:
    """Convert a loaded image: alpha taken out, profile applied (relative colorimetric, black point compensated).

    Raises:
        UnsupportedImage: a mode without an agreed reading (32-bit integers, floats).
    """
    base, alpha = _without_alpha(image, container)
    alpha = _within_frame(alpha, container)
    converted, profile = _profiled(base, container.icc)
    pixels = np.asarray(converted)
    if alpha is None or bool((alpha == 255).all()):
        return Raster(pixels, None, profile)
    return Raster(_on_white(pixels, alpha), alpha, profile)


def _within_frame(alpha: Pixels | None, container: Container) -> Pixels | None:
    """`alpha`, transparent where a first frame leaves its canvas uncovered: Pillow fills that with the first colour."""
    frame, size = container.frame, container.size
    if frame is None or frame == (0, 0, *size):
        return alpha
    shown = np.zeros(size, np.uint8)
    rows, columns = slice(frame.top, frame.bottom), slice(frame.left, frame.right)
    shown[rows, columns] = 255 if alpha is None else alpha[rows, columns]
    return shown


def _without_alpha(image: Image.Image, container: Container) -> tuple[Image.Image, Pixels | None]:
    if image.mode.startswith("I;16"):
        return _wide_grey(image, container)
    if container.bits == 16 and image.mode in ("RGB", "RGBA", "LA"):
        return _wide_colour(image, container)
    key = image.info.pop("transparency", None)
    if image.mode == "P" and key is not None:
        image.info["transparency"] = key
        image = image.convert("RGBA")
    elif image.mode in ("PA", "La", "RGBa"):
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    if image.mode in ("RGBA", "LA"):
        return image.convert(image.mode[:-1]), np.asarray(image.getchannel("A"))
    if image.mode == "1":
        image, key = image.convert("L"), None if key is None else 255 * bool(key)
    elif image.mode == "L" and container.bits < 8 and key is not None:  # Pillow stretches the greys, not their key
        key = key * 255 // ((1 << container.bits) - 1)
    if image.mode in ("P", "YCbCr", "RGBX", "HSV"):
        image = image.convert("RGB")
    if image.mode not in _SPACES:
        raise UnsupportedImage(f"pixels of mode {image.mode}")
    return image, None if key is None else _keyed(np.asarray(image), key)


def _keyed(samples: NDArray[Any], key: Any) -> Pixels:
    """Alpha of an image in which one colour is transparent."""
    same = samples == np.asarray(key)
    return np.where(same.all(axis=2) if same.ndim == 3 else same, 0, 255).astype(np.uint8)


def _wide_grey(image: Image.Image, container: Container) -> tuple[Image.Image, Pixels | None]:
    samples = np.asarray(image).astype(np.uint16)
    alpha = _keyed(samples, int.from_bytes(container.transparent, "big")) if len(container.transparent) == 2 else None
    narrow = _narrowed(samples, container.bits)
    return Image.fromarray(255 - narrow if container.white_is_zero else narrow), alpha


def _narrowed(samples: NDArray[np.uint16], bits: int = 16) -> Pixels:
    """Rounded to 8 bits: value * 255 / (2**bits - 1)."""
    top = (1 << bits) - 1
    table = ((np.arange(1 << 16, dtype=np.uint32) * 255 + top // 2) // top).clip(0, 255).astype(np.uint8)
    return table[samples]


def _wide_colour(image: Image.Image, container: Container) -> tuple[Image.Image, Pixels | None]:
    upper = np.asarray(image.convert("RGBA") if image.mode == "LA" else image)
    samples, alpha = _wide_samples(upper, container.body), None
    if len(container.transparent) == 6:
        alpha = _keyed(samples, np.frombuffer(container.transparent, ">u2"))
    narrow = _narrowed(samples)
    if narrow.shape[2] == 4:
        narrow, alpha = narrow[..., :3], narrow[..., 3]
    base = Image.fromarray(np.ascontiguousarray(narrow))
    return (base.getchannel(0) if image.mode == "LA" else base), alpha


def _wide_samples(upper: Pixels, body: bytes) -> NDArray[np.uint16]:
    """16-bit samples: Pillow keeps the upper bytes only, OpenCV all; it is believed where the upper bytes agree."""
    wide: Any = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_UNCHANGED)
    if wide is not None and wide.dtype == np.uint16 and wide.shape[:2] == upper.shape[:2] and wide.ndim == 3:
        ordered = wide[..., [2, 1, 0, 3][: wide.shape[2]]][..., : upper.shape[2]]  # Pillow leaves a spare sample out
        if np.array_equal(ordered >> 8, upper):
            return np.ascontiguousarray(ordered)
    return upper.astype(np.uint16) * np.uint16(257)


def _profiled(base: Image.Image, icc: bytes) -> tuple[Image.Image, str]:
    """To RGB by the file's profile; a damaged one, or one of another colour space, is ignored."""
    if not icc:
        return _unprofiled(base), "none"
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(icc))
        if source.profile.xcolor_space != _SPACES[base.mode]:
            return _unprofiled(base), "ignored"
        transform = _transform(source, base.mode)
        if base.mode in ("RGB", "L") and _changes_nothing(transform, base.mode):
            return _unprofiled(base), "srgb"
        converted = transform.apply(base)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return _unprofiled(base), "ignored"
    return converted, "converted"


def _transform(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    target = ImageCms.ImageCmsProfile(BytesIO(srgb_profile()))
    return ImageCms.buildTransform(
        source,
        target,
        mode,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _unprofiled(base: Image.Image) -> Image.Image:
    if base.mode == "LAB":
        return _transform(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB").apply(base)
    return base.convert("RGB")


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    probe = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(len(steps), -1, 3)
    image = Image.fromarray(probe if mode == "RGB" else np.ascontiguousarray(probe[..., 0]))
    before, after = np.asarray(image.convert("RGB"), np.int16), np.asarray(transform.apply(image), np.int16)
    return int(np.abs(before - after).max()) <= _SAME_LEVELS


def _on_white(pixels: Pixels, alpha: Pixels) -> Pixels:
    """`pixels` over white, in sRGB values as every viewer does it, rounded."""
    blended = np.empty_like(pixels)
    for top in range(0, pixels.shape[0], _ROWS):
        rows = slice(top, top + _ROWS)
        share = alpha[rows, :, None].astype(np.uint32)
        blended[rows] = (pixels[rows] * share + 255 * (255 - share) + 127) // 255
    return blended
