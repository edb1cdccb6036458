"""PatchMatch, first half: the unknown region filled from the known one, never from the product."""

from models.serving.items import Answer, Item
from models.serving.python_model import PythonModel
from transforms.ops import patchmatch


class TritonPythonModel(PythonModel):
    """IMAGE, PRODUCT, KNOWN, PROMPT, SEED -> CANDIDATE, GUIDE (the source offsets of every pixel)."""

    def answer(self, item: Item) -> Answer:
        """Paint one candidate."""
        candidate, guide = patchmatch.paint(item["IMAGE"], item["PRODUCT"], item["KNOWN"], item["PROMPT"], item["SEED"])
        return {"CANDIDATE": candidate, "GUIDE": guide}
