from __future__ import annotations

from collections.abc import Iterator

import pytest
from image_host import ImageHost, Reply, image_host

from transforms.errors import StoreUnavailable
from transforms.storage.s3 import S3Store
from transforms.storage.store import Listed, StoreConfig

SPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
PATH = "/catalog?list-type=2&prefix=in%2F&start-after=&max-keys=1000&encoding-type=url"


@pytest.fixture
def server(aws_credentials: None) -> Iterator[ImageHost]:
    with image_host() as running:
        yield running


def page(server: ImageHost, body: str) -> object:
    server.replies[PATH] = Reply(body.encode())
    config = StoreConfig(endpoint_url=f"http://127.0.0.1:{server.port}", addressing="path", max_attempts=1)
    return S3Store(config).page("catalog", "in/", "")


@pytest.mark.parametrize("space", [SPACE, ""], ids=["with namespace", "without"])
def test_entries_are_taken_from_the_answer_and_keys_decoded(server: ImageHost, space: str) -> None:
    entry = "<Contents><Key>in/a%20b%2B%26.jpg</Key><ETag>&quot;e1&quot;</ETag><Size>7</Size></Contents>"
    body = f"<ListBucketResult{space}><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>{entry * 2}"
    found, truncated = page(server, f"{body}</ListBucketResult>")
    assert found == [Listed("s3://catalog/in/a b+&.jpg", 7, "e1")] * 2
    assert truncated


def test_an_empty_listing_is_empty(server: ImageHost) -> None:
    assert page(server, f"<ListBucketResult{SPACE}><IsTruncated>false</IsTruncated></ListBucketResult>") == ([], False)


@pytest.mark.parametrize("body", ["<ListBucketResult><Contents>", "<html>busy", "not XML"])
def test_an_answer_that_is_no_listing_may_be_asked_again(server: ImageHost, body: str) -> None:
    with pytest.raises(StoreUnavailable):
        page(server, body)
