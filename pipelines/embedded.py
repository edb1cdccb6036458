"""Starts and stops the real tritonserver for one run.

The server's binary, its Python backend and the backend's stub come from the `nvidia-pytriton` package, used as a
carrier of these files only. Everything is bound to free loopback ports and offers no model control. A keeper process
(`pipelines.keeper`) holds the server, so that it goes when this process goes, even by SIGKILL.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import select
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from pipelines.cpus import usable_cpus
from pipelines.keeper import Kept
from transforms.errors import ConfigError, ServerUnavailable
from transforms.storage.local import translate_os_error

_LEAST_SHM_BYTES = 256 * 2**20
_PORT_TRIES = 3
_TAIL_LINES, _LINE_LENGTH = 15, 400


@dataclass(frozen=True)
class ServerFiles:
    """Where the parts of the server lie.

    Attributes:
        binary: the tritonserver.
        python_backend: folder of `libtriton_python.so` and `triton_python_backend_utils.py`.
        stub: the Python backend's stub for this interpreter's version.
        libraries: folder of the shared libraries that the binary was packed with.
        libpython: this interpreter's shared library.
    """

    binary: Path
    python_backend: Path
    stub: Path
    libraries: Path
    libpython: Path


def find_server() -> ServerFiles:
    """The server's parts in this environment.

    Raises:
        ConfigError: a part is missing; without libpython or under numpy 2 the server would hang or answer nothing.
    """
    spec = importlib.util.find_spec("pytriton")
    if spec is None or spec.origin is None:
        raise ConfigError("no embedded inference server: pip install 'catalog-canvas[serving]', or name --triton")
    carrier = Path(spec.origin).parent / "tritonserver"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    files = ServerFiles(
        binary=carrier / "bin" / "tritonserver",
        python_backend=carrier / "backends" / "python",
        stub=carrier / "python_backend_stubs" / version / "triton_python_backend_stub",
        libraries=carrier.parents[1] / "nvidia_pytriton.libs",
        libpython=_libpython(),
    )
    for name, path in asdict(files).items():
        if not path.exists():
            raise ConfigError(f"embedded inference server: its {name} {str(path)!r} is missing")
    numpy_version = metadata.version("numpy")
    if int(numpy_version.split(".")[0]) >= 2:
        raise ConfigError(f"embedded inference server: numpy {numpy_version} is installed, its models need numpy 1")
    return files


def _libpython() -> Path:
    name, folder = str(sysconfig.get_config_var("INSTSONAME")), str(sysconfig.get_config_var("LIBDIR"))
    if not name.startswith("libpython") or ".so" not in name:
        raise ConfigError("embedded inference server: this Python has no shared libpython (build it --enable-shared)")
    candidates = [Path(folder) / name, Path(folder) / str(sysconfig.get_config_var("MULTIARCH") or "") / name]
    found = [path for path in candidates if path.is_file()]
    return found[0] if found else candidates[0]


def require_shared_memory(least_bytes: int = _LEAST_SHM_BYTES) -> None:
    """Refuse to start where /dev/shm cannot hold the tensors between the server and its models' processes."""
    free = shutil.disk_usage("/dev/shm").free
    if free < least_bytes:
        raise ConfigError(
            f"/dev/shm has {free // 2**20} MiB free, the embedded inference server needs {least_bytes // 2**20} MiB",
            remedy="enlarge /dev/shm (docker run --shm-size=1g), or use a running server with --triton",
        )


def default_cache() -> Path:
    """Where runtime repositories are kept between runs: `$XDG_CACHE_HOME/catalog-canvas`, or under ~/.cache.

    Raises:
        ConfigError: there is neither.
    """
    try:
        root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    except RuntimeError:  # a container's user need not be in its table of users
        message = "embedded inference server: this user has no home folder to keep its model repository in"
        raise ConfigError(message, remedy="set XDG_CACHE_HOME to a folder that can be written") from None
    return Path(root) / "catalog-canvas" / "repositories"


def default_repository() -> Path:
    """The `triton_repo` folder of the checkout that this module belongs to; it need not exist."""
    return Path(__file__).absolute().parents[1] / "triton_repo"


class EmbeddedServer:
    """A tritonserver on loopback ports, as a context manager.

    Args:
        repository: a model repository as checked in.
        models: those to serve; None takes all.
        log: file that the server's output is added to; None takes a temporary one that goes with the server.
        cache: where runtime repositories are kept; None takes `default_cache()`.
        instance_factor: multiplies the models' instances; None takes one for every two CPUs.
        start_sec: what the server gets to become ready.
        exit_sec: what it gets to finish its requests at the end.
        restarts: how often it is started again after it, or a model's process, died.

    Raises:
        ConfigError: on entering, where a part, a model or memory is missing.
        ServerUnavailable: on entering, where the server does not become ready; with the end of its log.
        StorageError: on entering, where `log` cannot be written.
    """

    def __init__(
        self,
        repository: Path | None = None,
        models: Sequence[str] | None = None,
        *,
        log: Path | None = None,
        cache: Path | None = None,
        instance_factor: int | None = None,
        start_sec: float = 180.0,
        exit_sec: float = 10.0,
        restarts: int = 20,
    ) -> None:
        self._repository, self._models = repository or default_repository(), models
        self._log, self._cache = log, cache or default_cache()
        self._instance_factor = instance_factor or max(1, usable_cpus() // 2)
        self._start_sec, self._exit_sec, self._restarts = start_sec, exit_sec, restarts
        self._keeper: subprocess.Popen[bytes] | None = None
        self._ports = Ports(0, 0, 0)
        self._run_dir: Path | None = None

    @property
    def address(self) -> str:
        """`127.0.0.1:port` of its gRPC service."""
        return f"127.0.0.1:{self._ports.grpc}"

    @property
    def metrics_url(self) -> str:
        """Its Prometheus metrics."""
        return f"http://127.0.0.1:{self._ports.metrics}/metrics"

    def __enter__(self) -> EmbeddedServer:
        files = find_server()
        require_shared_memory()
        runtime = materialise(self._cache, self._repository, self._models, self._instance_factor)
        for tries_left in reversed(range(_PORT_TRIES)):
            try:
                self._start(files, runtime)
                break
            except ServerUnavailable as error:  # another process may take a port between finding and binding it
                if "already in use" not in str(error) or not tries_left:
                    raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and everything that belongs to it. Safe to call twice."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.terminate()
            keeper.wait()
            if keeper.stdout is not None:
                keeper.stdout.close()
        if self._run_dir is not None:
            shutil.rmtree(self._run_dir, ignore_errors=True)

    def _start(self, files: ServerFiles, runtime: Path) -> None:
        run_dir = self._run_dir = Path(tempfile.mkdtemp(prefix="catalog-canvas-triton-"))
        log = self._log or run_dir / "server.log"
        try:
            _begin_log(log)
            backends = _lay_backends(files, runtime, run_dir)
            self._ports = free_ports()
            self._keeper = self._launch(files, runtime, backends, run_dir, log)
            self._await_ready(log)
        except BaseException:
            self.stop()
            raise

    def _launch(
        self, files: ServerFiles, runtime: Path, backends: Path, run_dir: Path, log: Path
    ) -> subprocess.Popen[bytes]:
        prefix = f"catalog-canvas-{secrets.token_hex(6)}_"
        kept = Kept(
            command=server_command(files, runtime, backends, self._ports, prefix, self._exit_sec),
            environment=server_environment(files, run_dir),
            work_dir=str(runtime / "code"),
            health_url=f"http://127.0.0.1:{self._ports.http}/v2/health/ready",
            run_dir=str(run_dir),
            log=str(log),
            shm_prefix=prefix,
            parent=os.getpid(),
            start_sec=self._start_sec,
            exit_sec=self._exit_sec,
            restarts=self._restarts,
        )
        script = Path(__file__).with_name("keeper.py")
        return subprocess.Popen(
            [sys.executable, "-I", str(script), json.dumps(asdict(kept))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def _await_ready(self, log: Path) -> None:
        assert self._keeper is not None and self._keeper.stdout is not None
        ready, _, _ = select.select([self._keeper.stdout], [], [], self._start_sec + self._exit_sec)
        if not ready or self._keeper.stdout.readline() != b"ready\n":
            raise ServerUnavailable(f"the embedded inference server did not become ready; its log ends:\n{_tail(log)}")


class Ports(NamedTuple):
    """Loopback ports of one server."""

    http: int
    grpc: int
    metrics: int


def free_ports() -> Ports:
    """Three ports that are free now."""
    sockets = [socket.socket() for _ in range(3)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return Ports(*(one.getsockname()[1] for one in sockets))
    finally:
        for one in sockets:
            one.close()


def materialise(cache: Path, repository: Path, models: Sequence[str] | None, instance_factor: int) -> Path:
    """The runtime repository: made by `models.export.repository` in its own process, which needs ONNX and more."""
    # -P: wherever the job was started, a folder `models` or a file `onnx.py` there is not the module that is meant
    command = [sys.executable, "-P", "-m", "models.export.repository", "--materialise", str(cache.absolute())]
    command += ["--source", str(repository.absolute()), "--models", ",".join(models or ())]
    command += ["--instance_factor", str(instance_factor)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).absolute().parents[1])}
    made = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if made.returncode != 0:
        raise ConfigError(f"no runtime model repository: {made.stderr.strip()[-2000:]}")
    return Path(made.stdout.strip().splitlines()[-1])


def server_command(
    files: ServerFiles, runtime: Path, backends: Path, ports: Ports, shm_prefix: str, exit_sec: float
) -> list[str]:
    """The server's command line: loopback only, models as configured, no control over them, no phoning home."""
    return [
        str(files.binary),
        f"--model-repository={runtime / 'models'}",
        f"--backend-directory={backends}",
        f"--cache-directory={files.binary.parents[1] / 'caches'}",
        "--model-config-name=cpu",
        "--disable-auto-complete-config",
        "--model-control-mode=none",
        "--allow-cpu-metrics=false",
        "--allow-gpu-metrics=false",
        "--http-address=127.0.0.1",
        f"--http-port={ports.http}",
        "--grpc-address=127.0.0.1",
        f"--grpc-port={ports.grpc}",
        "--metrics-address=127.0.0.1",
        f"--metrics-port={ports.metrics}",
        f"--exit-timeout-secs={max(1, int(exit_sec) - 1)}",
        f"--backend-config=python,shm-region-prefix-name={shm_prefix}",
    ]


def server_environment(files: ServerFiles, run_dir: Path) -> Mapping[str, str]:
    """The server's whole environment: nothing of ours that it does not need, credentials least of all."""
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ", "HOME", "USER") if name in os.environ}
    return {
        **kept,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "LD_LIBRARY_PATH": os.pathsep.join([str(files.libpython.parent), str(files.libraries)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(run_dir),
        "OMP_NUM_THREADS": "2",
    }


def _lay_backends(files: ServerFiles, runtime: Path, run_dir: Path) -> Path:
    """The run's backend folder: the Python backend with this interpreter's stub, and the repository's own."""
    backends = run_dir / "backends"
    shutil.copytree(runtime / "backends", backends)
    shutil.copytree(files.python_backend, backends / "python", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(files.stub, backends / "python" / files.stub.name)
    return backends


def _begin_log(log: Path) -> None:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
    except OSError as error:  # where the log lies in a job's output, the output cannot be written
        raise translate_os_error(error, str(log)) from error


def _tail(log: Path) -> str:
    if not log.is_file():
        return "(no log)"
    lines = [line[:_LINE_LENGTH] for line in log.read_text(errors="replace").splitlines()]
    told = [line for line in lines if line.strip() and line[0] not in "|+"]  # without its wide tables
    errors = [line for line in told[:-_TAIL_LINES] if line[0] == "E"]
    return "\n".join([*errors[-_TAIL_LINES:], *told[-_TAIL_LINES:]])
