"""The autoencoder begins as the best linear code, keeps what is known, and treats every place alike."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from models.autoencoder import Autoencoder, AutoencoderSpec, joined  # noqa: E402
from models.data.backdrops import draw_room  # noqa: E402
from transforms.records import Size  # noqa: E402

SMALL = AutoencoderSpec(channels=8, widths=(8, 8, 16, 16), depths=(1, 1, 1, 1))


@pytest.fixture(scope="module")
def rooms():
    rngs = (np.random.Generator(np.random.Philox(number)) for number in range(6))
    rooms = np.stack([draw_room(rng, Size(96, 64)) for rng in rngs])
    return torch.from_numpy(rooms).permute(0, 3, 1, 2).contiguous() * 2 - 1


def answer(network, pictures, known=None):
    known = torch.zeros_like(pictures[:, :1]) if known is None else known
    with torch.no_grad():
        return network.decoder(network.encoder(pictures), pictures, known)


def begun(rooms):
    torch.manual_seed(0)
    network = Autoencoder(SMALL).eval()
    network.begin_linear(rooms)
    return network


def test_before_any_step_it_is_better_than_each_cells_mean_and_latents_have_unit_spread(rooms):
    network = begun(rooms)
    flat = torch.nn.functional.interpolate(torch.nn.functional.avg_pool2d(rooms, 16), scale_factor=16.0)
    assert (answer(network, rooms) - rooms).square().mean() < 0.5 * (flat - rooms).square().mean()
    with torch.no_grad():
        latents = network.encoder(rooms)
    assert latents.shape == (6, 8, 6, 4)
    assert 0.8 < float(latents.std()) < 1.2


def test_normalising_moves_latents_and_leaves_pictures(rooms):
    network = begun(rooms)
    before = answer(network, rooms)
    latents = (network.encoder(rooms) * 3 + 2).detach().transpose(0, 1).flatten(1)
    network.normalise(latents.mean(1), latents.std(1))
    assert torch.allclose(answer(network, rooms), before, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_channels_keep_a_power_of_their_weight_and_leave_pictures(rooms, spread):
    network = begun(rooms)
    before = answer(network, rooms)
    latents = network.encoder(rooms).transpose(0, 1).flatten(1)
    network.normalise(latents.mean(1), latents.std(1), spread)
    kept = network.encoder(rooms).transpose(0, 1).flatten(1).std(1)
    assert float(kept.square().mean()) == pytest.approx(1.0, rel=1e-3)
    assert torch.allclose(answer(network, rooms), before, atol=1e-4)
    weight = network.decoder.linear.weight.flatten(1).norm(dim=1) * network.decoder.scale.flatten()
    # pixels per latent times latents per pixel: the picture's own proportions
    own = (weight * kept) ** spread
    assert torch.allclose(kept / kept[0], own / own[0], rtol=1e-2)


def test_what_is_known_comes_back_exactly_and_counts_only_where_it_is_known(rooms):
    network = begun(rooms)
    for guide in network.decoder.guides:
        torch.nn.init.normal_(guide.mix.weight, std=0.05)
    for block in network.decoder.head[1:2]:
        torch.nn.init.normal_(block.weight, std=0.05)
    known = torch.zeros_like(rooms[:, :1])
    known[..., 20:60, :] = 1
    with torch.no_grad():
        latents = network.encoder(rooms)
        painted = network.decoder(latents, rooms, known)
        other = network.decoder(latents, rooms * known - (1 - known), known)
        without = network.decoder(latents, rooms, torch.zeros_like(known))
    assert torch.equal(painted, other) and not torch.allclose(painted, without)
    assert torch.equal(joined(painted, rooms, known)[..., 20:60, :], rooms[..., 20:60, :])


def test_a_place_is_decoded_alike_wherever_the_picture_ends(rooms):
    network = begun(rooms)
    tall = torch.cat([rooms, rooms, rooms], 2)
    middle = answer(network, tall)[..., 96:192, :]
    cut = answer(network, tall[..., 48:240, :])[..., 48:144, :]
    assert torch.allclose(middle[..., 32:64, :], cut[..., 32:64, :], atol=1e-4)


def test_a_level_that_grew_in_training_counts_no_more_than_before(rooms):
    network = begun(rooms)
    torch.nn.init.normal_(network.decoder.head[1].weight, std=0.05)
    torch.nn.init.normal_(network.encoder.head.weight, std=0.05)
    before = answer(network, rooms)
    with torch.no_grad():
        for layer in (*(up[0] for up in network.decoder.ups), network.encoder.to_eighth, network.encoder.to_sixteenth):
            layer.weight *= 100
            layer.bias *= 100
    assert torch.allclose(answer(network, rooms), before, atol=1e-3)


def test_the_linear_maps_guess_a_cell_better_with_its_neighbours_than_alone(rooms):
    network = begun(rooms)
    with torch.no_grad():
        latents = network.encoder(rooms)
        among = (network.decoder.linear_part(latents) - rooms).square().mean()
        kernel = network.decoder.linear.weight
        own = torch.zeros_like(kernel)
        own[..., 16:32, 16:32] = kernel[..., 16:32, 16:32]
        kernel.copy_(own)
        alone = (network.decoder.linear_part(latents) - rooms).square().mean()
    assert among < 0.95 * alone
