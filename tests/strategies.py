"""Hypothesis strategies: sizes, boxes, placements, images, and files of every accepted format."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from transforms.placements import Placement
from transforms.records import Box, Pixels, Size

FILE_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF")


def sizes(least: int = 1, most: int = 4000) -> st.SearchStrategy[Size]:
    """Sizes with sides in `least..most`."""
    return st.builds(Size, st.integers(least, most), st.integers(least, most))


@st.composite
def boxes_in(draw: st.DrawFn, size: Size) -> Box:
    """Boxes of at least one pixel inside `size`."""
    top, left = draw(st.integers(0, size.height - 1)), draw(st.integers(0, size.width - 1))
    return Box(top, left, draw(st.integers(top + 1, size.height)), draw(st.integers(left + 1, size.width)))


@st.composite
def framed_boxes(draw: st.DrawFn, most: int = 4000) -> tuple[Size, Box]:
    """A source's size and a box inside it."""
    size = draw(sizes(1, most))
    return size, draw(boxes_in(size))


@st.composite
def placements(draw: st.DrawFn) -> Placement:
    """Placements of any ratio, their safe zone at least half of each side."""
    margins = tuple(draw(st.floats(0, 0.25)) for _ in range(4))
    return Placement("any", draw(sizes(64, 2048)), margins)


@st.composite
def images(draw: st.DrawFn, most: int = 48) -> Pixels:
    """Small RGB images: flat, gradient or noise."""
    height, width = draw(sizes(1, most))
    kind, seed = draw(st.sampled_from(("flat", "gradient", "noise"))), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    if kind == "noise":
        return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    colour = rng.integers(0, 256, 3, dtype=np.uint8)
    if kind == "flat":
        return np.full((height, width, 3), colour, np.uint8)
    ramp = np.linspace(0, 1, width)[None, :, None] * np.linspace(1, 0.5, height)[:, None, None]
    return np.asarray(np.rint(ramp * colour), np.uint8)


def encoded(pixels: Pixels, file_format: str, mode: str = "RGB", **options: object) -> bytes:
    """`pixels` as a file of `file_format` and Pillow `mode`."""
    target = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(target, file_format, **options)
    return target.getvalue()


@st.composite
def image_files(draw: st.DrawFn) -> bytes:
    """Sound files of every accepted format."""
    return encoded(draw(images()), draw(st.sampled_from(FILE_FORMATS)))
