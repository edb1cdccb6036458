from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from transforms.index import index_row
from transforms.keys import digest_of
from transforms.ledger import LedgerWriter, merge_parts
from transforms.placements import PLACEMENTS
from transforms.recall import Recall
from transforms.records import Job, Outcome, Product, ProductImage, SourceFacts
from transforms.storage.store import Store, open_store
from transforms.work import Ended, Step, Work, run_work

PRODUCT = Product("new.parquet", 7, "acme", "vase", "vase.jpg", placements=("pmax_square",))
IMAGE = ProductImage(np.zeros((2, 2, 3), np.uint8), SourceFacts("d" * 64, 12, "jpeg", "RGB"))


@pytest.fixture
def store() -> Store:
    return open_store("file:///")


def _decided(outcome: str = "enhanced", *, retryable: bool = False, content: str = "a") -> dict[str, object]:
    columns = {"content_key": digest_of(content), "creative_uri": "out/vase.jpg", "source_uri": "old.jpg",
               "scores": {"halo": 0.25}}  # fmt: skip
    product = replace(PRODUCT, manifest_uri="old.parquet", row=3)
    ended = Outcome(product, "pmax_square", outcome, "verify", "halo", value=0.5, retryable=retryable, columns=columns)
    return index_row(ended, "monday", digest_of("plan"), datetime(2026, 11, 1, tzinfo=UTC))


def _loaded(content: str = "a") -> Job:
    spec = PLACEMENTS["pmax_square"]
    return Job(PRODUCT, IMAGE, placement=spec, content_key=digest_of(content), uris={"source": "/feed/vase.jpg"})


def _ledger(store: Store, folder: Path, *rows: dict[str, object], merged: bool = False) -> str:
    writer = LedgerWriter(store, str(folder / "monday"), max_rows=1)
    for row in rows:
        writer.add(row)
    if merged:
        merge_parts(store, str(folder / "monday"))
    return str(folder)


@pytest.mark.parametrize("merged", [False, True])
def test_a_settled_content_is_taken_over_for_the_row_that_asks(store: Store, tmp_path: Path, merged: bool) -> None:
    ledger = _ledger(store, tmp_path, _decided("rejected"), _decided(content="b"), merged=merged)
    outcome = Recall(store, ledger).outcome_of(_loaded())
    assert outcome is not None
    row = index_row(outcome, "tuesday", "0" * 32)
    assert (row["outcome"], row["stage"], row["value"], row["decided_in_run"]) == ("rejected", "verify", 0.5, "monday")
    assert (row["run_id"], row["manifest_uri"], row["manifest_row"]) == ("tuesday", "new.parquet", 7)
    assert (row["source_uri"], row["plan_key"], row["creative_uri"]) == ("/feed/vase.jpg", "0" * 32, "out/vase.jpg")
    assert dict(row["scores"]) == {"halo": 0.25}


def test_an_unknown_content_and_an_empty_ledger_recall_nothing(store: Store, tmp_path: Path) -> None:
    ledger = _ledger(store, tmp_path, _decided())
    assert Recall(store, ledger).outcome_of(_loaded("other")) is None
    assert Recall(store, str(tmp_path / "nowhere")).outcome_of(_loaded()) is None


def test_failures_are_taken_over_only_where_their_cause_stays(store: Store, tmp_path: Path) -> None:
    passing = _ledger(store, tmp_path / "1", _decided("failed", retryable=True))
    staying = _ledger(store, tmp_path / "2", _decided("failed"))
    assert Recall(store, passing).outcome_of(_loaded()) is None
    assert Recall(store, staying).outcome_of(_loaded()) is not None
    assert Recall(store, staying, retry_failed=True).outcome_of(_loaded()) is None


def test_of_two_rows_of_one_content_in_a_file_the_later_is_taken_over(store: Store, tmp_path: Path) -> None:
    early, late = _decided("failed", retryable=True), _decided()
    late["finished_at"] = datetime(2026, 11, 2, tzinfo=UTC)
    for name, rows in (("1", (early, late)), ("2", (late, early))):
        writer = LedgerWriter(store, str(tmp_path / name / "monday"))
        for row in rows:
            writer.add(row)
        writer.flush()
        outcome = Recall(store, str(tmp_path / name)).outcome_of(_loaded())
        assert outcome is not None and outcome.outcome == "enhanced"


def test_a_part_that_another_run_has_merged_is_no_error(store: Store, tmp_path: Path) -> None:
    recall = Recall(store, _ledger(store, tmp_path, _decided(), _decided(content="b")))
    assert recall.outcome_of(_loaded("unknown")) is None  # the keys are read now
    merge_parts(store, str(tmp_path / "monday"))
    assert recall.outcome_of(_loaded()) is None


def test_a_ledger_that_an_earlier_version_merged_recalls_nothing_and_breaks_nothing(
    store: Store, tmp_path: Path
) -> None:
    ledger = _ledger(store, tmp_path, _decided(), _decided(content="b"), merged=True)
    for path in tmp_path.rglob("keys-*.parquet"):
        pq.write_table(pq.read_table(path).drop_columns(["content_key"]), path)
    assert Recall(store, ledger).outcome_of(_loaded()) is None


def test_what_is_recalled_ends_there_and_the_rest_goes_on(store: Store, tmp_path: Path) -> None:
    recall = Recall(store, _ledger(store, tmp_path, _decided()))
    keys = {"pmax_square": digest_of("a"), "pinterest_standard": digest_of("new")}
    ran: list[str] = []

    def begin(job: Job, name: str) -> Job:
        return replace(job, placement=PLACEMENTS[name], content_key=keys[name])

    def note(job: Job) -> Job:
        ran.append(job.placement.name if job.placement else "row")
        return job

    def conclude(ended: Ended, name: str | None) -> Outcome:
        return Outcome(ended.job.product, name, "enhanced", ended.stage, "ok")

    both = replace(PRODUCT, placements=("pmax_square", "pinterest_standard"))
    steps = (Step("load", lambda job: replace(job, image=IMAGE)), Step("segment", note), Step("paint", note, True))
    outcomes = list(run_work(Work(both, steps), begin, conclude, recall.outcome_of))
    assert {(outcome.placement, outcome.decided_in_run) for outcome in outcomes} == {
        ("pmax_square", "monday"),
        ("pinterest_standard", ""),
    }
    assert ran == ["row", "pinterest_standard"]
    alone = replace(PRODUCT, placements=("pmax_square",))
    ran.clear()
    assert len(list(run_work(Work(alone, steps), begin, conclude, recall.outcome_of))) == 1
    assert ran == []
