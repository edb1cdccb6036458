from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_host import Reply, image_host
from moto import mock_aws

from transforms import errors
from transforms.errors import (
    SourceDenied,
    SourceEmpty,
    SourceError,
    SourceNotAllowed,
    SourceNotFound,
    SourceTooLarge,
    SourceUnavailable,
    StorageError,
    UnsupportedImage,
    WrongContent,
)
from transforms.sources.allow import SourcePolicy
from transforms.sources.fetch import fetch, translate_storage_error
from transforms.sources.sniff import check_content
from transforms.storage import store as stores

JPEG = b"\xff\xd8\xff\xe0pixels"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in" / "shots").mkdir(parents=True)
    (tmp_path / "in" / "shots" / "a b.jpg").write_bytes(JPEG)
    (tmp_path / "secret.jpg").write_bytes(JPEG)
    return tmp_path


def test_a_relative_path_lies_in_the_manifests_folder(folder: Path) -> None:
    got = fetch("shots/a b.jpg", base_uri=str(folder / "in"))
    assert (got.data, got.uri) == (JPEG, f"{folder}/in/shots/a b.jpg")
    assert fetch((folder / "in/shots/a b.jpg").as_uri(), base_uri=str(folder / "in")).data == JPEG


@pytest.mark.parametrize("uri", ["../secret.jpg", "shots/../../secret.jpg", "link.jpg", "folder/secret.jpg", "loop"])
def test_no_path_leads_out_of_the_manifests_folder(folder: Path, uri: str) -> None:
    (folder / "in" / "link.jpg").symlink_to(folder / "secret.jpg")
    (folder / "in" / "folder").symlink_to(folder)
    (folder / "in" / "loop").symlink_to(folder / "in" / "loop")
    with pytest.raises(SourceNotAllowed if uri != "loop" else SourceError):
        fetch(uri, base_uri=str(folder / "in"))


@pytest.mark.parametrize(
    "uri", ["/etc/passwd", "file:///etc/passwd", "s3://other/a.jpg", "http://h/a", "gs://b/a", "s3://"]
)
def test_what_no_rule_allows_is_refused(folder: Path, uri: str) -> None:
    with pytest.raises(SourceError) as caught:
        fetch(uri, base_uri=str(folder / "in"))
    assert isinstance(caught.value, SourceNotAllowed) or uri == "s3://"


def test_a_path_may_be_allowed_through_a_link(folder: Path) -> None:
    (folder / "here").symlink_to(folder / "in")
    policy = SourcePolicy(allow=(str(folder / "here"),))
    assert fetch(f"{folder}/in/shots/a b.jpg", base_uri="/nowhere", policy=policy).data == JPEG


def test_each_fault_of_a_file_has_its_error(folder: Path) -> None:
    base = str(folder / "in")
    (folder / "in" / "empty.jpg").write_bytes(b"")
    (folder / "in" / "big.jpg").write_bytes(JPEG * 10)
    with pytest.raises(SourceEmpty):
        fetch("empty.jpg", base_uri=base)
    with pytest.raises(SourceTooLarge):
        fetch("big.jpg", base_uri=base, policy=SourcePolicy(max_bytes=20))
    for missing in ("none.jpg", "shots", "a\0b", "x" * 5000, "shots/a b.jpg/c"):
        with pytest.raises(SourceNotFound):
            fetch(missing, base_uri=base)


@given(st.text(max_size=60))
def test_whatever_a_row_says_the_error_is_ours(uri: str) -> None:
    with pytest.raises(SourceError):
        fetch(uri, base_uri="/nonexistent-folder")


@given(st.sampled_from(["s3://", "http://", "file://", "https://127.0.0.1", "http://[", "//"]), st.text(max_size=40))
def test_whatever_a_uri_says_the_error_is_ours(head: str, tail: str) -> None:
    with pytest.raises(SourceError):
        fetch(head + tail, base_uri="/nonexistent-folder")


PAGES = [
    b"<!DOCTYPE html><html><body>404</body></html>",
    b"\xef\xbb\xbf\n <!-- x --> <HTML><head>",
    b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    b'{"error": "not found"}',
    b"[]",
    b"%PDF-1.7\n",
    b"PK\x03\x04rest",
    b"\x1f\x8b\x08rest",
    b"\x00\x00\x00\x18ftypmp42rest",
    b"\x1a\x45\xdf\xa3webm",
]


@pytest.mark.parametrize("page", PAGES)
def test_pages_and_documents_are_told_by_their_bytes(page: bytes) -> None:
    with image_host() as host:
        host.replies["/a.jpg"] = Reply(page, headers={"Content-Type": "image/jpeg"})
        rule = f"http://127.0.0.1:{host.port}"
        with pytest.raises(WrongContent):
            fetch(f"{rule}/a.jpg", base_uri="/in", policy=SourcePolicy(allow=(rule,)))


@pytest.mark.parametrize("part", [b"<!---->", b"<!---->\n<!doctype svg>"])
def test_a_file_of_comments_is_read_in_no_time(part: bytes) -> None:
    started = time.thread_time()
    check_content(part * 22 + b"x", "a.jpg")
    assert time.thread_time() - started < 2


@pytest.mark.parametrize("brand", [b"heim", b"heif", b"hevs"])
def test_photographs_of_telephones_are_no_videos(brand: bytes) -> None:
    check_content(b"\x00\x00\x00\x18ftyp" + brand, "a.heic")


def test_a_long_file_is_not_read_as_json() -> None:
    data = b"[" + b"[]," * 1_000_000 + b"[]]"
    tracemalloc.start()
    check_content(data, "a.jpg")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(data)


@pytest.mark.parametrize(
    "data", [JPEG, b"{half of json", b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\x18ftypheic", b"RIFF\0\0\0\0WEBP", b"plain"]
)
def test_what_may_be_an_image_is_left_to_the_decoder(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    assert fetch("a", base_uri=str(tmp_path)).data == data


def test_drawings_are_not_supported(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_bytes(b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>')
    with pytest.raises(UnsupportedImage):
        fetch("a.svg", base_uri=str(tmp_path))


@pytest.fixture
def bucket(aws_credentials: None) -> Iterator[None]:
    with mock_aws():
        stores._stores.clear()
        client = boto3.session.Session().client("s3")
        client.create_bucket(Bucket="catalog")
        client.put_object(Bucket="catalog", Key="in/shots/a.jpg", Body=JPEG)
        client.put_object(Bucket="catalog", Key="private/a.jpg", Body=JPEG)
        yield
        stores._stores.clear()


@pytest.mark.usefixtures("bucket")
def test_objects_are_fetched_from_the_manifests_folder_only() -> None:
    got = fetch("shots/a.jpg", base_uri="s3://catalog/in")
    assert (got.data, got.uri) == (JPEG, "s3://catalog/in/shots/a.jpg") and got.identity
    with pytest.raises(SourceNotFound):
        fetch("shots/none.jpg", base_uri="s3://catalog/in")
    for uri in ("../private/a.jpg", "s3://catalog/private/a.jpg", "s3://catalog/in/../private/a.jpg", os.devnull):
        with pytest.raises(SourceNotAllowed):
            fetch(uri, base_uri="s3://catalog/in")


KINDS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, StorageError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_of_a_store_becomes_one_of_a_source(kind: type[StorageError]) -> None:
    ours = translate_storage_error(kind("s3://catalog/a"))
    assert ours.retryable == kind.retryable and "s3://catalog/a" in str(ours)


def test_errors_of_stores_keep_their_meaning() -> None:
    assert type(translate_storage_error(errors.StoreDenied("a"))) is SourceDenied
    assert type(translate_storage_error(errors.StoreUnavailable("a"))) is SourceUnavailable
