"""A few steps: they go on after a break as if there had been none, and the calibrated export answers alike."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from models.data.cutouts import write_layers  # noqa: E402
from models.data.drawings import draw_thing  # noqa: E402
from models.data.reward_bank import draw  # noqa: E402
from models.export.reward import calibrate, halves, load_average  # noqa: E402
from models.export.reward import main as export  # noqa: E402
from models.reward import Reward, calibration_error, fit_heads, fit_platt  # noqa: E402
from models.serving.engines import load_engine, run_fixed  # noqa: E402
from models.serving.judge import load_judge  # noqa: E402
from models.training import train_reward  # noqa: E402
from models.training.train_reward import kinds_without, loss_of, main  # noqa: E402
from transforms.errors import ConfigError  # noqa: E402


@pytest.fixture(scope="module")
def cutouts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cutouts")
    for number in range(12):
        write_layers(draw_thing(np.random.Generator(np.random.Philox(number))), folder / f"thing{number}.0")
    return folder


def train(run, cutouts, steps=4):
    options = {"run": run, "cutouts": cutouts, "steps": steps, "batch": 4, "compositions": 9, "save_every": 2}
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    assert main([*arguments, "--width", "6", "--without", "smeared", "seam"]) == 0
    return [json.loads(line)["loss"] for line in (run / "losses.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def run(tmp_path_factory, cutouts):
    folder = tmp_path_factory.mktemp("reward")
    train(folder, cutouts)
    return folder


def test_compositions_of_another_recipe_are_not_taken_for_this_ones(cutouts, run):
    with pytest.raises(ConfigError, match=r"holds 9 compositions of seed 0, not 12 of 0.*another --run"):
        main(["--run", str(run), "--cutouts", str(cutouts), "--compositions", "12", "--steps", "4"])


def test_a_run_that_was_killed_has_the_losses_of_one_that_was_not(tmp_path, cutouts, run, monkeypatch):
    whole = [json.loads(line)["loss"] for line in (run / "losses.jsonl").read_text().splitlines()]
    step = train_reward.take_step

    def killed(state, *rest):
        if state.step == 3:
            raise KeyboardInterrupt
        return step(state, *rest)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train_reward, "take_step", killed)
        train(tmp_path, cutouts)
    assert train(tmp_path, cutouts) == whole
    first, second = (load_average(folder).state_dict() for folder in (run, tmp_path))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_exported_file_answers_as_the_calibrated_network_does(tmp_path, run):
    assert export(["--run", str(run), "--out", str(tmp_path), "--samples", "24"]) == 0
    network = load_average(run)
    kinds = kinds_without(["smeared", "seam"])
    calibrate(network, halves(run)[0], 24, kinds)
    pairs = np.stack([draw(halves(run)[1], 3, number).planes for number in range(3)])
    answer = run_fixed(load_engine(tmp_path / "reward.onnx", "onnxruntime", "fp32", 1), pairs, 1)
    with torch.no_grad():
        assert np.abs(answer - network(torch.from_numpy(pairs)).numpy()).max() < 2e-3
    verdict = load_judge(tmp_path)(pairs[0, ..., :3], pairs[0, ..., 3], pairs[0, ..., 4:])
    assert all(0 < chance < 1 for chance in verdict)


def test_the_network_learns_to_see_a_changed_product():
    torch.manual_seed(0)
    network, rng = Reward(8), np.random.default_rng(0)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    pairs = rng.integers(0, 256, (16, 32, 32, 7)).astype(np.uint8)
    pairs[..., 3] = 255
    pairs[..., 4:] = pairs[..., :3]
    pairs[8:, 10:20, 10:20, 4:] = 255 - pairs[8:, 10:20, 10:20, 4:]
    truth = torch.tensor([[0.0, 0.0]] * 8 + [[1.0, 0.0]] * 8)
    for _ in range(40):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network.logits(torch.from_numpy(pairs)), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.detach() < 0.1


def test_platts_fit_finds_the_scale_and_shift_that_probabilities_were_made_with():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, 20_000)
    truth = (rng.uniform(size=20_000) < 1 / (1 + np.exp(-(0.5 * logits - 1)))).astype(float)
    scale, shift = fit_platt(logits, truth)
    assert scale == pytest.approx(0.5, abs=0.03) and shift == pytest.approx(-1, abs=0.08)
    assert calibration_error(1 / (1 + np.exp(-(scale * logits + shift))), truth) < 0.02
    assert calibration_error(1 / (1 + np.exp(-logits)), truth) > 0.1
    parted = fit_platt(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert np.isfinite(parted).all()


def test_a_head_is_calibrated_over_the_pictures_without_the_others_defects():
    rng = np.random.default_rng(1)
    truth = np.eye(3)[rng.integers(0, 3, 900)][:, :2]
    logits = rng.normal(0, 1, (900, 2)) + 2 * truth
    fitted = fit_heads(logits, truth)
    for head in range(2):
        alone = truth[:, 1 - head] == 0
        scale, shift = fitted[head]
        chance = 1 / (1 + np.exp(-(scale * logits[alone, head] + shift)))
        assert chance.mean() == pytest.approx(truth[alone, head].mean(), abs=0.01)
    logits[truth[:, 0] == 1, 1] += 9  # whatever the background's head says of a spoiled product
    logits[truth[:, 1] == 1, 0] -= 9
    assert fit_heads(logits, truth) == fitted


def test_the_exports_calibration_is_each_heads_own(run):
    network, kinds = load_average(run), kinds_without([])
    calibrate(network, halves(run)[0], 40, kinds)
    samples = [draw(halves(run)[0], 77, number, kinds) for number in range(40)]
    with torch.no_grad():
        logits = network.logits(torch.from_numpy(np.stack([sample.planes for sample in samples]))).double().numpy()
    truth = np.array([sample.truth for sample in samples])
    assert len({tuple(row) for row in truth.tolist()}) == 3
    set_to = list(zip(network.scale.tolist(), network.shift.tolist(), strict=True))
    assert np.allclose(set_to, fit_heads(logits, truth), atol=1e-3)
    assert not np.allclose(set_to, [fit_platt(logits[:, head], truth[:, head]) for head in range(2)], atol=1e-2)


def test_kinds_that_are_left_out_must_exist_and_leave_some():
    assert "halo" not in kinds_without(["halo"]) and len(kinds_without([])) == 9
    with pytest.raises(ConfigError, match="no kind 'glow'"):
        kinds_without(["glow"])
    with pytest.raises(ConfigError, match="leave each"):
        kinds_without(["seam", "floating", "wrong_light", "garbage"])


def test_a_head_learns_nothing_from_the_other_heads_defects():
    logits = torch.zeros(3, 2, requires_grad=True)
    truth = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    loss_of(logits, truth).backward()
    moved = logits.grad.sign()
    assert moved.tolist() == [[1.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]
