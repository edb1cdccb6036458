"""Is anything lost or doubled when a run is killed? kill -9 at seeded points, then resume, against an unkilled run.

    python benchmarks/kill_resume.py [--points 50] [--store s3|local]

Real Triton (quick stand-in models), a real SeaweedFS. Each point kills the job around one of its writes (plan, put,
ledger, index), runs it again on the same output, and compares creatives, their bytes, and the index with those of a
run that nobody killed. Then two runs at once on one output are compared in the same way.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

from benchmarks.fixed_latency import build_repository
from pipelines.embedded import EmbeddedServer
from tests.servers.seaweed import ACCESS_KEY, BUCKET, SECRET_KEY, SeaweedServer
from transforms.ledger import read_index
from transforms.storage.store import StoreConfig, open_store

CHECKOUT = Path(__file__).resolve().parents[1]
ROWS = 10
PLACEMENTS = "tile,strip"
# Nothing here is about looks: small images in small placements leave the time to what is written, and when.
TABLE = [{"name": "tile", "size": [192, 192]}, {"name": "strip", "size": [128, 256]}]
THRESHOLDS = {"eligibility": {"min_side_px": 64}, "background": {"candidates": 1}}
# Writes of each kind that an unkilled run makes at least; points are drawn among them.
WRITES = {"plan": 1, "put": 2 * 2 * ROWS, "ledger": 2, "index": 4}


class Target(NamedTuple):
    """A root folder for outputs and the flags that reach it."""

    root: str
    flags: tuple[str, ...]
    config: StoreConfig


class Result(NamedTuple):
    """What a run left behind: creatives with digests, the index's rows, and how often each key stands in it."""

    creatives: dict[str, str]
    outcomes: dict[tuple[int, str], tuple[str, str]]
    doubled: int


def make_feed(folder: Path) -> Path:
    """Flat products on white: nothing here is about looks. One row's image is missing."""
    folder.mkdir()
    for number in range(ROWS - 1):
        image = Image.new("RGB", (256, 256), "white")
        color = tuple(np.random.default_rng(number).integers(0, 200, 3))
        ImageDraw.Draw(image).rectangle((70, 60, 180, 200), fill=color)
        image.save(folder / f"{number}.png")
    table = pa.table(
        {
            "advertiser_id": ["acme"] * ROWS,
            "product_id": [f"p{number}" for number in range(ROWS)],
            "image_uri": [f"{number}.png" for number in range(ROWS)],
        }
    )
    pq.write_table(table, folder / "manifest.parquet")
    return folder / "manifest.parquet"


def flags_of(manifest: Path, output: str, triton: str, target: Target) -> list[str]:
    """The job's flags."""
    return [
        f"--manifest={manifest}", f"--output={output}", f"--triton={triton}", "--features=background",
        f"--extra_placements={json.dumps(TABLE)}", f"--placements={PLACEMENTS}", "--max_failed_share=1",
        f"--thresholds={json.dumps(THRESHOLDS)}", "--concurrency=4", *target.flags,
    ]  # fmt: skip


def job(flags: list[str], kill: tuple[str, int, str] | None = None) -> subprocess.Popen[bytes]:
    """Start the job, with a death wish or without."""
    script = [str(CHECKOUT / "run_pipeline.py")]
    if kill is not None:
        script = [str(CHECKOUT / "benchmarks" / "killed_run.py"), *map(str, kill), "--"]
    return subprocess.Popen([sys.executable, *script, *flags], stderr=subprocess.PIPE, cwd=CHECKOUT, env=_environment())


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(CHECKOUT)}


def result_of(target: Target, output: str) -> Result:
    """Read an output back; its index is the newest run's."""
    store = open_store(output, target.config)
    names = [item.uri for item in store.list(f"{output}/creatives")]
    creatives = {uri.removeprefix(output): hashlib.sha256(store.read(uri).data).hexdigest() for uri in names}
    runs = sorted({item.uri.removeprefix(f"{output}/runs/").split("/")[0] for item in store.list(f"{output}/runs")})
    done = [run for run in runs if store.stat(f"{output}/runs/{run}/report.json")]
    rows = pa.concat_tables(read_index(store, f"{output}/runs/{done[-1]}")).to_pylist()
    outcomes = {(row["manifest_row"], row["placement"]): (row["outcome"], row["creative_digest"]) for row in rows}
    return Result(creatives, outcomes, len(rows) - len(outcomes))


def points(count: int) -> list[tuple[str, int, str]]:
    """Seeded (kind, number, when), the kinds in turn."""
    dice = random.Random(7)
    kinds = list(WRITES)
    drawn = [(kinds[n % 4], dice.random(), dice.choice(("before", "after"))) for n in range(count)]
    return [(kind, 1 + int(share * WRITES[kind]), when) for kind, share, when in drawn]


@contextmanager
def targets(kind: str, folder: Path) -> Iterator[Target]:
    """A local folder, or a bucket of a SeaweedFS that lives as long as the context."""
    if kind == "local":
        yield Target(str(folder / "out"), (), StoreConfig())
        return
    seaweed = SeaweedServer(folder / "seaweed")
    seaweed.start()
    os.environ.update(AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY, AWS_DEFAULT_REGION="us-east-1")
    try:
        flags = (f"--s3_endpoint={seaweed.endpoint_url}", "--s3_addressing=path")
        yield Target(f"s3://{BUCKET}", flags, StoreConfig(endpoint_url=seaweed.endpoint_url, addressing="path"))
    finally:
        seaweed.kill()


def main() -> None:
    """Print what each point did, and fail if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="points before it are left out")
    parser.add_argument("--store", choices=("s3", "local"), default="s3")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest, repository = make_feed(folder / "feed"), build_repository(folder / "repository", 5.0)
        with targets(options.store, folder) as target, EmbeddedServer(repository) as server:
            wrong = check_points(points(options.points)[options.first :], manifest, server.address, target)
            wrong += check_two_at_once(manifest, server.address, target)
    raise SystemExit(1 if wrong else 0)


def check_points(chosen: list[tuple[str, int, str]], manifest: Path, triton: str, target: Target) -> int:
    """Kill and resume at the `chosen` points; returns how many came out wrong."""
    reference_output = f"{target.root}/reference"
    assert job(flags_of(manifest, reference_output, triton, target)).wait() == 1
    reference = result_of(target, reference_output)
    outcomes = Counter(outcome for outcome, _ in reference.outcomes.values())
    print(f"reference: {len(reference.creatives)} creatives, {dict(outcomes)}")
    wrong, killed_by = 0, Counter[str]()
    for number, point in enumerate(chosen):
        output = f"{target.root}/{number}"
        killed = job(flags_of(manifest, output, triton, target), point)
        killed.communicate()
        killed_by[point[0]] += killed.returncode == -9
        resumed = job(flags_of(manifest, output, triton, target))
        _, text = resumed.communicate()
        same = resumed.returncode == 1 and result_of(target, output) == reference
        wrong += not same
        print(f"point {number} {point}: {'same' if same else 'DIFFERENT'}", flush=True)
        if not same:
            print(f"point {number} {point}: exits {killed.returncode}, {resumed.returncode}\n{text.decode()[-800:]}")
    print(f"killed at {sum(killed_by.values())} points {dict(killed_by)}, resumed with other results: {wrong}")
    return wrong


def check_two_at_once(manifest: Path, triton: str, target: Target) -> int:
    """Two runs on one output at the same time; returns 1 if anything is lost, doubled or different."""
    output = f"{target.root}/twice"
    both = [job(flags_of(manifest, output, triton, target)) for _ in range(2)]
    texts = [one.communicate()[1].decode() for one in both]
    reference, result = result_of(target, f"{target.root}/reference"), result_of(target, output)
    same = result == reference and all(one.returncode == 1 for one in both)
    print(f"two runs at once: {len(result.creatives)} creatives, doubled rows {result.doubled}, same: {same}")
    if not same:
        print("\n".join(texts))
    return int(not same)


if __name__ == "__main__":
    main()
