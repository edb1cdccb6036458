"""Seeds are chosen by what they bring elsewhere, put beside the weights, and named by the card."""

import json

import numpy as np
import pytest
from variants import write_variant

pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from models.data.cutouts import write_layers
from models.data.drawings import draw_thing
from models.export.cards import check_files
from models.training.tune_seeds import choose, main, score_of, write_tables
from transforms.errors import ConfigError
from transforms.seeds import read_tables


def rng(number):
    return np.random.Generator(np.random.Philox(number))


@pytest.fixture(scope="module")
def cutouts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cutouts")
    for number in (13, 39, 45, 72):  # names whose checksums are held out
        write_layers(draw_thing(rng(number)), folder / f"thing{number}.0")
    return folder


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("scratch")


def test_the_seeds_with_the_best_means_are_chosen_and_tried_on_the_other_half():
    good = np.zeros(20)
    good[[3, 11, 7]] = (3.0, 2.0, 1.0)
    inputs, noise = rng(0).normal(0, 5, (12, 1)), rng(1).normal(0, 0.1, (12, 20))
    table = choose(good + inputs + noise, 3)
    assert table.seeds == (3, 11, 7)
    assert table.gain == pytest.approx(1.7, abs=0.1) and table.gain_elsewhere == pytest.approx(1.7, abs=0.1)


def test_luck_gains_something_where_it_was_chosen_and_nothing_elsewhere():
    tables = [choose(rng(number).normal(0, 1, (8, 64)), 8) for number in range(40)]
    assert np.mean([table.gain for table in tables]) > 0.4
    assert abs(np.mean([table.gain_elsewhere for table in tables])) < 0.1


def test_a_table_that_gains_nothing_elsewhere_is_not_written(tmp_path):
    lucky = choose(rng(3).normal(0, 1, (8, 64)), 8)._replace(gain_elsewhere=-0.1)
    assert not write_tables(tmp_path, {"608x416": lucky}, {}) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("variant", ["background", "outpaint"])
def test_a_variant_is_painted_with_every_seed_and_gone_on_with(
    tmp_path, cutouts, scratch, variant, capsys, monkeypatch
):
    weights = tmp_path / "weights"
    write_variant(weights, variant, scratch)
    before = check_files(weights)
    options = ["--weights", str(weights), "--cutouts", str(cutouts), "--run", str(tmp_path / "run")]
    options += ["--sizes", "80x64", "--inputs", "2", "--seeds", "6", "--best", "2"]
    told = main(options)
    said = capsys.readouterr().out
    lines = [json.loads(line) for line in (tmp_path / "run" / "scores.jsonl").read_text().splitlines()]
    assert len(lines) == 2 and all(len(line["rewards"]) == len(set(line["rewards"])) == 6 for line in lines)
    assert "80x64: 2 of 6 seeds gain" in said
    assert ("seeds.json" in check_files(weights)["files"]) == (told == 0)
    if told == 0:
        tables = read_tables(json.dumps(json.loads((weights / "seeds.json").read_text())["seeds"]), variant)
        means = np.mean([line["rewards"] for line in lines], axis=0)
        assert set(next(iter(tables.values()))) == set(np.argsort(-means)[:2].tolist())
        assert {**check_files(weights)["files"], "seeds.json": None} == {**before["files"], "seeds.json": None}

    def never(*_):
        raise AssertionError("painted again")

    monkeypatch.setattr("models.training.tune_seeds.load_painter", never)
    assert main(options) == told
    assert capsys.readouterr().out.splitlines()[0] == said.splitlines()[0]


def test_a_trained_reward_joins_in_as_in_the_job():
    from models.serving.judge import Verdict
    from models.training.tune_seeds import Input

    image = np.full((64, 48, 3), 128, np.uint8)
    product = np.zeros((64, 48), np.uint8)
    product[20:50, 12:36], image[20:50, 12:36] = 255, (30, 60, 160)
    asked = Input("one", image, product, product, "oak floor")
    candidates = [np.where(product[..., None] > 0, image, np.uint8(level)) for level in (90, 230)]
    plain = score_of("background", None)(asked, candidates)
    judged = score_of("background", lambda *_: Verdict(0.5, 0.2))(asked, candidates)
    assert judged == pytest.approx([0.4 * reward for reward in plain]) and max(plain) > 0


def test_too_few_inputs_or_seeds_are_refused(tmp_path):
    folders = ["--weights", str(tmp_path), "--cutouts", str(tmp_path), "--run", str(tmp_path)]
    for wrong in (["--inputs", "1"], ["--seeds", "8", "--best", "8"]):
        with pytest.raises(ConfigError, match="tuning needs"):
            main([*folders, *wrong])
