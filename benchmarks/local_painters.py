"""The served painters and the networks of verify in this process, behind the client's interface and its contracts.

A request passes the same checks and reaches the same code as in the server; only the transport between them is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export.cards import NAME, WEIGHTS
from models.serving.enlarge import load_enlarger
from models.serving.items import Answer, Item, answer_items
from models.serving.local import engine
from models.serving.painter import Painter, laid_over, load_painter, resampled
from models.serving.stager import Stager, load_stager
from models.serving.stager import paint as paint_staged
from models.serving.stager import upscale as upscale_staged
from transforms.inference.contracts import CONTRACTS
from transforms.inference.fake import FakeClient
from transforms.inference.interface import Tensors
from transforms.ops import patchmatch, studio
from transforms.records import Pixels, Size

Outputs = dict[str, NDArray[Any]]
Responder = Callable[[Tensors], Outputs]
CANVAS = ("canvas_background", "canvas_outpaint")
_PAINT = ("IMAGE", "PRODUCT", "KNOWN", "PROMPT", "SEED")
_UPSCALE = ("IMAGE", "PRODUCT", "KNOWN", "CANDIDATE", "GUIDE", "PROMPT", "SEED")


class LocalClient(FakeClient):
    """A client of real painters.

    Args:
        canvas: folder of exported Canvas weights.
        others: responders of further models by name.

    Attributes:
        candidates: every candidate that was painted since the list was emptied, uint8 [h, w, 3] each.
    """

    def __init__(self, canvas: Path | None = None, others: Mapping[str, Responder] | None = None) -> None:
        responders: dict[str, Responder] = {
            **(others or {}),
            "segmenter": engine("segmenter", "ALPHA"),
            **{name: partial(answer_items, CONTRACTS[name], answer=answer) for name, answer in _ANSWERS.items()},
        }
        for name in CANVAS:
            if (folder := weights_of(canvas, name)) is not None:
                responders[name] = _Canvas(folder, CONTRACTS[name].fixed_batch)
                responders[f"{name}_upscale"] = partial(answer_items, CONTRACTS[f"{name}_upscale"], answer=_enlarge)
        super().__init__(responders)
        self.candidates: list[Pixels] = []

    def infer(self, model: str, inputs: Tensors, *, deadline_sec: float | None = None) -> Outputs:
        """See `InferenceClient.infer`."""
        outputs = super().infer(model, inputs, deadline_sec=deadline_sec)
        self.requests.clear()  # a long run would keep every picture
        self.candidates += list(outputs.get("CANDIDATE", ()))
        return outputs


def exported(canvas: Path | None) -> tuple[str, ...]:
    """The Canvas painters whose weights lie below a folder of `models.export.canvas`."""
    return tuple(name for name in CANVAS if weights_of(canvas, name) is not None)


def weights_of(canvas: Path | None, name: str) -> Path | None:
    """Where a painter's weights are: CANVAS, or below it its name, its variant or name/1/weights; None: nowhere."""
    variant = name.removeprefix("canvas_")
    inner = ("", name, variant, f"{name}/1/weights") if canvas is not None else ()
    cards = [canvas / part / NAME for part in inner if canvas is not None]
    found = [card for card in cards if card.is_file() and json.loads(card.read_text())["recipe"]["variant"] == variant]
    return found[0].parent if found else None


class _Canvas:
    """A painter's first half; its weights are read when it is first asked."""

    def __init__(self, folder: Path, batch: int) -> None:
        self._folder, self._batch = folder, batch
        self._painter: Painter | None = None

    def __call__(self, inputs: Tensors) -> Outputs:
        self._painter = self._painter or load_painter(self._folder, self._batch, threads=1)
        prompts = [value.reshape(-1)[0].decode() for value in inputs["PROMPT"]]
        seeds = [int(value.reshape(-1)[0]) for value in inputs["SEED"]]
        painted = self._painter(inputs["IMAGE"], inputs["KNOWN"][..., 0], prompts, seeds)
        return {"CANDIDATE": painted, "GUIDE": np.zeros((*painted.shape[:3], 2), np.int16)}


def _enlarge(item: Item) -> Answer:
    scene = _enlarger()(item["CANDIDATE"], Size(*item["KNOWN"].shape))
    return {"SCENE": laid_over(scene, item["IMAGE"], item["KNOWN"])}


@cache
def _enlarger() -> Callable[[Pixels, Size], Pixels]:
    """The shipped upscaler where there is one, as the server's model does."""
    folder = WEIGHTS / "upscaler"
    return load_enlarger(folder) if (folder / NAME).is_file() else resampled


def _studio(item: Item) -> Answer:
    candidate = studio.paint(*(item[name] for name in _PAINT))
    return {"CANDIDATE": candidate, "GUIDE": np.zeros((*candidate.shape[:2], 2), np.int16)}


def _staged(item: Item) -> Answer:
    candidate, guide = paint_staged(_stager(), *(item[name] for name in _PAINT))
    return {"CANDIDATE": candidate, "GUIDE": guide}


def _staged_upscale(item: Item) -> Answer:
    return {"SCENE": upscale_staged(_stager(), *(item[name] for name in _UPSCALE))}


@cache
def _stager() -> Stager:
    return load_stager()


def _patchmatch(item: Item) -> Answer:
    candidate, guide = patchmatch.paint(*(item[name] for name in _PAINT))
    return {"CANDIDATE": candidate, "GUIDE": guide}


def _studio_upscale(item: Item) -> Answer:
    return {"SCENE": studio.upscale(*(item[name] for name in _UPSCALE))}


def _patchmatch_upscale(item: Item) -> Answer:
    return {"SCENE": patchmatch.upscale(*(item[name] for name in _UPSCALE))}


_ANSWERS: dict[str, Callable[[Item], Answer]] = {
    "studio": _studio,
    "studio_upscale": _studio_upscale,
    "canvas_staging": _staged,
    "canvas_staging_upscale": _staged_upscale,
    "patchmatch": _patchmatch,
    "patchmatch_upscale": _patchmatch_upscale,
}
