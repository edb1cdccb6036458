import cv2
import numpy as np
import pytest

from transforms.ops.text_area import TextDetector, _covered
from transforms.records import Pixels


@pytest.fixture(scope="module")
def detector() -> TextDetector:
    return TextDetector()


def boot() -> Pixels:
    pixels = np.full((420, 480, 3), 248, np.uint8)
    cv2.ellipse(pixels, (240, 230), (90, 120), 0, 0, 360, (60, 90, 150), -1)
    return pixels


def test_an_offer_across_the_picture_is_covered_and_counted(detector: TextDetector) -> None:
    pixels = cv2.putText(boot(), "SALE -50%", (40, 90), cv2.FONT_HERSHEY_DUPLEX, 2.4, (200, 20, 30), 5, cv2.LINE_AA)
    area = detector(np.asarray(pixels, dtype=np.uint8))
    assert area.boxes >= 1
    assert 0.05 < area.coverage < 0.4


def test_lines_that_overlap_count_once_where_they_do() -> None:
    upper = np.asarray([(10, 10), (59, 10), (59, 39), (10, 39)], np.float32)
    lower = upper + np.asarray([0, 20], np.float32)
    assert _covered([upper, lower], 100, 100) == pytest.approx(0.25)
    assert _covered([upper, upper], 100, 100) == _covered([upper], 100, 100)


def test_a_picture_without_letters_has_no_text(detector: TextDetector) -> None:
    assert detector(boot()) == (0.0, 0.0)


def test_a_grille_is_no_text(detector: TextDetector) -> None:
    pixels = boot()
    pixels[120:340:12, 160:320] = 20
    pixels[120:340, 160:320:9] = 20
    assert detector(pixels).coverage < 0.006


def test_the_measure_does_not_depend_on_the_pictures_size(detector: TextDetector) -> None:
    pixels = cv2.putText(boot(), "NEW SEASON", (30, 90), cv2.FONT_HERSHEY_DUPLEX, 2.0, (20, 20, 20), 4, cv2.LINE_AA)
    large = cv2.resize(pixels, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    small_area, large_area = detector(np.asarray(pixels, np.uint8)), detector(np.asarray(large, np.uint8))
    assert large_area.coverage == pytest.approx(small_area.coverage, rel=0.3)


def test_the_same_picture_measures_the_same(detector: TextDetector) -> None:
    pixels = np.asarray(cv2.putText(boot(), "OFFER", (60, 90), 0, 2.5, (0, 0, 0), 5), dtype=np.uint8)
    assert detector(pixels) == detector(pixels)


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 900, 3), (900, 8, 3)])
def test_tiny_and_narrow_pictures_are_measured(detector: TextDetector, shape: tuple[int, int, int]) -> None:
    assert detector(np.full(shape, 90, np.uint8)) == (0.0, 0.0)
