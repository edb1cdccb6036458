from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import TableError
from transforms.index import index_row
from transforms.keys import digest_of, key_words
from transforms.ledger import LedgerWriter, merge_parts, read_rows, read_settled, read_settled_contents
from transforms.records import Outcome, Product
from transforms.storage.store import Object, Store, open_store

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def store() -> Store:
    return open_store("file:///")


def _row(key: str, outcome: str = "enhanced", *, retryable: bool = False, minutes: int = 0) -> dict[str, object]:
    product = Product("m", 0, "a", key, "x")
    ended = Outcome(product, "one", outcome, "write", "ok", retryable=retryable, columns={"scores": {"halo": 1.0}})
    return index_row(ended, "night", digest_of(key), NOW + timedelta(minutes=minutes))


def _write(store: Store, folder: Path, rows: list[dict[str, object]]) -> None:
    writer = LedgerWriter(store, str(folder), max_rows=2)
    for row in rows:
        writer.add(row)
    writer.flush()


def _settled(store: Store, ledger: Path, key: str, **options: bool) -> bool:
    return bool(read_settled(store, str(ledger), **options).contains(key_words([digest_of(key)]))[0])


def test_what_was_decided_is_settled(store: Store, tmp_path: Path) -> None:
    _write(store, tmp_path / "night", [_row("a"), _row("b", "skipped"), _row("c", "rejected")])
    assert all(_settled(store, tmp_path, key) for key in "abc")
    assert not _settled(store, tmp_path, "d")


def test_failures_that_pass_are_tried_again_and_those_that_stay_are_not(store: Store, tmp_path: Path) -> None:
    _write(store, tmp_path / "night", [_row("a", "failed", retryable=True), _row("b", "failed")])
    assert not _settled(store, tmp_path, "a")
    assert _settled(store, tmp_path, "b")
    assert not _settled(store, tmp_path, "b", retry_failed=True)


def test_the_latest_outcome_of_a_key_counts(store: Store, tmp_path: Path) -> None:
    rows = [_row("a", minutes=2), _row("a", "failed", retryable=True, minutes=1)]
    _write(store, tmp_path / "night", rows)
    assert _settled(store, tmp_path, "a")


def test_an_empty_ledger_settles_nothing(store: Store, tmp_path: Path) -> None:
    assert not _settled(store, tmp_path / "nowhere", "a")


def test_parts_are_written_while_the_run_goes(store: Store, tmp_path: Path) -> None:
    writer = LedgerWriter(store, str(tmp_path), max_rows=3)
    for name in "abc":
        assert not list(tmp_path.iterdir())
        writer.add(_row(name))
    assert len(list(tmp_path.iterdir())) == 1


def test_merging_keeps_every_row_and_leaves_no_parts(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "night"
    _write(store, folder, [_row(name) for name in "abcdefg"])
    merge_parts(store, str(folder))
    assert not list(folder.glob("part-*"))
    rows = [row for table in read_rows(store, str(folder)) for row in table.column("product_id").to_pylist()]
    assert sorted(rows) == list("abcdefg")
    assert all(_settled(store, tmp_path, name) for name in "abcdefg")


@pytest.mark.parametrize("cut", range(9))
def test_a_merge_cut_off_anywhere_settles_the_same(tmp_path: Path, cut: int) -> None:
    real, folder = open_store("file:///"), tmp_path / "night"
    _write(real, folder, [_row(name) for name in "abcdefg"])
    with pytest.raises(KeyboardInterrupt):
        merge_parts(_CutOff(real, cut), str(folder))
        raise KeyboardInterrupt
    assert all(_settled(real, tmp_path, name) for name in "abcdefg")
    rows = {row for table in read_rows(real, str(folder)) for row in table.column("product_id").to_pylist()}
    assert rows == set("abcdefg")


class _CutOff:
    """A store that dies after some writes and deletions."""

    def __init__(self, store: Store, left: int) -> None:
        self._store, self._left = store, left

    def __getattr__(self, name: str) -> object:
        if name in ("write", "delete"):
            self._left -= 1
            if self._left < 0:
                raise KeyboardInterrupt
        return getattr(self._store, name)


@given(st.sets(st.text(max_size=5)), st.sets(st.text(max_size=5)))
def test_exactly_the_settled_keys_are_found(inside: set[str], asked: set[str]) -> None:
    from transforms.ledger import SettledKeys

    words = key_words([digest_of(key) for key in sorted(inside)])
    words = words[words[:, 0].argsort()]
    settled = SettledKeys(words[:, 0], words[:, 1])
    names = sorted(asked | inside)
    found = settled.contains(key_words([digest_of(key) for key in names]))
    assert [name for name, hit in zip(names, found, strict=True) if hit] == sorted(inside)


class Merging:
    """A store in which another run merges its parts between a listing and the first read."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder, self.merged = store, str(folder), False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def read(self, uri: str) -> Object:
        if not self.merged:
            self.merged = True
            merge_parts(self.store, self.folder)
        return self.store.read(uri)


def test_parts_that_another_run_merges_meanwhile_are_found_in_what_it_wrote(store: Store, tmp_path: Path) -> None:
    for number, read in enumerate((_keys_of, _contents_of, _rows_of)):
        folder = tmp_path / str(number) / "night"
        _write(store, folder, [_row(key) for key in "abcde"])
        merging: Any = Merging(store, folder)
        assert read(merging, str(folder.parent)) == 5
        assert merging.merged


@pytest.mark.parametrize("read", [read_settled, read_settled_contents])
def test_a_damaged_file_is_named_with_a_remedy(store: Store, tmp_path: Path, read: Any) -> None:
    _write(store, tmp_path / "night", [_row(key) for key in "abcde"])
    merge_parts(store, str(tmp_path / "night"))
    (path,) = tmp_path.rglob("keys-*")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TableError, match=path.name) as caught:
        read(store, str(tmp_path))
    assert "restore the file" in caught.value.remedy


def _keys_of(store: Store, ledger: str) -> int:
    return len(read_settled(store, ledger))


def _contents_of(store: Store, ledger: str) -> int:
    read_settled_contents(store, ledger)
    return len(read_settled(store, ledger))


def _rows_of(store: Store, ledger: str) -> int:
    return sum(map(len, read_rows(store, ledger)))
