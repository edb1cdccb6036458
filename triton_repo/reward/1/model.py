"""How likely a painted background is defective."""

from models.serving.items import Answer, Item
from models.serving.judge import load_judge
from models.serving.python_model import PythonModel


class TritonPythonModel(PythonModel):
    """IMAGE, PRODUCT, CANDIDATE -> PRODUCT_DEFECT, BACKGROUND_DEFECT."""

    def setup(self) -> None:
        """Load the network that was exported into the model's folder, else the one that ships."""
        own = self.folder / "weights"
        self.judge = load_judge(own) if own.is_dir() else load_judge()

    def answer(self, item: Item) -> Answer:
        """Judge one candidate."""
        verdict = self.judge(item["IMAGE"], item["PRODUCT"], item["CANDIDATE"])
        return {"PRODUCT_DEFECT": verdict.product, "BACKGROUND_DEFECT": verdict.background}
