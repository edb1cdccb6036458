"""The bodies of the served Canvas models."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from models.export.cards import NAME, WEIGHTS
from models.filling import GREY
from models.serving.enlarge import Enlarger, load_enlarger
from models.serving.items import Answer, Item, Tensors
from models.serving.painter import laid_over, load_painter, resampled
from models.serving.python_model import PythonModel
from transforms.records import Size


class CanvasModel(PythonModel):
    """The first half: paints all candidates of its requests at once, several products' together."""

    joins: ClassVar[bool] = True

    def setup(self) -> None:
        """Load the variant that was exported into the model's folder."""
        self.paint = load_painter(self.folder / "weights", self.contract.fixed_batch)

    def answer_all(self, inputs: Tensors) -> Tensors:
        """The outputs of a batch by name, batch dimension first."""
        prompts = [value.reshape(-1)[0].decode() for value in inputs["PROMPT"]]
        seeds = [int(value.reshape(-1)[0]) for value in inputs["SEED"]]
        candidates = self.paint(inputs["IMAGE"], inputs["KNOWN"][..., 0], prompts, seeds)
        return {"CANDIDATE": candidates, "GUIDE": np.zeros((*candidates.shape[:3], 2), np.int16)}


class CanvasSynthesisModel(CanvasModel):
    """Scenes with the products of up to eight pictures; nothing is known, an image only says how large a scene is."""

    def answer_all(self, inputs: Tensors) -> Tensors:
        """The outputs of a batch by name, batch dimension first."""
        prompts = [value.reshape(-1)[0].decode() for value in inputs["PROMPT"]]
        seeds = [int(value.reshape(-1)[0]) for value in inputs["SEED"]]
        images = np.full_like(inputs["IMAGE"], GREY)
        nothing = np.zeros(images.shape[:3], np.uint8)
        return {"CANDIDATE": self.paint(images, nothing, prompts, seeds, inputs["REFERENCES"])}


class CanvasUpscaleModel(PythonModel):
    """The second half: the network that enlarges where it is shipped, else resampling; what is known is laid over."""

    def setup(self) -> None:
        """Load the enlarging network if there is one."""
        folder: Path = WEIGHTS / "upscaler"
        self.enlarge = load_enlarger(folder) if (folder / NAME).is_file() else resampled

    enlarge: Enlarger | Any

    def answer(self, item: Item) -> Answer:
        """Enlarge one candidate."""
        size = Size(*item["KNOWN"].shape)
        return {"SCENE": laid_over(self.enlarge(item["CANDIDATE"], size), item["IMAGE"], item["KNOWN"])}
