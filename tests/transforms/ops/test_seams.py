"""Seam scores, and the blend on the generated side."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.ops.seams import (
    Line,
    blend_generated_side,
    seam_delta_e,
    seam_lines,
    seam_score,
    strangeness,
    windowed_seam_score,
)


def photograph(height=120, width=90, seed=1):
    """A lit wall with grain: brighter to the right, as photographs are."""
    rows, columns = np.mgrid[:height, :width]
    grain = np.random.Generator(np.random.Philox(key=seed)).normal(0, 5, (height, width, 3))
    return np.clip((120 + 0.3 * rows + 0.5 * columns)[..., None] + grain, 0, 255).astype(np.uint8)


def middle(height=120, width=90, band=30):
    known = np.zeros((height, width), bool)
    known[band : height - band] = True
    return known


def test_the_lines_are_the_sides_that_were_extended():
    known = np.zeros((20, 30), bool)
    known[5:20, 4:30] = True
    assert seam_lines(known) == [Line(0, 5, 4, 30), Line(1, 4, 5, 20)]
    assert seam_lines(np.ones((4, 4), bool)) == []


def test_nothing_kept_has_no_seams():
    with pytest.raises(ValueError, match="no pixel"):
        seam_lines(np.zeros((4, 4), bool))


def test_an_undisturbed_photograph_scores_about_one():
    assert seam_score(photograph(), middle()) == pytest.approx(1.0, abs=0.15)
    assert windowed_seam_score(photograph(), middle()) < 1.6
    assert seam_delta_e(photograph(), middle()) < 1.0


def test_a_step_of_light_shows_in_every_score():
    scene = photograph()
    scene[~middle()] -= 25
    assert seam_score(scene, middle()) > 2
    assert seam_delta_e(scene, middle()) > 5


def test_a_cut_object_shows_in_the_windows_before_the_mean():
    scene, known = photograph(), middle()
    scene[30:60, 10:28] = (200, 20, 20)
    assert windowed_seam_score(scene, known) > 1.5 * windowed_seam_score(photograph(), known)
    assert windowed_seam_score(scene, known) > seam_score(scene, known)


def test_a_copied_object_is_strange():
    scene = photograph()
    plain = strangeness(scene, middle())
    scene[4:26, 30:60] = (200, 20, 20)
    assert strangeness(scene, middle()) > plain + 10


def test_the_blend_closes_a_step():
    scene, known = photograph(), middle()
    stepped = scene.copy()
    stepped[~known] -= 25
    blended = blend_generated_side(stepped, scene, known)
    assert seam_delta_e(blended, known) < 1.0
    assert seam_score(blended, known) < 1.3


def test_a_thing_that_ends_at_the_seam_is_not_carried_into_the_band():
    kept = np.full((120, 90, 3), 150, np.uint8)
    known = middle()
    kept[30:50, 30:60] = 235  # a picture's mount, cut by the frame's upper edge
    painted = np.where(known[..., None], kept, 144).astype(np.uint8)
    blended = blend_generated_side(painted, kept, known)
    assert abs(blended[:30].astype(int) - 147).max() <= 6


def test_the_blend_fades_with_the_distance():
    scene, known = photograph(200, 90), middle(200, 90, 80)
    stepped = scene.copy()
    stepped[~known] -= 25
    moved = blend_generated_side(stepped, scene, known).astype(int) - stepped
    assert moved[78].mean() > 18 and moved[0].mean() < 5


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 15), st.integers(0, 15), st.integers(0, 50))
def test_the_kept_side_stays_bit_for_bit(top, bottom, left, right, seed):
    random = np.random.Generator(np.random.Philox(key=seed))
    scene, kept = random.integers(0, 256, (2, 50, 40, 3), dtype=np.uint8)
    known = np.zeros((50, 40), bool)
    known[top : 50 - bottom, left : 40 - right] = True
    blended = blend_generated_side(scene, kept, known)
    assert np.array_equal(blended[known], kept[known])


def test_nothing_known_is_left_alone():
    scene = photograph(20, 20)
    assert np.array_equal(blend_generated_side(scene, scene, np.zeros((20, 20), bool)), scene)
