from __future__ import annotations

import json
from importlib.resources import files

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.ops import empty_sets, studio
from transforms.ops.empty_sets import PICTURES, Place, asked_for, cut, find_place, light_in, picture_of, stock
from transforms.ops.oklab import to_linear
from transforms.prompt_table import shipped

SIZES = st.sampled_from([(304, 208), (256, 256), (208, 304)])


def box(size: tuple[int, int], tall: float, wide: float, base: float = 0.86) -> np.ndarray:
    height, width = size
    matte = np.zeros(size, np.float32)
    bottom, half = round(base * height), max(2, round(wide * width / 2))
    matte[max(0, bottom - max(3, round(tall * height))) : bottom, width // 2 - half : width // 2 + half] = 1
    return matte


def product(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    matte = (box(size, 0.5, 0.5) * 255).astype(np.uint8)
    image = np.full((*size, 3), 128, np.uint8)
    image[matte > 0] = (170, 60, 40)
    return image, matte


def test_the_prompts_that_categories_bring_ask_for_no_room() -> None:
    assert all(
        not asked_for(prompt) for category in (*shipped().categories, shipped().other) for prompt in category.prompts
    )


def test_every_set_is_reached_by_each_of_its_phrases() -> None:
    for empty in stock():
        assert empty.name in {each.name for word in empty.words for each in asked_for(f"a nice {word}, soft light")}
        assert all(asked_for(word) for word in empty.words)


def test_more_of_a_sets_words_win() -> None:
    assert {each.name for each in asked_for("concrete floor and a brick wall")} == {"concrete_loft"}
    assert len(asked_for("Wooden Floor")) > 2
    assert asked_for("cosy living-room") == asked_for("cosy living room") != ()


@settings(max_examples=60, deadline=None)
@given(SIZES, st.floats(0.08, 0.8), st.floats(0.1, 0.9), st.floats(0.6, 0.98), st.integers(0, 50))
def test_a_product_stands_on_the_floor_of_a_set_that_covers_the_placement(
    size: tuple[int, int], tall: float, wide: float, base: float, seed: int
) -> None:
    matte = box(size, tall, wide, base)
    place = find_place(matte, "wooden floor", seed, 0.0)
    if place is None:
        return
    assert cut(place, size).shape == (*size, 3)
    assert place.down <= 1e-6 and place.down + place.scale >= 1 - 1e-6
    assert place.across <= 1e-6 and place.across + place.scale * place.empty.ratio >= size[1] / size[0] - 1e-6
    foot = round(base * size[0]) / size[0]
    assert foot > place.scale * place.empty.end + place.down


@pytest.mark.parametrize("tall", [0.3, 0.5, 0.7])
def test_usual_products_find_room(tall: float) -> None:
    for prompt in ("wooden floor", "terrace", "bathroom", "marble table", "oak table", "desk"):
        assert find_place(box((304, 208), tall, 0.6), prompt, 3, 0.0) is not None


def test_perspective_follows_from_the_products_size() -> None:
    """A metre at the product's foot is as long as the set's camera height over the rows below the horizon."""
    for tall in (0.3, 0.5, 0.7):
        place = find_place(box((304, 304), tall, tall), "terrace", 0, 0.0)
        assert place is not None
        foot, horizon = round(0.86 * 304) / 304, place.scale * place.empty.horizon + place.down
        assert (foot - horizon) / place.empty.eye_m == pytest.approx(tall / place.height_m, rel=0.03)
        assert 0.2 < place.height_m < 1.6


def test_a_set_is_mirrored_where_the_product_is_lit_from_the_other_side() -> None:
    matte = box((304, 208), 0.5, 0.5)
    left, right = (find_place(matte, "terrace", 0, side) for side in (-1.0, 1.0))
    assert left is not None and right is not None
    assert left.mirrored != right.mirrored
    across = [-place.empty.key.across if place.mirrored else place.empty.key.across for place in (left, right)]
    assert across[0] > 0 > across[1]


@pytest.mark.parametrize(("prompt", "wall"), [("wooden floor", True), ("oak table", False)])
def test_the_shadow_falls_on_the_floor_and_goes_on_where_a_wall_stands(prompt: str, wall: bool) -> None:
    matte = box((304, 208), 0.5, 0.4)
    place = find_place(matte, prompt, 1, 0.0)
    assert place is not None
    lit, bare = light_in(place, matte), to_linear(cut(place, matte.shape))
    end = round((place.scale * place.empty.end + place.down) * 304)
    assert (lit <= bare + 1e-6).all()
    foot = slice(round(0.86 * 304), round(0.89 * 304))
    assert lit[foot, 80:130].mean() < 0.95 * bare[foot, 80:130].mean()
    above = (bare - lit)[: end - 5] / np.maximum(bare[: end - 5], 0.05)
    assert 0.1 < above.max() < 0.6 if wall else above.max() < 1e-5
    assert np.allclose(lit[: round(0.3 * 304)], bare[: round(0.3 * 304)], atol=0.01)


@pytest.mark.parametrize("prompt", ["living room, standing on the floor", "oak table, standing on the floor"])
def test_painting_repeats_itself_and_the_large_picture_is_the_small_one(prompt: str) -> None:
    small_image, small_matte = product((304, 208))
    image, matte = product((608, 416))
    known = np.zeros((608, 416), np.uint8)
    guide = np.zeros((304, 208, 2), np.int16)
    candidate = studio.paint(*studio.shrink(image, matte, (304, 208)), known[:304, :208], prompt, 7)
    again = studio.paint(*studio.shrink(image, matte, (304, 208)), known[:304, :208], prompt, 7)
    assert np.array_equal(candidate, again)
    large = studio.upscale(image, matte, known, candidate, guide, prompt, 7)
    halved = large.reshape(304, 2, 208, 2, 3).mean(axis=(1, 3))
    away = small_matte == 0
    assert np.abs(halved - candidate)[away].mean() < 6
    assert not np.array_equal(candidate, studio.paint(small_image, small_matte, known[:304, :208], "soft light", 7))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("prompt", "down", "across"), [("wooden floor", -0.8, -0.3), ("oak table", 0.0, -1.0)])
def test_a_part_of_a_set_is_what_the_whole_set_shows_there(
    prompt: str, down: float, across: float, mirrored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(asked_for(prompt)[0], 1.0, 2.4, down, across, mirrored)
    whole = cut(place, (701, 633))
    enlarged, resize = [], cv2.resize

    def watched(picture: np.ndarray, size: tuple[int, int], **how: int) -> np.ndarray:
        enlarged.append(size[0] * size[1])
        return np.asarray(resize(picture, size, **how))

    monkeypatch.setattr(cv2, "resize", watched)
    monkeypatch.setattr(empty_sets, "_MOST_WHOLE", 1000)
    part = cut(place, (701, 633))
    assert part.shape == whole.shape and np.abs(part.astype(int) - whole).mean() < 1
    assert enlarged[0] < 1.1 * whole[..., 0].size


def test_a_huge_placement_does_not_enlarge_what_it_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    enlarged: list[int] = []

    def watched(picture: np.ndarray, size: tuple[int, int], **_: int) -> np.ndarray:
        enlarged.append(size[0] * size[1])
        return np.zeros((size[1], size[0], 3), np.uint8)

    monkeypatch.setattr(cv2, "resize", watched)
    cut(Place(asked_for("oak table")[0], 1.0, 2.4, -0.7, -0.2, False), (4096, 4096))
    assert enlarged[0] < 1.1 * 4096**2


def test_what_hangs_is_painted_in_the_studio() -> None:
    image, matte = product((304, 208))
    hung = [
        studio.paint(image, matte, matte, f"{words}soft light, hung on the wall", 3) for words in ("living room, ", "")
    ]
    assert np.array_equal(*hung)


def test_shipped_sets_are_small_whole_and_in_the_public_domain() -> None:
    folder = files("transforms") / "data/empty_sets"
    facts = json.loads((folder / "empty_sets.json").read_text())
    assert set(facts) == {name.removesuffix(".webp") for name in PICTURES}
    assert all(each["licence"] == "CC0-1.0" for each in facts.values())
    assert sum(len((folder / name).read_bytes()) for name in PICTURES) < 1_500_000
    for name, each in facts.items():
        height, width = picture_of(name).shape[:2]
        assert width / height == pytest.approx(each["ratio"], abs=0.01)
        assert 0 < each["horizon"] < each["end"] < 1 and 0 < each["key_share"] < 1
