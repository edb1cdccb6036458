from __future__ import annotations

import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from transforms.errors import StorageError
from transforms.storage.store import StoreConfig, open_store


def test_a_process_has_one_store_for_each_kind_and_configuration() -> None:
    assert open_store("/a") is open_store("file:///b")
    assert open_store("s3://a", StoreConfig()) is open_store("s3://b/c")
    assert open_store("s3://a", StoreConfig(addressing="path")) is not open_store("s3://a")


def test_threads_that_open_a_store_at_once_get_the_same() -> None:
    config = StoreConfig(max_connections=7)
    with ThreadPoolExecutor(8) as pool:
        stores = set(pool.map(lambda _: id(open_store("s3://a", config)), range(32)))
    assert len(stores) == 1


def test_a_forked_child_opens_a_store_of_its_own() -> None:
    parents = open_store("s3://a")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"own" if open_store("s3://a") is not parents else b"shared")
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b"own"


def test_an_unknown_scheme_has_no_store() -> None:
    with pytest.raises(StorageError, match="gs"):
        open_store("gs://bucket/key")


def test_a_configuration_travels_to_workers() -> None:
    config = replace(StoreConfig(), endpoint_url="http://127.0.0.1:1")
    assert pickle.loads(pickle.dumps(config)) == config
