"""What does the pipeline cost apart from its models, and does it keep the servers busy?

    python benchmarks/throughput.py fixed [--rows 120] [--latency_msec 100]
    python benchmarks/throughput.py real --manifest examples/catalog/manifest.parquet

`fixed`: every served model takes the same time and no CPU. Prints the busiest model's busy share, the client's CPU for
each creative, and the rate beside a plain thread pool that runs the very same steps on the same server without Beam.
`real`: the shipped models. Prints the wall time over the pure time of the busiest model.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions
from PIL import Image, ImageDraw

from benchmarks.fixed_latency import build_repository
from pipelines.busy import BusyMeter
from pipelines.config import EnhanceConfig, config_of, serving_of
from pipelines.embedded import EmbeddedServer
from pipelines.enhance import build, stages
from pipelines.options import parse
from pipelines.sources import cut_shards, manifest_files
from transforms.index import conclude, index_row
from transforms.inference.client import shared_client
from transforms.inference.config import ServingConfig
from transforms.ledger import LedgerWriter
from transforms.plan import Shard, _PlanShard
from transforms.run_work import keyring_of
from transforms.storage.store import open_store
from transforms.tally import tally_of
from transforms.work import Work, run_work


class Measured(NamedTuple):
    """One run: seconds, the client's CPU seconds, creatives, and how busy the busiest model was."""

    wall_sec: float
    cpu_sec: float
    creatives: int
    busy: BusyMeter


def make_feed(folder: Path, rows: int) -> Path:
    """Flat products on white, 360 pixels wide."""
    folder.mkdir()
    for number in range(rows):
        image = Image.new("RGB", (360, 360), "white")
        color = tuple(int(level) for level in np.random.default_rng(number).integers(0, 200, 3))
        ImageDraw.Draw(image).rectangle((110, 90, 240, 300), fill=color)
        image.save(folder / f"{number}.jpg", quality=92)
    table = {
        "advertiser_id": ["acme"] * rows,
        "product_id": [f"p{n}" for n in range(rows)],
        "image_uri": [f"{n}.jpg" for n in range(rows)],
    }
    pq.write_table(pa.table(table), folder / "manifest.parquet")
    return folder / "manifest.parquet"


def with_beam(config: EnhanceConfig, serving: ServingConfig, shards: Sequence[Shard]) -> None:
    """The pipeline as it is."""
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as root:
        build(root, config, serving, shards)


def with_threads(config: EnhanceConfig, serving: ServingConfig, shards: Sequence[Shard]) -> None:
    """The same plan, steps and ledger in a plain thread pool."""
    planner = _PlanShard(config.plan_config(shared_client(serving).model_digests()))
    planner.setup()
    works = [work for shard in shards for work in planner.process(shard)]
    for stage in stages(config, serving):
        works = [stage.append_to(work) for work in works]
    run_config = config.run_config(serving)
    keyring = keyring_of(run_config, shared_client(serving).model_digests())
    ledger = LedgerWriter(open_store(config.output), run_config.ledger_folder)
    tally = tally_of(config.run_id)

    def run(work: Work) -> list:  # type: ignore[type-arg]
        return list(run_work(work, keyring.begin, partial(conclude, engine_fingerprint="")))

    with ThreadPoolExecutor(run_config.concurrency) as pool:
        for outcomes in pool.map(run, works):
            for outcome in outcomes:
                tally.add(outcome)
                ledger.add(index_row(outcome, config.run_id, keyring.plan_key(outcome)))
    ledger.flush()


Way = Callable[[EnhanceConfig, ServingConfig, Sequence[Shard]], None]


def measure(way: Way, config: EnhanceConfig, serving: ServingConfig, metrics_url: str) -> Measured:
    """Run once; the tally of the run counts its creatives."""
    shards = cut_shards(manifest_files(config.manifest, config.store), config.columns, config.store)
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.monotonic()
    with BusyMeter([metrics_url], shared_client(serving).instances) as busy:
        way(config, serving, shards)
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Measured(wall, cpu, tally_of(config.run_id).outcomes["enhanced"], busy)


def job(manifest: Path, output: Path, concurrency: int, placements: str = "tile") -> EnhanceConfig:
    """A job over `manifest`; the tile is small, so that the client's CPU is no limit on a small machine."""
    return config_of(
        parse(
            [
                f"--manifest={manifest}", f"--output={output}", "--features=background,outpaint",
                f"--placements={placements}", f"--concurrency={concurrency}", "--max_failed_share=1",
                '--extra_placements=[{"name": "tile", "size": [320, 320]}]',
            ]
        ).job
    )  # fmt: skip


def show(name: str, measured: Measured) -> None:
    """One line of figures."""
    each = measured.cpu_sec / max(measured.creatives, 1) * 1000
    print(
        f"{name}: {measured.creatives} creatives in {measured.wall_sec:.1f} s, "
        f"{measured.creatives / measured.wall_sec:.2f}/s, client CPU {each:.0f} ms a creative, "
        f"busiest model {measured.busy.model} {100 * (measured.busy.share or 0):.1f} % busy"
    )


def fixed(rows: int, latency_msec: float, concurrency: int) -> None:
    """Beam and plain threads on models of a fixed latency."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest, repository = make_feed(folder / "feed", rows), build_repository(folder / "models", latency_msec)
        with EmbeddedServer(repository, instance_factor=1) as server:
            rates = {}
            for way_name, way in (("threads", with_threads), ("Beam", with_beam)):
                config = job(manifest, folder / way_name, concurrency)
                serving = serving_of(config.options, (server.address,))
                warm = replace(config, output=f"{config.output}-warm", run_id=f"warm-{way_name}")
                if way_name == "threads":
                    measure(
                        way, replace(warm, manifest=str(make_feed(folder / "warm", 4))), serving, server.metrics_url
                    )
                measured = measure(way, replace(config, run_id=f"run-{way_name}"), serving, server.metrics_url)
                show(way_name, measured)
                rates[way_name] = measured.creatives / measured.wall_sec
            print(f"Beam over plain threads: {rates['Beam'] / rates['threads']:.3f}")


def real(manifest: Path, concurrency: int, placements: str) -> None:
    """The shipped models, end to end over the pure model time."""
    with tempfile.TemporaryDirectory() as name:
        config = job(manifest, Path(name) / "out", concurrency, placements)
        with EmbeddedServer(models=config.models) as server:
            serving = serving_of(config.options, (server.address,))
            measured = measure(with_beam, config, serving, server.metrics_url)
        show("real models", measured)
        pure = {model: spent for model, spent in measured.busy.compute_sec.items() if spent}
        total = sum(pure.values())
        for model, spent in sorted(pure.items(), key=lambda pair: -pair[1]):
            print(f"  {model}: {spent:.1f} s of model time")
        print(f"model time of all models {total:.1f} s; end to end {measured.wall_sec:.1f} s: "
              f"{measured.wall_sec / total:.2f} of the models one after the other")  # fmt: skip


def main() -> None:
    """Command line: see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("fixed", "real"))
    parser.add_argument("--rows", type=int, default=120)
    parser.add_argument("--latency_msec", type=float, default=100.0)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("--placements", default="pmax_square,pinterest_standard")
    options = parser.parse_args()
    if options.what == "fixed":
        fixed(options.rows, options.latency_msec, options.concurrency)
    else:
        real(options.manifest, options.concurrency, options.placements)


if __name__ == "__main__":
    main()
