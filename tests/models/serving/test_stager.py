"""The shipped stager: shadows fall away from the light, the set keeps its detail at any size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.serving.stager import load_stager, paint, upscale
from transforms.ops import studio
from transforms.ops.shadows import KeyLight
from transforms.records import Pixels

GUIDE = np.zeros((1, 1, 2), np.int16)


def product(height: int, width: int) -> tuple[Pixels, Pixels]:
    """A dark box that stands in the lower half: image, alpha."""
    alpha = np.zeros((height, width), np.uint8)
    alpha[round(0.45 * height) : round(0.8 * height), round(0.38 * width) : round(0.62 * width)] = 255
    image = np.where(alpha[..., None] > 0, np.uint8(60), np.uint8(128)) * np.ones(3, np.uint8)
    return image, alpha


def room(height: int, width: int) -> Pixels:
    """A wall above a floor, both a little rough."""
    rows = np.arange(height)[:, None, None]
    plain = np.where(rows < 0.6 * height, (205.0, 200.0, 190.0), (160.0, 125.0, 95.0)) * np.ones((1, width, 1))
    rough = np.random.Generator(np.random.Philox(3)).normal(0, 6, (height, width, 1))
    return np.clip(plain + rough, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("across", [-1.1, 1.1])
def test_a_shadow_falls_away_from_the_light_and_the_far_corner_is_left_alone(across: float) -> None:
    image, alpha = product(608, 416)
    ground = room(608, 416)
    scene = load_stager()(ground, image, alpha, KeyLight(across, 0.3, 0.15))
    change = scene.mean(axis=2) - ground.mean(axis=2)
    left, right = change[440:485, 95:150].mean(), change[440:485, 266:321].mean()
    away, toward = (right, left) if across > 0 else (left, right)
    assert away < toward - 5 and away < -8
    assert abs(change[:60].mean()) < 6
    fine = [picture - cv2.GaussianBlur(picture, (0, 0), 3) for picture in (scene, ground.astype(np.float32))]
    assert np.corrcoef(fine[0][:250].ravel(), fine[1][:250].ravel())[0, 1] > 0.99


@pytest.mark.parametrize("prompt", ["wooden floor, living room", "marble table", "sage, paper backdrop"])
def test_the_winner_looks_as_it_did_when_it_was_ranked(prompt: str) -> None:
    stage, (image, alpha) = load_stager(), product(1500, 1000)
    small, matte = studio.shrink(image, alpha, (608, 416))
    candidate, _ = paint(stage, small, matte, matte, prompt, 7)
    scene = upscale(stage, image, alpha, alpha, candidate, GUIDE, prompt, 7)
    # a wooden floor's grain is finer than half a pixel of the small one, by which the two may lie apart
    again, seen = (
        cv2.GaussianBlur(each, (0, 0), 1.0)
        for each in (cv2.resize(scene, (416, 608), interpolation=cv2.INTER_AREA), candidate)
    )
    free = cv2.dilate(matte, np.ones((9, 9), np.uint8)) == 0
    assert scene.shape == (1500, 1000, 3)
    assert np.abs(again.astype(int) - seen)[free].mean() < 3


@pytest.mark.parametrize("prompt", ["sage, paper backdrop", "living room, hung"])
def test_without_a_room_the_picture_is_the_studios_own(prompt: str) -> None:
    image, alpha = product(608, 416)
    painted, guide = paint(load_stager(), image, alpha, alpha, prompt, 7)
    assert (painted == studio.paint(image, alpha, alpha, prompt, 7)).all() and not guide.any()


def test_in_a_room_shadows_are_between_the_networks_and_the_studios() -> None:
    stage, (image, alpha) = load_stager(), product(608, 416)
    prompt = "wooden floor, living room"
    bare = studio.bare_room(image, alpha, prompt, 7, alpha)
    assert bare is not None
    staged, guide = paint(stage, image, alpha, alpha, prompt, 7)
    own = studio.paint(image, alpha, alpha, prompt, 7)
    alone = stage(np.rint(bare.picture).astype(np.uint8), image, alpha, bare.key)
    free = cv2.dilate(alpha, np.ones((41, 41), np.uint8)) == 0
    means = [float(picture[free].mean()) for picture in (alone, staged, own)]
    assert guide.all() and min(means[0], means[2]) - 0.2 < means[1] < max(means[0], means[2]) + 0.2
    assert (staged != own).any()


def test_both_engines_paint_the_same() -> None:
    (image, alpha), ground = product(608, 416), room(608, 416)
    scenes = [
        load_stager(engine=engine)(ground, image, alpha, KeyLight(0.8, 0.3, 0.15))
        for engine in ("onnxruntime", "openvino")
    ]
    assert np.abs(scenes[0] - scenes[1]).max() < 0.1, "levels of 255"
