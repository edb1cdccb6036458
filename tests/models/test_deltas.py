"""Low-rank deltas: they begin at nothing, merge into their own base exactly, and belong to no other one."""

from dataclasses import asdict

import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("peft", reason="the extra `models` is not installed")

from models.canvas import Canvas, read_canvas  # noqa: E402
from models.checkpoint import write_checkpoint  # noqa: E402
from models.deltas import KIND, add_delta, delta_of, read_merged  # noqa: E402
from models.registry import CanvasSpec  # noqa: E402
from transforms.errors import ConfigError  # noqa: E402

SPECS = (CanvasSpec("unet", (32, 64), 1), CanvasSpec("dit", (64,), 1))
RANK = 2


def write_base(folder, spec, seed=0):
    torch.manual_seed(seed)
    network = Canvas(spec)
    for parameter in network.parameters():  # layers that begin at nothing would hide what they do
        if not parameter.abs().sum():
            torch.nn.init.normal_(parameter, std=0.05)
    return write_checkpoint(
        folder, dict(network.state_dict()), kind="canvas", spec=asdict(spec), data={}, recipe={}, metrics={}
    )


def answer(network):
    torch.manual_seed(1)
    latents, given = torch.randn(2, 1, 32, 5, 7)
    known, text, references = torch.rand(1, 1, 5, 7), torch.randn(1, 32, 128), torch.randn(1, 2, 32, 4, 4)
    with torch.no_grad():
        return network(latents, torch.tensor([0.4]), given, known, text, references, task="background")


@pytest.fixture(scope="module", params=SPECS, ids=lambda spec: spec.body)
def trained(request, tmp_path_factory):
    """(folder of a base, folder of a delta on it, the network that has both)."""
    folder = tmp_path_factory.mktemp(request.param.body)
    card = write_base(folder / "base", request.param)
    network = read_canvas(folder / "base")[0]
    before = answer(network)
    add_delta(network, RANK)
    assert torch.equal(answer(network), before)
    for name, parameter in network.named_parameters():
        assert parameter.requires_grad == (".lora_" in name)
        if ".lora_B." in name:  # as if it had been trained
            torch.nn.init.normal_(parameter, std=0.05)
    said = {"data": {"base": card.sha256}, "recipe": {"lora": RANK}, "metrics": {}}
    write_checkpoint(folder / "delta", delta_of(network), kind=KIND, spec=asdict(request.param), **said)
    assert not torch.allclose(answer(network), before, atol=1e-3)
    return folder / "base", folder / "delta", network


def test_a_delta_merged_answers_as_it_did_apart_and_leaves_a_plain_network(trained):
    base, delta, network = trained
    merged, card = read_merged(base, delta)
    assert torch.allclose(answer(merged), answer(network), atol=1e-4)
    plain = read_canvas(base)[0].state_dict()
    assert merged.state_dict().keys() == plain.keys() and type(merged) is Canvas
    assert card.recipe["lora"] == RANK and all(not torch.isnan(value).any() for value in merged.state_dict().values())


def test_every_linear_layer_and_convolution_has_one_and_it_is_small(trained):
    base, delta, _ = trained
    merged, plain = read_merged(base, delta)[0].state_dict(), read_canvas(base)[0].state_dict()
    still = {name for name in plain if torch.equal(plain[name], merged[name])}
    assert not any(name.endswith("weight") and plain[name].ndim > 1 for name in still)
    assert (delta / "weights.safetensors").stat().st_size < 0.5 * (base / "weights.safetensors").stat().st_size


def test_another_base_a_whole_network_and_an_empty_rank_are_refused(trained, tmp_path):
    base, delta, network = trained
    write_base(tmp_path / "other", network.spec, seed=1)
    with pytest.raises(ConfigError, match="belongs to the base"):
        read_merged(tmp_path / "other", delta)
    with pytest.raises(ConfigError, match="kind 'canvas', asked was 'canvas_delta'"):
        read_merged(base, base)
    with pytest.raises(ConfigError, match="kind 'canvas_delta', asked was 'canvas'"):
        read_canvas(delta)
    with pytest.raises(ConfigError, match="rank 0"):
        add_delta(read_canvas(base)[0], 0)
