"""A comparison sheet of extended scenes: edge stretch, blur fill, mirror, and the PatchMatch painter.

    python benchmarks/outpaint_sheet.py DIR OUT.jpg [--placement pinterest_standard] [--limit N] [--every N]

Each row is a photograph; the kept frame is untouched in every column. Products are found by the segmenter's own
network, read from the installed rembg wheel; painting runs in this process, without a server. Scores are printed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from models.evaluation.baselines import blur_fill, edge_stretch, mirror
from transforms.errors import Refusal
from transforms.inference.fake import FakeClient
from transforms.ops import patchmatch
from transforms.ops.expansion import expansion
from transforms.ops.framing import FramingLimits
from transforms.ops.quality import box_of
from transforms.ops.seams import seam_delta_e, seam_lines, seam_score, strangeness, windowed_seam_score
from transforms.outpaint import Framed, OutpaintSettings, lay_frame, outpaint
from transforms.placements import PLACEMENTS
from transforms.records import Cutout, Job, Product, ProductImage, Size, SourceFacts

Pixels = NDArray[np.uint8]
HEIGHT = 420


@cache
def _network() -> Any:
    spec = find_spec("rembg")
    assert spec is not None and spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(folder / "u2netp.onnx"), options)


def matte_of(pixels: Pixels) -> NDArray[np.float32]:
    """The network's matte, float32 [h, w]."""
    small = cv2.resize(pixels, (320, 320), interpolation=cv2.INTER_AREA).astype(np.float32)
    small = (small / max(float(small.max()), 1.0) - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    batch = small.transpose(2, 0, 1)[None].astype(np.float32)
    alpha = _network().run(None, {_network().get_inputs()[0].name: batch})[0][0, 0]
    alpha = (alpha - alpha.min()) / max(float(alpha.max() - alpha.min()), 1e-6)
    return cv2.resize(alpha, (pixels.shape[1], pixels.shape[0])).astype(np.float32)


def _paint(inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    answers = [
        patchmatch.paint(image, product[..., 0], known[..., 0], "", int(seed[0]))
        for image, product, known, seed in zip(*(inputs[n] for n in ("IMAGE", "PRODUCT", "KNOWN", "SEED")), strict=True)
    ]
    return {"CANDIDATE": np.stack([a[0] for a in answers]), "GUIDE": np.stack([a[1] for a in answers])}


def _upscale(inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    scene = patchmatch.upscale(
        inputs["IMAGE"][0], inputs["PRODUCT"][0, ..., 0], inputs["KNOWN"][0, ..., 0], inputs["CANDIDATE"][0],
        inputs["GUIDE"][0], "", 0,
    )  # fmt: skip
    return {"SCENE": scene[None]}


CLIENT = FakeClient({"patchmatch": _paint, "patchmatch_upscale": _upscale})


def job_of(path: Path, placement: str, seed: int) -> Job:
    """A job as it reaches the outpaint stage."""
    image = Image.open(path).convert("RGB")
    image.thumbnail((2000, 2000))
    pixels = np.asarray(image)
    alpha = matte_of(pixels)
    mask = alpha >= 0.5
    box = box_of(mask)
    cutout = Cutout(pixels, alpha, mask, box) if box else None
    facts = SourceFacts("", path.stat().st_size, "jpeg", "RGB")
    product = Product("", 0, "bench", path.stem, str(path), seed=seed)
    return Job(product, ProductImage(pixels, facts), task="outpaint", cutout=cutout, placement=PLACEMENTS[placement])


def scores_of(pixels: Pixels, known: NDArray[np.bool_]) -> str:
    """One line of scores."""
    return (
        f"seam {seam_score(pixels, known):.2f} windowed {windowed_seam_score(pixels, known):.2f} "
        f"step {seam_delta_e(pixels, known):.1f} strange {strangeness(pixels, known):.1f}"
    )


def grown(scene: Pixels, framed: Framed) -> float:
    """Object expansion in the painted bands."""
    found, laid, kept = (
        cv2.resize(picture.astype(np.float32), (320, 320), interpolation=cv2.INTER_AREA)
        for picture in (matte_of(scene), framed.product / 255.0, framed.known / 255.0)
    )
    return expansion(found >= 0.5, laid >= 0.5, kept <= 0.0)


def _marked(pixels: Pixels, known: NDArray[np.bool_]) -> Pixels:
    """Short red marks at the border where the seams end."""
    out = pixels.copy()
    reach = max(6, pixels.shape[0] // 60)
    for line in seam_lines(known):
        view = out if line.axis == 0 else out.transpose(1, 0, 2)
        view[line.position - 1 : line.position + 1, :reach] = (255, 0, 0)
        view[line.position - 1 : line.position + 1, -reach:] = (255, 0, 0)
    return out


def _row(path: Path, args: argparse.Namespace) -> Pixels | None:
    job = job_of(path, args.placement, args.seed)
    settings = OutpaintSettings(candidates=args.candidates, framing=FramingLimits(max_upscale=args.max_upscale))
    if args.all:
        settings = replace(
            settings, min_stuff=0.0, max_cut=1.0, max_incoherence=1e9, max_tears=1e9, max_visible_tears=1e9
        )
    started = time.process_time()
    try:
        done = outpaint(job, CLIENT, settings)
    except (Refusal, ValueError) as cause:
        print(f"{path.name}: {type(cause).__name__} {cause}")
        return None
    spent = time.process_time() - started
    assert done.transform is not None and done.background is not None
    framed = lay_frame(replace(job, transform=done.transform), done.transform)
    known = framed.known > 0
    incoherent = f"incoherence {done.scores['outpaint_incoherence']:.1f} tears {done.scores['outpaint_tears']:.2f}"
    print(
        f"{path.name}: {spent:.1f} s  {scores_of(done.background, known)} {incoherent} "
        f"grown {grown(done.background, framed):.2f}"
    )
    columns = (
        [done.background] if args.only else [fill(framed.image, known) for fill in (edge_stretch, blur_fill, mirror)]
    )
    columns = columns if args.only else [*columns, done.background]
    size = Size(HEIGHT, round(HEIGHT * known.shape[1] / known.shape[0]))
    shown = [cv2.resize(_marked(c, known), (size.width, size.height), interpolation=cv2.INTER_AREA) for c in columns]
    return np.concatenate(shown, axis=1)


def main() -> None:
    """Paint the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--placement", default="pinterest_standard", choices=sorted(PLACEMENTS))
    parser.add_argument("--limit", type=int, default=8)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--candidates", type=int, default=2)
    parser.add_argument("--max_upscale", type=float, default=FramingLimits().max_upscale)
    parser.add_argument("--all", action="store_true", help="show also what the stage would refuse")
    parser.add_argument("--only", action="store_true", help="the painter's column alone, rows side by side")
    args = parser.parse_args()
    paths = sorted(path for path in args.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    rows = [row for path in paths[args.first :: args.every][: args.limit] if (row := _row(path, args)) is not None]
    if rows:
        Image.fromarray(np.concatenate(rows, axis=1 if args.only else 0)).save(args.out, quality=88)


if __name__ == "__main__":
    main()
