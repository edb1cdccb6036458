"""The Canvas painters in the real server, with small random weights that were exported as trained ones are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tritonclient.grpc as triton
from numpy.typing import NDArray
from variants import write_variant

from models.export.cards import add_file
from models.export.repository import SOURCE
from pipelines.embedded import EmbeddedServer
from pipelines.synthesise import main, synthesise
from transforms.inference.client import TritonClient
from transforms.inference.config import Retry, ServingConfig
from transforms.records import Size

pytest.importorskip("diffusers", reason="the extra `models` is not installed")
pytestmark = pytest.mark.triton

PAINTERS = ("canvas_background", "canvas_outpaint")
SEEDS = (5, 2, 8)
MODEL = "canvas_scene_synthesis"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server of both painters, and of the model that paints scenes."""
    folder = tmp_path_factory.mktemp("canvas")
    for painter in PAINTERS:
        for half in (painter, f"{painter}_upscale"):
            shutil.copytree(SOURCE / half, folder / "source" / half, ignore=shutil.ignore_patterns("weights"))
        weights = folder / "source" / painter / "1" / "weights"
        write_variant(weights, painter.removeprefix("canvas_"), folder / "scratch")
        if painter == PAINTERS[0]:
            add_file(weights, "seeds.json", json.dumps({"seeds": {"608x416": SEEDS}, "tried": 9}).encode())
    shutil.copytree(SOURCE / MODEL, folder / "source" / MODEL, ignore=shutil.ignore_patterns("weights"))
    write_variant(folder / "source" / MODEL / "1" / "weights", "scene_synthesis", folder / "scratch")
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


def test_products_share_batches_and_are_painted_as_each_is_alone(server: EmbeddedServer, client: TritonClient) -> None:
    requests = [request_of((seed,)) for seed in range(12)]
    for number, request in enumerate(requests):
        request["IMAGE"] = np.roll(request["IMAGE"], number, axis=2)  # another product each
    client.infer(PAINTERS[0], requests[0])
    alone = [client.infer(PAINTERS[0], request)["CANDIDATE"] for request in requests]
    before = executions(server, PAINTERS[0])
    with ThreadPoolExecutor(len(requests)) as pool:
        answers = list(pool.map(lambda request: client.infer(PAINTERS[0], request)["CANDIDATE"], requests))
    assert executions(server, PAINTERS[0]) - before < len(requests)
    assert all(one.tobytes() == other.tobytes() for one, other in zip(answers, alone, strict=True))


def executions(server: EmbeddedServer, model: str) -> int:
    with triton.InferenceServerClient(server.address) as asking:
        return int(asking.get_inference_statistics(model).model_stats[0].execution_count)


def test_each_variants_weights_are_in_its_digest(server: EmbeddedServer, client: TritonClient) -> None:
    digests = client.model_digests()
    assert set(digests) == {MODEL, *(half for painter in PAINTERS for half in (painter, f"{painter}_upscale"))}
    assert len(set(digests.values())) == 5


def test_a_painters_tuned_seeds_reach_its_clients(client: TritonClient) -> None:
    assert client.seeds(PAINTERS[0]) == {Size(608, 416): SEEDS}
    assert client.seeds(PAINTERS[1]) == client.seeds(f"{PAINTERS[0]}_upscale") == {}


def test_scenes_follow_their_products_and_seeds_through_the_command(
    server: EmbeddedServer, client: TritonClient, tmp_path: Path
) -> None:
    products = []
    for number in range(2):
        product = np.zeros((40, 30, 4), np.uint8)
        product[5:35, 5:25] = (200 * number, 60, 90, 255)
        products.append(product)
        cv2.imwrite(str(tmp_path / f"{number}.png"), product[..., [2, 1, 0, 3]])
    options = ["--products", str(tmp_path), "--prompt", "oak floor", "--out", str(tmp_path / "out"), "--size", "96x80"]
    assert main([*options, "--count", "3", "--seed", "7", "--triton", server.address]) == 0
    scenes = [cv2.imread(str(tmp_path / "out" / f"{seed}.png"))[..., ::-1] for seed in (7, 8, 9)]
    assert scenes[0].shape == (96, 80, 3) and not np.array_equal(scenes[0], scenes[1])
    (alone,) = synthesise(client, products, "oak floor", Size(96, 80), [8])
    assert np.array_equal(alone, scenes[1])
    (fewer,) = synthesise(client, products[:1], "oak floor", Size(96, 80), [8])
    assert not np.array_equal(fewer, alone)


def test_the_checkout_alone_does_not_start_a_painter_without_weights(tmp_path: Path) -> None:
    from transforms.errors import ConfigError

    shutil.copytree(SOURCE / PAINTERS[0], tmp_path / "source" / PAINTERS[0], ignore=shutil.ignore_patterns("weights"))
    with (
        pytest.raises(ConfigError, match="has no weights"),
        EmbeddedServer(tmp_path / "source", [PAINTERS[0]], cache=tmp_path / "runtime"),
    ):
        raise AssertionError("started")
