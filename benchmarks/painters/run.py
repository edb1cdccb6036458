"""Paints every input with every entrant, measures it, and keeps both: what is there already is not painted again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.local_painters import LocalClient, weights_of
from benchmarks.painters.entrants import ENTRANTS, Entrant, Painted, paint
from benchmarks.painters.measures import measure
from benchmarks.painters.photographs import photograph_jobs, photographs_of
from benchmarks.painters.products import drawn, product_job, products_of
from benchmarks.painters.prompts import Asked, plain_prompt, room_prompt
from models.evaluation.embedding import Embedder, variety
from models.export.cards import NAME, WEIGHTS
from transforms.background import BackgroundSettings
from transforms.errors import ConfigError, Skipped
from transforms.ops.framing import place_product
from transforms.records import Job

Row = dict[str, Any]
_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        products, photographs: folders of held-out inputs.
        out: where pictures, rows and inputs are kept.
        count: inputs of each task.
        painters: names of entrants, () for all.
        canvas: folder of exported Canvas weights, None without any.
        seed: of the order of inputs, their prompts and painters' seeds.
    """

    products: tuple[Path, ...]
    photographs: tuple[Path, ...]
    out: Path
    count: int
    painters: tuple[str, ...] = ()
    canvas: Path | None = None
    seed: int = 0

    def entrants(self, task: str) -> list[Entrant]:
        """Those that were named and can paint here."""
        return [each for each in ENTRANTS[task] if self._named(each) and self.identity(each) is not None]

    def absent(self, task: str) -> list[Entrant]:
        """Those that were named and lack their weights."""
        return [each for each in ENTRANTS[task] if self._named(each) and self.identity(each) is None]

    def identity(self, entrant: Entrant) -> str | None:
        """What its pictures depend on beside the inputs: the digest of its weights' card; None where it lacks them."""
        if not entrant.painter.startswith("canvas"):
            return ""
        shipped = entrant.painter == "canvas_staging"
        folder = WEIGHTS / "stager" if shipped else weights_of(self.canvas, entrant.painter)
        return None if folder is None else sha256((folder / NAME).read_bytes()).hexdigest()[:16]

    def _named(self, entrant: Entrant) -> bool:
        return not self.painters or entrant.name in self.painters


def painted_rows(what: Comparison, task: str, client: LocalClient, embed: Embedder) -> Iterator[Row]:
    """The rows of one task, inputs in their order; those that are missing are painted, measured and appended first."""
    _hold_to_run(what)
    path = what.out / "rows.jsonl"
    known = {(row["task"], row["entrant"], row["identity"], row["input"]): row for row in _read(path)}
    for number, job in enumerate(_jobs(what, task, client)):
        for entrant in what.entrants(task):
            name = job.product.product_id
            row = known.get((task, entrant.name, what.identity(entrant) or "", name))
            if row is None:
                row = _paint_one(what, entrant, job, number, client, embed)
                with path.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(row) + "\n")
            yield row


def picture_of(out: Path, row: Row, ending: str = "jpg") -> Path:
    """Where a row's picture is; with `npy` its features."""
    return out / "pictures" / row["task"] / row["entrant"] / f"{row['input']}.{ending}"


def inputs_of(out: Path, task: str) -> Path:
    """Where the inputs of a task are kept, as raters see them."""
    return out / "inputs" / task


def _hold_to_run(what: Comparison) -> None:
    """Pictures of another seed or other folders must not mix with these; a task that comes later may."""
    folders = {"products": _names(what.products), "photographs": _names(what.photographs)}
    said = {"seed": what.seed, **{kind: named for kind, named in folders.items() if named}}
    path = what.out / "run.json"
    held = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    differing = [name for name in said if name in held and held[name] != said[name]]
    if differing:
        raise ConfigError(f"{what.out} holds pictures of another {differing[0]}", remedy="name another --out")
    what.out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(held | said) + "\n", encoding="utf-8")


def _names(folders: Sequence[Path]) -> list[str]:
    return [str(folder.resolve()) for folder in folders]


def _read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _jobs(what: Comparison, task: str, client: LocalClient) -> Iterable[Job]:
    folder = inputs_of(what.out, task)
    if task == "outpaint":
        return photograph_jobs(photographs_of(what.photographs), client, folder, what.count, what.seed)
    jobs = (product_job(path, "", what.seed) for path in drawn(products_of(what.products), what.seed))
    return islice((job for job in jobs if _fits(job)), what.count)


def _fits(job: Job) -> bool:
    assert job.image is not None and job.cutout is not None and job.placement is not None
    try:
        place_product(job.image.size, job.cutout.box, job.placement, BackgroundSettings().framing)
    except Skipped:
        return False
    return True


def _asked(job: Job, entrant: Entrant, number: int, seed: int) -> Asked | None:
    if job.task == "outpaint":
        return None
    return room_prompt(job.product.title, number, seed) if entrant.room else plain_prompt(number, seed)


def _paint_one(what: Comparison, entrant: Entrant, job: Job, number: int, client: LocalClient, embed: Embedder) -> Row:
    asked = _asked(job, entrant, number, what.seed)
    if asked is not None:
        job = replace(job, product=replace(job.product, prompt=asked.words))
    assert job.placement is not None
    painted = paint(entrant, job, client)
    row: Row = {
        "task": job.task,
        "entrant": entrant.name,
        "identity": what.identity(entrant),
        "input": job.product.product_id,
        "placement": job.placement.name,
        "prompt": asked.words if asked else "",
        "asked": [float(value) for value in asked.lab] if asked else None,
        "rough": asked.rough if asked else None,
        "seconds": painted.seconds,
        "variety": variety(embed(painted.candidates)) if len(painted.candidates) > 1 else 0.0,
        **measure(painted.job, asked, client),
    }
    _keep(what.out, row, painted, embed)
    return row


def _keep(out: Path, row: Row, painted: Painted, embed: Embedder) -> None:
    """The picture, its features, and for raters the input it was made from."""
    assert painted.job.scene is not None and painted.job.image is not None
    picture = picture_of(out, row)
    picture.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(picture), painted.job.scene.pixels[..., ::-1], _QUALITY)
    np.save(picture_of(out, row, "npy"), embed([painted.job.scene.pixels])[0])
    source = inputs_of(out, row["task"]) / f"frame_{row['input']}.png"
    if not source.exists():
        source.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(source), painted.job.image.pixels[..., ::-1])
