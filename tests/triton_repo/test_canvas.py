"""The Canvas painters in the real server, with small random weights that were exported as trained ones are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from variants import write_variant

from models.export.repository import SOURCE
from pipelines.embedded import EmbeddedServer
from transforms.inference.client import TritonClient
from transforms.inference.config import Retry, ServingConfig

pytest.importorskip("diffusers", reason="the extra `models` is not installed")
pytestmark = pytest.mark.triton

PAINTERS = ("canvas_background", "canvas_outpaint")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server of both painters."""
    folder = tmp_path_factory.mktemp("canvas")
    for painter in PAINTERS:
        for half in (painter, f"{painter}_upscale"):
            shutil.copytree(SOURCE / half, folder / "source" / half, ignore=shutil.ignore_patterns("weights"))
        weights = folder / "source" / painter / "1" / "weights"
        write_variant(weights, painter.removeprefix("canvas_"), folder / "scratch")
    with EmbeddedServer(folder / "source", cache=folder / "runtime", instance_factor=1) as started:
        yield started


@pytest.fixture(scope="module")
def client(server: EmbeddedServer) -> TritonClient:
    return TritonClient(ServingConfig((server.address,), retry=Retry(attempts=1, deadline_attempts=1)))


def request_of(seeds: tuple[int, ...], height: int = 96, width: int = 80) -> dict[str, NDArray[Any]]:
    image = np.random.Generator(np.random.Philox(2)).integers(0, 256, (height, width, 3), np.uint8)
    known = np.zeros((height, width, 1), np.uint8)
    known[20:70, 16:60] = 255
    planes = {"IMAGE": image, "PRODUCT": known, "KNOWN": known}
    return {
        **{name: np.stack([plane] * len(seeds)) for name, plane in planes.items()},
        "PROMPT": np.array([[f"oak floor, soft light {seed}"] for seed in seeds], object),
        "SEED": np.array(seeds, np.int64)[:, None],
    }


@pytest.mark.parametrize("painter", PAINTERS)
def test_a_painter_keeps_what_is_known_and_paints_a_seed_alike_whatever_shares_its_batch(
    client: TritonClient, painter: str
) -> None:
    both, alone = client.infer(painter, request_of((8, 7))), client.infer(painter, request_of((7,)))
    assert all(both[name][1:].tobytes() == alone[name].tobytes() for name in alone)
    known = request_of((7,))["KNOWN"][..., 0] == 255
    assert np.array_equal(alone["CANDIDATE"][known], request_of((7,))["IMAGE"][known])
    assert not np.array_equal(both["CANDIDATE"][0], both["CANDIDATE"][1])
    large = {**request_of((7,), 192, 160), **alone}
    scene = client.infer(f"{painter}_upscale", large)["SCENE"]
    kept = large["KNOWN"][..., 0] == 255
    assert scene.shape == (1, 192, 160, 3) and np.array_equal(scene[kept], large["IMAGE"][kept])


def test_each_variants_weights_are_in_its_digest(server: EmbeddedServer, client: TritonClient) -> None:
    digests = client.model_digests()
    assert set(digests) == {half for painter in PAINTERS for half in (painter, f"{painter}_upscale")}
    assert len(set(digests.values())) == 4


def test_the_checkout_alone_does_not_start_a_painter_without_weights(tmp_path: Path) -> None:
    from transforms.errors import ConfigError

    shutil.copytree(SOURCE / PAINTERS[0], tmp_path / "source" / PAINTERS[0], ignore=shutil.ignore_patterns("weights"))
    with (
        pytest.raises(ConfigError, match="has no weights"),
        EmbeddedServer(tmp_path / "source", [PAINTERS[0]], cache=tmp_path / "runtime"),
    ):
        raise AssertionError("started")
