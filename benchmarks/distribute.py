"""Does the graph distribute? Two workers from the built sdist, in an environment with worker dependencies only.

    python benchmarks/distribute.py --manifest examples/catalog/manifest.parquet

Builds the sdist, installs it without extras into a new virtual environment, starts Beam's worker pool there, in an
empty folder, and runs the job on it with two workers against a server that this process starts. Prints the rows that
each worker decided, and fails unless both decided some and the totals are exact.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms import environments

from pipelines.config import config_of
from pipelines.embedded import free_ports
from pipelines.enhance import build
from pipelines.launch import ExitCode, launch
from pipelines.options import parse
from transforms.ledger import read_index
from transforms.storage.store import open_store

CHECKOUT = Path(__file__).resolve().parents[1]
FORBIDDEN = ("torch", "onnxruntime", "openvino", "pytriton", "rapidocr", "numba")


def install_worker(folder: Path) -> Path:
    """A virtual environment with the sdist's own dependencies; returns its Python."""
    subprocess.run(
        [sys.executable, "-m", "build", "--sdist", "--outdir", str(folder / "dist"), str(CHECKOUT)], check=True
    )
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    sdist = next((folder / "dist").glob("*.tar.gz"))
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", str(sdist)], check=True)
    present = [name for name in FORBIDDEN if _imports(python, name)]
    if present:
        raise SystemExit(f"the worker's environment holds {present}")
    return python


def _imports(python: Path, module: str) -> bool:
    command = [str(python), "-c", f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"]
    return subprocess.run(command, cwd="/").returncode == 0


@contextmanager
def worker_pool(python: Path, folder: Path) -> Iterator[str]:
    """Beam's worker pool in an empty folder; gives its address."""
    port = free_ports().grpc
    empty = folder / "empty"
    empty.mkdir()
    command = [str(python), "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={port}"]
    # The pool starts its workers as plain `python`.
    environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    pool = subprocess.Popen(command, cwd=empty, env=environment)
    time.sleep(3)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        pool.terminate()
        pool.wait(30)


def main() -> None:
    """Print the rows of each worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", required=True)
    parser.add_argument("--placements", default="pinterest_standard,pmax_square")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = install_worker(folder)
        flags = [
            f"--manifest={options.manifest}", f"--output={folder / 'out'}", "--features=background,outpaint",
            f"--placements={options.placements}", "--concurrency=2",
        ]  # fmt: skip
        config = replace(config_of(parse(flags).job), run_id="distributed")
        with worker_pool(python, folder) as address:
            runner = FnApiRunner(default_environment=environments.ExternalEnvironment(address))
            code = launch(config, ["--direct_num_workers=2"], build, runner)
        tables = read_index(open_store(config.output, config.store), f"{config.output}/runs/distributed")
        rows = [row for table in tables for row in table.to_pylist()]
    workers = Counter(row["worker"] for row in rows)
    print(f"exit code {int(code)}, outcomes {dict(Counter(row['outcome'] for row in rows))}")
    for worker, count in workers.items():
        print(f"worker {worker}: {count} rows")
    keys = {(row["manifest_uri"], row["manifest_row"], row["placement"]) for row in rows}
    exact = len(keys) == len(rows) and code in (ExitCode.DONE, ExitCode.SOME_FAILED)
    print(f"workers {len(workers)}, rows {len(rows)}, doubled {len(rows) - len(keys)}")
    if len(workers) < 2 or not exact:
        raise SystemExit("not distributed, or not exact")


if __name__ == "__main__":
    main()
