"""Studio, second half: the winning set at the placement's pixels."""

from models.serving.items import Answer, Item
from models.serving.python_model import PythonModel
from transforms.ops import studio


class TritonPythonModel(PythonModel):
    """IMAGE, PRODUCT, KNOWN, CANDIDATE, GUIDE, PROMPT, SEED -> SCENE."""

    def answer(self, item: Item) -> Answer:
        """Paint one scene."""
        scene = studio.upscale(
            item["IMAGE"],
            item["PRODUCT"],
            item["KNOWN"],
            item["CANDIDATE"],
            item["GUIDE"],
            item["PROMPT"],
            item["SEED"],
        )
        return {"SCENE": scene}
