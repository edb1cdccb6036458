"""How much of a picture lies under legible text, through rapidocr (Apache-2.0; its models come in its package).

Detection alone takes grilles, stripes and lace for text, so each found line is read as well and counts only when the
reader is sure of at least three letters or digits. Small prints count little, because the measure is area.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.records import Pixels

LONG_SIDE = 736  # pixels; larger pictures are shrunk to it
_MIN_CONFIDENCE = 0.8
_MIN_LETTERS = 3
_MIN_AREA = 2e-4  # share of the picture below which a line is not read
_READ_AT_MOST = 8  # lines, largest first; a text overlay shows in fewer
_LINE_HEIGHT = 48  # what the reader sees

Quad = NDArray[np.float32]


class TextArea(NamedTuple):
    """`coverage`: share of the picture under confirmed text, in [0, 1]; `boxes`: confirmed lines."""

    coverage: float
    boxes: float


class TextDetector:
    """Finds and confirms lines of text. Single-threaded sessions, offline; nothing loads before the first instance."""

    def __init__(self) -> None:
        self._engine = _engine()

    def __call__(self, image: Pixels) -> TextArea:
        """Measure `image` (uint8 [H, W, 3], sRGB)."""
        small = _shrunk(image)
        lines = [line for line in self._lines(small) if self._reads(small, line)]
        return TextArea(_covered(lines, small.shape[0], small.shape[1]), float(len(lines)))

    def _lines(self, image: Pixels) -> list[Quad]:
        found = self._engine(_bgr(image), use_det=True, use_cls=False, use_rec=False)
        quads = [] if found.boxes is None else [np.asarray(box, dtype=np.float32) for box in found.boxes]
        least = _MIN_AREA * image.shape[0] * image.shape[1]
        return sorted((quad for quad in quads if _area(quad) >= least), key=_area, reverse=True)[:_READ_AT_MOST]

    def _reads(self, image: Pixels, line: Quad) -> bool:
        read = self._engine(_bgr(_straightened(image, line)), use_det=False, use_cls=False, use_rec=True)
        if not read.txts:
            return False
        letters = sum(character.isalnum() for character in read.txts[0])
        return letters >= _MIN_LETTERS and float(read.scores[0]) >= _MIN_CONFIDENCE


def _engine() -> Any:
    import onnxruntime  # noqa: F401 - what rapidocr computes with: named, so that its version is in the model's digest
    import rapidocr

    models = files(rapidocr) / "models"
    # explicit paths: an engine that is left to find its models may go and download them
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "error",
            "Global.max_side_len": LONG_SIDE,
            "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
            "Det.limit_type": "max",
            "Det.limit_side_len": LONG_SIDE,
            "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _bgr(image: Pixels) -> Pixels:
    return np.ascontiguousarray(image[..., ::-1])


def _shrunk(image: Pixels) -> Pixels:
    scale = LONG_SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    return cast(Pixels, cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def _area(quad: Quad) -> float:
    return float(cv2.contourArea(quad))


def _straightened(image: Pixels, quad: Quad) -> Pixels:
    """The line within `quad` (corners clockwise from the top left) as an upright strip, 48 px high."""
    top, right, bottom, left = (float(np.linalg.norm(quad[(k + 1) % 4] - quad[k])) for k in range(4))
    width, height = max(top, bottom), max(right, left, 1.0)
    long = int(np.clip(round(_LINE_HEIGHT * width / height), _LINE_HEIGHT, 20 * _LINE_HEIGHT))
    corners = np.asarray([(0, 0), (long, 0), (long, _LINE_HEIGHT), (0, _LINE_HEIGHT)], dtype=np.float32)
    warp = cv2.getPerspectiveTransform(quad, corners)
    return cast(Pixels, cv2.warpPerspective(image, warp, (long, _LINE_HEIGHT), borderMode=cv2.BORDER_REPLICATE))


def _covered(lines: list[Quad], height: int, width: int) -> float:
    canvas = np.zeros((height, width), dtype=np.uint8)
    for line in lines:  # one by one: where two of one call overlap, OpenCV leaves a hole
        cv2.fillPoly(canvas, [np.round(line).astype(np.int32)], (1,))
    return float(canvas.mean())
