"""The shipped upscaler without torch: a painted candidate to the placement's pixels.

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
from models.serving.engines import Engine, load_engine
from transforms.records import Size

Bytes = NDArray[np.uint8]

SCALE = 3
ENGINE, PRECISION = "openvino", "fp32"


@dataclass(frozen=True)
class Enlarger:
    """Three times by the network, then to the asked size by one resampling; call it with a picture and a size."""

    engine: Engine

    def __call__(self, picture: Bytes, size: Size) -> Bytes:
        """`picture` uint8 [h, w, 3] at `size`, uint8 [H, W, 3].

        Smaller than three times: area average. Larger: Lanczos, from what the network made.
        """
        large = cast(Bytes, np.asarray(self.engine(picture[None])[0]).astype(np.uint8, copy=False))
        if large.shape[:2] == tuple(size):
            return large
        kernel = cv2.INTER_AREA if large.shape[0] >= size.height else cv2.INTER_LANCZOS4
        return cast(Bytes, cv2.resize(large, (size.width, size.height), interpolation=kernel))


def load_enlarger(
    folder: Path = WEIGHTS / "upscaler", engine: str = ENGINE, precision: str = PRECISION, threads: int = 1
) -> Enlarger:
    """The upscaler of a folder with upscaler.onnx and card.json.

    Raises:
        ConfigError: a file is missing, or not the one that the card names.
    """
    check_files(folder)
    return Enlarger(load_engine(folder / "upscaler.onnx", engine, precision, threads))
