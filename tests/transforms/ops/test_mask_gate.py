import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.ops.backdrop import to_lab
from transforms.ops.mask_gate import Gate, Looks, load_gate, measure_mask, measure_recheck, measure_refinement


def picture(size=128):
    image = np.full((size, size, 3), 240, np.uint8)
    mask = np.zeros((size, size), np.bool_)
    mask[30:100, 35:95] = True
    image[mask] = (60, 90, 150)
    return to_lab(image), mask


def looks_of(mask, **other):
    return Looks(**{name: mask.astype(np.float32) for name in Looks._fields} | other)


def measures_of(lab, mask, looks=None, distance=None):
    looks = looks or looks_of(mask)
    again, left = mask.astype(np.float32), np.zeros(mask.shape, np.float32)
    refinement = measure_refinement(None, looks.merged())
    return measure_mask(lab, looks, looks.merged(), mask, distance) | refinement | measure_recheck(mask, again, left)


def test_a_clean_mask_measures_as_clean():
    lab, mask = picture()
    measures = measures_of(lab, mask, distance=np.where(mask, 40, 0).astype(np.float32))
    assert measures["flip_agreement"] == measures["zoom_agreement"] == measures["network_agreement"] == 1
    assert measures["color_agreement"] == 1
    assert measures["certainty"] == 1
    assert measures["edge_share"] > 0.9 and measures["edge_contrast"] > 0.5
    assert measures["largest_share"] == 1 and measures["pieces"] == 0 and measures["hole_share"] == 0
    assert measures["frame_share"] == 0


def test_each_defect_moves_its_measure():
    lab, mask = picture()
    clean = measures_of(lab, mask)
    shifted = np.roll(mask, 9, axis=1)
    assert measures_of(lab, shifted)["edge_contrast"] < clean["edge_contrast"] - 0.3
    assert measures_of(lab, shifted)["edge_strength"] < clean["edge_strength"] - 0.3
    for name, measure in (
        ("flipped", "flip_agreement"),
        ("zoomed", "zoom_agreement"),
        ("parts", "parts_agreement"),
        ("toned", "tone_agreement"),
        ("other_toned", "second_tone_agreement"),
    ):
        looks = looks_of(mask, **{name: shifted.astype(np.float32)})
        assert measures_of(lab, mask, looks)[measure] < 0.9 < clean[measure]
    elsewhere = {name: shifted.astype(np.float32) for name in ("other", "other_toned")}
    disputed = measures_of(lab, mask, looks_of(mask, **elsewhere))
    assert disputed["second_agreement"] == disputed["second_support"] < 0.8 < disputed["own_support"]
    assert disputed["disputed_share"] > 0.1 and clean["disputed_share"] == 0
    unsure = Looks(*(np.where(mask, 0.55, 0.4).astype(np.float32),) * len(Looks._fields))
    assert measures_of(lab, mask, unsure)["certainty"] < 0.3
    holed = mask.copy()
    holed[50:60, 50:60] = False
    assert measures_of(lab, holed)["hole_share"] == pytest.approx(100 / (70 * 60 - 100))
    assert measures_of(lab, holed, looks_of(mask))["erased_share"] > 0
    split = mask.copy()
    split[60:70] = False
    assert measures_of(lab, split)["largest_share"] == pytest.approx(0.5, abs=0.01)
    cut = mask.copy()
    cut[:, :40] = True
    assert measures_of(lab, cut)["frame_share"] > 0.2


def test_an_empty_mask_has_finite_measures_and_fails_the_shipped_gate():
    lab, mask = picture()
    measures = measures_of(lab, np.zeros_like(mask), looks_of(np.zeros_like(mask)))
    assert all(np.isfinite(value) for value in measures.values())
    assert load_gate().quality(measures) < 0.5


def test_the_shipped_gate_knows_every_measure_and_passes_a_clean_mask():
    lab, mask = picture()
    measures = measures_of(lab, mask, distance=np.where(mask, 40, 0).astype(np.float32))
    assert set(load_gate().weights) <= set(measures)
    assert load_gate().quality(measures) > 0.5


def test_one_failed_look_at_the_whole_does_not_count():
    _, mask = picture()
    blind = looks_of(mask, toned=np.zeros(mask.shape, np.float32))
    assert np.array_equal(blind.merged() > 0.5, mask)


@settings(max_examples=50, deadline=None)
@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0.01, 5))
def test_quality_is_monotone_in_every_measure(a, b, weight):
    gate = Gate(0.3, {"up": weight, "down": -weight})
    low, high = sorted((a, b))
    assert gate.quality({"up": low, "down": 0}) <= gate.quality({"up": high, "down": 0})
    assert gate.quality({"up": 0, "down": low}) >= gate.quality({"up": 0, "down": high})
    assert 0 <= gate.quality({"up": a * 1e6, "down": 0}) <= 1


def test_quality_is_the_logistic_of_the_weighted_sum():
    assert Gate(-1.0, {"a": 2.0}).quality({"a": 0.5}) == pytest.approx(0.5)
    assert Gate(0.0, {"a": 1.0}).quality({"a": np.log(3)}) == pytest.approx(0.75)


def test_what_the_refiner_changed_is_measured_and_what_it_was_not_asked_counts_as_kept():
    coarse = np.zeros((20, 20), np.float32)
    coarse[:10] = 1
    refined = coarse.copy()
    refined[5:10] = 0.2
    assert measure_refinement(coarse, refined) == {"refined_agreement": 0.5}
    assert measure_refinement(None, refined) == {"refined_agreement": 1.0}
