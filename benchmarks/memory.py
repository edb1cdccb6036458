"""Does the job's memory grow with the manifest? Peak resident memory of the job's process over more and more rows.

    python benchmarks/memory.py [--rows 1000 5000 20000] [--share 1]
    python benchmarks/memory.py --cascade 500 --images examples/catalog/images

Models that answer at once, small images that are cut out already and one small placement, so that thousands of rows
pass quickly: what grows here would be the pipeline's own. Rows beyond `--share` are skipped as too small, at a tenth of
the price. Each size runs in a process of its own. `--cascade` runs the shipped models over the images of a folder,
again and again under other ids, and prints the peak of a fifth of the rows and of all.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

from benchmarks.fixed_latency import build_repository
from pipelines.embedded import EmbeddedServer
from pipelines.enhance import run

_IMAGES, _TURN = 50, 100
_THRESHOLDS = {"eligibility": {"min_side_px": 64}, "background": {"candidates": 1}}
_TILE = [{"name": "tile", "size": [144, 144]}]


def make_feed(folder: Path, rows: int, share: float = 1.0) -> Path:
    """`rows` products over a few images of 192 pixels with an alpha that cuts out; beyond `share` over a tiny one."""
    folder.mkdir()
    Image.new("RGB", (32, 32), "white").save(folder / "small.png")
    for number in range(_IMAGES):
        image = Image.new("RGBA", (192, 192), (255, 255, 255, 0))
        color = tuple(int(level) for level in np.random.default_rng(number).integers(0, 200, 3))
        ImageDraw.Draw(image).rectangle((27, 21, 162, 171), fill=(*color, 255))
        image.save(folder / f"{number}.png")
    table = {
        "advertiser_id": [f"a{number % 7}" for number in range(rows)],
        "product_id": [f"p{number}" for number in range(rows)],
        "image_uri": [
            f"{number % _IMAGES}.png" if number % _TURN < share * _TURN else "small.png" for number in range(rows)
        ],
    }
    pq.write_table(pa.table(table), folder / "manifest.parquet")
    return folder / "manifest.parquet"


def make_cascade(folder: Path, images: Path, rows: int) -> Path:
    """`rows` products over the images of a folder."""
    folder.mkdir()
    files = sorted(str(path.absolute()) for path in images.iterdir() if path.suffix in (".jpg", ".png", ".webp"))
    table = {
        "advertiser_id": ["acme"] * rows,
        "product_id": [f"p{number}" for number in range(rows)],
        "image_uri": [files[number % len(files)] for number in range(rows)],
    }
    pq.write_table(pa.table(table), folder / "manifest.parquet")
    return folder / "manifest.parquet"


def cascade(rows: int, images: Path, triton: str) -> None:
    """The whole job on the shipped models, and its figures as JSON."""
    with tempfile.TemporaryDirectory() as name:
        manifest, output = make_cascade(Path(name) / "feed", images, rows), Path(name) / "out"
        started = time.monotonic()
        code = run(
            [
                f"--manifest={manifest}", f"--output={output}", f"--triton={triton}", "--run_id=memory",
                "--features=background,outpaint", "--placements=pmax_square", "--max_failed_share=1",
                f"--allow_source={images.absolute()}/",
            ]
        )  # fmt: skip
        show(rows, code, output, started)


def show(rows: int, code: int, output: Path, started: float) -> None:
    """Print what a run took."""
    outcomes = json.loads((output / "runs" / "memory" / "report.json").read_text())["outcomes"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(json.dumps({"rows": rows, "code": code, "outcomes": outcomes, "peak_mib": round(peak),
                      "sec": round(time.monotonic() - started)}))  # fmt: skip


def one(rows: int, share: float, triton: str) -> None:
    """Run the job over `rows` rows, and print its figures as JSON."""
    with tempfile.TemporaryDirectory() as name:
        manifest, output = make_feed(Path(name) / "feed", rows, share), Path(name) / "out"
        started = time.monotonic()
        code = run(
            [
                f"--manifest={manifest}", f"--output={output}", f"--triton={triton}", "--features=background",
                f"--extra_placements={json.dumps(_TILE)}", "--placements=tile", "--concurrency=4",
                f"--thresholds={json.dumps(_THRESHOLDS)}", "--max_failed_share=1", "--run_id=memory",
            ]
        )  # fmt: skip
        show(rows, code, output, started)


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 5000, 20000])
    parser.add_argument("--share", type=float, default=1.0, help="of the rows that are enhanced; the rest is skipped")
    parser.add_argument("--cascade", type=int, default=0, help="rows through the shipped models instead")
    parser.add_argument("--images", type=Path, default=Path("examples/catalog/images"), help="of the cascade")
    parser.add_argument("--triton", default="", help="used between the benchmark's own processes")
    options = parser.parse_args()
    if options.triton:
        rows = options.rows[0]
        cascade(rows, options.images, options.triton) if options.cascade else one(rows, options.share, options.triton)
        return
    sizes = [options.cascade // 5, options.cascade] if options.cascade else options.rows
    with tempfile.TemporaryDirectory() as name:
        repository = None if options.cascade else build_repository(Path(name) / "models", 0.0)
        with EmbeddedServer(repository) as server:
            for rows in sizes:
                command = [sys.executable, __file__, f"--triton={server.address}", "--rows", str(rows)]
                command += [f"--share={options.share}"]
                command += [f"--cascade={options.cascade}", f"--images={options.images}"] if options.cascade else []
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                print(done.stdout.strip().splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
