from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from seaweed import BUCKET, SeaweedServer, client

from transforms.sources import identities
from transforms.sources.allow import SourcePolicy
from transforms.sources.fetch import fetch
from transforms.sources.identities import SourceIdentities
from transforms.storage import store as stores
from transforms.storage.store import StoreConfig, open_store


def test_files_have_the_identity_that_loading_gives(tmp_path: Path) -> None:
    uris = [f"p{n}/{m}.jpg" for n in range(3) for m in range(3)]
    for uri in uris:
        (tmp_path / uri).parent.mkdir(exist_ok=True)
        (tmp_path / uri).write_bytes(b"x" * (1 + len(uri)))
    absolute = [(tmp_path / uri).as_uri() for uri in uris]
    found = SourceIdentities().of(uris + absolute, base_uri=str(tmp_path))
    assert found == [fetch(uri, base_uri=str(tmp_path)).identity for uri in uris] * 2


def test_what_cannot_be_known_before_load_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "in" / "folder").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(b"x")
    (tmp_path / "in" / "out").symlink_to(tmp_path)
    uris = [
        "https://h/a.jpg",
        "none.jpg",
        "folder",
        "../secret.jpg",
        "out/secret.jpg",
        "",
        "a\0b",
        "data:,x",
        "gs://b/a",
    ]
    uris += ["s3://", "s3://bucket", "x" * 5000, "file://host/a", "a:b", "folder/..", "..", "/", "//", "./none"]
    uris += ["file://[x/a.jpg", "file://\u2100/a.jpg", "a+b://[x", "/a" * 3000, "a/" * 3000]
    assert SourceIdentities().of(uris, base_uri=str(tmp_path / "in")) == [""] * len(uris)


def test_a_linked_folder_inside_the_rules_is_known(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.jpg").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = SourceIdentities().of(["link/a.jpg", "./real/../real/a.jpg"], base_uri=str(tmp_path))
    assert found[0] and found[0] == found[1]


@pytest.fixture(params=["moto", pytest.param("seaweed", marks=pytest.mark.s3)])
def s3(request: pytest.FixtureRequest, aws_credentials: None) -> Iterator[StoreConfig]:
    if request.param == "seaweed":
        server: SeaweedServer = request.getfixturevalue("seaweed")
        yield StoreConfig(endpoint_url=server.endpoint_url, addressing="path")
        return
    with mock_aws():
        stores._stores.clear()
        boto3.session.Session().client("s3").create_bucket(Bucket=BUCKET)
        yield StoreConfig()
        stores._stores.clear()


def put_all(config: StoreConfig, keys: list[str]) -> None:
    bare = client(config.endpoint_url or None)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: bare.put_object(Bucket=BUCKET, Key=key, Body=key.encode()), keys))


@pytest.mark.parametrize("count", [3, 150])
def test_objects_have_the_identity_that_stat_gives(
    s3: StoreConfig, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identities, "_RUN_KEYS", 50)
    monkeypatch.setattr(identities, "_PAGE_KEYS", 30)
    base = uuid.uuid4().hex
    shapes = (f"{base}/p{n}/1.jpg" if n % 3 else f"{base}/p-{n}.jpg" for n in range(count))
    keys = list(shapes)
    put_all(s3, keys)
    uris = [f"s3://{BUCKET}/{key}" for key in keys]
    asked = [*uris, f"s3://{BUCKET}/{base}/none.jpg", uris[0], f"s3://other/{keys[0]}"]
    random.Random(1).shuffle(asked)
    got = SourceIdentities(SourcePolicy(allow=(f"s3://{BUCKET}",)), s3).of(asked, base_uri="/nowhere")
    store = open_store("s3://", s3)
    for uri, identity in zip(asked, got, strict=True):
        found = store.stat(uri) if uri in uris else None
        assert identity == (found.identity if found else ""), uri


@pytest.fixture
def many(aws_credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """300 keys in moto, which lists like AWS, in pages of 100."""
    monkeypatch.setattr(identities, "_PAGE_KEYS", 100)
    with mock_aws():
        stores._stores.clear()
        boto3.session.Session().client("s3").create_bucket(Bucket=BUCKET)
        keys = [f"in/{n:05}.jpg" for n in range(300)]
        put_all(StoreConfig(), keys)
        yield keys
        stores._stores.clear()


def count_requests(config: StoreConfig) -> list[str]:
    asked: list[str] = []
    events = open_store("s3://", config)._client.meta.events
    events.register("before-call.s3", lambda model, **_: asked.append(model.name))
    return asked


def test_close_keys_cost_a_request_a_page_and_nothing_when_asked_again(many: list[str]) -> None:
    asked = count_requests(StoreConfig())
    ids = SourceIdentities(SourcePolicy(), StoreConfig())
    shuffled = random.Random(2).sample(many, 150)
    assert all(ids.of([key.removeprefix("in/") for key in shuffled], base_uri=f"s3://{BUCKET}/in"))
    assert asked.count("ListObjectsV2") <= 4 and "HeadObject" not in asked
    before = len(asked)
    assert all(ids.of([key.removeprefix("in/") for key in shuffled], base_uri=f"s3://{BUCKET}/in"))
    assert len(asked) == before


def test_scattered_keys_leap_over_what_nobody_asked_for(many: list[str]) -> None:
    asked = count_requests(StoreConfig())
    few = [many[n] for n in (0, 1, 2, 3, 298, 299)]
    uris = [f"s3://{BUCKET}/{key}" for key in few]
    assert all(SourceIdentities(SourcePolicy(allow=(f"s3://{BUCKET}",))).of(uris, base_uri="/nowhere"))
    assert asked == ["ListObjectsV2"] * 2


def test_a_store_that_denies_leaves_identities_unknown(aws_credentials: None) -> None:
    config = StoreConfig(endpoint_url="http://127.0.0.1:1", addressing="path", max_attempts=1)
    uris = [f"s3://{BUCKET}/{n}" for n in range(10)]
    assert SourceIdentities(SourcePolicy(allow=(f"s3://{BUCKET}",)), config).of(uris, base_uri="") == [""] * 10


def test_a_reference_to_the_bucket_itself_is_unknown_and_costs_no_other_row(many: list[str]) -> None:
    for keys in (many[:3], many[:9]):
        uris = [f"s3://{BUCKET}", f"s3://{BUCKET}/", *(f"s3://{BUCKET}/{key}" for key in keys)]
        found = SourceIdentities(SourcePolicy((f"s3://{BUCKET}",))).of(uris, base_uri="/nowhere")
        assert found[:2] == ["", ""] and all(found[2:])
