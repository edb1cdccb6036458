"""Studio, first half: a seamless studio set around the product, one candidate for each seed."""

from models.serving.items import Answer, Item
from models.serving.python_model import PythonModel
from transforms.ops import studio


class TritonPythonModel(PythonModel):
    """IMAGE, PRODUCT, KNOWN, PROMPT, SEED -> CANDIDATE, GUIDE (zeros: its upscaler needs none)."""

    def answer(self, item: Item) -> Answer:
        """Paint one candidate."""
        candidate = studio.paint(item["IMAGE"], item["PRODUCT"], item["KNOWN"], item["PROMPT"], item["SEED"])
        return {"CANDIDATE": candidate, "GUIDE": self.no_guide(candidate)}
