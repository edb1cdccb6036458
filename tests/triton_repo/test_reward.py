"""The reward in the real server: it answers as outside, by what ships or, where there are any, its own weights."""

import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from models.export.cards import KEYS, WEIGHTS, write_card  # noqa: E402
from models.export.repository import SOURCE  # noqa: E402
from models.export.reward import exported  # noqa: E402
from models.reward import Reward  # noqa: E402
from models.serving.judge import load_judge  # noqa: E402
from pipelines.embedded import EmbeddedServer  # noqa: E402
from transforms.inference.client import TritonClient  # noqa: E402
from transforms.inference.config import Retry, ServingConfig  # noqa: E402
from transforms.judgement import judged  # noqa: E402
from transforms.ops.human import open_session  # noqa: E402
from transforms.ops.pairs import pair_of  # noqa: E402
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


def asked():
    """A product and five candidates: (image, product, candidates)."""
    rng = np.random.default_rng(0)
    image, product = rng.integers(0, 256, (96, 64, 3)).astype(np.uint8), np.zeros((96, 64), np.uint8)
    product[30:70, 20:40] = 255
    return image, product, [rng.integers(0, 256, (96, 64, 3)).astype(np.uint8) for _ in range(5)]


def judged_by(server):
    client = TritonClient(ServingConfig((server.address,), retry=Retry(attempts=1, deadline_attempts=1)))
    rankings = [Ranking(number, 0.5, 1.0, 1.0, 1.0) for number in range(5)]
    return sorted(judged(client, *asked(), rankings), key=lambda entry: entry.ranking.candidate)


def assert_alike(found, chances):
    assert [(entry.product, entry.background) for entry in found] == [
        pytest.approx(tuple(row), abs=1e-6) for row in chances
    ]
    assert len({entry.background for entry in found}) > 1


def test_weights_in_its_folder_are_served_before_what_ships(repository, tmp_path):
    image, product, candidates = asked()
    with EmbeddedServer(repository, cache=tmp_path, instance_factor=1) as server:
        found = judged_by(server)
    judge = load_judge(repository / "reward" / "1" / "weights")
    assert_alike(found, [judge(image, product, candidate) for candidate in candidates])


@pytest.mark.skipif((SOURCE / "reward" / "1" / "weights").exists(), reason="weights of one's own are served instead")
def test_what_ships_is_served_and_answers_as_the_exported_graph(triton):
    image, product, candidates = asked()
    session = open_session((WEIGHTS / "reward" / "reward.onnx").read_bytes())
    pairs = [pair_of(image, product, candidate)[None] for candidate in candidates]
    assert_alike(judged_by(triton), [session.run(["SCORE"], {"PAIR": pair})[0][0] for pair in pairs])
