"""What does the job make of faults? The real server and the real store, broken while a run goes.

    python benchmarks/faults.py [--only NAME]

Every case runs the job over the same feed and compares creatives (by digest) and outcomes with those of an
undisturbed run; where a fault may cost rows, the job runs again and must then agree. Quick stand-in models with the
contracts of the real ones; SeaweedFS behind a proxy that answers wrongly on request.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
from google.protobuf import text_format

from benchmarks.fixed_latency import build_repository
from benchmarks.kill_resume import Result, Target, flags_of, make_feed, result_of
from models.export.repository import read_config

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "servers"))
from seaweed import ACCESS_KEY, BUCKET, SECRET_KEY, SeaweedServer
from store_proxy import Fault, Faults, store_proxy

from transforms.storage.store import StoreConfig

CHECKOUT = Path(__file__).resolve().parents[1]
Disturb = Callable[[subprocess.Popen[bytes]], None]


class Ran(NamedTuple):
    """One run of the job: its exit code and what it said."""

    code: int
    text: str


def run_job(flags: list[str], disturb: Disturb | None = None) -> Ran:
    """The job as a process of its own, disturbed once it has begun to write creatives."""
    command = [sys.executable, str(CHECKOUT / "run_pipeline.py"), *flags]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": "."})
    if disturb is not None:
        disturb(process)
    text = process.communicate()[1].decode()
    return Ran(process.returncode, text)


def descendants(pid: int, name: str) -> list[int]:
    """Processes below `pid` with a name that starts so."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                found += [child.pid] if child.name().startswith(name) else []
    return found


def kill_one(name: str, after: Callable[[], bool]) -> Disturb:
    """SIGKILL the first process below the job whose name starts so, once `after` is true."""

    def disturb(process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            found = descendants(process.pid, name)
            if found and after():
                os.kill(found[0], signal.SIGKILL)
                return
            time.sleep(0.05)

    return disturb


class Bench:
    """The feed, the models, the store behind its proxy, and the undisturbed result."""

    def __init__(self, folder: Path, target: Target, faults: Faults) -> None:
        self.folder, self.target, self.faults = folder, target, faults
        self.manifest = make_feed(folder / "feed")
        self.models = build_repository(folder / "models", 40.0)
        self.reference = self.result("reference", run_job(self.flags("reference")))

    def flags(self, name: str, *more: str, models: Path | None = None) -> list[str]:
        """The job's flags, with an embedded server of its own."""
        base = flags_of(self.manifest, self.output(name), "", self.target)
        return [flag for flag in base if flag != "--triton="] + [f"--triton_repo={models or self.models}", *more]

    def output(self, name: str) -> str:
        """A case's output."""
        return f"{self.target.root}/{name}"

    def result(self, name: str, ran: Ran) -> Result:
        """What a run left behind; a run that did not finish leaves nothing to read."""
        if ran.code not in (0, 1):
            print(ran.text)
        return result_of(self.target, self.output(name))

    def begun(self, name: str) -> Callable[[], bool]:
        """Whether a case has written its first creative."""
        from transforms.storage.store import open_store

        store = open_store(self.target.root, self.target.config)
        return lambda: any(True for _ in store.list(f"{self.output(name)}/creatives"))

    def check(self, name: str, ran: Ran, note: str = "", *, same_models: bool = True) -> bool:
        """Print whether a case ended as the undisturbed run; other models give the same bytes other names."""
        result = self.result(name, ran)
        same = ran.code == 1 and result.outcomes == self.reference.outcomes and not result.doubled
        same = same and (not same_models or result.creatives == self.reference.creatives)
        print(f"{name}: exit {ran.code}, same as undisturbed: {same}{note}", flush=True)
        if not same:
            print(ran.text[-1500:])
        return same

    def healed(self, name: str, first: Ran, *more: str) -> bool:
        """Run again without the fault; the first run may have lost rows, but never the run's word on them."""
        said = first.text.strip().splitlines()
        return self.check(
            name, run_job(self.flags(name, *more)), f" (first run: exit {first.code}; {said[0] if said else ''})"
        )


def triton_killed(bench: Bench) -> bool:
    """The server dies mid-run and is started again by its keeper."""
    name = "triton_killed"
    return bench.check(name, run_job(bench.flags(name), kill_one("tritonserver", bench.begun(name))))


def stub_crashed(bench: Bench) -> bool:
    """A model's process dies mid-run."""
    name = "stub_crashed"
    return bench.check(name, run_job(bench.flags(name), kill_one("triton_python_b", bench.begun(name))))


def queue_full(bench: Bench) -> bool:
    """A queue of one request in front of the segmenter, and more asking than it takes."""
    models = bench.folder / "queue"
    shutil.copytree(bench.models, models)
    path = models / "segmenter" / "config.pbtxt"
    config = read_config(path)
    config.dynamic_batching.default_queue_policy.max_queue_size = 1
    path.write_text(text_format.MessageToString(config))
    ran = run_job(bench.flags("queue_full", "--concurrency=8", models=models))
    return bench.check("queue_full", ran, same_models=False)


def slow_model(bench: Bench) -> bool:
    """Every model takes longer than the deadline: rows fail, retryable; a run with patience makes them."""
    models = build_repository(bench.folder / "slow", 1500.0)
    first = run_job(bench.flags("slow_model", "--deadline_sec=0.5", models=models))
    return bench.healed("slow_model", first)


def store_slows_down(bench: Bench) -> bool:
    """503 SlowDown for many requests."""
    bench.faults.pending = [Fault("slow_down", "PUT", 7), Fault("slow_down", "GET", 6)]
    return bench.check("store_slows_down", run_job(bench.flags("store_slows_down")))


def store_hangs_up(bench: Bench) -> bool:
    """Connections closed before and after the store has done its part."""
    bench.faults.pending = [Fault("hang_up", "PUT", 3), Fault("lose_answer", "PUT", 5), Fault("cut_body", "GET", 2)]
    return bench.check("store_hangs_up", run_job(bench.flags("store_hangs_up")))


def store_lies(bench: Bench) -> bool:
    """ETags that fit nothing: the rows fail, retryable, and a later run writes what is missing."""
    bench.faults.pending = [Fault("wrong_etag", "PUT", 6)]
    first = run_job(bench.flags("store_lies"))
    bench.faults.pending = []
    return bench.healed("store_lies", first)


def store_ignores_conditions(bench: Bench) -> bool:
    """A store that accepts If-None-Match and ignores it."""
    bench.faults.pending = [Fault("ignore_condition", "PUT", 10_000)]
    ran = run_job(bench.flags("store_ignores_conditions"))
    bench.faults.pending = []
    return bench.check("store_ignores_conditions", ran)


def store_refuses(bench: Bench) -> bool:
    """The store is gone for good: the run ends with exit code 5 and says so; later it goes on."""
    refused = ["--s3_endpoint=http://127.0.0.1:9" if flag.startswith("--s3_endpoint") else flag
               for flag in bench.flags("store_refuses")]  # fmt: skip
    first = run_job(refused)
    return first.code == 5 and bench.healed("store_refuses", first)


def disk_full(bench: Bench) -> bool:
    """A local output on a file system of 300 KiB."""
    mount = bench.folder / "small"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(mount)], check=True)
    try:
        local = Bench.__new__(Bench)
        local.folder, local.target, local.faults = bench.folder, Target(str(mount / "out"), (), StoreConfig()), Faults()
        local.manifest, local.models = bench.manifest, bench.models
        local.reference = bench.reference
        first = run_job(local.flags("disk_full"))
        subprocess.run(["mount", "-o", "remount,size=64m", str(mount)], check=True)
        return local.healed("disk_full", first)
    finally:
        subprocess.run(["umount", str(mount)], check=True)


CASES = (triton_killed, stub_crashed, queue_full, slow_model, store_slows_down, store_hangs_up, store_lies,
         store_ignores_conditions, store_refuses, disk_full)  # fmt: skip


@contextmanager
def benches(folder: Path) -> Iterator[Bench]:
    """Everything that the cases share, started and stopped."""
    os.environ.update(AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY, AWS_DEFAULT_REGION="us-east-1")
    seaweed = SeaweedServer(folder / "seaweed")
    seaweed.start()
    try:
        with store_proxy(seaweed.endpoint_url) as (url, faults):
            flags = (f"--s3_endpoint={url}", "--s3_addressing=path")
            config = StoreConfig(endpoint_url=seaweed.endpoint_url, addressing="path")
            yield Bench(folder, Target(f"s3://{BUCKET}", flags, config), faults)
    finally:
        seaweed.kill()


def main() -> None:
    """Run the cases, and fail if one does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="the name of one case")
    options = parser.parse_args()
    chosen = [case for case in CASES if options.only in ("", case.__name__)]
    with tempfile.TemporaryDirectory() as name, benches(Path(name)) as bench:
        print(f"undisturbed: {len(bench.reference.creatives)} creatives", flush=True)
        held = [case(bench) for case in chosen]
    print(f"{sum(held)} of {len(held)} cases held")
    raise SystemExit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
