"""The served painter without torch: it agrees with torch, keeps what is known, and a candidate has no mates."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from variants import write_variant

pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from models.export.canvas import main
from models.export.tensorrt import Profile, build_plan
from models.registry import VARIANTS, Sampling
from models.serving.painter import DECODER, DENOISER, ENCODER, laid_over, load_painter, resampled
from transforms.errors import ConfigError
from transforms.records import Size

PROMPTS = ["oak floor, soft light", "plaster wall", "warm light"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("variants")
    for variant in ("background", "outpaint"):
        write_variant(scratch / f"canvas_{variant}", variant, scratch)
    return scratch


def request(count, height=80, width=48):
    rng = np.random.Generator(np.random.Philox(4))
    images = rng.integers(0, 256, (count, height, width, 3), np.uint8)
    known = np.zeros((count, height, width), np.uint8)
    known[:, 20:60, 10:30] = 255
    known[:, 18:20] = 128  # half known is not known
    return images, known, PROMPTS[:count], list(range(7, 7 + count))


def test_what_is_known_is_kept_exactly_and_the_rest_is_painted(folders):
    images, known, prompts, seeds = request(2)
    painted = load_painter(folders / "canvas_background", 2)(images, known, prompts, seeds)
    assert painted.shape == images.shape and painted.dtype == np.uint8
    assert np.array_equal(painted[known == 255], images[known == 255])
    assert not np.array_equal(painted[0, :10], painted[1, :10]) and painted[0, :10].std() > 1


def test_a_candidate_does_not_depend_on_its_batch_mates(folders):
    paint = load_painter(folders / "canvas_background", 2)
    images, known, prompts, seeds = request(3)
    together = paint(images, known, prompts, seeds)
    for row in range(3):
        alone = paint(images[row : row + 1], known[row : row + 1], prompts[row : row + 1], seeds[row : row + 1])
        assert np.array_equal(alone[0], together[row])


def test_seed_and_prompt_each_make_another_picture(folders):
    paint = load_painter(folders / "canvas_background", 2)
    images, known, _, _ = request(2)
    first = paint(images[:1], known[:1], ["oak floor"], [1])
    assert not np.array_equal(first, paint(images[:1], known[:1], ["oak floor"], [2]))
    assert not np.array_equal(first, paint(images[:1], known[:1], ["plaster wall"], [1]))


def test_torch_onnxruntime_and_openvino_paint_alike(folders):
    variant = "outpaint"
    images, known, prompts, seeds = request(2)
    engines = [load_painter(folders / f"canvas_{variant}", 2, engine) for engine in ("onnxruntime", "openvino")]
    answers = [paint(images, known, prompts, seeds).astype(int) for paint in engines]
    truth = by_torch(folders, variant, engines[0], images, known, prompts, seeds).astype(int)
    for answer in answers:  # weights are served in half precision: a level here and there
        assert np.abs(answer - truth).max() <= 3 and np.abs(answer - truth).mean() < 0.1


def by_torch(folders, variant, painter, images, known, prompts, seeds):
    import torch

    from models.autoencoder import joined, read_autoencoder
    from models.canvas import read_canvas
    from models.registry import prompt_of
    from models.sampling import draw_noise
    from models.training.packing import cells_of, unit
    from models.training.train_base import paint

    canvas, coder = read_canvas(folders / "canvas")[0], read_autoencoder(folders / "autoencoder")[0]
    sure = known == 255
    shown = unit(np.where(sure[..., None], images, np.uint8(128)))
    cells = np.stack([cells_of(plane.astype(np.float32)) for plane in sure])[:, None]
    text = painter.words([prompt_of(variant, prompt) for prompt in prompts]).sequence
    with torch.no_grad():
        given = coder.encoder(shown)
        batch = {"target": given, "given": given, "known": torch.from_numpy(cells / 255).float()}
        batch["text"] = torch.from_numpy(text)
        latents = paint(canvas, batch, seeds, Sampling(steps=2, guidance=VARIANTS[variant].guidance), variant)
        mask = torch.from_numpy(sure).float()[:, None]
        painted = joined(coder.decoder(latents, shown, mask), shown, mask)
    assert draw_noise(seeds[0], (32, 5, 3)).shape == given.shape[1:]
    return np.rint((painted.clamp(-1, 1).permute(0, 2, 3, 1).numpy() + 1) * 127.5)


@pytest.mark.skipif(importlib.util.find_spec("tensorrt_rtx") is None, reason="the extra `gpu` is not installed")
@pytest.mark.parametrize("name", [ENCODER, DENOISER, DECODER])
def test_every_graph_compiles_with_tensorrt(folders, name):
    path = folders / "canvas_outpaint" / name
    assert len(build_plan(path.read_bytes(), profiles_of(path), ["SM89"])) > 10_000


def profiles_of(path):
    """One size for each open dimension: cells of a bucket, and pixels of as many."""
    import onnx

    sizes = {"batch": 4, "rows": 13, "columns": 19, "height": 208, "width": 304}
    shapes = {
        value.name: tuple(sizes.get(dim.dim_param, dim.dim_value) for dim in value.type.tensor_type.shape.dim)
        for value in onnx.load(path).graph.input
    }
    return {name: Profile(shape, shape, shape) for name, shape in shapes.items()}


def test_serving_needs_no_torch(folders):
    script = (
        "import sys\nfrom pathlib import Path\nfrom models.serving.painter import load_painter\n"
        f"load_painter(Path({str(folders / 'canvas_background')!r}), 2)\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_damaged_variant_and_odd_sides_are_refused(folders, tmp_path):
    import shutil

    shutil.copytree(folders / "canvas_background", tmp_path / "damaged")
    (tmp_path / "damaged" / "denoiser.onnx").write_bytes(b"other")
    with pytest.raises(ConfigError, match="are not the file"):
        load_painter(tmp_path / "damaged", 2)
    images, known, prompts, seeds = request(1, height=50)
    with pytest.raises(ValueError, match="not divisible by 16"):
        load_painter(folders / "canvas_background", 2)(images, known, prompts, seeds)


def test_the_export_tells_what_it_lacks(tmp_path, capsys):
    nowhere = ["--canvas", str(tmp_path / "a"), "--autoencoder", str(tmp_path / "b"), "--out", str(tmp_path / "c")]
    assert main(["--variant", "background", *nowhere]) == 2
    assert "no checkpoint in" in capsys.readouterr().err


def test_the_second_half_lays_what_is_known_over_the_enlarged_candidate():
    candidate = np.full((8, 6, 3), 90, np.uint8)
    image, known = np.full((16, 12, 3), 200, np.uint8), np.zeros((16, 12), np.uint8)
    known[4:8] = 255
    scene = laid_over(resampled(candidate, Size(16, 12)), image, known)
    assert (scene[4:8] == 200).all() and (scene[:4] == 90).all() and scene.shape == (16, 12, 3)
