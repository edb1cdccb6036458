"""Is the product untouched on real photographs? Runs the job over a folder of images, then audits every creative.

    python benchmarks/product_pixels.py --images DIR [--count 320] [--placements meta_feed_portrait] [--limits job]

The images are taken evenly from the sorted folder; nothing of them is kept. Small photographs may be enlarged up to
four times here, and how an extension looks refuses none, because the proof does not depend on it; `--limits job` tells
what the job's own limits let through. Prints the job's outcomes and the audit's totals; fails if a
single product pixel differs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.audit import main as audit
from pipelines.enhance import run
from transforms.ledger import read_index
from transforms.storage.store import open_store

_FRAMING = {"framing": {"max_upscale": 4.0}}
_THRESHOLDS = {
    "job": {"background": _FRAMING, "outpaint": {**_FRAMING, "candidates": 1}},
    "none": {
        "background": _FRAMING,
        "outpaint": {
            **_FRAMING,
            "candidates": 1,
            "leans": [0.5],
            "min_stuff": 0.0,
            "max_cut": 1.0,
            "max_incoherence": 1e9,
            "max_tears": 1e9,
            "max_visible_tears": 1e9,
        },
        "verify": {"max_seam_score": 1e9, "max_seam_window": 1e9, "max_seam_delta_e": 1e9, "max_strangeness": 1e9},
    },
}


def make_manifest(images: Path, count: int, target: Path) -> Path:
    """A manifest over `count` images of a folder."""
    names = sorted(path for path in images.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    chosen = names[:: max(len(names) // count, 1)][:count]
    table = {
        "advertiser_id": ["photographs"] * len(chosen),
        "product_id": [path.stem for path in chosen],
        "image_uri": [str(path.resolve()) for path in chosen],
    }
    pq.write_table(pa.table(table), target)
    return target


def main() -> None:
    """Run, audit, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--count", type=int, default=320)
    parser.add_argument("--placements", default="meta_feed_portrait")
    parser.add_argument("--concurrency", type=int, default=3)
    parser.add_argument("--limits", choices=sorted(_THRESHOLDS), default="none", help="of how extensions look")
    parser.add_argument("--output", type=Path, help="kept, and gone on with; none: a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        output = options.output or Path(name) / "out"
        manifest = make_manifest(options.images, options.count, Path(name) / "manifest.parquet")
        run(
            [
                f"--manifest={manifest}", f"--output={output}", "--features=background,outpaint",
                f"--allow_source={options.images.resolve()}", f"--placements={options.placements}",
                f"--thresholds={json.dumps(_THRESHOLDS[options.limits])}", f"--concurrency={options.concurrency}",
                "--max_failed_share=1", "--run_id=photographs",
            ]
        )  # fmt: skip
        folder = str((output / "runs" / "photographs").absolute())
        rows = pa.concat_tables(read_index(open_store(folder), folder)).to_pylist()
        print(dict(Counter(f"{row['outcome']} ({row['reason']}, {row['task']})" for row in rows)))
        code = audit([folder, f"--allow_source={options.images.resolve()}"])
    raise SystemExit(code)


if __name__ == "__main__":
    main()
