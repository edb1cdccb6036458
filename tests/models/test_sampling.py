"""One sampler for numpy and torch; a candidate depends on its seed alone."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.registry import Sampling
from models.sampling import draw_noise, guided, mixed, sample, shifted, timesteps

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

HOW = Sampling(steps=4, shift=2.0, guidance=3.0, rescale=1.0)


def noise(seeds):
    return np.stack([draw_noise(seed, (4, 5, 3)) for seed in seeds])


def bent(latents, now):
    """Some velocities that depend on everything they may depend on."""
    return latents * (0.5 + now) - 0.3, latents * 0.2


@given(st.integers(1, 9), st.floats(1.0, 12.0))
def test_times_fall_from_noise_to_picture_and_shift_keeps_both_ends(steps, shift):
    times = timesteps(steps, shift)
    assert times[0] == 1.0 and times[-1] == 0.0 and len(times) == steps + 1
    assert all(later < now for now, later in pairwise(times))
    assert all(shifted(time, shift) >= time for time in times)


@pytest.mark.parametrize("steps", [1, 3, 8])
def test_a_straight_path_is_walked_to_its_end_in_any_number_of_steps(steps):
    picture, start = noise([5]), noise([6])
    walked = sample(lambda *_: (start - picture, None), start, Sampling(steps, 3.0, 1.0))
    assert np.allclose(walked, picture, atol=1e-5)
    assert np.allclose(mixed(picture, start, 0.0), picture) and np.allclose(mixed(picture, start, 1.0), start)


def test_numpy_and_torch_walk_the_same_path():
    start = noise([1, 2])
    by_numpy = sample(bent, start, HOW)
    by_torch = sample(bent, torch.from_numpy(start), HOW)
    assert by_numpy.dtype == np.float32 and np.abs(by_numpy - by_torch.numpy()).max() < 1e-5


def test_a_candidate_does_not_depend_on_its_batch_mates():
    alone, among = sample(bent, noise([7]), HOW), sample(bent, noise([3, 7, 9]), HOW)
    assert np.array_equal(alone[0], among[1])
    assert not np.allclose(among[0], among[1])


def test_temperature_brings_candidates_together_until_they_are_one():
    starts = noise([1, 2])
    apart = [
        float(np.ptp(sample(bent, starts, replace(HOW, temperature=warm)), axis=0).max()) for warm in (1.0, 0.4, 0.0)
    ]
    assert apart[0] > apart[1] > apart[2] == 0


def test_noise_repeats_itself_and_is_standard_normal():
    drawn = draw_noise(12, (64, 64))
    assert np.array_equal(drawn, draw_noise(12, (64, 64))) and drawn.dtype == np.float32
    assert abs(drawn.mean()) < 0.05 and abs(drawn.std() - 1) < 0.05
    assert not np.array_equal(draw_noise(-1, (4,)), draw_noise(1, (4,)))


@settings(max_examples=20)
@given(st.floats(1.0, 9.0))
def test_guidance_keeps_the_spread_of_what_it_guides(guidance):
    told, untold = noise([1, 2]), noise([3, 4])
    pushed = guided(told, untold, guidance, 1.0)
    assert np.allclose(pushed.std(axis=(1, 2, 3)), told.std(axis=(1, 2, 3)), rtol=1e-4)
    assert np.allclose(guided(told, untold, 1.0, 1.0), told, atol=1e-4)
