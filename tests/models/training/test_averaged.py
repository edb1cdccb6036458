"""The steps that two trainers share, on a network of one layer."""

from dataclasses import dataclass

import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from models.training.averaged import PARTS, descend, load_state, rate_at  # noqa: E402
from models.training.runs import save  # noqa: E402


@dataclass(frozen=True)
class Recipe:
    steps: int = 100
    rate: float = 1.0
    weight_decay: float = 0.0
    warm_steps: int = 10
    fall: float = 0.5
    average: float = 0.9
    seed: int = 3


def make():
    return torch.nn.Conv2d(1, 1, 1)


def loss_of(network):
    return network(torch.ones(1, 1, 2, 2)).square().mean()


def test_the_rate_warms_up_and_falls_to_nothing():
    assert [rate_at(Recipe(), step) for step in (0, 9, 49, 75, 100)] == [0.1, 1.0, 1.0, 0.5, 0.0]


def test_a_step_goes_down_and_the_average_follows(tmp_path):
    recipe = Recipe(rate=0.05)
    state = load_state(make, tmp_path / "none.pt", recipe)
    first = loss_of(state.network).item()
    for _ in range(20):
        descend(state, recipe, loss_of(state.network))
    assert state.step == 20 and loss_of(state.network).item() < first
    own, averaged = (dict(one.named_parameters())["weight"].item() for one in (state.network, state.average))
    begun = load_state(make, tmp_path / "none.pt", recipe).network.weight.item()
    assert min(own, begun) < averaged < max(own, begun)


def test_a_checkpoint_is_gone_on_from(tmp_path):
    recipe = Recipe(rate=0.05)
    state = load_state(make, tmp_path / "c.pt", recipe)
    descend(state, recipe, loss_of(state.network))
    save({**{name: getattr(state, name).state_dict() for name in PARTS}, "step": state.step}, tmp_path / "c.pt")
    again = load_state(make, tmp_path / "c.pt", recipe)
    for each in (state, again):
        descend(each, recipe, loss_of(each.network))
    assert again.step == 2 and torch.equal(again.network.weight, state.network.weight)
