"""Extends photographs of scenes to placements whatever that looks like, for raters to see; scores lie beside.

    python -m benchmarks.extended_scenes --photos DIR DIR --out OUT [--count 60] [--each 1] [--seed 1]
    python -m pipelines.rating sheets --side 640 --csv scenes=OUT/extensions.csv --db FIT.sqlite ...; answers; export
    python -m benchmarks.extension_limits --scores OUT/extensions.csv --ratings FIT.parquet

Painting runs in this process, through the outpaint stage itself, with products as one network sees them
(`benchmarks.outpaint_sheet`). Left out are products that the frame cuts, frames without scenery and placements of
which too much would be painted, as in the job. `pipelines.rating` takes OUT/extensions.csv for a contestant.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import random
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
from PIL import Image

from benchmarks.outpaint_sheet import CLIENT, job_of
from transforms.eligibility import EligibilityLimits
from transforms.errors import Refusal
from transforms.ops.framing import FramingLimits
from transforms.ops.seams import seam_delta_e, seam_score, strangeness, windowed_seam_score
from transforms.outpaint import OutpaintSettings, lay_frame, outpaint
from transforms.placements import PLACEMENTS
from transforms.records import Job, Mask

SHOWN = 800  # pixels, the longer side of what raters see
SETTINGS = OutpaintSettings(
    candidates=1,
    leans=(0.5,),
    max_incoherence=1e9,
    max_tears=1e9,
    max_visible_tears=1e9,
    framing=FramingLimits(max_upscale=4.0),
)
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


def chosen(folders: Sequence[Path], count: int, seed: int) -> list[Path]:
    """`count` pictures of the folders, in an order of the seed's."""
    found = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS)
    random.Random(seed).shuffle(found)
    return found[:count]


def placements_of(path: Path, seed: int) -> list[str]:
    """All placements, in an order of the photograph's own."""
    names = sorted(PLACEMENTS)
    random.Random(f"{seed} {path.stem}").shuffle(names)
    return names


def contact(mask: Mask) -> float:
    """The share of the side that the product, bool [h, w], touches most."""
    return max(float(side.mean()) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def extensions_of(path: Path, *, out: Path, each: int, seed: int) -> list[dict[str, Any]]:
    """Rows of up to `each` extensions of a photograph, whose pictures are written."""
    names = placements_of(path, seed)
    job = job_of(path, names[0], zlib.crc32(path.stem.encode()) & 0xFFFF)
    if job.cutout is None or contact(job.cutout.mask) > EligibilityLimits().max_scene_frame_contact:
        return []
    rows = (row for name in names if (row := _extended(job, name, path, out)) is not None)
    return list(islice(rows, each))


def _extended(job: Job, placement: str, path: Path, out: Path) -> dict[str, Any] | None:
    try:
        done = outpaint(replace(job, placement=PLACEMENTS[placement]), CLIENT, SETTINGS)
    except (Refusal, ValueError):
        return None
    assert done.background is not None and done.transform is not None
    known = lay_frame(done, done.transform).known > 0
    target = out / f"{path.stem}-{placement}.png"
    height, width = known.shape
    scale = SHOWN / max(height, width)
    shown = cv2.resize(done.background, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    Image.fromarray(shown).save(target)
    return {
        "image": target.name,
        "original": str(path.resolve()),
        "task": "outpaint",
        "placement": placement,
        "output_digest": hashlib.sha256(target.read_bytes()).hexdigest(),
        "painted_share": float(1 - known.mean()),
        **{name: score for name, score in done.scores.items() if name.startswith("outpaint_")},
        "seam_score": seam_score(done.background, known),
        "seam_window": windowed_seam_score(done.background, known),
        "seam_delta_e": seam_delta_e(done.background, known),
        "strangeness": strangeness(done.background, known),
    }


def painted(paths: Sequence[Path], out: Path, each: int, seed: int, workers: int) -> Iterator[dict[str, Any]]:
    """Rows of all photographs, in their order."""
    with ProcessPoolExecutor(workers) as pool:
        for rows in pool.map(partial(extensions_of, out=out, each=each, seed=seed), paths):
            yield from rows


def main() -> None:
    """Paint, write, count."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extended_scenes", description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--each", type=int, default=1, help="placements of a photograph")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    paths = chosen(options.photos, options.count, options.seed)
    rows = list(painted(paths, options.out, options.each, options.seed, options.workers))
    if rows:
        with (options.out / "extensions.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            table.writerows(rows)
    print(f"{len(paths)} photographs, {len(rows)} extensions")


if __name__ == "__main__":
    main()
