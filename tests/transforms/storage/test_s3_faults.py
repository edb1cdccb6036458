"""A real store that is killed, throttled, cut off or lied about."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import pytest
from seaweed import BUCKET, SeaweedServer
from store_proxy import Fault, Faults, store_proxy

from transforms.errors import ChecksumMismatch, StoreDenied, StoreUnavailable
from transforms.storage.once import write_once
from transforms.storage.s3 import S3Store
from transforms.storage.store import StoreConfig

pytestmark = [pytest.mark.s3, pytest.mark.usefixtures("aws_credentials")]
ALWAYS = 1000


class Faulty(NamedTuple):
    """A real store behind the proxy."""

    config: StoreConfig
    faults: Faults
    direct: S3Store
    uri: str

    def store(self, *faults: Fault, **changes: object) -> S3Store:
        """A store that meets `faults`."""
        self.faults.pending[:] = faults
        return S3Store(replace(self.config, **changes))


@pytest.fixture
def faulty(seaweed: SeaweedServer, aws_credentials: None) -> Iterator[Faulty]:
    with store_proxy(seaweed.endpoint_url) as (url, faults):
        config = StoreConfig(endpoint_url=url, addressing="path", max_attempts=3, conditional_writes="yes")
        direct = S3Store(StoreConfig(endpoint_url=seaweed.endpoint_url, addressing="path"))
        yield Faulty(config, faults, direct, f"s3://{BUCKET}/{uuid.uuid4().hex}/a.jpg")


def test_a_wrong_secret_is_denied(seaweed: SeaweedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "guessed-secret")
    store = S3Store(StoreConfig(endpoint_url=seaweed.endpoint_url, addressing="path"))
    with pytest.raises(StoreDenied) as caught:
        store.write(f"s3://{BUCKET}/a", b"x")
    assert "guessed-secret" not in str(caught.value)
    with pytest.raises(StoreDenied):
        list(store.list(f"s3://{BUCKET}"))


@pytest.mark.parametrize("kind", ["slow_down", "hang_up", "lose_answer"])
def test_a_write_survives_as_many_faults_as_it_has_tries_to_spare(faulty: Faulty, kind: str) -> None:
    written = faulty.store(Fault(kind, "PUT", 2)).write(faulty.uri, b"pixels")
    assert written.created and faulty.direct.read(faulty.uri).data == b"pixels"
    assert faulty.faults.asked.count("PUT") == 3


@pytest.mark.parametrize("kind", ["slow_down", "hang_up"])
def test_a_store_that_keeps_failing_is_unavailable(faulty: Faulty, kind: str) -> None:
    with pytest.raises(StoreUnavailable):
        faulty.store(Fault(kind, "PUT", ALWAYS)).write(faulty.uri, b"pixels")
    assert faulty.faults.asked.count("PUT") == 3
    assert faulty.direct.stat(faulty.uri) is None


def test_a_store_that_refuses_connections_is_unavailable() -> None:
    store = S3Store(StoreConfig(endpoint_url="http://127.0.0.1:1", addressing="path", max_attempts=2))
    with pytest.raises(StoreUnavailable):
        store.stat(f"s3://{BUCKET}/a")


def test_a_store_that_stalls_is_unavailable_after_its_timeouts(faulty: Faulty) -> None:
    store = faulty.store(Fault("stall", "GET", ALWAYS), max_attempts=1, read_timeout_sec=0.1)
    faulty.direct.write(faulty.uri, b"x")
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.read(faulty.uri)
    assert time.monotonic() - started < 40


def test_a_body_that_breaks_off_is_read_again(faulty: Faulty) -> None:
    data = bytes(range(256)) * 100
    faulty.direct.write(faulty.uri, data)
    assert faulty.store(Fault("cut_body", "GET", 2)).read(faulty.uri).data == data
    with pytest.raises(StoreUnavailable):
        faulty.store(Fault("cut_body", "GET", ALWAYS)).read(faulty.uri)


def test_a_write_whose_answer_is_lost_is_found_again_by_its_digest(faulty: Faulty) -> None:
    result = write_once(faulty.store(Fault("lose_answer", "PUT")), faulty.uri, b"pixels")
    assert result == (hashlib.sha256(b"pixels").hexdigest(), False)
    assert faulty.direct.read(faulty.uri).data == b"pixels"


@pytest.mark.parametrize("checksum", ["when_supported", "when_required"])
def test_a_body_damaged_on_its_way_is_not_stored(faulty: Faulty, checksum: str) -> None:
    with pytest.raises(ChecksumMismatch):
        faulty.store(Fault("damage_body", "PUT", ALWAYS), checksum=checksum).write(faulty.uri, b"pixels")
    assert faulty.direct.stat(faulty.uri) is None


def test_a_wrong_etag_alone_is_settled_by_a_second_look(faulty: Faulty) -> None:
    written = faulty.store(Fault("wrong_etag", "PUT")).write(faulty.uri, b"pixels")
    assert written.etag == faulty.direct.read(faulty.uri).etag
    assert faulty.faults.asked == ["PUT", "HEAD"]


def test_an_etag_that_stays_wrong_is_a_mismatch_and_the_object_goes(faulty: Faulty) -> None:
    both = Fault("wrong_etag", "PUT"), Fault("wrong_etag", "HEAD")
    with pytest.raises(ChecksumMismatch, match="MD5"):
        faulty.store(*both, checksum="when_required").write(faulty.uri, b"pixels")
    assert faulty.direct.stat(faulty.uri) is None


def test_an_object_that_differs_from_what_was_sent_is_a_mismatch(faulty: Faulty) -> None:
    store = faulty.store(Fault("wrong_etag", "PUT"))
    original = store._client.put_object

    def put_other(**arguments: object) -> object:
        return original(**{**arguments, "Body": b"others", "ContentLength": 6})

    store._client.put_object = put_other
    with pytest.raises(ChecksumMismatch, match="CRC32"):
        store.write(faulty.uri, b"pixels")


@pytest.mark.parametrize("kind", ["ignore_condition", "not_implemented"])
def test_a_store_without_conditional_writes_is_found_out_and_told(
    faulty: Faulty, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    times = 2 if kind == "ignore_condition" else 1
    store = faulty.store(Fault(kind, "PUT", times), conditional_writes="probe")
    with caplog.at_level(logging.WARNING):
        assert store.write(faulty.uri, b"first", if_absent=True).created
    assert not store.conditional_writes and not store.probe_conditional_writes(f"s3://{BUCKET}/other")
    assert not store.write(faulty.uri, b"second", if_absent=True).created
    assert faulty.direct.read(faulty.uri).data == b"first"
    assert sum("If-None-Match" in record.message for record in caplog.records) == 1
    assert [each.uri for each in faulty.direct.list(faulty.uri.rpartition("/")[0])] == [faulty.uri]


def test_conditional_writes_can_be_switched_off(faulty: Faulty) -> None:
    store = faulty.store(conditional_writes="no")
    assert store.write(faulty.uri, b"first", if_absent=True).created
    assert not store.write(faulty.uri, b"second", if_absent=True).created
    assert not store.conditional_writes


def test_what_a_killed_store_had_acknowledged_is_there_when_it_is_back(seaweed_server: SeaweedServer) -> None:
    store = S3Store(StoreConfig(endpoint_url=seaweed_server.endpoint_url, addressing="path"))
    base, stop, acknowledged = f"s3://{BUCKET}/kill", threading.Event(), {}

    def write(thread: int) -> None:
        for n in range(10_000):
            if stop.is_set():
                return
            data = f"{thread}-{n}".encode() * 100
            result = write_once(store, f"{base}/{thread}/{n}", data)
            acknowledged[f"{base}/{thread}/{n}"] = result.digest

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, thread) for thread in range(4)]
        while len(acknowledged) < 50 and not any(writer.done() for writer in writers):
            time.sleep(0.01)
        seaweed_server.kill()
        seaweed_server.start()
        back_at = len(acknowledged)
        while len(acknowledged) < back_at + 50 and not any(writer.done() for writer in writers):
            time.sleep(0.01)
        stop.set()
        for writer in writers:
            writer.result()
    for uri, digest in acknowledged.items():
        assert hashlib.sha256(store.read(uri).data).hexdigest() == digest
        thread, n = uri.split("/")[-2:]
        assert digest == hashlib.sha256(f"{thread}-{n}".encode() * 100).hexdigest()
