"""What an exported `image_to_motion` paints of held-out pictures, and what its clips end with.

    python -m benchmarks.motion_frames --scenes SCENES --photos PHOTOS --weights DIR --out SHEETS

SCENES and PHOTOS are folders as `models.data.pack` takes them. Of every held-out scene with a later frame, told as that
frame moves: how far it is from what was painted, from the clip's last frame and from the picture as it stands, in
levels, and how much of the picture's detail is found again. Then of the first eight held-out photographs and scenes,
told two ways each: how many the check lets pass. SHEETS gets a picture of each: first, painted, last, and true frame.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.motion_limits import pairs_of
from models.data.pairs import ABOUT
from models.data.training_set import read_rgb
from models.motion import MOVES, check_motion
from models.movement import movement_of, words_of
from models.serving.painter import Painter, load_painter
from transforms.errors import Rejected
from transforms.ops.following import Followed, follow
from transforms.ops.later_frames import last_frame
from transforms.ops.motion import detail_kept
from transforms.records import Pixels

COUNT = 8
_APART = 3  # places among the moves: the two of a picture share no direction


class Shot(NamedTuple):
    """What came of one picture: painted and last frame, and why it is refused, if it is."""

    painted: Pixels
    last: Pixels
    found: Followed
    refused: str


def shot(paint: Painter, picture: Pixels, words: str) -> Shot:
    """As `models.motion.clip` does it, at the picture's own size."""
    painted = paint(picture[None], np.full((1, *picture.shape[:2]), 255, np.uint8), [words], [0])[0]
    found = follow(paint.coded(picture), painted)
    last = last_frame(picture, painted, found.flow)
    try:
        check_motion(found, words_of(movement_of(picture, last)), words)
    except Rejected as refusal:
        return Shot(painted, last, found, str(refusal.detail))
    return Shot(painted, last, found, "")


def off(picture: Pixels, later: Pixels) -> float:
    """Mean difference in levels."""
    return float(np.abs(picture.astype(np.float32) - later).mean())


def photographs(folder: Path) -> Iterator[Pixels]:
    """Held-out ones, by name."""
    for about in sorted(folder.glob(f"*/{ABOUT}")):
        if json.loads(about.read_text(encoding="utf-8")).get("split") == "held_out":
            yield read_rgb(about.with_name("scene.webp"))


def held_out(paint: Painter, scenes: Path, out: Path) -> str:
    """The table of scenes whose later frame is known."""
    rows, refused, explained = [], [], []
    for number, (_, first, later) in enumerate(pair for pair in pairs_of(scenes) if pair[0] == "held_out"):
        made = shot(paint, first, words_of(movement_of(first, later)))
        save(out / f"held_out-{number}.png", first, made.painted, made.last, later)
        refused.append(made.refused)
        explained.append(made.found.explained)
        rows.append([(off(each, later), detail_kept(first, each)) for each in (first, made.painted, made.last, later)])
    means = np.mean(rows, axis=0)
    names = ("the picture as it stands", "painted", "drawn: the clip's last frame", "the true frame itself")
    lines = [f"| {name} | {levels:.1f} | {kept:.2f} |" for name, (levels, kept) in zip(names, means, strict=True)]
    told = "\n".join(["| last frame | levels from the true one | detail kept |", "|---|---|---|", *lines])
    more = f"beyond a pan and zoom the painted flow explains {np.median(explained):.0%} of what they leave (median)\n"
    return f"{told}\n\n{more}{passing('held-out scenes, told as they move', refused)}"


def told_two_ways(paint: Painter, name: str, pictures: Iterator[Pixels], out: Path) -> str:
    """How many clips of the first pictures pass."""
    refused = []
    for number, picture in enumerate(islice(pictures, COUNT)):
        for move in (MOVES[number % len(MOVES)], MOVES[(number + _APART) % len(MOVES)]):
            made = shot(paint, picture, f"the camera moves {move}")
            save(out / f"{name}-{number}-{move.replace(' ', '_')}.png", picture, made.painted, made.last)
            refused.append(made.refused)
    return passing(f"{name}, two moves each", refused)


def passing(name: str, refused: list[str]) -> str:
    """A line: how many pass, and why others do not."""
    why = sorted({reason for reason in refused if reason})
    counts = "; ".join(f"{reason}: {refused.count(reason)}" for reason in why)
    return f"{name}: {refused.count('')} of {len(refused)} pass{f' ({counts})' if counts else ''}\n"


def save(path: Path, *pictures: Pixels) -> None:
    """Side by side."""
    Image.fromarray(np.hstack(pictures)).save(path)


def main() -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.motion_frames", description=__doc__)
    parser.add_argument("--scenes", type=Path, required=True, help="folder of models.data.scenes")
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs with their cards")
    parser.add_argument("--weights", type=Path, required=True, help="exported image_to_motion")
    parser.add_argument("--out", type=Path, required=True, help="folder for pictures of what came of each")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    paint = load_painter(args.weights, 1, threads=1)
    sys.stdout.write(held_out(paint, args.scenes, args.out))
    scenes = (first for split, first, _ in pairs_of(args.scenes) if split == "held_out")
    for name, pictures in (("photographs", photographs(args.photos)), ("scenes", scenes)):
        sys.stdout.write(told_two_ways(paint, name, pictures, args.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
