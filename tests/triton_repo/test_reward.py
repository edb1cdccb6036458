"""A reward of random weights in the real server: it loads from its folder and answers as it does outside."""

import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from models.export.cards import KEYS, write_card  # noqa: E402
from models.export.repository import SOURCE  # noqa: E402
from models.export.reward import exported  # noqa: E402
from models.reward import Reward  # noqa: E402
from models.serving.judge import load_judge  # noqa: E402
from pipelines.embedded import EmbeddedServer  # noqa: E402
from transforms.inference.client import TritonClient  # noqa: E402
from transforms.inference.config import Retry, ServingConfig  # noqa: E402
from transforms.judgement import judged  # noqa: E402
from transforms.ops.ranking import Ranking  # noqa: E402

pytestmark = pytest.mark.triton


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    root = tmp_path_factory.mktemp("reward")
    shutil.copytree(SOURCE / "reward", root / "reward", ignore=shutil.ignore_patterns("weights"))
    torch.manual_seed(0)
    content = exported(Reward(8)).SerializeToString(deterministic=True)
    write_card(root / "reward" / "1" / "weights", dict.fromkeys(KEYS, "of a test"), {"reward.onnx": content})
    return root


def test_candidates_are_judged_in_the_server_as_outside_of_it(repository, tmp_path):
    rng = np.random.default_rng(0)
    image, product = rng.integers(0, 256, (96, 64, 3)).astype(np.uint8), np.zeros((96, 64), np.uint8)
    product[30:70, 20:40] = 255
    candidates = [rng.integers(0, 256, (96, 64, 3)).astype(np.uint8) for _ in range(5)]
    rankings = [Ranking(number, 0.5, 1.0, 1.0, 1.0) for number in range(5)]
    with EmbeddedServer(repository, cache=tmp_path, instance_factor=1) as server:
        client = TritonClient(ServingConfig((server.address,), retry=Retry(attempts=1, deadline_attempts=1)))
        found = judged(client, image, product, candidates, rankings)
    judge = load_judge(repository / "reward" / "1" / "weights")
    expected = [judge(image, product, candidate) for candidate in candidates]
    for entry in found:
        verdict = expected[entry.ranking.candidate]
        assert (entry.product, entry.background) == pytest.approx(tuple(verdict), abs=1e-6)
    assert len({entry.background for entry in found}) > 1
