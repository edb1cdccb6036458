"""What ships tells a spoiled backdrop, and a product of another size, on things it never saw; its card is sound."""

import json
import shutil

import numpy as np
import pytest

from models.data.cutouts import write_layers
from models.data.drawings import draw_thing
from models.data.reward_bank import each_kind, make_bank
from models.export.cards import WEIGHTS
from models.serving.judge import load_judge
from transforms.errors import ConfigError


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """By kind: (product, background) of eight drawn things."""
    folder = tmp_path_factory.mktemp("things")
    for number in range(8):
        write_layers(draw_thing(np.random.Generator(np.random.Philox(number))), folder / f"thing{number}.0")
    bank, judge = make_bank(sorted(folder.glob("*.webp")), [], 8, 0), load_judge()
    found = {}
    for sample in each_kind(bank, 0, 8):
        planes = sample.planes
        found.setdefault(sample.kind, []).append(judge(planes[..., :3], planes[..., 3], planes[..., 4:]))
    return {kind: np.array(rows).mean(axis=0) for kind, rows in found.items()}


@pytest.mark.parametrize("kind", ["seam", "garbage"])
def test_a_spoiled_backdrop_is_told(said, kind):
    assert said[kind][1] > said["clean"][1] + 0.2


def test_a_product_of_another_size_is_told(said):
    assert said["wrong_scale"][0] > said["clean"][0] + 0.2


def test_weights_that_are_not_the_cards_are_refused(tmp_path):
    folder = shutil.copytree(WEIGHTS / "reward", tmp_path / "reward")
    (folder / "reward.onnx").write_bytes(b"other")
    with pytest.raises(ConfigError, match="not the file"):
        load_judge(folder)


def test_the_card_names_every_kind_and_what_the_reward_is_worth():
    card = json.loads((WEIGHTS / "reward" / "card.json").read_text(encoding="utf-8"))
    assert len(card["metrics"]["kinds"]) == 9
    assert all(row["auc"] > 0.8 and row["ece"] < 0.1 for row in card["metrics"]["heads"])
