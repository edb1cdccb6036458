"""What a camera did is found from two frames, and told in the words that prompts use."""

import cv2
import numpy as np
import pytest

from models.movement import Movement, movement_of, words_of


@pytest.mark.parametrize(
    ("across", "scale", "words"),
    [
        (9, 1.0, "the camera moves leftwards"),
        (-9, 1.0, "the camera moves to the right"),
        (0, 1.06, "the camera moves nearer"),
        (-9, 0.95, "the camera moves to the right and away"),
        (0, 1.0, "the camera stands still"),
    ],
)
def test_a_movement_is_found_and_told(across, scale, words):
    noise = np.random.Generator(np.random.Philox(3)).normal(0, 1, (208, 304, 3))
    first = np.clip(128 + 300 * cv2.GaussianBlur(noise, (0, 0), 3), 0, 255).astype(np.uint8)
    matrix = np.array([[scale, 0, across + 152 * (1 - scale)], [0, scale, 104 * (1 - scale)]])
    later = cv2.warpAffine(first, matrix, (304, 208), borderMode=cv2.BORDER_REFLECT)
    found = movement_of(first, later)
    assert found == pytest.approx(Movement(across / 304, scale - 1), abs=0.01)
    assert words_of(found) == words
