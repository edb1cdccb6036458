"""PatchMatch, second half: the offsets carried to the placement's pixels."""

import numpy as np

from models.serving.items import Answer, Item
from models.serving.python_model import PythonModel
from transforms.ops import patchmatch


class TritonPythonModel(PythonModel):
    """IMAGE, PRODUCT, KNOWN, CANDIDATE, GUIDE, PROMPT, SEED -> SCENE."""

    def setup(self) -> None:
        """Compile what the first request would, on a small grey image with a border to fill."""
        grey, plane = np.full((64, 64, 3), 128, np.uint8), np.zeros((64, 64), np.uint8)
        known = plane.copy()
        known[16:48, 16:48] = 255
        candidate, guide = patchmatch.paint(grey, plane, known, "", 0)
        patchmatch.upscale(grey, plane, known, candidate, guide, "", 0)

    def answer(self, item: Item) -> Answer:
        """Paint one scene."""
        scene = patchmatch.upscale(
            item["IMAGE"],
            item["PRODUCT"],
            item["KNOWN"],
            item["CANDIDATE"],
            item["GUIDE"],
            item["PROMPT"],
            item["SEED"],
        )
        return {"SCENE": scene}
