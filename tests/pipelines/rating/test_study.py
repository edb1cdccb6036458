from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.rating.contestants import Entry
from pipelines.rating.study import LEASE_SEC, Study, TakenAlready, TooEarly
from transforms.errors import ConfigError, TableError

FLAGS = {"product_defect": 0, "background_defect": 1}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def entries(contestant: str, count: int, placement: str = "pmax_square") -> list[Entry]:
    return [
        Entry(contestant, "background", placement, f"o{n}", f"{contestant}{n}", f"digest{n}", f"{contestant}-{n}")
        for n in range(count)
    ]


def made(path: Path, count: int = 4, mode: str = "defects", clock: Clock | None = None) -> Study:
    study = Study.open(path, mode, clock or Clock())
    study.add(entries("canvas", count) + entries("other", count))
    return study


def rate_all(study: Study, rater: str) -> int:
    answered = 0
    while (unit := study.take(rater)) is not None:
        study.answer(unit.id, rater, FLAGS)
        answered += 1
    return answered


def test_every_item_gets_two_different_raters_and_no_third(tmp_path: Path) -> None:
    study = made(tmp_path / "s.db")
    assert [rate_all(study, rater) for rater in ("ann", "ann", "ben", "cleo")] == [8, 0, 8, 0]
    progress = study.progress("ann")
    assert (progress.units, progress.done, progress.mine) == (8, 8, 8)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["take", "answer", "undo", "skip"])), max_size=60))
def test_whatever_raters_do_nobody_answers_twice_and_nothing_is_answered_thrice(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    study = made(tmp_path_factory.mktemp("study") / "s.db", 2)
    held: dict[str, str] = {}
    for rater, step in steps:
        if step == "take":
            unit = study.take(rater)
            held[rater] = unit.id if unit else ""
        elif step == "undo":
            study.undo(rater)
        elif held.get(rater) and step == "answer":
            try:
                study.answer(held[rater], rater, FLAGS)
            except TakenAlready:
                held[rater] = ""
        elif held.get(rater):
            study.skip(held[rater], rater)
        said = [(answer.unit, answer.rater) for answer in study.answers()]
        assert len(set(said)) == len(said)
        assert all(sum(unit == other for other, _ in said) <= 2 for unit, _ in said)


def test_raters_at_once_share_the_work(tmp_path: Path) -> None:
    study = made(tmp_path / "s.db", 20)
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda rater: rate_all(study, rater), ["ann", "ben", "cleo", "dan"]))
    assert sum(counts) == 80
    assert study.progress("ann").done == 40


def test_a_rater_keeps_what_they_hold_through_a_restart_and_others_get_it_when_left_lying(tmp_path: Path) -> None:
    clock = Clock()
    study = made(tmp_path / "s.db", 1, clock=clock)
    first = study.take("ann")
    assert first is not None
    again = Study.open(tmp_path / "s.db", clock=clock)
    assert again.take("ann") == first
    assert again.secret == study.secret
    for rater in ("ben", "cleo"):
        rate_all(study, rater)
    assert len(_raters_of(study, first.id)) == 1  # the other place is ann's, for now
    clock.now += LEASE_SEC + 1
    for rater in ("ben", "cleo"):
        rate_all(study, rater)
    assert _raters_of(study, first.id) == {"ben", "cleo"}
    with pytest.raises(TakenAlready):
        study.answer(first.id, "ann", FLAGS)


def _raters_of(study: Study, unit: str) -> set[str]:
    return {answer.rater for answer in study.answers() if answer.unit == unit}


def test_an_answer_before_the_images_were_shown_is_refused_and_the_unit_kept(tmp_path: Path) -> None:
    clock = Clock()
    study = made(tmp_path / "s.db", clock=clock)
    unit = study.take("ann")
    assert unit is not None
    clock.now += 5.9
    with pytest.raises(TooEarly):
        study.answer(unit.id, "ann", FLAGS, least_sec=6.0)
    clock.now += 0.2
    study.answer(unit.id, "ann", FLAGS, least_sec=6.0)


def test_undo_takes_the_last_answer_back(tmp_path: Path) -> None:
    study = made(tmp_path / "s.db")
    assert not study.undo("ann")
    unit = study.take("ann")
    assert unit is not None
    study.answer(unit.id, "ann", FLAGS)
    assert study.undo("ann")
    assert study.take("ann") == unit
    assert study.answers() == []


def test_neither_ids_nor_order_tell_the_contestant(tmp_path: Path) -> None:
    study = made(tmp_path / "s.db", 60)
    orders = {}
    for rater in ("ann", "ben"):
        order = []
        while (unit := study.take(rater)) is not None:
            assert "canvas" not in unit.id
            order.append(unit.first.contestant)
            study.answer(unit.id, rater, FLAGS)
        orders[rater] = order
    for order in orders.values():
        ranks = [at for at, contestant in enumerate(order) if contestant == "canvas"]
        assert abs(sum(ranks) / 60 - 59.5) < 14  # four standard errors of a random order
    assert orders["ann"] != orders["ben"]
    numbers = [item.number for item in study.items() if item.contestant == "canvas"]
    assert abs(sum(numbers) / 60 - 60.5) < 14


def test_adding_the_same_outputs_again_adds_nothing_and_new_ones_are_appended(tmp_path: Path) -> None:
    study = made(tmp_path / "s.db")
    assert study.add(entries("canvas", 4)) == 0
    assert study.add(entries("third", 2)) == 2
    assert study.progress("").units == 10


def test_a_sample_takes_the_same_originals_of_every_contestant(tmp_path: Path) -> None:
    study = Study.open(tmp_path / "s.db", "defects")
    study.add(entries("canvas", 50), 10)
    study.add(entries("other", 50), 10)
    by_contestant: dict[str, set[str]] = {}
    for item in study.items():
        by_contestant.setdefault(item.contestant, set()).add(item.original_digest)
    assert len(by_contestant["canvas"]) == 10
    assert by_contestant["canvas"] == by_contestant["other"]


def test_pairs_join_two_contestants_and_sides_are_shuffled(tmp_path: Path) -> None:
    study = made(tmp_path / "s.db", 40, "pairs")
    assert study.progress("").units == 40
    left = []
    while (unit := study.take("ann")) is not None:
        assert unit.second is not None
        assert unit.first.original_digest == unit.second.original_digest
        assert study.held(unit.id, "ann") == unit
        left.append(unit.first.contestant)
        study.answer(unit.id, "ann", {"choice": unit.first.id})
    assert 8 < left.count("canvas") < 32


def test_a_file_that_is_no_study_or_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no such study"):
        Study.open(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("hello, this is no database at all" * 40)
    with pytest.raises(TableError, match="not a study"):
        Study.open(tmp_path / "text.db")
    made(tmp_path / "s.db")
    with pytest.raises(ConfigError, match="a study of defects, not of pairs"):
        Study.open(tmp_path / "s.db", "pairs")
