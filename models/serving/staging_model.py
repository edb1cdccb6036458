"""The bodies of the served models of `canvas_staging`."""

from __future__ import annotations

from models.serving.items import Answer, Item
from models.serving.python_model import PythonModel
from models.serving.stager import Stager, load_stager, paint, upscale

_PAINT = ("IMAGE", "PRODUCT", "KNOWN", "PROMPT", "SEED")
_UPSCALE = ("IMAGE", "PRODUCT", "KNOWN", "CANDIDATE", "GUIDE", "PROMPT", "SEED")


class StagingModel(PythonModel):
    """The first half: a candidate for each seed."""

    stage: Stager

    def setup(self) -> None:
        """Load the shipped network."""
        self.stage = load_stager()

    def answer(self, item: Item) -> Answer:
        """Paint one candidate."""
        candidate, guide = paint(self.stage, *(item[name] for name in _PAINT))
        return {"CANDIDATE": candidate, "GUIDE": guide}


class StagingUpscaleModel(StagingModel):
    """The second half."""

    def answer(self, item: Item) -> Answer:
        """Paint one scene."""
        return {"SCENE": upscale(self.stage, *(item[name] for name in _UPSCALE))}
