"""A few steps of the real network: they go on after a break as if there had been none, and the export answers alike."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from models.data.cutouts import write_layers  # noqa: E402
from models.data.drawings import draw_thing  # noqa: E402
from models.export.cards import check_files  # noqa: E402
from models.export.segmenter import exported, load_average  # noqa: E402
from models.export.segmenter import main as export  # noqa: E402
from models.training.losses import matte_loss  # noqa: E402
from models.training.network import new_segmenter  # noqa: E402
from models.training.train_segmenter import Recipe, main  # noqa: E402
from models.training.unfolding import load_shipped  # noqa: E402
from transforms.errors import ConfigError  # noqa: E402


@pytest.fixture
def cutouts(tmp_path):
    folder = tmp_path / "cutouts"
    folder.mkdir()
    for number in range(3):
        write_layers(draw_thing(np.random.Generator(np.random.Philox(number))), folder / f"thing.{number}")
    return folder


def train(run, cutouts, steps):
    options = {"run": run, "cutouts": cutouts, "steps": steps, "batch": 2, "side": 64, "final_side": 96}
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    assert main([*arguments, "--save_every", "2", "--fall", "0.0"]) == 0
    return [json.loads(line)["loss"] for line in (run / "losses.jsonl").read_text().splitlines()]


def test_a_run_that_was_broken_off_has_the_losses_of_one_that_was_not(tmp_path, cutouts):
    whole = train(tmp_path / "whole", cutouts, 4)
    train(tmp_path / "broken", cutouts, 2)
    broken = train(tmp_path / "broken", cutouts, 4)
    assert broken == whole
    assert (tmp_path / "broken" / "losses.png").stat().st_size > 1000
    first, second = (load_average(tmp_path / name / "checkpoint.pt").state_dict() for name in ("whole", "broken"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_exported_file_answers_as_the_averaged_network_does(tmp_path, cutouts, capsys):
    train(tmp_path / "run", cutouts, 2)
    (tmp_path / "figures.json").write_text('{"iou": 0.5}')
    places = {"run": tmp_path / "run", "out": tmp_path / "out", "metrics": tmp_path / "figures.json"}
    assert export([part for name, place in places.items() for part in (f"--{name}", str(place))]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    path = tmp_path / "out" / "product_segmenter.onnx"
    card = check_files(tmp_path / "out")
    assert (card["metrics"], card["recipe"]["steps"]) == ({"iou": 0.5}, 2)
    assert told["product_segmenter.onnx"] == path.stat().st_size < 10_000_000
    images = np.random.Generator(np.random.Philox(2)).uniform(0, 255, (2, 3, 320, 320)).astype(np.float32)
    answer = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"images": images})[0]
    with torch.no_grad():
        expected = torch.sigmoid(load_average(tmp_path / "run" / "checkpoint.pt")(torch.from_numpy(images))).numpy()
    assert np.abs(answer - expected).max() < 1 / 255


def test_the_rate_warms_up_stays_and_falls_to_nothing():
    recipe = Recipe(steps=1000, warm_steps=50)
    rates = [recipe.rate_at(step) for step in (0, 49, 600, 835, 1000)]
    assert rates[0] < 0.05 and rates[1] == rates[2] == 1.0
    assert rates[3] == pytest.approx(0.5, abs=0.01) and rates[4] == 0
    assert recipe.side_at(600) == recipe.side and recipe.side_at(700) == recipe.final_side


def test_the_loss_is_less_the_nearer_the_answer_and_weight_decides_where():
    alpha = torch.zeros(1, 1, 8, 8)
    alpha[..., 2:6, 2:6] = 1
    even, edge = torch.ones_like(alpha), torch.ones_like(alpha)
    edge[..., 2, :] = 9
    right = (alpha - 0.5) * 12
    wrong = right.clone()
    wrong[..., 2, 2:6] *= -1
    assert matte_loss(right, alpha, even) < 0.02 < matte_loss(wrong, alpha, even)
    assert matte_loss(wrong, alpha, even) < matte_loss(wrong, alpha, edge)


def test_the_network_keeps_the_encoders_first_blocks_and_its_statistics():
    network = new_segmenter().train()
    assert not any(p.requires_grad for p in network.stem.parameters())
    assert not network.stem_norm.training and network.up2.training
    assert network(torch.zeros(1, 3, 96, 64)).shape == (1, 1, 96, 64)
    assert exported(network.eval()).opset_import[0].version == 17


def test_an_exported_network_answers_as_before_when_it_is_trained_on(tmp_path, cutouts):
    train(tmp_path / "first", cutouts, 2)
    places = {"run": tmp_path / "first", "out": tmp_path / "out"}
    assert export([part for name, place in places.items() for part in (f"--{name}", str(place))]) == 0
    images = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(1)) * 255
    network = load_shipped(tmp_path / "out" / "product_segmenter.onnx", images)
    with torch.no_grad():
        before, after = (one(images) for one in (load_average(tmp_path / "first" / "checkpoint.pt"), network))
        norms = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
        assert (after - before).abs().max() < 0.05  # logits; the file holds halves
        assert min(float(norm.running_var.max()) for norm in norms) > 0
    network.train()
    with torch.no_grad():
        assert (network(images) - before).abs().max() < 0.1  # these pictures' own statistics are those it was given


def test_a_file_of_another_network_is_no_start(tmp_path):
    with pytest.raises(ConfigError, match="is not an exported segmenter"):
        load_shipped(Path("models/weights/upscaler/upscaler.onnx"), torch.zeros(1, 3, 64, 64))
