"""Pictures side by side as one PNG, to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_GAP = 4


def write_sheet(rows: Sequence[Sequence[NDArray[np.uint8]]], target: Path) -> None:
    """Write rows of pictures, uint8 [H, W, 3] each, one size a row, left-aligned on white."""
    lines = [np.concatenate([_framed(picture) for picture in row], axis=1) for row in rows]
    width = max(line.shape[1] for line in lines)
    filled = [np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0)), constant_values=255) for line in lines]
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), np.concatenate(filled)[..., ::-1])


def _framed(picture: NDArray[np.uint8]) -> NDArray[Any]:
    return np.pad(picture, ((_GAP, 0), (_GAP, 0), (0, 0)), constant_values=255)
