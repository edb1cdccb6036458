"""The benchmark tells a decoder that adds something from one whose linear part is all that it answers."""

import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from benchmarks.autoencoder import linear_part, read_model, through  # noqa: E402
from models.autoencoder import Autoencoder  # noqa: E402
from models.training.runs import save  # noqa: E402
from transforms.errors import ConfigError  # noqa: E402


@torch.no_grad()
def test_a_decoder_that_adds_nothing_answers_its_linear_part_and_one_that_adds_does_not():
    torch.manual_seed(0)
    network, pictures = Autoencoder().eval(), torch.rand(1, 3, 48, 32) * 2 - 1
    network.normalise(torch.full((32,), 0.5), torch.full((32,), 2.0))
    assert torch.allclose(through(network)(pictures), linear_part(network)(pictures), atol=1e-6)
    torch.nn.init.normal_(network.decoder.head[1].weight)
    assert not torch.allclose(through(network)(pictures), linear_part(network)(pictures), atol=0.1)


def test_a_run_that_is_under_way_is_read_by_its_averaged_weights(tmp_path):
    network = Autoencoder()
    save({"network": Autoencoder().state_dict(), "average": network.state_dict(), "step": 3}, tmp_path / "some.pt")
    read, recipe = read_model(tmp_path / "some.pt")
    assert all(torch.equal(a, b) for a, b in zip(read.parameters(), network.parameters(), strict=True))
    assert not recipe
    with pytest.raises(ConfigError):
        read_model(tmp_path / "none.pt")
