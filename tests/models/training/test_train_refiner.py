"""A few steps of the real network: it starts as the identity, goes on after a break, and its export answers alike."""

import json

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from models.export.cards import check_files  # noqa: E402
from models.export.refiner import load_average  # noqa: E402
from models.export.refiner import main as export  # noqa: E402
from models.refiner import Refiner  # noqa: E402
from models.training.clue_set import draw  # noqa: E402
from models.training.train_refiner import main, scan  # noqa: E402
from transforms.errors import ConfigError  # noqa: E402


def philox(seed):
    return np.random.Generator(np.random.Philox(seed))


@pytest.fixture
def clues(tmp_path):
    """Discs whose probability is a square's: what the refiner must learn is to follow the picture."""
    folder = tmp_path / "clues"
    folder.mkdir()
    for number in range(3):
        rows, columns = np.mgrid[:160, :200]
        disc = np.hypot(rows - 80, columns - 90 - 5 * number) < 40
        square = (np.abs(rows - 80) < 38) & (np.abs(columns - 90 - 5 * number) < 38)
        pixels = np.where(disc[..., None], (60, 90, 160), 240).astype(np.uint8)
        given = np.stack([220 * square, 200 * square, 160 * disc, 150 * disc, 150 * disc], -1).astype(np.uint8)
        arrays = {"pixels": pixels, "alpha": 255 * disc.astype(np.uint8), "clues": np.stack([given] * 3)}
        np.savez_compressed(folder / f"disc{number}.npz", allow_pickle=False, **arrays)
    return folder


def train(run, clues, steps):
    options = {"run": run, "clues": clues, "steps": steps, "batch": 2, "side": 64, "save_every": 2, "fall": 0.0}
    assert main([part for name, value in options.items() for part in (f"--{name}", str(value))]) == 0
    return [json.loads(line) for line in (run / "losses.jsonl").read_text().splitlines()]


def test_a_new_network_answers_what_it_was_given():
    shown = torch.from_numpy(philox(1).integers(10, 246, (1, 8, 64, 96)).astype(np.float32))
    with torch.no_grad():
        answer = torch.sigmoid(Refiner().eval()(shown))
    assert answer.shape == (1, 1, 64, 96)
    assert torch.allclose(answer, shown[:, 3:4] / 255, atol=1e-5)


def test_a_run_that_was_broken_off_has_the_losses_of_one_that_was_not(tmp_path, clues):
    whole = train(tmp_path / "whole", clues, 4)
    train(tmp_path / "broken", clues, 2)
    broken = train(tmp_path / "broken", clues, 4)
    assert [row["loss"] for row in broken] == [row["loss"] for row in whole]
    first, second = (load_average(tmp_path / name / "checkpoint.pt").state_dict() for name in ("whole", "broken"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_it_learns_to_follow_the_picture(tmp_path, clues):
    rows = train(tmp_path / "run", clues, 60)
    last = rows[-10:]
    assert np.mean([row["loss"] for row in last]) < 0.6 * np.mean([row["given"] for row in last])


def test_the_exported_file_answers_as_the_averaged_network_does(tmp_path, clues, capsys):
    train(tmp_path / "run", clues, 2)
    assert export(["--run", str(tmp_path / "run"), "--out", str(tmp_path / "out")]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    path = tmp_path / "out" / "mask_refiner.onnx"
    assert check_files(tmp_path / "out")["recipe"]["steps"] == 2
    assert told["mask_refiner.onnx"] == path.stat().st_size < 2_000_000
    shown = philox(2).integers(0, 256, (1, 8, 512, 512)).astype(np.float32)
    answer = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"shown": shown})[0]
    with torch.no_grad():
        expected = torch.sigmoid(load_average(tmp_path / "run" / "checkpoint.pt")(torch.from_numpy(shown))).numpy()
    assert np.abs(answer - expected).max() < 1 / 255


def test_samples_are_drawn_alike_and_some_are_made_worse(clues):
    files = scan([clues])
    first, again = draw(files, 0, 5, 96), draw(files, 0, 5, 96)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert first.pixels.shape == (96, 96, 3) and first.clues.shape == (96, 96, 5)
    samples = [draw(files, 0, number, 96) for number in range(30)]
    assert {len(np.unique(sample.clues[..., 0])) > 60 for sample in samples} == {True, False}


def test_an_empty_folder_says_what_to_run(tmp_path):
    with pytest.raises(ConfigError, match=r"models\.data\.clues"):
        scan([tmp_path])
