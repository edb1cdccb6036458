"""Clues are bytes: shares of 255, and logarithms that neither saturate nor lose a just visible step."""

import numpy as np

from transforms.ops.clues import CLUES, LEVELS_OF_LOG, clues_of
from transforms.ops.masks import HIGHEST_BARRIER, Evidence


def test_each_clue_has_its_scale():
    plane = np.zeros((2, 3), np.float32)
    evidence = Evidence(plane + 22, plane + 7, plane + 3, plane + 1)
    clues = clues_of(plane + 1, plane + np.float32(0.2), evidence)
    assert clues.shape == (2, 3, CLUES) and clues.dtype == np.uint8
    assert clues[0, 0].tolist() == [255, 51, *(round(LEVELS_OF_LOG * np.log(1 + value)) for value in (7, 3, 22))]


def test_the_greatest_differences_are_told_apart_and_so_are_the_smallest():
    def logs(distance):
        plane = np.full((1, 1), distance, np.float32)
        return clues_of(plane * 0, plane * 0, Evidence(plane * 0 + HIGHEST_BARRIER, plane, plane, plane))[0, 0, 2:]

    assert logs(150.0).max() < 255
    assert (logs(150.0)[:2] > logs(140.0)[:2]).all()
    assert (logs(1.0)[:2].astype(int) - logs(0.5)[:2] > 10).all()
