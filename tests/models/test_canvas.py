"""Both bodies of the base take any size, heed every condition, and never look at batch mates."""

from dataclasses import asdict

import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from models.canvas import Canvas, latent_size, read_canvas  # noqa: E402
from models.checkpoint import write_checkpoint  # noqa: E402
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
    alone = network(**{name: value[1:] for name, value in given.items()})
    assert torch.allclose(network(**given)[1:], alone, atol=1e-5)


def test_weights_of_an_earlier_network_are_refused_in_words(tmp_path, network):
    weights = {name: tensor for name, tensor in network.state_dict().items() if "preconditioning" not in name}
    write_checkpoint(tmp_path, weights, kind="canvas", spec=asdict(network.spec), data={}, recipe={}, metrics={})
    with pytest.raises(ConfigError, match="a network that is no more"):
        read_canvas(tmp_path)


def test_the_tables_agree_with_themselves():
    assert sum(variant.share for variant in VARIANTS.values()) == pytest.approx(1.0)
    assert all(name == variant.name for name, variant in VARIANTS.items())
    assert SPECS["canvas-s"].body == "unet" and latent_size(608, 416) == (38, 26)
