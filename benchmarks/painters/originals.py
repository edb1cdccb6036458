"""The real pictures that painted ones are held against."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.painters.figures import Figures
from benchmarks.painters.measures import elsewhere, seam_shows, seams_of
from benchmarks.painters.photographs import PLACEMENTS
from benchmarks.painters.products import PLACEMENT, seed_of
from benchmarks.painters.run import Comparison, Row, inputs_of
from models.data.training_set import read_rgb
from models.evaluation.embedding import Embedder
from models.evaluation.intervals import mean_of
from models.evaluation.kernel_distance import kernel_distance
from transforms.errors import ConfigError
from transforms.records import Pixels

Features = NDArray[np.float32]
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
_NOTHING = mean_of([])


def real_paths(folders: Sequence[Path]) -> list[Path]:
    """The scenes of folders that hold some (*/scene.*), else every picture below; sorted.

    Raises:
        ConfigError: a folder holds no picture, or all of them fewer than four.
    """
    found: list[Path] = []
    for folder in folders:
        scenes = [path for path in folder.glob("*/scene.*") if path.suffix in _ENDINGS]
        pictures = scenes or [path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS]
        if not pictures:
            raise ConfigError(f"--real {folder} holds no picture")
        found += sorted(pictures)
    if len(found) < 4:
        raise ConfigError(
            f"--real holds {len(found)} pictures", remedy="give four and more; some hundred say something"
        )
    return found


def real_features(paths: Sequence[Path], out: Path, embed: Embedder, seed: int) -> tuple[Features, str]:
    """Their features [M, D], cut to the placement's ratio, and the distance of their halves from each other, told."""
    features = np.stack([_remembered(path, out, embed) for path in paths])
    rng, halves = np.random.default_rng([seed, 26]), []
    for _ in range(50):
        order = rng.permutation(len(features))
        one, other = np.array_split(features[order], 2)
        halves.append(1000 * kernel_distance(one, other))
    return features, f"{np.mean(halves):.1f} ± {np.std(halves):.1f}"


def outpaint_originals(what: Comparison, rows: Sequence[Row], embed: Embedder) -> tuple[Features, Figures]:
    """Features of the rows' originals in their order, and what the seam measures make of them at random places."""
    folder, features, seams = inputs_of(what.out, "outpaint"), [], []
    for row in rows:
        path, size = folder / f"original_{row['input']}.png", PLACEMENTS[row["placement"]].size
        features.append(_remembered(path, what.out, embed, whole=True))
        pixels = cv2.resize(read_rgb(path), size[::-1], interpolation=cv2.INTER_CUBIC).astype(np.uint8)
        rng = np.random.default_rng([what.seed, seed_of(row["input"], 27)])
        seams.append(seams_of(pixels, elsewhere(_frame(folder, row), rng)))
    scores = [each["seam_score"] for each in seams]
    own = Figures(
        name="real photographs, at a random place",
        count=len(rows),
        distance=0.0,
        spread=0.0,
        subsets=np.zeros(0),
        grown=_NOTHING,
        grew=0.0,
        shipped=0.0,
        variety=_NOTHING,
        seconds=_NOTHING,
        seam=(float(np.median(scores)), float(np.percentile(scores, 95))),
        hidden=float(np.mean([not seam_shows(each) for each in seams])),
        strange=float(np.median([each["strangeness"] for each in seams])),
    )
    return np.stack(features), own


def _remembered(path: Path, out: Path, embed: Embedder, *, whole: bool = False) -> Features:
    """The features [D] of one picture, cut unless `whole`; kept in OUT/features for as long as the file is the same."""
    name = sha256(f"{path.resolve()} {path.stat().st_mtime_ns} {whole}".encode()).hexdigest()[:24]
    kept = out / "features" / f"{name}.npy"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        pixels = read_rgb(path)
        np.save(kept, embed([pixels if whole else _cut(pixels)])[0])
    return np.asarray(np.load(kept), np.float32)


def _frame(folder: Path, row: Row) -> NDArray[np.bool_]:
    """Where the frame lies on its placement: in the middle, as wide or as tall as it."""
    height, width = PLACEMENTS[row["placement"]].size
    tall, wide = read_rgb(folder / f"frame_{row['input']}.png").shape[:2]
    scale = min(height / tall, width / wide)
    rows, columns = round(tall * scale), round(wide * scale)
    known = np.zeros((height, width), bool)
    known[(height - rows) // 2 : (height + rows) // 2, (width - columns) // 2 : (width + columns) // 2] = True
    return known


def _cut(picture: Pixels) -> Pixels:
    """The middle of a picture in the backgrounds' ratio."""
    height, width = picture.shape[:2]
    tall, wide = PLACEMENT.size
    rows, columns = min(height, round(width * tall / wide)), min(width, round(height * wide / tall))
    top, left = (height - rows) // 2, (width - columns) // 2
    return np.ascontiguousarray(picture[top : top + rows, left : left + columns])
