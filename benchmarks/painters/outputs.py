"""For people's eyes: sheets of pictures drawn by chance, and blind pairs as `pipelines.rating` takes them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from benchmarks.painters.run import Row, inputs_of, picture_of
from models.data.training_set import read_rgb
from transforms.records import Pixels

_CELL, _COLUMNS, _MOST = 232, 8, 64
_GAP = 4


def write_sheet(out: Path, rows: Sequence[Row], seed: int) -> Path:
    """OUT/sheets/<task>_<entrant>.jpg: 64 of the entrant's pictures drawn by chance, in rows of eight."""
    drawn = np.random.default_rng([seed, 24]).permutation(len(rows))[:_MOST]
    pictures = [_small(read_rgb(picture_of(out, rows[number]))) for number in sorted(drawn)]
    width = max(picture.shape[1] for picture in pictures) + _GAP
    cells = [_cell(picture, width) for picture in pictures]
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % _COLUMNS)
    lines = [np.concatenate(cells[at : at + _COLUMNS], axis=1) for at in range(0, len(cells), _COLUMNS)]
    target = out / "sheets" / f"{rows[0]['task']}_{rows[0]['entrant']}.jpg"
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), np.concatenate(lines)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    return target


def write_pairs(out: Path, task: str, by: Mapping[str, Sequence[Row]], seed: int) -> dict[str, Path]:
    """OUT/pairs_<task>_<entrant>.csv by entrant: two entrants of every input, each two as often as any other two.

    Who meets whom on which input is drawn from the seed; the rating tool hides names and shuffles sides for each rater.
    """
    rng = np.random.default_rng([seed, 25])
    rivals: list[tuple[str, str]] = []
    listed: dict[str, list[Row]] = {name: [] for name in by}
    for number in range(len(next(iter(by.values())))):
        if not rivals:
            rivals = list(combinations(by, 2))
            rng.shuffle(rivals)
        for name in rivals.pop():
            listed[name].append(by[name][number])
    paths = {name: out / f"pairs_{task}_{name}.csv" for name, rows in listed.items() if rows}
    for name, path in paths.items():
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(("image", "original", "task", "placement"))
            writer.writerows(_line(out, row) for row in listed[name])
    return paths


def rating_command(out: Path, task: str, pairs: Mapping[str, Path]) -> str:
    """What serves the pairs to raters."""
    contestants = " ".join(f"--csv {name}={path}" for name, path in pairs.items())
    return f"python -m pipelines.rating serve --mode pairs --db {out / f'pairs_{task}.sqlite'} {contestants}"


def _line(out: Path, row: Row) -> tuple[str, str, str, str]:
    original = inputs_of(out, row["task"]) / f"frame_{row['input']}.png"
    image, shown = (path.relative_to(out).as_posix() for path in (picture_of(out, row), original))
    return image, shown, row["task"], row["placement"]


def _small(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    scale = (_CELL - _GAP) / max(height, width)
    size = (round(width * scale), round(height * scale))
    return cast(Pixels, cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _cell(picture: Pixels, width: int) -> Pixels:
    cell = np.full((_CELL, width, 3), 255, np.uint8)
    top, left = (_CELL - picture.shape[0]) // 2, (width - picture.shape[1]) // 2
    cell[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return cell
