from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.decisions import (
    DECISION_SCHEMA,
    MAX_ATTEMPTS,
    NO_WISH,
    Slot,
    Wish,
    image_of,
    read_decisions,
    standings,
    wishes_of,
)
from transforms.errors import ManifestError
from transforms.storage.store import StoreConfig

SLOT = Slot("acme", "vase", "pmax_square", "/feeds/vase.jpg")
START = datetime(2026, 11, 1, tzinfo=UTC)
BOTH = ("background", "outpaint")


def decided(action: str, number: int = 0, *, key: str = "k0", slot: Slot = SLOT, **more: Any) -> dict[str, Any]:
    """One row of decisions."""
    row = dict.fromkeys(DECISION_SCHEMA.names)
    row.update(
        decision_id=number, batch=f"b{number}", decided_at=START + timedelta(minutes=number),
        decided_by="ann", action=action, run_id="1", advertiser_id=slot.advertiser_id,
        product_id=slot.product_id, placement=slot.placement, image_uri=slot.image, creative_key=key,
    )  # fmt: skip
    return {**row, **more}


def wish(*rows: dict[str, Any], slot: Slot = SLOT, features: tuple[str, ...] = BOTH) -> Wish:
    """What these decisions ask of a slot."""
    return wishes_of(rows).of(slot, features)


def test_nothing_decided_asks_for_nothing() -> None:
    assert wish() == NO_WISH
    assert wish(decided("accept"), decided("flag", 1)) == NO_WISH


def test_each_refused_candidate_asks_for_the_next_one_until_it_is_enough() -> None:
    refusals = [decided("refuse", number, key=f"k{number}") for number in range(MAX_ATTEMPTS + 1)]
    assert wish(refusals[0]) == Wish(attempt=1)
    assert wish(*refusals[:3]) == Wish(attempt=3)
    assert wish(*refusals) == Wish(attempt=MAX_ATTEMPTS + 1, end="refused")


def test_a_creative_refused_twice_counts_once() -> None:
    assert wish(decided("refuse"), decided("refuse", 1)) == Wish(attempt=1)


def test_the_last_verdict_counts() -> None:
    assert wish(decided("refuse"), decided("accept", 1)) == NO_WISH
    assert wish(decided("accept"), decided("refuse", 1)) == Wish(attempt=1)


def test_a_retry_asks_for_another_candidate_and_an_acceptance_takes_that_back() -> None:
    assert wish(decided("retry")) == Wish(attempt=1)
    assert wish(decided("retry"), decided("accept", 1)) == NO_WISH


def test_a_withdrawn_creative_leaves_its_place_empty_unless_another_one_is_asked_for() -> None:
    gone = decided("accept"), decided("withdraw", 1)
    assert wish(*gone) == Wish(end="withdrawn")
    assert wish(*gone, decided("retry", 2)) == Wish(attempt=1)


def test_what_was_pruned_is_never_delivered_again_even_if_its_refusal_is_undone() -> None:
    undone = decided("refuse", undone_at=START)
    assert wish(undone) == NO_WISH
    assert wish(undone, decided("prune", 1)) == Wish(attempt=1)


def test_only_the_slot_itself_is_concerned() -> None:
    rows = [decided("refuse")]
    for other in (SLOT._replace(placement="meta_stories"), SLOT._replace(image="/feeds/other.jpg"),
                  SLOT._replace(product_id="cup"), SLOT._replace(advertiser_id="zeta")):  # fmt: skip
        assert wish(*rows, slot=other) == NO_WISH


def test_opt_outs_of_a_product_of_a_feature_and_of_both() -> None:
    product = decided("opt_out", key=None, feature=None)
    feature = decided("opt_out", key=None, product_id=None, feature="outpaint")
    both = decided("opt_out", key=None, feature="outpaint")
    other = SLOT._replace(product_id="cup")
    assert wish(product) == Wish(blocked=("*",), end="opted_out")
    assert wish(product, slot=other) == NO_WISH
    assert wish(feature, slot=other) == Wish(blocked=("outpaint",))
    assert wish(feature, features=("background",)) == NO_WISH
    assert wish(feature, features=("outpaint",)) == Wish(blocked=("outpaint",), end="opted_out")
    assert wish(both) == Wish(blocked=("outpaint",)) and wish(both, slot=other) == NO_WISH
    assert wish({**product, "undone_at": START}) == NO_WISH


@given(st.integers(0, 2**31 - 1), st.integers(1, 9), st.integers(1, 9))
def test_every_attempt_has_a_seed_and_a_key_of_its_own(seed: int, one: int, other: int) -> None:
    first, second = Wish(attempt=one), Wish(attempt=other)
    assert 0 <= first.seed(seed) < 2**31 and first.seed(seed) == first.seed(seed)
    assert (first.key("0" * 32) == second.key("0" * 32)) == (one == other)
    assert NO_WISH.seed(seed) == seed and NO_WISH.key("ab") == "ab"
    if one != other:
        assert first.seed(seed) != second.seed(seed)


def test_a_signed_reference_is_the_same_image_every_night() -> None:
    assert image_of("https://shop/a.jpg?sig=1") == image_of("https://shop/a.jpg?sig=2")
    assert image_of("s3://b/a?.jpg") == "s3://b/a?.jpg"


def test_flags_are_kept_beside_the_verdict() -> None:
    found = standings([decided("flag", note="rim"), decided("accept", 1)])
    (standing,) = found.values()
    assert [row["note"] for row in standing.flags] == ["rim"]
    assert standing.verdict is not None and standing.verdict["action"] == "accept"


def test_a_file_of_decisions_is_read_in_order_and_anything_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    rows = [decided("accept", 1), decided("refuse", 0)]
    pq.write_table(pa.Table.from_pylist(rows, schema=DECISION_SCHEMA), path)
    assert [row["action"] for row in read_decisions(str(path), StoreConfig())] == ["refuse", "accept"]
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(ManifestError, match="no column 'decision_id'"):
        read_decisions(str(path), StoreConfig())
    path.write_text("accept")
    with pytest.raises(ManifestError, match="not a Parquet file of decisions"):
        read_decisions(str(path), StoreConfig())
