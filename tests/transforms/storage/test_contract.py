"""What every store does: a folder, moto and a real SeaweedFS behave alike."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from stores import Place

from transforms.errors import ObjectNotFound, ObjectTooLarge, StorageError
from transforms.storage.keys import percent_encode
from transforms.storage.once import write_once

WRITERS = 16
AWKWARD_IDS = ["a/b", "..", "ümläut 100%", "q?x=1&y#z", "a+b", "%2F", "x" * 400, "~", "\\back", "日本"]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_what_is_written_is_read_back(place: Place) -> None:
    uri = place.at("creatives", "a.jpg")
    written = place.store.write(uri, b"pixels", content_type="image/jpeg", metadata={"run": "r1"})
    got = place.store.read(uri)
    assert (got.data, got.size, got.etag) == (b"pixels", 6, written.etag)
    assert (written.digest, written.created) == (sha(b"pixels"), True)


def test_an_empty_object_is_an_object(place: Place) -> None:
    place.store.write(place.at("empty"), b"")
    assert place.store.read(place.at("empty")).data == b""


def test_stat_read_write_and_list_agree_on_the_identity(place: Place) -> None:
    uri = place.at("a.jpg")
    written = place.store.write(uri, b"pixels")
    found = place.store.stat(uri)
    assert found is not None and (found.identity, found.size) == (written.etag, 6)
    assert [listed.identity for listed in place.store.list(place.base)] == [written.etag]


def test_the_identity_changes_with_the_object(place: Place) -> None:
    uri = place.at("a.jpg")
    first = place.store.write(uri, b"one").etag
    assert place.store.write(uri, b"two").etag != first
    assert place.store.read(uri).data == b"two"


def test_what_is_not_there_is_not_found(place: Place) -> None:
    assert place.store.stat(place.at("missing")) is None
    with pytest.raises(ObjectNotFound, match="missing"):
        place.store.read(place.at("missing"))


def test_a_folder_is_not_an_object(place: Place) -> None:
    place.store.write(place.at("folder", "a.jpg"), b"x")
    assert place.store.stat(place.at("folder")) is None
    with pytest.raises(ObjectNotFound):
        place.store.read(place.at("folder"))


def test_a_read_stops_at_its_limit(place: Place) -> None:
    uri = place.at("a.jpg")
    place.store.write(uri, b"x" * 100)
    assert place.store.read(uri, limit_bytes=100).size == 100
    with pytest.raises(ObjectTooLarge, match="99"):
        place.store.read(uri, limit_bytes=99)


def test_a_listing_holds_what_lies_below_the_folder_and_nothing_else(place: Place) -> None:
    for name in ("runs/1/a", "runs/1/b/c", "runs/10/d", "runs/1.txt", "z"):
        place.store.write(place.at(name), name.encode())
    listed = {listed.uri: listed.size for listed in place.store.list(place.at("runs/1"))}
    assert listed == {place.at("runs/1/a"): 8, place.at("runs/1/b/c"): 10}
    assert len(list(place.store.list(place.base))) == 5
    assert list(place.store.list(place.at("nothing"))) == []


def test_listed_uris_can_be_read(place: Place) -> None:
    for product_id in AWKWARD_IDS:
        place.store.write(place.at(percent_encode(product_id), "1.jpg"), product_id.encode())
    listed = list(place.store.list(place.base))
    assert {place.store.read(each.uri).data.decode() for each in listed} == set(AWKWARD_IDS)


def test_a_deleted_object_is_gone_and_may_be_deleted_again(place: Place) -> None:
    uri = place.at("a.jpg")
    place.store.write(uri, b"x")
    place.store.delete(uri)
    place.store.delete(uri)
    assert place.store.stat(uri) is None


def test_if_absent_leaves_the_first_object(place: Place) -> None:
    uri = place.at("a.jpg")
    assert place.store.write(uri, b"first", if_absent=True).created
    second = place.store.write(uri, b"second", if_absent=True)
    assert (second.created, second.etag) == (False, "")
    assert place.store.read(uri).data == b"first"


# moto checks a condition and stores in two steps, so a race has no single winner there.
@pytest.mark.parametrize("place", ["folder", pytest.param("seaweed", marks=pytest.mark.s3)], indirect=True)
def test_of_sixteen_writers_exactly_one_creates_and_all_learn_its_digest(place: Place) -> None:
    for round_ in range(3):
        uri = place.at(f"{round_}.jpg")
        with ThreadPoolExecutor(WRITERS) as pool:
            results = list(
                pool.map(lambda n, uri=uri: write_once(place.store, uri, f"writer {n}".encode()), range(WRITERS))
            )
        stored = sha(place.store.read(uri).data)
        assert sum(result.created for result in results) == 1
        assert {result.digest for result in results} == {stored}


def test_conditional_writes_are_found_to_work_and_leave_no_probe(place: Place) -> None:
    assert place.store.probe_conditional_writes(place.base)
    assert place.store.conditional_writes
    assert list(place.store.list(place.base)) == []


def test_only_errors_of_ours_come_out(place: Place) -> None:
    kind = place.base.partition("://")[0]
    for uri in ("s3://", "s3:///key") if kind == "s3" else ("/dev/null/x", "/nul\0l"):
        with pytest.raises(StorageError):
            place.store.write(uri, b"x")
        with pytest.raises(StorageError):
            place.store.read(uri)
