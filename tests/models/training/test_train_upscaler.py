"""A few steps on drawn photographs: they go on after a break as if there had been none; the export answers alike."""

import json

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from models.data.degradations import SCALE, degrade, draw_crop, photographs, shrink  # noqa: E402
from models.export.upscaler import load_average  # noqa: E402
from models.export.upscaler import main as export  # noqa: E402
from models.serving.enlarge import load_enlarger  # noqa: E402
from models.training import train_upscaler  # noqa: E402
from models.training.train_upscaler import main  # noqa: E402
from models.upscaler import Upscaler, UpscalerSpec  # noqa: E402
from transforms.errors import ConfigError  # noqa: E402
from transforms.records import Size  # noqa: E402


def photo(number, height=160, width=200):
    """Bars of some directions and breadths: edges to be made sharp."""
    rng = np.random.default_rng(number)
    rows, columns = np.mgrid[:height, :width]
    planes = [np.sin(rows * rng.uniform(0.05, 0.5) + columns * rng.uniform(0.05, 0.5)) > 0 for _ in range(3)]
    return (np.stack(planes, -1) * 160 + 40).astype(np.uint8)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for number in range(8):
        cv2.imwrite(str(folder / f"{number}.png"), photo(number))
    return folder


def train(run, photos, steps=6):
    options = {"run": run, "photos": photos, "steps": steps, "batch": 2, "side": 16, "width": 8, "blocks": 1}
    options |= {"save_every": 2, "fresh_every": 4, "kept": 3, "warm_steps": 2}
    assert main([part for name, value in options.items() for part in (f"--{name}", str(value))]) == 0
    return [json.loads(line)["loss"] for line in (run / "losses.jsonl").read_text().splitlines()]


def test_a_run_that_was_killed_has_the_losses_of_one_that_was_not(tmp_path, photos, monkeypatch):
    whole = train(tmp_path / "whole", photos)
    step = train_upscaler.take_step

    def killed(state, *rest):
        if state.step == 3:
            raise KeyboardInterrupt
        return step(state, *rest)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train_upscaler, "take_step", killed)
        train(tmp_path / "killed", photos)
    assert train(tmp_path / "killed", photos) == whole
    first, second = (load_average(tmp_path / name).state_dict() for name in ("whole", "killed"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_network_learns_to_sharpen_beyond_bicubic():
    torch.manual_seed(0)
    pair = shrink(photo(2, 96, 96))
    small, large = (torch.from_numpy(pixels).float().permute(2, 0, 1)[None] / 255 for pixels in pair)
    network = Upscaler(UpscalerSpec(16, 1))
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    losses = []
    for _ in range(60):
        loss = (network(small) - large).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_the_exported_file_answers_as_the_averaged_network_does(tmp_path, photos, engine):
    train(tmp_path / "run", photos)
    assert export(["--run", str(tmp_path / "run"), "--out", str(tmp_path / "out")]) == 0
    picture = photo(9, 24, 40)
    answer = load_enlarger(tmp_path / "out", engine, "fp32")(picture, Size(72, 120))
    with torch.no_grad():
        small = torch.from_numpy(picture).float().permute(2, 0, 1)[None] / 255
        expected = load_average(tmp_path / "run")(small)[0].permute(1, 2, 0).clamp(0, 1).numpy() * 255
    assert np.abs(answer - expected).max() <= 1.01
    assert load_enlarger(tmp_path / "out", engine, "fp32")(picture, Size(50, 84)).shape == (50, 84, 3)


def test_a_new_network_is_bicubic_interpolation():
    small = torch.rand(1, 3, 12, 10)
    plain = torch.nn.functional.interpolate(small, scale_factor=3.0, mode="bicubic")
    assert torch.equal(Upscaler(UpscalerSpec(8, 1))(small), plain)
    assert sum(p.numel() for p in Upscaler(UpscalerSpec()).parameters()) < 700_000


def test_photographs_are_held_out_by_name_and_none_is_in_both(photos):
    kept, held = photographs([photos], held_out=False), photographs([photos], held_out=True)
    assert len(kept) + len(held) == 8 and not set(kept) & set(held)


def test_a_pair_is_a_picture_and_a_third_of_it():
    rng = np.random.Generator(np.random.Philox(3))
    crop = draw_crop(rng, photo(1), 96)
    clean = shrink(crop)
    assert crop.shape == (96, 96, 3) and clean.small.shape == (32, 32, 3)
    for _ in range(10):
        pair = degrade(rng, crop, clean=0.0)
        assert pair.small.shape == (96 // SCALE, 96 // SCALE, 3) and pair.small.dtype == np.uint8
        assert np.abs(pair.small.astype(int).mean() - crop.mean()) < 6
    assert np.abs(degrade(rng, crop, clean=1.0).small.astype(int) - clean.small).mean() < 30


def test_without_photographs_the_error_says_so(tmp_path):
    with pytest.raises(ConfigError, match="no pictures under"):
        main(["--run", str(tmp_path / "run"), "--photos", str(tmp_path)])
