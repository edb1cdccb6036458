"""Does the job's memory grow with the manifest? Peak resident memory of the job's process over more and more rows.

    python benchmarks/memory.py [--rows 1000 5000 20000]

Models that answer at once, small images and one small placement, so that thousands of rows pass quickly: what grows
here would be the pipeline's own. Each size runs in a process of its own.
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

_IMAGES = 50
_THRESHOLDS = {"eligibility": {"min_side_px": 64}, "background": {"candidates": 1}}
_TILE = [{"name": "tile", "size": [192, 192]}]


def make_feed(folder: Path, rows: int) -> Path:
    """`rows` products over a few images of 256 pixels."""
    folder.mkdir()
    for number in range(_IMAGES):
        image = Image.new("RGB", (256, 256), "white")
        color = tuple(int(level) for level in np.random.default_rng(number).integers(0, 200, 3))
        ImageDraw.Draw(image).rectangle((70, 60, 180, 200), fill=color)
        image.save(folder / f"{number}.jpg", quality=92)
    table = {
        "advertiser_id": [f"a{number % 7}" for number in range(rows)],
        "product_id": [f"p{number}" for number in range(rows)],
        "image_uri": [f"{number % _IMAGES}.jpg" for number in range(rows)],
    }
    pq.write_table(pa.table(table), folder / "manifest.parquet")
    return folder / "manifest.parquet"


def one(rows: int, triton: str) -> None:
    """Run the job over `rows` rows, and print its figures as JSON."""
    with tempfile.TemporaryDirectory() as name:
        manifest, output = make_feed(Path(name) / "feed", rows), Path(name) / "out"
        started = time.monotonic()
        code = run(
            [
                f"--manifest={manifest}", f"--output={output}", f"--triton={triton}", "--features=background",
                f"--extra_placements={json.dumps(_TILE)}", "--placements=tile", "--concurrency=4",
                f"--thresholds={json.dumps(_THRESHOLDS)}", "--max_failed_share=1", "--run_id=memory",
            ]
        )  # fmt: skip
        outcomes = json.loads((output / "runs" / "memory" / "report.json").read_text())["outcomes"]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
        print(json.dumps({"rows": rows, "code": code, "outcomes": outcomes, "peak_mib": round(peak),
                          "sec": round(time.monotonic() - started)}))  # fmt: skip


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 5000, 20000])
    parser.add_argument("--triton", default="", help="used between the benchmark's own processes")
    options = parser.parse_args()
    if options.triton:
        one(options.rows[0], options.triton)
        return
    with tempfile.TemporaryDirectory() as name, EmbeddedServer(build_repository(Path(name) / "models", 0.0)) as server:
        for rows in options.rows:
            command = [sys.executable, __file__, f"--triton={server.address}", "--rows", str(rows)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            print(done.stdout.strip().splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
