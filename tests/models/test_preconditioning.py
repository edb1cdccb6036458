"""Noise passes around the network: variance one in, variance one out, and a silent network is the best linear guess."""

import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from models.preconditioning import Moments, Preconditioning, Prior  # noqa: E402
from models.sampling import mixed  # noqa: E402

MEAN, SPREAD = torch.tensor([2.0, -1.0, 0.0]), torch.tensor([3.0, 0.5, 1.0])


@pytest.fixture(scope="module")
def drawn():
    """A fitted preconditioning, pictures of those moments, and noise."""
    torch.manual_seed(0)
    scales = Preconditioning(3)
    scales.fit(Moments(MEAN, SPREAD, {}))
    pictures = MEAN.view(1, 3, 1, 1) + SPREAD.view(1, 3, 1, 1) * torch.randn(4, 3, 60, 60)
    return scales, pictures, torch.randn_like(pictures)


NOTHING = Prior(MEAN.view(1, 3, 1, 1), SPREAD.view(1, 3, 1, 1))


@pytest.mark.parametrize("time", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_network_is_shown_and_asked_for_unit_variance_at_every_time(drawn, time):
    scales, pictures, noise = drawn
    when = torch.full((4, 1, 1, 1), time)
    shown = scales.shown(mixed(pictures, noise, when), when, NOTHING)
    assert shown.std((0, 2, 3)) == pytest.approx(torch.ones(3), abs=0.03)
    assert scales.standard(pictures).std((0, 2, 3)) == pytest.approx(torch.ones(3), abs=0.03)
    silent = scales.velocity(mixed(pictures, noise, when), when, torch.zeros_like(pictures), NOTHING)
    wanted = (silent - (noise - pictures)) * ((1 - when).square() * SPREAD.view(3, 1, 1) ** 2 + when.square()).sqrt()
    assert (wanted / SPREAD.view(3, 1, 1)).std((0, 2, 3)) == pytest.approx(torch.ones(3), abs=0.03)


@pytest.mark.parametrize("time", [0.1, 0.5, 0.8])
def test_no_other_multiple_of_the_deviation_guesses_better_than_a_silent_network(drawn, time):
    scales, pictures, noise = drawn
    when = torch.full((4, 1, 1, 1), time)
    latents = mixed(pictures, noise, when)
    guess = latents - when * scales.velocity(latents, when, torch.zeros_like(pictures), NOTHING)
    error = (guess - pictures).square().mean((0, 2, 3))
    centre = MEAN.view(1, 3, 1, 1)
    for factor in (0.5, 1.5):
        other = centre + factor * (guess - centre)
        assert (error < (other - pictures).square().mean((0, 2, 3))).all()


def test_the_remainder_in_the_picture_is_the_answer_times_its_spread(drawn):
    scales, pictures, noise = drawn
    when, answer = torch.full((4, 1, 1, 1), 0.4), torch.randn_like(pictures)
    latents = mixed(pictures, noise, when)
    silent = scales.velocity(latents, when, torch.zeros_like(answer), NOTHING)
    moved = scales.velocity(latents, when, answer, NOTHING) - silent
    total = 0.6**2 * SPREAD.view(1, 3, 1, 1) ** 2 + 0.4**2
    assert torch.allclose(-0.4 * moved, SPREAD.view(1, 3, 1, 1) * 0.4 / total.sqrt() * answer, atol=1e-5)


def test_a_channel_that_never_moves_divides_by_nothing():
    scales = Preconditioning(3)
    scales.fit(Moments(MEAN, torch.zeros(3), {}))
    assert torch.isfinite(scales.standard(torch.ones(1, 3, 2, 2))).all()


def test_what_is_given_is_carried_over_as_far_as_it_goes_with_the_picture():
    torch.manual_seed(0)
    scales, carried = Preconditioning(3), torch.tensor([0.9, 0.5, 0.0])
    scales.fit(Moments(MEAN, SPREAD, {"outpaint": carried}))
    own, other = (torch.randn(4, 3, 60, 60) for _ in range(2))
    share = carried.view(1, 3, 1, 1)
    pictures = NOTHING.mean + NOTHING.spread * own
    given = NOTHING.mean + NOTHING.spread * (share * own + (1 - share**2).sqrt() * other)
    known = torch.ones(4, 1, 60, 60)
    known[..., 30:] = 0
    prior = scales.prior(given, known, "outpaint")
    left = ((pictures - prior.mean) / prior.spread).square()
    assert left.mean((0, 2, 3)) == pytest.approx(torch.ones(3), abs=0.05)
    off = (pictures - prior.mean).square().mean((0, 2))[:, [0, -1]].sqrt()
    assert float(off[0, 0]) < 0.6 * float(off[0, 1])
    assert float(off[2, 0]) == pytest.approx(float(off[2, 1]), rel=0.3)


def test_each_task_has_its_own_share_of_what_is_given_and_one_that_was_not_fitted_none():
    scales = Preconditioning(3)
    carried = {"super_resolution": torch.full((3,), 0.9), "image_to_motion": torch.full((3,), 0.4)}
    scales.fit(Moments(MEAN, SPREAD, carried))
    given, known = NOTHING.mean + NOTHING.spread.expand(1, 3, 2, 2), torch.ones(1, 1, 2, 2)
    for task, share in {"super_resolution": 0.9, "image_to_motion": 0.4, "staging": 0.0}.items():
        prior = scales.prior(given, known, task)
        assert torch.allclose(prior.mean, NOTHING.mean + share * NOTHING.spread.expand(1, 3, 2, 2))
        assert torch.allclose(prior.spread, NOTHING.spread.expand(1, 3, 2, 2) * (1 - share**2) ** 0.5)


def test_correlations_that_say_too_much_or_the_opposite_are_kept_within_bounds():
    scales = Preconditioning(3)
    scales.fit(Moments(MEAN, SPREAD, {"outpaint": torch.tensor([1.0, -0.5, 0.3])}))
    assert scales.carried_outpaint.flatten().tolist() == pytest.approx([0.98, 0.0, 0.3])
    with pytest.raises(AttributeError, match="carried_dancing"):
        scales.prior(torch.zeros(1, 3, 2, 2), torch.ones(1, 1, 2, 2), "dancing")
