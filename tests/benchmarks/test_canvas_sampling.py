"""The table of samplers: noise that was left is rougher than the real thing, and what is known does not count."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from benchmarks.canvas_sampling import figures_of, roughness  # noqa: E402
from models.canvas import Canvas  # noqa: E402
from models.registry import SPECS, Sampling  # noqa: E402


class HeldOut:
    """Two pairs of one file, half of each known."""

    paths, counts = ("one",), (2,)

    def rows(self, file, rows, captions):
        torch.manual_seed(1)
        known = torch.zeros(len(rows), 1, 6, 8)
        known[..., :4] = 1
        latents = torch.randn(len(rows), 32, 6, 8)
        return {"target": latents, "given": latents, "known": known, "text": torch.zeros(len(rows), 32, 128)}


def test_noise_is_rougher_than_what_is_smooth_and_what_is_known_does_not_count():
    rows = torch.arange(6.0)[:, None].expand(1, 32, 6, 8)
    unknown = torch.ones(1, 1, 6, 8)
    assert roughness(rows, unknown) == pytest.approx(0.5)
    assert roughness(torch.randn(1, 32, 6, 8), unknown) == pytest.approx(2, rel=0.1)
    spoiled = rows.clone()
    spoiled[..., :4] = 100 * torch.randn(1, 32, 6, 4)
    unknown[..., :4] = 0
    assert roughness(spoiled, unknown) == pytest.approx(0.5)


def test_less_noise_to_begin_with_leaves_less_of_it():
    torch.manual_seed(0)
    network = Canvas(SPECS["canvas-rehearsal"]).eval()
    found = [figures_of(network, HeldOut(), "outpaint", Sampling(2, 6.0, 1.0, temperature=t), 2) for t in (0.1, 1.0)]
    assert np.isfinite(found).all() and found[0][1] < found[1][1]
