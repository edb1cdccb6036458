"""What the motion check measures of rendered later frames, and of what passes for one: where its limits lie.

    python -m benchmarks.motion_limits --scenes SCENES --model RUN/model

SCENES is a folder of `models.data.scenes`; half of them have a frame two seconds later. RUN/model is an autoencoder's:
what a network paints is no sharper than what comes back from its latents. Each picture is measured as
`models.motion.clip` does, told as `movement_of` finds it. The limits were read off the first 60 pairs, by name, and the
last column is of the others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from models.autoencoder import Autoencoder, read_autoencoder
from models.data.pairs import ABOUT
from models.data.training_set import read_rgb
from models.motion import check_motion
from models.movement import movement_of, words_of
from models.training.packing import unit
from models.training.train_autoencoder import to_bytes
from transforms.errors import Rejected
from transforms.ops.camera_flow import PanZoom, flow_by
from transforms.ops.following import Followed, follow
from transforms.ops.later_frames import last_frame
from transforms.ops.motion import drawn
from transforms.records import Pixels, Size

SEEN = 60  # pairs that the limits were read off
Row = tuple[Followed, bool]  # and whether the check lets it pass


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


def bent(picture: Pixels, pixels: float, seed: int = 1) -> Pixels:
    """Drawn along a smooth random field of that deviation: what an untrained network does to a frame."""
    field = np.random.Generator(np.random.Philox(seed)).normal(0, pixels, (5, 5, 2)).astype(np.float32)
    return drawn(picture, np.asarray(cv2.resize(field, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)))


def panned(picture: Pixels, seed: int = 1) -> Pixels:
    """As a camera sees it that turns by 2 % of the side and zooms by 3 %, each one way or the other."""
    across, grown = np.random.Generator(np.random.Philox(seed)).choice([-1.0, 1.0], 2)
    side = max(picture.shape[:2])
    return drawn(picture, flow_by(PanZoom(0.02 * side * across, 0.0, 0.03 * grown), Size(*picture.shape[:2])))


def measured(first: Pixels, painted: Pixels, coded: Pixels, asked: str = "") -> Row:
    """As `models.motion.clip` measures what was painted; whatever way it went counts as asked where nothing is."""
    found = follow(coded, painted)
    told = words_of(movement_of(first, last_frame(first, painted, found.flow)))
    try:
        check_motion(found, told, asked or told)
    except Rejected:
        return found, False
    return found, True


def line_of(name: str, rows: Sequence[Row]) -> str:
    """Least, median and greatest of each measure, and how many the check lets pass, of those seen and of the others."""
    values = np.array([(each.residual, each.moved, each.explained, each.bent, each.torn) for each, _ in rows])
    parts = " | ".join("{:.3g} {:.3g} {:.3g}".format(*np.percentile(each, (0, 50, 100))) for each in values.T)
    passed = [f"{np.mean([passes for _, passes in part]):.0%}" if part else "-" for part in (rows[:SEEN], rows[SEEN:])]
    return f"| {name} | {parts} | {' | '.join(passed)} |"


def pairs_of(scenes: Path) -> Iterator[tuple[str, Pixels, Pixels]]:
    """Split, frame and later frame of every scene that has one."""
    for later in sorted(scenes.glob("*/later.webp")):
        about = json.loads(later.with_name(ABOUT).read_text(encoding="utf-8"))
        yield about["split"], read_rgb(later.with_name("scene.webp")), read_rgb(later)


def made_of(later: Pixels, other: Pixels, coded: Pixels, seed: int) -> dict[str, Pixels]:
    """What is measured, by name: from the later frame, another scene and the first frame, all through latents."""
    soft, away = blurred(coded, 2), blurred(panned(coded, seed), 2)
    return {
        "the true frame, through latents": later,
        "the same, blurred by 2 pixels": blurred(later, 2),
        "the first frame, panned and zoomed, blurred by 2": away,
        "the first frame, blurred by 2": soft,
        "the same, bent by 3": bent(soft, 3, seed),
        "the first frame, blurred by 4 and bent by 3": bent(blurred(coded, 4), 3, seed),
        "the first frame, panned and zoomed, blurred by 2, bent by 3": bent(away, 3, seed),
        "another scene, blurred by 2": blurred(other, 2),
    }


def main() -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.motion_limits", description=__doc__)
    parser.add_argument("--scenes", type=Path, required=True, help="folder of models.data.scenes")
    parser.add_argument("--model", type=Path, required=True, help="`model` folder of an autoencoder's run")
    args = parser.parse_args()
    torch.set_num_threads(1)
    coded = coded_by(read_autoencoder(args.model)[0])
    found: dict[str, list[Row]] = {}
    other = None
    for number, (_, first, later) in enumerate(pairs_of(args.scenes)):
        again = coded(first)
        other = again[::-1, ::-1] if other is None else cv2.resize(other, first.shape[1::-1])
        for name, painted in made_of(coded(later), np.ascontiguousarray(other), again, number).items():
            found.setdefault(name, []).append(measured(first, painted, again))
        other = again
    sys.stdout.write("| | residual | moved | explained | bent | torn | passes | of the others |\n" + "|---" * 8 + "|\n")
    sys.stdout.write("".join(f"{line_of(name, rows)}\n" for name, rows in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
