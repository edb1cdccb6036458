"""Does the studio painter look like a studio? Paints a contact sheet of cutouts for eyes, through the real stages.

    python -m benchmarks.studio_sheet CUTOUTS OUT.png [--placements NAME,...] [--seeds N] [--prompt TEXT]

CUTOUTS is a folder of RGBA PNG files, one product each, named after it; a row of the sheet is a product.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from models.serving.items import Answer, Item, answer_items
from transforms.background import BackgroundSettings, paint_background
from transforms.compose import ComposeSettings, compose_job
from transforms.errors import Refusal
from transforms.inference.contracts import CONTRACTS
from transforms.inference.fake import FakeClient
from transforms.ops import studio
from transforms.placements import PLACEMENTS
from transforms.records import Box, Cutout, Job, Pixels, Product, ProductImage, SourceFacts

_CELL = 420


def studio_client() -> FakeClient:
    """The painter in this process, behind the client's interface and checks."""
    answers = {"studio": _paint, "studio_upscale": _upscale}
    return FakeClient({name: partial(answer_items, CONTRACTS[name], answer=answer) for name, answer in answers.items()})


def _paint(item: Item) -> Answer:
    candidate = studio.paint(*(item[name] for name in ("IMAGE", "PRODUCT", "KNOWN", "PROMPT", "SEED")))
    return {"CANDIDATE": candidate, "GUIDE": np.zeros((*candidate.shape[:2], 2), np.int16)}


def _upscale(item: Item) -> Answer:
    names = ("IMAGE", "PRODUCT", "KNOWN", "CANDIDATE", "GUIDE", "PROMPT", "SEED")
    return {"SCENE": studio.upscale(*(item[name] for name in names))}


def job_of(path: Path, seed: int, prompt: str) -> Job:
    """A segmented job from an RGBA file: its colours over white are the source, its alpha the matte."""
    rgba = np.asarray(Image.open(path).convert("RGBA"))
    alpha = rgba[..., 3].astype(np.float32) / 255
    shot = np.rint(rgba[..., :3] * alpha[..., None] + 255 * (1 - alpha[..., None])).astype(np.uint8)
    mask = alpha > 0.5
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in path.stem)
    return Job(
        Product(str(path), 0, "sheet", path.stem, str(path), title=words, prompt=prompt, seed=seed),
        image=ProductImage(shot, SourceFacts(path.stem, 0, "png", "RGBA")),
        task="background",
        cutout=Cutout(np.ascontiguousarray(rgba[..., :3]), alpha, mask, box),
    )


def cell(job: Job, placement: str, client: FakeClient) -> Pixels:
    """The composed scene, small, with its scores; a refusal in words."""
    height, width = PLACEMENTS[placement].size
    card = Image.new("RGB", (_CELL, round(_CELL * height / width) + 14), "white")
    started = time.perf_counter()
    try:
        painted = paint_background(replace(job, placement=PLACEMENTS[placement]), client, BackgroundSettings())
        done = compose_job(painted, settings=ComposeSettings())
        assert done.scene is not None
        picture = Image.fromarray(done.scene.pixels)
        card.paste(picture.resize((card.width, card.height - 14), Image.Resampling.LANCZOS), (0, 14))
        scores = {name.removeprefix("background_"): value for name, value in done.scores.items()}
        text = " ".join(f"{name[:8]} {scores[name]:.2f}" for name in ("reward", "contrast", "harmony", "core_share"))
    except Refusal as refusal:
        text = f"{refusal.reason} {refusal.value}"
    text += f" {1000 * (time.perf_counter() - started):.0f} ms"
    ImageDraw.Draw(card).text((2, 1), text, fill="black")
    return np.asarray(card)


def main() -> None:
    """Paint the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cutouts", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--placements", default="pinterest_standard,pmax_landscape,pmax_square,meta_stories")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first_seed", type=int, default=1)
    parser.add_argument("--prompt", default="")
    parser.add_argument("--columns", type=int, default=0, help="cells in a row; 0: one product a row")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    client = studio_client()
    cells: list[Pixels] = []
    for path in sorted(options.cutouts.glob("*.png")):
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            job = job_of(path, seed * 7919 + len(cells), options.prompt)
            cells += [cell(job, placement, client) for placement in options.placements.split(",")]
    columns = options.columns or options.seeds * len(options.placements.split(","))
    rows = [_row(cells[i : i + columns], columns) for i in range(0, len(cells), columns)]
    Image.fromarray(np.concatenate(rows)).save(options.out)


def _row(cells: list[Pixels], columns: int) -> Pixels:
    """Cells of any height side by side on white."""
    height = max(len(cell) for cell in cells)
    row = np.full((height, columns * _CELL, 3), 255, np.uint8)
    for i, picture in enumerate(cells):
        row[: len(picture), i * _CELL : (i + 1) * _CELL] = picture
    return row


if __name__ == "__main__":
    main()
