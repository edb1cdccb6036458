"""Super-resolution by three beside plain interpolation, on photographs that were held out of its training.

    python -m benchmarks.upscaler --photos DIR [DIR ...] [--weights DIR [DIR ...]] [--json FILE] [--sheet PNG]

`--weights` are folders of `models.export.upscaler` (one step) and of `models.export.canvas --variant super_resolution`
(diffusion), side by side; the one that cascades use lies in `models/weights/upscaler`.

Crops are made three times smaller, cleanly (area average) and as `models/data/degradations.py` spoils them, and
enlarged again. PSNR and SSIM are of luma, 0..255, without a rim of 6 pixels. Seconds are of CPU, for a candidate of
416x608 (w x h) brought to 1000x1500, on one thread.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.degradations import Pair, degrade, draw_crop, photographs, read_large, shrink
from models.export.cards import WEIGHTS
from models.serving.enlarge import load_enlarger
from transforms.records import Size

Bytes = NDArray[np.uint8]
Enlarge = Callable[[Bytes, Size], Bytes]

_RIM = 6


def by_interpolation(picture: Bytes, size: Size, kernel: int) -> Bytes:
    """What OpenCV makes of `picture` at `size`."""
    return cast(Bytes, cv2.resize(picture, (size.width, size.height), interpolation=kernel))


def luma(picture: Bytes) -> NDArray[np.float32]:
    """float32 [H, W], 0..255, without the rim."""
    plane = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return cast(NDArray[np.float32], plane[_RIM:-_RIM, _RIM:-_RIM])


def psnr(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """In dB; 99 where nothing differs."""
    error = float(((first - second) ** 2).mean())
    return 99.0 if error == 0 else 10 * float(np.log10(255**2 / error))


def ssim(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Mean structural similarity (Wang et al. 2004): a Gaussian window of sigma 1.5, constants 0.01 and 0.03."""
    blur = partial(cv2.GaussianBlur, ksize=(11, 11), sigmaX=1.5)
    mean_a, mean_b = blur(first), blur(second)
    var_a, var_b = blur(first * first) - mean_a**2, blur(second * second) - mean_b**2
    both = blur(first * second) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    share = ((2 * mean_a * mean_b + c1) * (2 * both + c2)) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return float(share.mean())


def pairs(folders: Sequence[Path], count: int, side: int) -> tuple[list[Pair], list[Pair]]:
    """(clean, spoiled) pairs of the same crops of held-out photographs, the same ones every time."""
    files = photographs(folders, held_out=True)
    rng = np.random.Generator(np.random.Philox(key=[7, 7]))
    chosen = [files[number] for number in rng.permutation(len(files))[:count]]
    clean, spoiled = [], []
    for path in chosen:
        photo = read_large(path)
        if min(photo.shape[:2]) > side:
            crop = draw_crop(rng, photo, side)
            clean.append(shrink(crop))
            spoiled.append(degrade(rng, crop, clean=0.0))
    return clean, spoiled


def scores(enlarge: Enlarge, held: Sequence[Pair]) -> tuple[float, float]:
    """(mean PSNR, mean SSIM) over pairs."""
    found = []
    for pair in held:
        answer, truth = luma(enlarge(pair.small, Size(*pair.large.shape[:2]))), luma(pair.large)
        found.append((psnr(answer, truth), ssim(answer, truth)))
    means = np.mean(found, axis=0)
    return float(means[0]), float(means[1])


def cost(enlarge: Enlarge) -> float:
    """Seconds of CPU for one placement, the least of three."""
    picture = np.random.default_rng(0).integers(0, 256, (608, 416, 3)).astype(np.uint8)
    enlarge(picture, Size(1500, 1000))
    costs = []
    for _ in range(3):
        began = time.process_time()
        enlarge(picture, Size(1500, 1000))
        costs.append(time.process_time() - began)
    return min(costs)


def sheet(enlargers: Mapping[str, Enlarge], held: Sequence[Pair], target: Path) -> None:
    """A row for each pair: what each made of it, and last the truth."""
    rows = []
    for pair in held:
        size = Size(*pair.large.shape[:2])
        rows.append(np.hstack([*(enlarge(pair.small, size) for enlarge in enlargers.values()), pair.large]))
    cv2.imwrite(str(target), np.vstack(rows)[..., ::-1])


def enlargers_of(folder: Path) -> dict[str, Enlarge]:
    """What the weights of a folder make, by each engine."""
    engines = [("onnxruntime", "fp32"), ("openvino", "fp32"), ("openvino", "bf16")]
    one_step = (folder / "upscaler.onnx").is_file()
    kind = "network" if one_step else "diffusion"
    return {
        f"{kind}, {engine} {precision}": load_enlarger(folder, engine, precision)
        for engine, precision in engines[: 3 if one_step else 2]
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upscaler", description=__doc__)
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of large photographs")
    parser.add_argument("--weights", type=Path, nargs="+", default=[WEIGHTS / "upscaler"], help="folders of weights")
    parser.add_argument("--count", type=int, default=60, help="crops (default %(default)s)")
    parser.add_argument("--side", type=int, default=240, help="pixels of a crop (default %(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--sheet", type=Path, help="write a sheet of some of the crops there")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    clean, spoiled = pairs(args.photos, args.count, args.side)
    enlargers: dict[str, Enlarge] = {
        "bicubic": partial(by_interpolation, kernel=cv2.INTER_CUBIC),
        "lanczos": partial(by_interpolation, kernel=cv2.INTER_LANCZOS4),
    }
    for folder in args.weights:
        enlargers |= enlargers_of(folder)
    figures = {}
    print(
        "| of | PSNR clean | SSIM clean | PSNR spoiled | SSIM spoiled | CPU s at 1000x1500 |\n|---|---|---|---|---|---|"
    )
    for name, enlarge in enlargers.items():
        values = [*scores(enlarge, clean), *scores(enlarge, spoiled), cost(enlarge)]
        figures[name] = [round(value, 4) for value in values]
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in values) + " |")
    tried = {name: values for name, values in figures.items() if "," in name}
    if tried:
        print(f"best PSNR of clean pairs among what was trained: {max(tried, key=lambda name: tried[name][0])}")
    if args.json:
        names = ("psnr_clean", "ssim_clean", "psnr_spoiled", "ssim_spoiled", "cpu_sec")
        told = {name: dict(zip(names, values, strict=True)) for name, values in figures.items()}
        args.json.write_text(json.dumps({"crops": len(clean), **told}, indent=1) + "\n", encoding="utf-8")
    if args.sheet:
        shown = {name: each for name, each in enlargers.items() if name == "bicubic" or "onnxruntime fp32" in name}
        sheet(shown, [*clean[:4], *spoiled[:2]], args.sheet)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
