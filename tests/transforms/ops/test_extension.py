"""What a frame's edge promises: colours behind things, stuff of the same kind, light."""

import numpy as np
import pytest

from transforms.ops.extension import Frame, foreign, frame_of, light_of, promise, relit, spread_colours


def room(height: int = 120, width: int = 160) -> np.ndarray:
    """A blue wall over a pale floor."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2], pixels[height // 2 :] = (90, 120, 150), (205, 200, 190)
    return pixels


def test_what_a_thing_hides_is_what_its_rows_show() -> None:
    pixels, thing = room(), np.zeros((120, 160), bool)
    thing[30:100, :50] = True
    seen = pixels.copy()
    seen[thing] = (200, 20, 20)
    filled = spread_colours(seen, thing)
    assert np.array_equal(filled[~thing], pixels[~thing])
    assert (
        abs(filled[:57].astype(int) - pixels[:57]).max() <= 1 and abs(filled[64:].astype(int) - pixels[64:]).max() <= 1
    )


def test_a_row_that_is_hidden_whole_is_filled_from_around() -> None:
    pixels, thing = np.full((60, 80, 3), 120, np.uint8), np.zeros((60, 80), bool)
    thing[20:30] = True
    seen = pixels.copy()
    seen[thing] = 255
    assert abs(spread_colours(seen, thing).astype(int) - 120).max() <= 1


def test_a_wall_behind_a_floor_is_foreign_to_it_and_the_floor_is_not() -> None:
    other = foreign(room())
    assert other[:50].all() and not other[72:].any()


def test_light_that_falls_off_is_no_other_stuff() -> None:
    falloff = np.linspace(0.97, 1.0, 120)[:, None, None]
    floor = (np.full((120, 160, 3), 200) * falloff).astype(np.uint8)
    assert not foreign(floor).any()


def canvas(band: np.ndarray) -> tuple[np.ndarray, np.ndarray, Frame]:
    frame = Frame(0, 0, 100, 160)
    clean = np.full((100, 160, 3), 180, np.uint8)
    return np.concatenate([clean, band]), clean, frame


def test_a_patch_of_other_light_is_relit_and_its_texture_stays() -> None:
    grain = np.random.default_rng(2).normal(0, 3, (60, 160, 1))
    band = np.clip(180 + grain + np.zeros(3), 0, 255)
    band[20:, 60:120] -= 10
    painted, clean, frame = canvas(band.astype(np.uint8))
    lit = relit(painted, clean, frame)
    assert abs(lit[135:, 75:105].mean() - 180) < 5 < 180 - painted[135:, 75:105].mean()
    assert lit[125:, 70:110].std() == pytest.approx(painted[125:, 70:110].std(), rel=0.2)
    assert np.array_equal(lit[:100], painted[:100])


def test_another_thing_is_not_taken_for_another_light() -> None:
    painted, clean, frame = canvas(np.full((60, 160, 3), 90, np.uint8))
    assert abs(relit(painted, clean, frame)[140:].astype(int) - 90).max() <= 2


def test_light_leaves_texture_out_and_the_promise_repeats_the_edge() -> None:
    stripes = np.where((np.arange(160) // 2) % 2, 150, 170)[None, :, None] * np.ones((120, 1, 3))
    assert light_of(stripes.astype(np.uint8))[:, 20:-20].std() < 1.0
    assert promise(room(), 5).shape == (5, 160, 3) and promise(room(), 0).shape == (0, 160, 3)
    assert np.allclose(promise(room(), 5), (205, 200, 190), atol=0.5)


@pytest.mark.parametrize("hole", [(50, 30), None])
def test_a_frame_is_one_rectangle(hole: tuple[int, int] | None) -> None:
    known = np.zeros((80, 60), np.uint8)
    known[10:70, 5:60] = 255
    if hole is None:
        assert frame_of(known) == Frame(10, 5, 70, 60)
        return
    known[hole] = 0
    with pytest.raises(ValueError, match="rectangle"):
        frame_of(known)
