"""PatchMatch, first half: the unknown region filled from the known one, never from the product."""

import numpy as np

from models.serving.items import Answer, Item
from models.serving.python_model import PythonModel
from transforms.ops import patchmatch


class TritonPythonModel(PythonModel):
    """IMAGE, PRODUCT, KNOWN, PROMPT, SEED -> CANDIDATE, GUIDE (the source offsets of every pixel)."""

    def setup(self) -> None:
        """Compile the search before the first request, on a small grey image with a border to fill."""
        grey, plane = np.full((64, 64, 3), 128, np.uint8), np.zeros((64, 64), np.uint8)
        known = plane.copy()
        known[16:48, 16:48] = 255
        patchmatch.paint(grey, plane, known, "", 0)

    def answer(self, item: Item) -> Answer:
        """Paint one candidate."""
        candidate, guide = patchmatch.paint(item["IMAGE"], item["PRODUCT"], item["KNOWN"], item["PROMPT"], item["SEED"])
        return {"CANDIDATE": candidate, "GUIDE": guide}
