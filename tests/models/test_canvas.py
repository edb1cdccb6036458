"""Both bodies of the base take any size, heed every condition, and never look at batch mates."""

from copy import deepcopy
from dataclasses import asdict

import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from models.canvas import Canvas, latent_size, read_canvas  # noqa: E402
from models.checkpoint import write_checkpoint  # noqa: E402
from models.preconditioning import Moments  # noqa: E402
from models.registry import SPECS, VARIANTS, CanvasSpec  # noqa: E402
from transforms.errors import ConfigError  # noqa: E402

BODIES = (CanvasSpec("unet", (32, 64), 1), CanvasSpec("dit", (64,), 1))


def inputs(batch=2, height=5, width=7):
    torch.manual_seed(1)
    latents, given = torch.randn(2, batch, 32, height, width)
    return {
        "latents": latents,
        "time": torch.linspace(0.2, 0.9, batch),
        "given": given,
        "known": torch.rand(batch, 1, height, width),
        "text": torch.randn(batch, 32, 128),
        "references": torch.randn(batch, 2, 32, 4, 4),
        "task": "outpaint",
    }


@pytest.fixture(scope="module", params=BODIES, ids=lambda spec: spec.body)
def network(request):
    torch.manual_seed(0)
    network = Canvas(request.param).eval()
    for parameter in network.parameters():  # layers that begin at nothing would hide what they do
        if not parameter.abs().sum():
            torch.nn.init.normal_(parameter, std=0.05)
    return network


@torch.no_grad()
def test_velocities_have_the_latents_shape_at_odd_sizes_with_and_without_references(network):
    given = inputs()
    assert network(**given).shape == (2, 32, 5, 7)
    assert network(**{**given, "references": None}).shape == (2, 32, 5, 7)


@torch.no_grad()
@pytest.mark.parametrize("name", ["latents", "time", "given", "known", "text", "references"])
def test_every_input_counts(network, name):
    given = inputs()
    assert not torch.allclose(network(**given), network(**{**given, name: given[name] * 0.5}), atol=1e-6)


@torch.no_grad()
def test_an_item_does_not_see_its_batch_mates(network):
    given = inputs()
    alone = network(**{name: value if name == "task" else value[1:] for name, value in given.items()})
    assert torch.allclose(network(**given)[1:], alone, atol=1e-5)


def written(folder, network, tensors):
    """A checkpoint of the network's spec with other tensors."""
    write_checkpoint(folder, tensors, kind="canvas", spec=asdict(network.spec), data={}, recipe={}, metrics={})
    return folder


@torch.no_grad()
def test_each_task_is_carried_by_its_own_correlation_and_a_checkpoint_keeps_them(tmp_path, network):
    given = inputs() | {"known": torch.ones(2, 1, 5, 7)}
    fitted = deepcopy(network)
    carried = {"super_resolution": torch.full((32,), 0.9), "image_to_motion": torch.full((32,), 0.4)}
    fitted.preconditioning.fit(Moments(torch.zeros(32), torch.ones(32), carried))
    read = read_canvas(written(tmp_path, network, fitted.state_dict()))[0]
    answers = {task: read(**(given | {"task": task})) for task in (*carried, "staging")}
    for task, answer in answers.items():
        assert torch.equal(answer, fitted(**(given | {"task": task})))
        assert torch.allclose(answer, network(**given), atol=1e-5) == (task == "staging")
    assert not torch.allclose(answers["super_resolution"], answers["image_to_motion"], atol=1e-3)


@torch.no_grad()
def test_weights_with_one_correlation_carry_every_task_by_it_and_older_ones_carry_nothing(tmp_path, network):
    own = {name: tensor for name, tensor in network.state_dict().items() if ".carried" not in name}
    joint = torch.linspace(0, 0.9, 32).view(1, 32, 1, 1)
    one = read_canvas(written(tmp_path / "one", network, own | {"preconditioning.carried": joint}))[0]
    older = read_canvas(written(tmp_path / "older", network, own))[0]
    for task in VARIANTS:
        assert torch.equal(getattr(one.preconditioning, f"carried_{task}"), joint)
        assert not getattr(older.preconditioning, f"carried_{task}").any()
    assert torch.equal(older(**inputs()), network(**inputs()))


def test_weights_of_an_earlier_network_are_refused_in_words(tmp_path, network):
    weights = {name: tensor for name, tensor in network.state_dict().items() if "preconditioning" not in name}
    written(tmp_path, network, weights)
    with pytest.raises(ConfigError, match="a network that is no more"):
        read_canvas(tmp_path)


def test_the_tables_agree_with_themselves():
    assert sum(variant.share for variant in VARIANTS.values()) == pytest.approx(1.0)
    assert all(name == variant.name for name, variant in VARIANTS.items())
    assert SPECS["canvas-s"].body == "unet" and latent_size(608, 416) == (38, 26)
