"""From renders to the catalog's image files: the good ones, and one of every awkward kind."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageDraw, ImageFont

Write = Callable[[Path, Path], None]

_QUALITY = 90
_HAZE = 36  # alpha below this is the far, even end of a shadow: a retoucher clips it to white
_HUGE = (6000, 4500)
_TINY = 120
_COLLAGE = 640


def on_white(render: Path) -> Image.Image:
    """Return the RGBA render on pure white, the faint far end of its shadow clipped; opaque renders as they are."""
    with Image.open(render) as opened:
        rgba = np.asarray(opened.convert("RGBA")).astype(np.float32)
    dark = rgba[..., :3].max(axis=-1) < 3
    alpha = rgba[..., 3]
    faded = np.clip((alpha - _HAZE) * 255 / (255 - _HAZE), 0, 255)
    cover = (np.where(dark, faded, alpha) / 255)[..., None]
    mixed = rgba[..., :3] * cover + 255 * (1 - cover)
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def as_jpeg(render: Path, out: Path) -> None:
    """Write a JPEG with full colour resolution."""
    on_white(render).save(out, quality=_QUALITY, subsampling=0, optimize=True)


def as_is(render: Path, out: Path) -> None:
    """Copy the render, 16-bit alpha and all, through OpenCV, which keeps 16 bits where Pillow does not."""
    pixels = cv2.imread(str(render), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.shape[-1] != 4:
        raise ValueError(f"{render}: want a 16-bit RGBA PNG")
    cv2.imwrite(str(out), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def as_webp(render: Path, out: Path) -> None:
    """Write a lossy WebP."""
    on_white(render).save(out, quality=_QUALITY, method=6)


def as_tiff(render: Path, out: Path) -> None:
    """Write a losslessly compressed TIFF."""
    on_white(render).save(out, compression="tiff_adobe_deflate")


def as_palette(render: Path, out: Path) -> None:
    """Write 256 colours: a GIF or a palette PNG, as the name says."""
    on_white(render).quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(out, optimize=True)


def as_grey(render: Path, out: Path) -> None:
    """Write a JPEG with one channel."""
    on_white(render).convert("L").save(out, quality=_QUALITY, optimize=True)


def as_cmyk(render: Path, out: Path) -> None:
    """Write a JPEG in CMYK, as print shops send them."""
    on_white(render).convert("CMYK").save(out, quality=_QUALITY)


def as_rotated(render: Path, out: Path) -> None:
    """Write pixels a quarter turn off, with the EXIF orientation that puts them right."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    on_white(render).transpose(Image.Transpose.ROTATE_90).save(out, quality=_QUALITY, subsampling=0, exif=exif)


def as_signed(render: Path, out: Path) -> None:
    """Write a JPEG that names its author and licence, and where a camera claims to have stood."""
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Catalog Canvas"
    exif[ExifTags.Base.Copyright] = "CC0"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    on_white(render).save(out, quality=_QUALITY, subsampling=0, optimize=True, exif=exif)


def as_tiny(render: Path, out: Path) -> None:
    """Write a thumbnail."""
    on_white(render).resize((_TINY, _TINY), Image.Resampling.LANCZOS).save(out, quality=_QUALITY)


def as_huge(render: Path, out: Path) -> None:
    """Write 27 megapixels, enlarged from a render."""
    on_white(render).resize(_HUGE, Image.Resampling.BICUBIC).save(out, quality=72, optimize=True)


def as_truncated(render: Path, out: Path) -> None:
    """Write the first 40 % of a JPEG."""
    whole = io.BytesIO()
    on_white(render).save(whole, "JPEG", quality=_QUALITY)
    out.write_bytes(whole.getvalue()[: int(len(whole.getvalue()) * 0.4)])


def as_sale(render: Path, out: Path) -> None:
    """Write a JPEG with an offer printed across it."""
    picture = on_white(render)
    draw = ImageDraw.Draw(picture)
    side = min(picture.size)
    box = (0, int(side * 0.05), int(side * 0.66), int(side * 0.22))
    draw.rectangle(box, fill=(206, 24, 38))
    draw.text((side * 0.04, side * 0.06), "SALE -50%", fill="white", font=ImageFont.load_default(side * 0.12))
    small = ImageFont.load_default(side * 0.065)
    draw.text((side * 0.5, side * 0.88), "only this week!", fill=(206, 24, 38), font=small)
    picture.save(out, quality=_QUALITY, subsampling=0, optimize=True)


def write_collage(renders: list[Path], out: Path) -> None:
    """Write four renders as a 2 x 2 collage with white gutters."""
    side, gutter = _COLLAGE // 2, 8
    sheet = Image.new("RGB", (2 * side, 2 * side), "white")
    for number, render in enumerate(renders):
        picture = on_white(render)
        picture.thumbnail((side - gutter, side - gutter))
        tile = Image.new("RGB", (side - gutter, side - gutter), picture.getpixel((2, 2)))
        tile.paste(picture, ((tile.width - picture.width) // 2, (tile.height - picture.height) // 2))
        sheet.paste(tile, (number % 2 * side + gutter // 2, number // 2 * side + gutter // 2))
    sheet.resize((1200, 1200), Image.Resampling.LANCZOS).save(out, quality=_QUALITY)


def write_pattern(out: Path, side: int = 1000, seed: int = 7) -> None:
    """Write a swatch of printed cotton: a repeat of rings and dots, with the threads' unevenness."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    ring = np.hypot((x % 100) - 50, (y % 100) - 50)
    dot = np.hypot(((x + 50) % 100) - 50, ((y + 50) % 100) - 50)
    cloth = np.full((side, side, 3), (238, 229, 211), np.float32)
    _dye(cloth, _soft(7 - np.abs(ring - 30)), (44, 92, 104))
    _dye(cloth, _soft(11 - dot), (201, 104, 66))
    threads = 4 * np.sin(x * 2.1) * np.sin(y * 2.1) + np.random.default_rng(seed).normal(0, 1.5, (side, side))
    Image.fromarray(np.clip(cloth + threads[..., None], 0, 255).astype(np.uint8)).save(out, quality=80)


def _soft(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.clip(distance + 0.5, 0.0, 1.0)


def _dye(cloth: NDArray[np.float32], cover: NDArray[np.float32], color: tuple[int, int, int]) -> None:
    cloth += cover[..., None] * (np.array(color, np.float32) - cloth)


def write_text(out: Path) -> None:
    """Write what a broken feed exporter leaves in place of a picture."""
    out.write_text("export failed: picture service did not answer\n")
