"""The embedded server: it starts, says why it does not, and leaves nothing behind however its owner ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tritons import TROUBLED_MODELS

from models.export.repository import write_configs
from pipelines import embedded
from pipelines.embedded import (
    EmbeddedServer,
    find_server,
    free_ports,
    require_shared_memory,
    server_command,
    server_environment,
)
from pipelines.keeper import Kept
from transforms.errors import ConfigError, ServerUnavailable
from transforms.inference.contracts import CONTRACTS

OWNER = """
import sys, threading, time
from pathlib import Path
import numpy as np
from pipelines.embedded import EmbeddedServer
from transforms.inference.client import TritonClient
from transforms.inference.config import ServingConfig

server = EmbeddedServer(Path(sys.argv[1]), cache=Path(sys.argv[2]), instance_factor=1)
with server:
    client = TritonClient(ServingConfig((server.address,)))
    image = np.zeros((1, 8, 8, 3), np.uint8)
    client.infer("human_detector", {"IMAGE": image})
    image[0, 0, 0, 0] = 8  # sleeps
    threading.Thread(target=client.infer, args=("human_detector", {"IMAGE": image}), daemon=True).start()
    time.sleep(0.3)
    print("serving", flush=True)
    if sys.argv[3] == "wait":
        time.sleep(600)
print("left", flush=True)
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("one_model")
    shutil.copytree(TROUBLED_MODELS / "human_detector", target / "human_detector")
    write_configs(target, [CONTRACTS["human_detector"]])
    return target


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runtime")


@pytest.fixture
def run_dirs(tmp_path: Path) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


def own(repository: Path, cache: Path, run_dirs: Path, how: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "TMPDIR": str(run_dirs)}
    command = [sys.executable, "-c", OWNER, str(repository), str(cache), how]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert owner.stdout is not None
    said = owner.stdout.readline()
    if said != "serving\n":
        owner.kill()
        owner.communicate()
    assert said == "serving\n"
    return owner


def shared_memory() -> set[str]:
    return {path.name for path in Path("/dev/shm").iterdir() if path.name.startswith("catalog-canvas-")}


def gone(processes: list[psutil.Process], deadline_sec: float = 120.0) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=deadline_sec)
    return not [one for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def emptied(folder: Path, deadline_sec: float = 60.0) -> bool:
    deadline = time.monotonic() + deadline_sec
    while list(folder.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not list(folder.iterdir())


@pytest.fixture
def others() -> Iterator[set[str]]:
    yield shared_memory()


@pytest.mark.triton
def test_leaving_the_context_leaves_no_process_no_memory_and_no_folder(
    repository: Path, cache: Path, run_dirs: Path, others: set[str]
) -> None:
    owner = own(repository, cache, run_dirs, "wait")
    family = psutil.Process(owner.pid).children(recursive=True)
    assert {"tritonserver"} <= {one.name() for one in family}
    assert shared_memory() > others
    owner.send_signal(signal.SIGINT)  # KeyboardInterrupt within the context
    owner.communicate()
    assert gone(family)
    assert shared_memory() == others
    assert emptied(run_dirs)


@pytest.mark.triton
@pytest.mark.parametrize("victim", ["owner", "keeper"])
def test_a_sigkill_leaves_no_process_and_no_memory(
    repository: Path, cache: Path, run_dirs: Path, others: set[str], victim: str
) -> None:
    owner = own(repository, cache, run_dirs, "wait")
    family = psutil.Process(owner.pid).children(recursive=True)
    (keeper,) = psutil.Process(owner.pid).children()
    os.kill(owner.pid if victim == "owner" else keeper.pid, signal.SIGKILL)
    assert gone([one for one in family if one.pid != keeper.pid])
    owner.kill()
    owner.communicate()
    assert gone(family)
    assert shared_memory() == others


@pytest.mark.triton
def test_a_model_that_does_not_load_is_named_with_the_end_of_the_log(tmp_path: Path, cache: Path) -> None:
    write_configs(tmp_path, [CONTRACTS["human_detector"]])
    (tmp_path / "human_detector" / "1").mkdir()
    (tmp_path / "human_detector" / "1" / "model.py").write_text('raise OSError("no such head")\n')
    with pytest.raises(ServerUnavailable, match="no such head"), EmbeddedServer(tmp_path, cache=cache):
        pytest.fail("it started")


def test_a_missing_repository_and_an_unknown_model_are_configuration_errors(
    tmp_path: Path, cache: Path, repository: Path
) -> None:
    with pytest.raises(ConfigError, match="--triton_repo"), EmbeddedServer(tmp_path / "none", cache=cache):
        pytest.fail("it started")
    with pytest.raises(ConfigError, match="holds no model"), EmbeddedServer(tmp_path, cache=cache):
        pytest.fail("it started")
    with pytest.raises(ConfigError, match="magic"), EmbeddedServer(repository, ["magic"], cache=cache):
        pytest.fail("it started")


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(embedded.Path, "home", homeless)
    with pytest.raises(ConfigError, match="no home folder") as raised:
        EmbeddedServer()
    assert "XDG_CACHE_HOME" in raised.value.remedy


def test_what_lies_where_the_job_was_started_is_not_taken_for_a_module(
    tmp_path: Path, cache: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "onnx.py").write_text('raise OSError("not this one")\n')
    monkeypatch.chdir(tmp_path)
    assert (embedded.materialise(cache, repository, None, 1) / "models" / "human_detector").is_dir()


def test_too_little_shared_memory_is_said_before_the_start() -> None:
    with pytest.raises(ConfigError, match="/dev/shm has"):
        require_shared_memory(2**60)


def test_what_would_hang_or_silence_the_server_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    find_server()
    with monkeypatch.context() as patch:
        patch.setattr(embedded, "_libpython", lambda: tmp_path / "libpython3.11.so.1.0")
        with pytest.raises(ConfigError, match="libpython"):
            find_server()
    with monkeypatch.context() as patch:
        patch.setattr(embedded.metadata, "version", lambda _: "2.1.0")
        with pytest.raises(ConfigError, match="numpy 1"):
            find_server()


def test_the_server_listens_on_loopback_and_takes_no_orders(tmp_path: Path) -> None:
    files, ports = find_server(), embedded.free_ports()
    command = server_command(files, tmp_path, tmp_path, ports, "prefix_", 5)
    addresses = {part.partition("=")[2] for part in command if "-address=" in part}
    assert addresses == {"127.0.0.1"}
    assert "--model-control-mode=none" in command
    assert len({ports.http, ports.grpc, ports.metrics}) == 3


def test_the_server_gets_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    environment = server_environment(find_server(), tmp_path)
    assert "secret" not in environment.values()
    assert environment["LD_LIBRARY_PATH"].split(":")[0] == str(find_server().libpython.parent)


def kept_of(folder: Path, command: list[str], health_url: str, *, start_sec: float, restarts: int) -> Kept:
    """What a keeper is told of a server that is no Triton."""
    return Kept(
        command=command,
        environment={"PATH": os.environ["PATH"]},
        work_dir=str(folder),
        health_url=health_url,
        run_dir=str(folder / "run"),
        log=str(folder / "log"),
        shm_prefix="catalog-canvas-test-none_",
        parent=os.getppid(),
        start_sec=start_sec,
        exit_sec=5.0,
        restarts=restarts,
    )


def test_a_keeper_that_cannot_make_its_server_ready_fails(tmp_path: Path) -> None:
    from pipelines.keeper import Keeper

    (tmp_path / "run").mkdir()
    kept = kept_of(tmp_path, ["sleep", "30"], "http://127.0.0.1:1/", start_sec=0.2, restarts=3)
    assert Keeper(kept).run() == 1
    assert not [one for one in psutil.Process().children() if one.name() == "sleep"]


HANGING = """
import http.server, os, pathlib, sys, time
lives = pathlib.Path(sys.argv[2])
lives.write_text(lives.read_text() + "life ")
asked = []

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        if len(asked) > 1:
            time.sleep(600) if lives.read_text() == "life " else os._exit(1)
        self.send_response(200)
        self.end_headers()

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""


def test_a_server_that_hangs_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from pipelines import keeper

    for name, value in (("_ASK_SEC", 0.1), ("_ANSWER_SEC", 0.5), ("_SILENCES", 2)):
        monkeypatch.setattr(keeper, name, value, raising=False)
    (tmp_path / "lives").write_text("")
    port = free_ports().http
    command = [sys.executable, "-c", HANGING, str(port), str(tmp_path / "lives")]
    kept = kept_of(tmp_path, command, f"http://127.0.0.1:{port}/v2/health/ready", start_sec=30.0, restarts=1)
    one = keeper.Keeper(kept)
    late = threading.Timer(30.0, one.stop)
    late.start()
    ended = one.run()
    late.cancel()
    assert (ended, (tmp_path / "lives").read_text()) == (1, "life life ")
    assert capfd.readouterr().out == "ready\n"


@pytest.mark.triton
def test_a_port_that_was_taken_meanwhile_is_replaced(
    repository: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, chosen = embedded.free_ports, []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        def ports() -> embedded.Ports:
            chosen.append(free())
            return chosen[0]._replace(http=taken.getsockname()[1]) if len(chosen) == 1 else chosen[-1]

        monkeypatch.setattr(embedded, "free_ports", ports)
        with EmbeddedServer(repository, cache=cache) as server:
            assert len(chosen) > 1 and server.address == f"127.0.0.1:{chosen[-1].grpc}"
