"""How much of an image lies under text."""

from models.serving.items import Answer, Item
from models.serving.python_model import PythonModel
from transforms.ops.text_area import TextDetector


class TritonPythonModel(PythonModel):
    """IMAGE -> COVERAGE, BOXES."""

    def setup(self) -> None:
        """Load the detector's networks."""
        self.detector = TextDetector()

    def answer(self, item: Item) -> Answer:
        """Measure one image."""
        coverage, boxes = self.detector(item["IMAGE"])
        return {"COVERAGE": coverage, "BOXES": boxes}
