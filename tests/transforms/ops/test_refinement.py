"""Of what the refiner changes, gaps and edges stay changed; stripes, prints and opened gaps go back."""

import numpy as np
import pytest

from transforms.ops.masks import Evidence
from transforms.ops.refinement import LEAST_PATCH, patches_of, settle

INSIDE = (slice(10, 50), slice(10, 50))
PATCH = (slice(20, 30), slice(20, 30))


def plane(value=0.0, **patches):
    picture = np.full((60, 60), value, np.float32)
    for name, at in (("inside", INSIDE), ("patch", PATCH)):
        if name in patches:
            picture[at] = patches[name]
    return picture


def evidence(distance):
    return Evidence(distance, distance, distance, distance * 0)


@pytest.mark.parametrize(
    ("before", "distance", "stays"), [(0.6, 0.5, True), (0.9, 0.5, False), (0.6, 3.0, False), (0.69, 1.4, True)]
)
def test_what_is_cut_out_stays_so_if_nothing_was_sure_of_it_and_it_has_the_backdrops_colour(before, distance, stays):
    coarse, refined = plane(inside=0.95, patch=before), plane(inside=0.95, patch=0.2)
    settled = settle(coarse, refined, evidence(plane(inside=40.0, patch=distance)))
    assert (settled[PATCH] < 0.5).all() == stays
    assert (settled[PATCH] > 0.5).all() != stays
    assert np.array_equal(settled[:10], refined[:10])


def test_a_moved_edge_stays_where_it_was_moved():
    coarse = plane(inside=0.95)
    refined = coarse.copy()
    refined[10, 10 : 10 + LEAST_PATCH - 1] = 0.1
    assert np.array_equal(settle(coarse, refined, evidence(plane(inside=40.0))), refined)


@pytest.mark.parametrize(("before", "stays"), [(0.0, False), (0.4, True)])
def test_what_is_added_stays_unless_colour_had_opened_it(before, stays):
    coarse, refined = plane(inside=0.95, patch=before), plane(inside=0.95, patch=0.7)
    settled = settle(coarse, refined, evidence(plane(inside=40.0, patch=0.3)))
    assert (settled[PATCH] == (refined if stays else coarse)[PATCH]).all()


def test_patches_know_their_means():
    changed = plane(patch=1.0) > 0.5
    found = patches_of(changed, plane(patch=0.25), evidence(plane(patch=2.0)))
    assert found.areas.tolist() == [0, 100]
    assert (found.before[1], found.distance[1]) == pytest.approx((0.25, 2.0))
    assert np.array_equal(found.chosen(found.before > 0.2), changed)
