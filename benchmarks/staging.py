"""How near do painters of shadows come to the rendered scene? Held-out sets with and without their products.

    python -m benchmarks.staging --shards SHARDS [--canvas DIR] [--stager DIR] [--sheet FILE]

SHARDS come from `models.data.pack`; scenes with an empty picture and a known light are used, not those whose product
hangs on a wall. DIR of `--canvas` is an exported variant `staging`, of `--stager` an exported stager. The table says,
outside the products, in levels of 255: the mean error where the products change the picture (by more than 4 levels,
noise smoothed), elsewhere, and beside them (within 4 pixels); the correlation of the change that was painted with the
true one, mean of the scenes; and CPU seconds a picture. `procedural` are the studio's shadows with the true light;
where the floor ends at a wall is chosen for each scene with the true picture in view, which no painter could.
`floor alone` are the same without a wall to fall on. FILE gets a sheet: the empty set, the true scene, each painter's.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.captions import place_captions
from models.data.examples import Example
from models.data.shards import read_shards
from models.data.stagings import Staging, staging_of
from models.serving.painter import load_painter
from models.serving.stager import load_stager
from transforms.errors import ConfigError
from transforms.ops.empty_sets import light_past
from transforms.ops.oklab import to_linear, to_srgb
from transforms.ops.shadows import floor_shadow

Floats = NDArray[np.float32]
Paint = Callable[[Example, Staging], Floats]

_CHANGED, _BESIDE = 4.0, 4  # levels; pixels
_KEY_SHARE = 0.7  # about the mean of the studio's rendered sets
_CONTACT = 0.6  # as the studio darkens it
_ENDS = np.linspace(0.0, 0.9, 10)  # rows where the floor may end
_SEED = 0


@dataclass
class Tally:
    """One painter's figures, a value for each scene."""

    changed: list[float] = field(default_factory=list)
    elsewhere: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    correlation: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, painted: Floats, staging: Staging, seconds: float) -> None:
        """Measure one picture, float32 [H, W, 3] in [0, 255]."""
        free = staging.product[..., 3] == 0
        error = np.abs(painted - staging.scene).mean(axis=2)
        true = (staging.scene.astype(np.float32) - staging.empty).mean(axis=2)
        changed = np.abs(cv2.GaussianBlur(true, (0, 0), 1.0)) > _CHANGED
        near = cv2.dilate((~free).astype(np.uint8), np.ones((2 * _BESIDE + 1,) * 2, np.uint8)) > 0
        change = (painted - staging.empty).mean(axis=2)
        for values, where in ((self.changed, changed), (self.elsewhere, ~changed), (self.beside, near)):
            if (free & where).any():
                values.append(float(error[free & where].mean()))
        self.correlation.append(correlation(change[free], true[free]))
        self.seconds.append(seconds)

    def row(self, name: str) -> str:
        """A line of the table."""
        figures = (self.changed, self.elsewhere, self.beside)
        parts = " | ".join(f"{np.mean(values):.2f}" for values in figures)
        return f"| {name} | {parts} | {np.mean(self.correlation):.2f} | {np.mean(self.seconds):.2f} |\n"


def correlation(one: Floats, other: Floats) -> float:
    """Pearson's, 0 where one does not vary.

    >>> correlation(np.array([0.0, 1, 2], np.float32), np.array([0.0, 2, 4], np.float32))
    1.0
    """
    spread = float(one.std() * other.std())
    return round(float(((one - one.mean()) * (other - other.mean())).mean()) / spread, 6) if spread > 1e-6 else 0.0


def nothing(_: Example, staging: Staging) -> Floats:
    """The empty set."""
    return staging.empty.astype(np.float32)


def procedural(_: Example, staging: Staging) -> Floats:
    """The studio's shadows; of all rows where the floor may end at a wall, the one that is nearest to the truth."""
    return _nearest(staging, [_shadowed(staging, end, wall=True) for end in _ENDS])


def floor_alone(_: Example, staging: Staging) -> Floats:
    """The same where no wall takes the shadow up: it ends with the floor."""
    return _nearest(staging, [_shadowed(staging, end, wall=False) for end in _ENDS])


def _nearest(staging: Staging, tried: list[Floats]) -> Floats:
    free = staging.product[..., 3:] == 0
    return min(tried, key=lambda made: float((np.abs(made - staging.scene) * free).mean()))


def _shadowed(staging: Staging, end: float, *, wall: bool) -> Floats:
    matte = staging.product[..., 3].astype(np.float32) / 255
    key_seen, sky_seen = floor_shadow(matte, staging.light, end, wall=wall)
    light = light_past(key_seen, sky_seen, _KEY_SHARE)
    made = to_srgb(np.asarray(to_linear(staging.empty) * light[..., None], np.float32)) * 255
    return np.asarray(in_contact(made, staging), np.float32)


def in_contact(painted: Floats, staging: Staging) -> Floats:
    """`painted` with the studio's dark line where the products touch the floor."""
    dark = 1 - staging.clues[..., 2:].astype(np.float32) / 255
    return np.asarray(painted * (1 - _CONTACT * dark), np.float32)


def by_canvas(folder: Path) -> Paint:
    """The diffusion variant: what it changes between the given's own latents and its answer."""
    painter = load_painter(folder, 1, threads=1)

    def paint(example: Example, staging: Staging) -> Floats:
        alpha = staging.product[..., 3:].astype(np.float32) / 255
        given = np.rint(staging.product[..., :3] * alpha + staging.empty * (1 - alpha)).astype(np.uint8)
        words = place_captions(example.words)[0]
        painted = painter(given[None], np.full((1, *given.shape[:2]), 255, np.uint8), [words], [_SEED])[0]
        change = painted.astype(np.float32) - painter.coded(given)
        return np.clip(staging.empty + change, 0, 255).astype(np.float32)

    return paint


def by_stager(folder: Path) -> Paint:
    """The one-step network."""
    stage = load_stager(folder)

    def paint(_: Example, staging: Staging) -> Floats:
        ground, image = staging.empty, np.ascontiguousarray(staging.product[..., :3])
        return stage(ground, image, np.ascontiguousarray(staging.product[..., 3]), staging.light)

    return paint


def touching(paint: Paint) -> Paint:
    """Another painter's picture with the studio's contact line on top."""
    return lambda example, staging: in_contact(paint(example, staging), staging)


def compare(
    examples: Sequence[Example], painters: Mapping[str, Paint]
) -> tuple[dict[str, Tally], list[list[NDArray[np.uint8]]]]:
    """Figures of each painter, and rows of pictures: empty, true, painted."""
    found = {name: Tally() for name in painters}
    rows = []
    for example in examples:
        staging = staging_of(example)
        if staging is None:
            continue
        row = [staging.empty, staging.scene]
        for name, paint in painters.items():
            began = time.process_time()
            painted = paint(example, staging)
            found[name].add(painted, staging, time.process_time() - began)
            row.append(np.where(staging.product[..., 3:] == 255, staging.scene, np.rint(painted)).astype(np.uint8))
        rows.append(row)
    if not rows:
        raise ConfigError("no held-out scene has an empty picture and a light", remedy="render them again")
    return found, rows


def write_sheet(rows: Sequence[Sequence[NDArray[np.uint8]]], path: Path) -> None:
    """Rows of pictures as a PNG, each made as high as the lowest of all."""
    height = min(row[0].shape[0] for row in rows)
    scaled = [
        np.hstack([cv2.resize(one, (round(one.shape[1] * height / len(one)), height)) for one in row]) for row in rows
    ]
    width = max(row.shape[1] for row in scaled)
    padded = [np.pad(row, ((0, 4), (0, width - row.shape[1]), (0, 0))) for row in scaled]
    cv2.imwrite(str(path), np.vstack(padded)[..., ::-1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.staging", description=__doc__)
    parser.add_argument("--shards", type=Path, required=True, help="folder of models.data.pack")
    parser.add_argument("--canvas", type=Path, help="exported variant `staging`")
    parser.add_argument("--stager", type=Path, help="exported stager")
    parser.add_argument("--sheet", type=Path, help="PNG of all pictures")
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    painters: dict[str, Paint] = {"nothing": nothing, "floor alone": floor_alone, "procedural": procedural}
    if args.canvas:
        painters["canvas"] = by_canvas(args.canvas)
        painters["canvas, contact line added"] = touching(painters["canvas"])
    if args.stager:
        painters["stager"] = by_stager(args.stager)
        painters["stager, contact line added"] = touching(painters["stager"])
    found, rows = compare(list(read_shards(args.shards, "held_out")), painters)
    sys.stdout.write(
        f"{len(rows)} scenes\n\n| painter | where it changes | elsewhere | beside | correlation | CPU s |\n"
    )
    sys.stdout.write("|---|---|---|---|---|---|\n" + "".join(tally.row(name) for name, tally in found.items()))
    if args.sheet:
        write_sheet(rows, args.sheet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
