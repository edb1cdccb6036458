"""The served painter without torch: it agrees with torch, keeps what is known, and a candidate has no mates."""

import importlib.util
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
from variants import write_variant

pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from models.export.canvas import main
from models.export.tensorrt import Profile, build_plan
from models.filling import masked
from models.registry import VARIANTS, Sampling
from models.serving.enlarge import load_enlarger
from models.serving.items import answer_apart, answer_together
from models.serving.networks import load_network
from models.serving.painter import DECODER, DENOISER, ENCODER, laid_over, load_painter, resampled
from models.training.conditions import on_grey
from transforms.errors import ConfigError
from transforms.ops.references import slots_of
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


def test_products_that_share_a_batch_are_painted_as_each_is_alone(folders):
    paint = load_painter(folders / "canvas_background", 4)

    def answer(inputs):
        prompts, seeds = inputs["PROMPT"], [int(seed) for seed in inputs["SEED"]]
        return {"CANDIDATE": paint(inputs["IMAGE"], inputs["KNOWN"], list(prompts), seeds)}

    asked = []
    for product, count in enumerate((1, 2, 3)):  # together more than a batch
        images, known, prompts, seeds = request(count)
        images, known = np.roll(images, 16 * product, axis=2), np.roll(known, 5 * product, axis=1)
        seeds = np.array(seeds) + 10 * product
        asked.append({"IMAGE": images, "KNOWN": known, "PROMPT": np.array(prompts, object), "SEED": seeds})
    together, alone = answer_together(asked, answer), answer_apart(asked, answer)
    assert all(np.array_equal(one["CANDIDATE"], other["CANDIDATE"]) for one, other in zip(together, alone, strict=True))
    assert not np.array_equal(together[0]["CANDIDATE"][0], together[1]["CANDIDATE"][0])


def test_what_is_not_finite_is_refused_and_not_painted_black(folders):
    paint = load_painter(folders / "canvas_background", 2)
    spoiled = replace(paint, decoder=lambda inputs: np.full_like(paint.decoder(inputs), np.nan))
    with pytest.raises(ValueError, match="not finite"):
        spoiled(*request(2))


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
    from models.training.samples import paint

    canvas, coder = read_canvas(folders / "canvas")[0], read_autoencoder(folders / "autoencoder")[0]
    sure = known == 255
    asked = VARIANTS[variant]
    shown = unit(np.stack([masked(*pair, fills=asked.fills) for pair in zip(images, sure, strict=True)]))
    cells = np.stack([cells_of(plane.astype(np.float32)) for plane in sure])[:, None]
    text = painter.words([prompt_of(variant, prompt) for prompt in prompts]).sequence
    with torch.no_grad():
        given = coder.encoder(shown)
        batch = {"target": given, "given": given, "known": torch.from_numpy(cells / 255).float()}
        batch["text"] = torch.from_numpy(text)
        latents = paint(canvas, batch, seeds, Sampling(steps=2, guidance=asked.guidance), variant)
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


def test_pictures_of_products_lead_a_scene_and_agree_with_what_training_gives(folders, tmp_path):
    write_variant(tmp_path / "scenes", "scene_synthesis", folders)
    paint = load_painter(tmp_path / "scenes", 2)
    product = np.zeros((30, 50, 4), np.uint8)
    product[4:20, 6:44], product[..., 3] = (180, 40, 60, 255), 0
    product[4:20, 6:44, 3] = 255
    slots = np.stack([slots_of([product]), slots_of([product, product[:, ::-1]])])
    images, nothing = np.full((2, 48, 64, 3), 128, np.uint8), np.zeros((2, 48, 64), np.uint8)
    scenes = paint(images, nothing, ["oak floor"] * 2, [1, 1], slots)
    assert not np.array_equal(scenes[0], scenes[1])
    alone = paint(images[:1], nothing[:1], ["oak floor"], [1], slots[:1])
    assert np.array_equal(alone[0], scenes[0])
    latents = paint._slots(slots)
    assert latents.shape == (2, 8, 32, 4, 4) and not latents[0, 1:].any() and latents[1, 1].any()
    trained = on_grey(product[4:20, 6:44])
    assert np.abs(latents[0, 0] - paint.encoder({"image": trained[None]})[0]).max() < 0.05
    with pytest.raises(ValueError, match="takes references"):
        paint(images, nothing, ["oak floor"] * 2, [1, 1])
    with pytest.raises(ValueError, match="takes no references"):
        load_painter(folders / "canvas_background", 2)(images, nothing, ["oak floor"] * 2, [1, 1], slots)


def test_the_diffusion_variant_enlarges_behind_the_same_call_as_the_one_step_network(folders, tmp_path):
    write_variant(tmp_path / "upscaler", "super_resolution", folders)
    enlarge = load_enlarger(tmp_path / "upscaler")
    picture = np.random.Generator(np.random.Philox(5)).integers(0, 256, (18, 22, 3), np.uint8)
    large = enlarge(picture, Size(54, 66))
    assert large.shape == (54, 66, 3) and np.array_equal(large, enlarge(picture, Size(54, 66)))
    assert enlarge(picture, Size(40, 50)).shape == (40, 50, 3)
    with pytest.raises(ConfigError, match="enlarges nothing"):
        load_enlarger(folders / "canvas_background")


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


def test_a_delta_is_merged_at_export_and_refused_on_another_base(folders, tmp_path, capsys):
    import torch

    from models.canvas import read_canvas
    from models.checkpoint import write_checkpoint
    from models.deltas import KIND, add_delta, delta_of

    network, card = read_canvas(folders / "canvas")
    said = {"spec": asdict(network.spec), "recipe": {"lora": 2, "seed": 0}, "metrics": {}}
    write_checkpoint(
        tmp_path / "other", {**network.state_dict(), "slot": network.slot + 1}, kind="canvas", data={}, **said
    )
    add_delta(network, 2)
    for name, parameter in network.named_parameters():
        if ".lora_B." in name:
            torch.nn.init.normal_(parameter, std=0.05)
    data = {"base": card.sha256, "filled": ["background"]}  # as its pairs were packed
    write_checkpoint(tmp_path / "delta", delta_of(network), kind=KIND, data=data, **said)
    options = ["--variant", "background", "--delta", str(tmp_path / "delta"), "--text", str(folders / "text")]
    options += ["--autoencoder", str(folders / "autoencoder"), "--out", str(tmp_path / "out"), "--canvas"]
    assert main([*options, str(folders / "canvas")]) == 0
    assert load_painter(tmp_path / "out", 2).fills and not load_painter(folders / "canvas_background", 2).fills
    noise = np.random.Generator(np.random.Philox(1)).standard_normal
    shapes = {
        "latents": (1, 32, 5, 3),
        "time": (1,),
        "given": (1, 32, 5, 3),
        "known": (1, 1, 5, 3),
        "text": (1, 32, 128),
    }
    asked = {name: np.abs(noise(shape, np.float32)) for name, shape in shapes.items()}
    served = load_network(tmp_path / "out" / DENOISER, "onnxruntime", 1)(asked)
    with torch.no_grad():
        trained = network(*map(torch.from_numpy, asked.values()), task="background").numpy()
        plain = read_canvas(folders / "canvas")[0](*map(torch.from_numpy, asked.values()), task="background").numpy()
    assert np.abs(served - trained).max() < 0.1 * np.abs(plain - trained).max()
    assert main([*options, str(tmp_path / "other")]) == 2
    assert "belongs to the base" in capsys.readouterr().err


def test_a_variant_is_served_with_its_own_tasks_correlation(folders, tmp_path):
    import torch

    from models.canvas import read_canvas
    from models.checkpoint import write_checkpoint
    from models.preconditioning import Moments

    network, card = read_canvas(folders / "canvas")
    carried = {"background": torch.full((32,), 0.9), "outpaint": torch.full((32,), 0.3)}
    network.preconditioning.fit(Moments(torch.zeros(32), torch.ones(32), carried))
    said = {"spec": card.spec, "data": {}, "recipe": {"seed": 0}, "metrics": {}}
    write_checkpoint(tmp_path / "base", dict(network.state_dict()), kind="canvas", **said)
    noise = np.random.Generator(np.random.Philox(1)).standard_normal
    shapes = [(1, 32, 5, 3), (1,), (1, 32, 5, 3), (1, 1, 5, 3), (1, 32, 128)]
    names = ("latents", "time", "given", "known", "text")
    asked = {name: np.abs(noise(shape, np.float32)) for name, shape in zip(names, shapes, strict=True)}
    asked["known"], asked["time"] = np.ones_like(asked["known"]), np.array([0.4], np.float32)
    answers = {}
    for task in carried:
        folder = tmp_path / task
        options = ["--variant", task, "--text", str(folders / "text"), "--out", str(folder), "--canvas"]
        assert main([*options, str(tmp_path / "base"), "--autoencoder", str(folders / "autoencoder")]) == 0
        answers[task] = load_network(folder / DENOISER, "onnxruntime", 1)(asked)
        with torch.no_grad():
            trained = network(*map(torch.from_numpy, asked.values()), task=task).numpy()
        assert np.abs(answers[task] - trained).max() < 0.02
    assert np.abs(answers["background"] - answers["outpaint"]).max() > 0.2


def test_the_second_half_lays_what_is_known_over_the_enlarged_candidate():
    candidate = np.full((8, 6, 3), 90, np.uint8)
    image, known = np.full((16, 12, 3), 200, np.uint8), np.zeros((16, 12), np.uint8)
    known[4:8] = 255
    scene = laid_over(resampled(candidate, Size(16, 12)), image, known)
    assert (scene[4:8] == 200).all() and (scene[:4] == 90).all() and scene.shape == (16, 12, 3)
