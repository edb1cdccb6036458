"""A pretrained diffusers checkpoint as a served painter: what `models.export.pretrained` wrote a card for."""

from __future__ import annotations

import json

import cv2
import numpy as np

from models.pretrained import Asked, load_painter
from models.serving.items import Answer, Item
from models.serving.python_model import PythonModel


class PretrainedModel(PythonModel):
    """IMAGE, PRODUCT, KNOWN, PROMPT, SEED -> CANDIDATE, GUIDE: everything but the known region is painted."""

    def setup(self) -> None:
        """Load the checkpoint."""
        self.card = json.loads((self.folder / "weights" / "card.json").read_text(encoding="utf-8"))
        self.painter = load_painter(self.card["checkpoint"], device=self.card["device"], dtype=self.card["dtype"])

    def answer(self, item: Item) -> Answer:
        """Paint one candidate."""
        words = {name: self.card[name] for name in ("negative_prompt", "steps", "guidance")}
        asked = Asked(item["IMAGE"], 255 - item["KNOWN"], item["PROMPT"], **words)
        candidate = self.painter.paint(asked, (item["SEED"],))[0]
        return {"CANDIDATE": candidate, "GUIDE": self.no_guide(candidate)}


class LanczosModel(PythonModel):
    """IMAGE, PRODUCT, KNOWN, CANDIDATE, GUIDE, PROMPT, SEED -> SCENE: the candidate enlarged, the known region kept."""

    def answer(self, item: Item) -> Answer:
        """Enlarge one candidate."""
        height, width = item["IMAGE"].shape[:2]
        large = cv2.resize(item["CANDIDATE"], (width, height), interpolation=cv2.INTER_LANCZOS4)
        return {"SCENE": np.where(item["KNOWN"][..., None] > 0, item["IMAGE"], large)}
