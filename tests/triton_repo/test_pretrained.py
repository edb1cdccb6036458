"""A tiny random checkpoint of the real classes, in the real server: it paints under the painters' contract."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from checkpoints import save_tiny

from models.export.pretrained import main
from models.export.repository import SOURCE
from pipelines.embedded import EmbeddedServer
from transforms.inference.client import TritonClient
from transforms.inference.config import Retry, ServingConfig

pytestmark = [pytest.mark.triton, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonClient]:
    root = tmp_path_factory.mktemp("pretrained")
    for name in ("pretrained", "pretrained_upscale"):
        shutil.copytree(SOURCE / name, root / "repository" / name)
    options = ["--repository", str(root / "repository"), "--device", "cpu", "--dtype", "float32", "--steps", "2"]
    assert main(["--checkpoint", str(save_tiny("sd", root / "checkpoint")), *options]) == 0
    with EmbeddedServer(root / "repository", cache=root / "runtime", instance_factor=1) as server:
        yield TritonClient(ServingConfig((server.address,), retry=Retry(attempts=1, deadline_attempts=1)))


def request_of(*seeds: int, height: int = 64, width: int = 48) -> dict[str, NDArray[Any]]:
    image = np.random.default_rng(0).integers(0, 256, (1, height, width, 3)).astype(np.uint8)
    known = np.zeros((1, height, width, 1), np.uint8)
    known[:, height // 4 : height // 2, width // 4 : width // 2] = 255
    each = {"IMAGE": image, "PRODUCT": known, "KNOWN": known}
    return {
        **{name: np.repeat(plane, len(seeds), axis=0) for name, plane in each.items()},
        "PROMPT": np.full((len(seeds), 1), "oak floor", object),
        "SEED": np.array(seeds, np.int64)[:, None],
    }


def test_a_checkpoint_paints_a_seed_alike_whatever_shares_its_batch_and_is_brought_to_full_size(
    client: TritonClient,
) -> None:
    both, alone = client.infer("pretrained", request_of(8, 7)), client.infer("pretrained", request_of(7))
    assert both["CANDIDATE"][1].tobytes() == alone["CANDIDATE"][0].tobytes()
    assert both["CANDIDATE"][0].tobytes() != alone["CANDIDATE"][0].tobytes()
    request = request_of(7)
    known = request["KNOWN"][0, ..., 0] > 0
    assert (alone["CANDIDATE"][0][known] == request["IMAGE"][0][known]).all()
    large = request_of(7, height=192, width=144)
    scene = client.infer("pretrained_upscale", {**large, **alone})["SCENE"][0]
    kept = large["KNOWN"][0, ..., 0] > 0
    assert (scene[kept] == large["IMAGE"][0][kept]).all() and scene[~kept].std() > 1
