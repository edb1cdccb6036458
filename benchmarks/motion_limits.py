"""What the motion check measures of rendered later frames, and of what passes for one: where its limits lie.

    python -m benchmarks.motion_limits --scenes SCENES --model RUN/model [--weights DIR]

SCENES is a folder of `models.data.scenes`; half of them have a frame two seconds later. RUN/model is an autoencoder's:
what a network paints is no sharper than what comes back from its latents. Each picture is measured as
`models.motion.clip` does, with the detail of the first frame carried along the flow. DIR is an exported
`image_to_motion`: then what it paints of the held-out scenes is measured too, told as the true frame moves.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

from models.autoencoder import Autoencoder, read_autoencoder
from models.data.pairs import ABOUT
from models.data.training_set import read_rgb
from models.motion import LEAST_KEPT, LEAST_MOVED, MOST_RESIDUAL, with_detail
from models.movement import movement_of, words_of
from models.serving.painter import load_painter
from models.training.packing import unit
from models.training.train_autoencoder import to_bytes
from transforms.ops.motion import Followed, follow
from transforms.records import Pixels

Make = Callable[[Pixels, Pixels], Pixels]


@torch.no_grad()
def coded_by(network: Autoencoder) -> Callable[[Pixels], Pixels]:
    """Pictures as they come back from their latents."""

    def coded(picture: Pixels) -> Pixels:
        image = unit(picture[None])
        nothing = torch.zeros(1, 1, *picture.shape[:2])
        with torch.no_grad():
            return to_bytes(network.decoder(network.encoder(image), torch.zeros_like(image), nothing)[0])

    return coded


def blurred(picture: Pixels, sigma: float) -> Pixels:
    """By a Gaussian of that deviation."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def bent(picture: Pixels, pixels: float) -> Pixels:
    """Drawn along a smooth random field of that deviation: what an untrained network does to a frame."""
    field = np.random.Generator(np.random.Philox(1)).normal(0, pixels, (5, 5, 2)).astype(np.float32)
    flow = cv2.resize(field, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    rows, columns = np.indices(picture.shape[:2], np.float32)
    places = (columns + flow[..., 0], rows + flow[..., 1])
    return np.asarray(cv2.remap(picture, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def measured(first: Pixels, painted: Pixels, coded: Pixels) -> Followed:
    """As `models.motion.clip` measures what was painted."""
    found = follow(first, with_detail(painted, first, coded))
    return found._replace(residual=follow(first, painted).residual)


def line_of(name: str, found: list[Followed]) -> str:
    """Least, median and greatest of each measure, and how many the check lets pass."""
    values = np.array(found)
    parts = " | ".join("{:.4g} {:.4g} {:.4g}".format(*np.percentile(each, (0, 50, 100))) for each in values.T)
    passed = (values[:, 0] <= MOST_RESIDUAL) & (values[:, 1] >= LEAST_MOVED) & (values[:, 2] >= LEAST_KEPT)
    return f"| {name} | {parts} | {passed.mean():.0%} |"


def pairs_of(scenes: Path) -> Iterator[tuple[str, Pixels, Pixels]]:
    """Split, frame and later frame of every scene that has one."""
    for later in sorted(scenes.glob("*/later.webp")):
        about = json.loads(later.with_name(ABOUT).read_text(encoding="utf-8"))
        yield about["split"], read_rgb(later.with_name("scene.webp")), read_rgb(later)


def main() -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.motion_limits", description=__doc__)
    parser.add_argument("--scenes", type=Path, required=True, help="folder of models.data.scenes")
    parser.add_argument("--model", type=Path, required=True, help="`model` folder of an autoencoder's run")
    parser.add_argument("--weights", type=Path, help="exported image_to_motion")
    args = parser.parse_args()
    torch.set_num_threads(1)
    coded = coded_by(read_autoencoder(args.model)[0])
    made: dict[str, Make] = {
        "the true frame, through latents": lambda _, later: coded(later),
        "the same, blurred by 2": lambda _, later: blurred(coded(later), 2),
        "the first frame, through latents": lambda first, _: coded(first),
        "the first frame, blurred by 2": lambda first, _: blurred(coded(first), 2),
        "the first frame, blurred by 4": lambda first, _: blurred(coded(first), 4),
        "the first frame, blurred by 2 and bent by 3": lambda first, _: bent(blurred(coded(first), 2), 3),
        "the first frame, blurred by 4 and bent by 3": lambda first, _: bent(blurred(coded(first), 4), 3),
    }
    found: dict[str, list[Followed]] = {"the true frame itself": []}
    painter = load_painter(args.weights, 1) if args.weights else None
    for split, first, later in pairs_of(args.scenes):
        again = coded(first)
        found["the true frame itself"].append(follow(first, later))
        for name, make in made.items():
            found.setdefault(name, []).append(measured(first, make(first, later), again))
        if painter is not None and split == "held_out":
            words, known = words_of(movement_of(first, later)), np.full((1, *first.shape[:2]), 255, np.uint8)
            painted = painter(first[None], known, [words], [0])[0]
            found.setdefault("painted, of held-out scenes", []).append(measured(first, painted, again))
    sys.stdout.write("| | residual | moved | kept | passes |\n|---|---|---|---|---|\n")
    sys.stdout.write("".join(f"{line_of(name, rows)}\n" for name, rows in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
