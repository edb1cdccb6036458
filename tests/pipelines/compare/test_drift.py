import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipelines.compare.alerts import AlertLimits, drifts_beyond
from pipelines.compare.drift import Column, drift, psi


@settings(deadline=None)
@given(arrays(float, (2, 6), elements=st.integers(0, 500).map(float)))
def test_the_index_is_positive_symmetric_and_nothing_for_the_same(counts: np.ndarray) -> None:  # type: ignore[type-arg]
    assert psi(counts) >= -1e-12
    assert psi(counts) == pytest.approx(psi(counts[::-1]))
    assert psi(np.stack([counts[0], counts[0]])) == pytest.approx(0)


def test_the_index_of_a_worked_example() -> None:
    """Shares 50/50 against 75/25: (0.25) ln 1.5 + (-0.25) ln 0.5 = 0.2747."""
    assert psi(np.array([[5e6, 5e6], [7.5e6, 2.5e6]])) == pytest.approx(0.2747, abs=1e-4)


def _nights(shift: float, seed: int, count: int = 300) -> tuple[dict[str, Column], dict[str, Column]]:
    noise = np.random.default_rng(seed)
    before: dict[str, Column] = {f"score s{n}": noise.normal(size=count) for n in range(20)}
    after: dict[str, Column] = {f"score s{n}": noise.normal(size=count) for n in range(20)}
    after["score s7"] = after["score s7"] + shift
    return before, after


def test_nights_of_one_kind_seldom_alert_and_a_shift_of_one_sd_always() -> None:
    limits = AlertLimits()
    false = [any(drifts_beyond(each, limits) for each in drift(*_nights(0.0, seed))) for seed in range(60)]
    assert sum(false) <= 2
    for seed in range(20):
        beyond = [each.name for each in drift(*_nights(1.0, seed)) if drifts_beyond(each, limits)]
        assert beyond == ["s7"]


def test_few_products_with_a_large_index_by_chance_do_not_alert() -> None:
    limits = AlertLimits()
    found = [each for seed in range(40) for each in drift(*_nights(0.0, seed, count=25))]
    assert max(each.psi for each in found) > limits.max_psi
    assert not [each for each in found if drifts_beyond(each, limits)]


def test_words_drift_too_and_new_ones_count() -> None:
    before: dict[str, Column] = {"input source_format": np.array(["jpeg"] * 90 + ["png"] * 10)}
    after: dict[str, Column] = {"input source_format": np.array(["jpeg"] * 40 + ["webp"] * 60)}
    (found,) = drift(before, after)
    assert (found.kind, found.name, found.before, found.after) == ("input", "source_format", "jpeg", "webp")
    assert drifts_beyond(found, AlertLimits())


def test_too_few_products_say_nothing() -> None:
    assert drift({"score s": np.arange(19.0)}, {"score s": np.arange(50.0)}) == []
