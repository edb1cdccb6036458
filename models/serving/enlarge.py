"""The shipped upscaler without torch: a painted candidate to the placement's pixels, in one step or by diffusion.

enlarge = load_enlarger()
scene = enlarge(candidate, Size(1500, 1000))
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from models.export.cards import WEIGHTS, check_files
from models.registry import STRIDE
from models.serving.engines import Engine, load_engine
from models.serving.painter import Painter, load_painter
from transforms.errors import ConfigError
from transforms.records import Size

Bytes = NDArray[np.uint8]

SCALE = 3
ENGINE, PRECISION = "openvino", "fp32"
VARIANT = "super_resolution"
_SEED = 0


@dataclass(frozen=True)
class Enlarger:
    """Three times by the network, then to the asked size by one resampling; call it with a picture and a size."""

    engine: Engine

    def __call__(self, picture: Bytes, size: Size) -> Bytes:
        """`picture` uint8 [h, w, 3] at `size`, uint8 [H, W, 3].

        Smaller than three times: area average. Larger: Lanczos, from what the network made.
        """
        return _fitted(np.asarray(self.engine(picture[None])[0]).astype(np.uint8, copy=False), size)


@dataclass(frozen=True)
class CanvasEnlarger:
    """The same by the variant `super_resolution`: it paints over a bicubic enlargement, always with one seed."""

    paint: Painter

    def __call__(self, picture: Bytes, size: Size) -> Bytes:
        """See `Enlarger`."""
        height, width = (SCALE * length for length in picture.shape[:2])
        rough = cast(Bytes, cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC))
        padded = np.pad(rough, ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0)), mode="edge")
        large = self.paint(padded[None], np.full((1, *padded.shape[:2]), 255, np.uint8), [""], [_SEED])[0]
        return _fitted(np.ascontiguousarray(large[:height, :width]), size)


def _fitted(large: Bytes, size: Size) -> Bytes:
    if large.shape[:2] == tuple(size):
        return large
    kernel = cv2.INTER_AREA if large.shape[0] >= size.height else cv2.INTER_LANCZOS4
    return cast(Bytes, cv2.resize(large, (size.width, size.height), interpolation=kernel))


def load_enlarger(
    folder: Path = WEIGHTS / "upscaler", engine: str = ENGINE, precision: str = PRECISION, threads: int = 1
) -> Enlarger | CanvasEnlarger:
    """The upscaler of a folder that an export wrote: the one-step network, or the variant `super_resolution`.

    Args:
        folder: with its card.
        engine, precision, threads: of the inference; the diffusion variant knows fp32 alone.

    Raises:
        ConfigError: a file is missing, or not the one that the card names; or it is another variant.
    """
    card = check_files(folder)
    if "upscaler.onnx" in card["files"]:
        return Enlarger(load_engine(folder / "upscaler.onnx", engine, precision, threads))
    if card["recipe"]["variant"] != VARIANT:
        raise ConfigError(f"{str(folder)!r} holds the variant {card['recipe']['variant']!r}, which enlarges nothing")
    return CanvasEnlarger(load_painter(folder, 1, engine, threads))
