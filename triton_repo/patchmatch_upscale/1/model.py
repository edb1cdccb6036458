"""PatchMatch, second half: the offsets carried to the placement's pixels."""

from models.serving.items import Answer, Item
from models.serving.python_model import PythonModel
from transforms.ops import patchmatch


class TritonPythonModel(PythonModel):
    """IMAGE, PRODUCT, KNOWN, CANDIDATE, GUIDE, PROMPT, SEED -> SCENE."""

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
