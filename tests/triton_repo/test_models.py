"""Every model of the repository, in the real server: it loads, answers its contract, and repeats itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.export.repository import SOURCE, has_weights
from pipelines.embedded import EmbeddedServer
from transforms.inference.client import TritonClient
from transforms.inference.config import Retry, ServingConfig
from transforms.inference.contracts import CONTRACTS

pytestmark = pytest.mark.triton

SERVED = [name for name in sorted(CONTRACTS) if has_weights(SOURCE, name)]


def picture(height: int, width: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([90 + rows * 99 // height, 90 + columns * 99 // width, 150 + (rows + columns) % 7], -1).astype(
        np.uint8
    )


def planes(height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    product, known = np.zeros((2, height, width, 1), np.uint8)
    product[height // 3 : -height // 3, width // 3 : -width // 3] = 255
    known[height // 6 : -height // 6, width // 6 : -width // 6] = 255
    return product, known


def request_of(model: str, seeds: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    fixed = CONTRACTS[model].inputs[0].shape
    height, width = (fixed[0], fixed[1]) if fixed[0] > 0 else (192, 144)
    if len(CONTRACTS[model].inputs) == 1:
        return {"IMAGE": picture(height, width)[None][..., np.arange(max(3, fixed[2])) % 3]}
    if model.endswith("_upscale"):
        height, width = 2 * height, 2 * width
    product, known = planes(height, width)
    if model.startswith(("studio", "canvas_staging")):
        known = product
    if model == "reward":
        candidate = 255 - picture(height, width)
        return {"IMAGE": picture(height, width)[None], "PRODUCT": product[None], "CANDIDATE": candidate[None]}
    each = {"IMAGE": picture(height, width), "PRODUCT": product, "KNOWN": known}
    inputs: dict[str, NDArray[Any]] = {name: np.stack([plane] * len(seeds)) for name, plane in each.items()}
    return {
        **inputs,
        "PROMPT": np.full((len(seeds), 1), "warm oak floor", object),
        "SEED": np.array(seeds, np.int64)[:, None],
    }


@pytest.fixture(scope="module")
def client(triton: EmbeddedServer) -> TritonClient:
    return TritonClient(ServingConfig((triton.address,), retry=Retry(attempts=1, deadline_attempts=1)))


@pytest.mark.parametrize("model", [name for name in SERVED if not name.endswith("_upscale")])
def test_a_model_answers_its_contract_and_repeats_itself(client: TritonClient, model: str) -> None:
    request = request_of(model, (7,))
    first, second = client.infer(model, request), client.infer(model, request)
    assert {name: tensor.tobytes() for name, tensor in first.items()} == {
        name: tensor.tobytes() for name, tensor in second.items()
    }


@pytest.mark.parametrize("painter", ["studio", "canvas_staging", "patchmatch"])
def test_a_painter_paints_a_seed_alike_whatever_shares_its_batch_and_carries_it_to_full_size(
    client: TritonClient, painter: str
) -> None:
    both = client.infer(painter, request_of(painter, (8, 7)))
    alone = client.infer(painter, request_of(painter, (7,)))
    assert all(both[name][1:].tobytes() == alone[name].tobytes() for name in alone)
    scene = client.infer(f"{painter}_upscale", {**request_of(f"{painter}_upscale", (7,)), **alone})["SCENE"]
    assert scene.shape == (1, 384, 288, 3)
    assert scene.std() > 1


def test_every_model_has_its_own_digest(client: TritonClient) -> None:
    digests = client.model_digests()
    assert set(digests) == set(SERVED)
    assert len(set(digests.values())) == len(SERVED)
