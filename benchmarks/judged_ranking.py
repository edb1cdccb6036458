"""Does the trained reward put better candidates first than the cheap scores alone? Figures, and a sheet for eyes.

    python -m benchmarks.judged_ranking --products DIR... --out SHEET.png [--weights DIR] [--canvas DIR] [--count 12]

PRODUCTS as for `benchmarks.painters`, held-out ones. Each has four candidates of the painter `studio` (every second
product in a room), its best one spoiled in three ways (models/data/defects.py, at the candidate's own size), and with
CANVAS, a folder of `models.export.canvas`, four of `canvas_background`. Both rankings are the stage's own. A row of the
sheet is a product, best candidate by the reward first; the captions say where each stood without it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw

from benchmarks.local_painters import LocalClient
from benchmarks.painters.products import drawn, product_job, products_of, title_of
from benchmarks.painters.prompts import plain_prompt, room_prompt
from models.data.defects import Composition, spoil
from models.export.cards import WEIGHTS
from models.serving.items import Answer, Item, answer_items
from models.serving.judge import Judge, load_judge
from transforms.inference.contracts import CONTRACTS, bucket_of
from transforms.judgement import Judged, JudgementSettings, judged
from transforms.laying import Laid, lay_product
from transforms.ops.framing import FramingLimits, place_product
from transforms.ops.ranking import rank_candidates
from transforms.records import Job, Pixels, Size
from transforms.seeds import seeds_of

PLANTED = ("seam", "wrong_light", "garbage")
_CANDIDATES, _SEED, _CELL = 4, 0, (170, 268)


class Ranked(NamedTuple):
    """One product's candidates: what each is ("studio", a defect, "canvas_background"), and both orders of them."""

    laid: Laid
    names: list[str]
    pixels: list[Pixels]
    cheap: list[int]
    judged: list[Judged]


def laid_of(job: Job) -> Laid:
    """The product at its bucket's size, as the stage asks painters with it."""
    assert job.image is not None and job.cutout is not None and job.placement is not None
    transform = place_product(job.image.size, job.cutout.box, job.placement, FramingLimits())
    laid = lay_product(job.cutout, transform, job.placement.size)
    return laid.shrunk(bucket_of(Size(*job.placement.size)))


def painted(client: LocalClient, painter: str, laid: Laid, prompt: str, seeds: Sequence[int]) -> list[Pixels]:
    """One candidate for each seed."""
    count = len(seeds)
    each = {"IMAGE": laid.image, "PRODUCT": laid.product[..., None], "KNOWN": laid.known[..., None]}
    tensors = {name: np.repeat(plane[None], count, axis=0) for name, plane in each.items()}
    words, numbers = np.full((count, 1), prompt.encode(), object), np.array(seeds, np.int64)[:, None]
    return list(client.infer(painter, {**tensors, "PROMPT": words, "SEED": numbers})["CANDIDATE"])


def spoiled(candidate: Pixels, kind: str, seed: int) -> Pixels:
    """A backdrop with a defect of some strength from a half to 1."""
    rng = np.random.default_rng([seed, PLANTED.index(kind)])
    ground = candidate.astype(np.float32) / 255
    nothing = np.zeros(ground.shape[:2], np.float32)  # no product: the backdrop alone is spoiled
    bare = Composition(np.zeros_like(ground), nothing, ground, ground)
    return np.rint(spoil(rng, kind, float(rng.uniform(0.5, 1.0)), bare) * 255).astype(np.uint8)


def ranked(path: Path, number: int, client: LocalClient, *, canvas: bool) -> Ranked:
    """Paint, spoil and rank the candidates of one product."""
    asked = room_prompt(title_of(path), number, _SEED) if number % 2 else plain_prompt(number, _SEED)
    job = product_job(path, asked.words, _SEED)
    laid, seeds = laid_of(job), seeds_of(job.product, _CANDIDATES)
    pixels = painted(client, "studio", laid, asked.words, seeds)
    best = rank_candidates(laid.image, laid.product, pixels)[0].candidate
    names = ["studio"] * len(pixels) + list(PLANTED)
    pixels += [spoiled(pixels[best], kind, job.product.seed) for kind in PLANTED]
    if canvas:
        pixels += painted(client, "canvas_background", laid, asked.words, seeds)
        names += ["canvas_background"] * len(seeds)
    rankings = rank_candidates(laid.image, laid.product, pixels)
    found = judged(client, laid.image, laid.product, pixels, rankings)
    return Ranked(laid, names, pixels, [ranking.candidate for ranking in rankings], found)


def table_of(rows: Sequence[Ranked]) -> list[str]:
    """What the reward says of each kind of candidate, and how often it stands behind all of the studio's own."""
    limit = JudgementSettings().max_background_defect
    lines = ["| candidates | stated, mean | above the limit | a sound one comes first: cheap | with the reward |"]
    lines.append("|---|---|---|---|---|")
    for name in dict.fromkeys(name for row in rows for name in row.names):
        said = np.array([each.background for row in rows for each in row.judged if _name(row, each) == name])
        figures = [f"{said.mean():.2f}", f"{(said > limit).mean():.0%}"]
        figures += ["" if name == "studio" else f"{_behind(rows, name, order):.0%}" for order in (_cheap, _judged)]
        lines.append(f"| {name} | {' | '.join(figures)} |")
    return lines


Order = Callable[[Ranked], list[int]]


def _cheap(row: Ranked) -> list[int]:
    return row.cheap


def _judged(row: Ranked) -> list[int]:
    return [each.ranking.candidate for each in row.judged]


def _name(row: Ranked, each: Judged) -> str:
    return row.names[each.ranking.candidate]


def _behind(rows: Sequence[Ranked], name: str, order: Order) -> float:
    """The share of products whose first candidate, out of the studio's and those of that name, is the studio's."""
    firsts = [next(row.names[at] for at in order(row) if row.names[at] in ("studio", name)) for row in rows]
    return sum(first == "studio" for first in firsts) / len(firsts)


def _changed(rows: Sequence[Ranked]) -> int:
    """How many products get another of the studio's own candidates."""
    own = [[next(at for at in order(row) if row.names[at] == "studio") for order in (_cheap, _judged)] for row in rows]
    return sum(cheap != by_reward for cheap, by_reward in own)


def line_of(row: Ranked) -> Pixels:
    """One product's candidates side by side, best by the reward first."""
    cells = []
    for place, each in enumerate(row.judged, 1):
        alpha = row.laid.product[..., None] / np.float32(255)
        scene = np.rint(row.laid.image * alpha + row.pixels[each.ranking.candidate] * (1 - alpha)).astype(np.uint8)
        card = Image.new("RGB", _CELL, "white")
        card.paste(Image.fromarray(scene).resize((_CELL[0] - 4, _CELL[1] - 28), Image.Resampling.LANCZOS), (0, 26))
        without = row.cheap.index(each.ranking.candidate) + 1
        text = f"{place} (was {without}) {_name(row, each)}\nproduct {each.product:.2f} backdrop {each.background:.2f}"
        ImageDraw.Draw(card).multiline_text((2, 0), text, fill="black", spacing=1)
        cells.append(np.asarray(card))
    return np.concatenate(cells, axis=1)


def _responder(judge: Judge, item: Item) -> Answer:
    said = judge(item["IMAGE"], item["PRODUCT"], item["CANDIDATE"])
    return {"PRODUCT_DEFECT": said.product, "BACKGROUND_DEFECT": said.background}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judged_ranking", description=__doc__)
    parser.add_argument("--products", type=Path, nargs="+", required=True, help="folders of held-out products")
    parser.add_argument("--out", type=Path, required=True, help="the sheet")
    parser.add_argument("--weights", type=Path, default=WEIGHTS / "reward", help="of models.export.reward")
    parser.add_argument("--canvas", type=Path, help="folder of exported Canvas weights")
    parser.add_argument("--count", type=int, default=12, help="products (default %(default)s)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    answer = partial(_responder, load_judge(args.weights))
    client = LocalClient(args.canvas, {"reward": partial(answer_items, CONTRACTS["reward"], answer=answer)})
    paths = islice(drawn(products_of(args.products), _SEED), args.count)
    rows = [ranked(path, at, client, canvas=args.canvas is not None) for at, path in enumerate(paths)]
    print("\n".join(table_of(rows)))
    print(f"another of the studio's own candidates comes first for {_changed(rows)} of {len(rows)} products")
    Image.fromarray(np.concatenate([line_of(row) for row in rows])).save(args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
