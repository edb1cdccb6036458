"""The places that the store contract is tested on: a folder, moto, a real SeaweedFS."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from seaweed import BUCKET
from stores import Place

from transforms.storage.local import LocalStore
from transforms.storage.s3 import S3Store
from transforms.storage.store import StoreConfig


@pytest.fixture
def moto_store(aws_credentials: None) -> Iterator[S3Store]:
    with mock_aws():
        boto3.session.Session().client("s3").create_bucket(Bucket=BUCKET)
        yield S3Store(StoreConfig())


@pytest.fixture(params=["folder", "file-uri", "moto", pytest.param("seaweed", marks=pytest.mark.s3)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Place(LocalStore(), str(tmp_path / "out put"))
    if request.param == "file-uri":
        return Place(LocalStore(), (tmp_path / "out put%20").as_uri())
    if request.param == "moto":
        return Place(request.getfixturevalue("moto_store"), f"s3://{BUCKET}/out put")
    server = request.getfixturevalue("seaweed")
    request.getfixturevalue("aws_credentials")
    config = StoreConfig(endpoint_url=server.endpoint_url, addressing="path")
    return Place(S3Store(config), f"s3://{BUCKET}/{uuid.uuid4().hex}")
