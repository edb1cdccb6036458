"""Whether a person is in an image."""

from models.serving.items import Answer, Item
from models.serving.python_model import PythonModel
from transforms.ops.human import HumanDetector


class TritonPythonModel(PythonModel):
    """IMAGE -> SCORE."""

    def setup(self) -> None:
        """Load the detector."""
        self.detector = HumanDetector()

    def answer(self, item: Item) -> Answer:
        """Score one image."""
        return {"SCORE": self.detector(item["IMAGE"])}
