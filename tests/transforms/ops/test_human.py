import json
from hashlib import sha256
from importlib.resources import files

import cv2
import numpy as np
import pytest

from transforms.ops.human import (
    FACE_SCORE,
    FEATURES,
    HEAD,
    FaceFinder,
    HumanDetector,
    feature_network,
    network_input,
    open_session,
    views,
)
from transforms.records import Pixels

DATA = files("transforms") / "data"


@pytest.fixture(scope="module")
def detector() -> HumanDetector:
    return HumanDetector()


def stool() -> Pixels:
    pixels = np.full((400, 300, 3), 245, np.uint8)
    cv2.rectangle(pixels, (90, 140), (210, 165), (150, 100, 60), -1)
    for x in (100, 190):
        cv2.rectangle(pixels, (x, 165), (x + 10, 330), (130, 85, 50), -1)
    return pixels


def portrait() -> Pixels:
    """A face drawn with light and shade where a face has them."""
    skin, hair, dark = (205, 165, 140), (60, 40, 30), (40, 30, 30)
    pixels = np.full((320, 320, 3), 235, np.uint8)
    cv2.ellipse(pixels, (160, 165), (85, 115), 0, 0, 360, skin, -1)
    cv2.ellipse(pixels, (160, 80), (92, 62), 0, 180, 360, hair, -1)
    for x in (125, 195):
        cv2.ellipse(pixels, (x, 150), (24, 14), 0, 0, 360, (120, 85, 70), -1)
        cv2.ellipse(pixels, (x, 150), (11, 8), 0, 0, 360, dark, -1)
        cv2.ellipse(pixels, (x, 125), (26, 7), 0, 0, 360, hair, -1)
    cv2.line(pixels, (160, 145), (160, 200), (225, 190, 165), 12)
    cv2.ellipse(pixels, (160, 205), (20, 7), 0, 0, 360, (150, 110, 95), -1)
    cv2.ellipse(pixels, (160, 240), (34, 9), 0, 0, 360, (140, 70, 70), -1)
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 3), dtype=np.uint8)


def test_a_face_that_fills_the_picture_is_a_human(detector: HumanDetector) -> None:
    assert FaceFinder()(portrait())
    assert detector(portrait()) >= FACE_SCORE


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 700, 3), (300, 300, 3)])
def test_no_face_is_found_where_there_is_none(shape: tuple[int, int, int]) -> None:
    assert not FaceFinder()(np.full(shape, 120, np.uint8))
    assert not FaceFinder()(stool())


def test_views_are_the_whole_picture_and_its_corners() -> None:
    pixels = np.zeros((100, 50, 3), np.uint8)
    pixels[:10, :10] = 255
    whole, top_left, *others = (view.mean() for view in views(pixels))
    assert 0 < whole < top_left
    assert others == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 700, 3), (900, 2, 3), (224, 224, 3)])
def test_any_picture_gives_five_views_of_the_networks_size(shape: tuple[int, int, int]) -> None:
    assert views(np.full(shape, 7, np.uint8)).shape == (5, 224, 224, 3)


def test_the_networks_input_is_bgr_less_its_mean() -> None:
    square = np.zeros((1, 224, 224, 3), np.uint8)
    square[..., 0] = 123
    np.testing.assert_allclose(network_input(square)[0, 0, 0], (-104.0, -117.0, 0.0))


def test_a_stool_on_a_plain_backdrop_is_no_human(detector: HumanDetector) -> None:
    assert detector(stool()) < 0.75


def test_scores_are_probabilities_and_repeat_exactly(detector: HumanDetector) -> None:
    generator = np.random.Generator(np.random.Philox(1))
    for shape in ((50, 70, 3), (300, 200, 3)):
        pixels = generator.integers(0, 256, shape, dtype=np.uint8)
        scores = detector.view_scores(pixels)
        assert scores.shape == (5,)
        assert ((scores >= 0) & (scores <= 1)).all()
        assert detector(pixels) == (FACE_SCORE if FaceFinder()(pixels) else max(scores[0], np.sort(scores[1:])[-2]))


def test_the_merged_graph_is_the_network_with_the_cards_head_behind_it(detector: HumanDetector) -> None:
    import onnx
    from onnx import numpy_helper

    head = onnx.load_from_string((DATA / HEAD).read_bytes())
    weight, bias = (numpy_helper.to_array(tensor) for tensor in head.graph.initializer)
    session = open_session(feature_network().SerializeToString())
    pixels = network_input(views(stool()))
    (features,) = session.run([FEATURES], {session.get_inputs()[0].name: pixels})
    expected = 1 / (1 + np.exp(-(features @ weight + bias)))[:, 0]
    np.testing.assert_allclose(detector.view_scores(stool()), expected, atol=1e-5)


def test_the_card_names_this_very_head_and_its_figures() -> None:
    card = json.loads((DATA / "human_head.json").read_text(encoding="utf-8"))
    assert card["sha256"] == sha256((DATA / HEAD).read_bytes()).hexdigest()
    assert card["figures_held_out_single_view"]["auc"] > 0.9
    assert {"data", "samples", "seed", "license", "backbone"} <= set(card)
