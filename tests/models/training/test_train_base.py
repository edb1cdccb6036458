"""The whole chain for a few steps: compose, pack, train, break off, go on, make a variant, look at samples."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from models.autoencoder import Autoencoder, AutoencoderSpec, read_autoencoder  # noqa: E402
from models.canvas import read_canvas  # noqa: E402
from models.checkpoint import write_checkpoint  # noqa: E402
from models.data.cutouts import write_layers  # noqa: E402
from models.data.drawings import draw_thing  # noqa: E402
from models.deltas import read_merged  # noqa: E402
from models.registry import VARIANTS  # noqa: E402
from models.training.base_recipe import Recipe, parse_stages  # noqa: E402
from models.training.base_state import new_state, save_state  # noqa: E402
from models.training.composed import compose_examples  # noqa: E402
from models.training.conditions import conditions_of, mirrored, on_grey  # noqa: E402
from models.training.noising import loss_of, noised  # noqa: E402
from models.training.packing import Packed, cells_of, pack, read_facts, write_facts  # noqa: E402
from models.training.processes import accelerator_of, zero_unused  # noqa: E402
from models.training.runs import average_into  # noqa: E402
from models.training.train_base import main  # noqa: E402
from models.training.whole_photographs import photograph_examples  # noqa: E402
from transforms.errors import ConfigError  # noqa: E402


def rng(number):
    return np.random.Generator(np.random.Philox(number))


def words(texts):
    """A stand-in for the text encoder: vectors drawn from the words themselves."""
    return np.stack([rng(sum(text.encode())).standard_normal((32, 128), np.float32) for text in texts])


@pytest.fixture(scope="module")
def cutouts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cutouts")
    for number in (1, 2, 3, 13, 39):
        write_layers(draw_thing(rng(number)), folder / f"thing{number}.0")
    return folder


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("autoencoder")
    torch.manual_seed(0)
    network = Autoencoder(AutoencoderSpec(widths=(8, 8, 16, 16), depths=(1, 1, 1, 1)))
    spec = {"channels": 32, "widths": (8, 8, 16, 16), "depths": (1, 1, 1, 1)}
    nothing = {"data": {}, "recipe": {}, "metrics": {}}
    write_checkpoint(folder, dict(network.state_dict()), kind="autoencoder", spec=spec, **nothing)
    return folder


@pytest.fixture(scope="module")
def packed(tmp_path_factory, cutouts, autoencoder):
    out = tmp_path_factory.mktemp("packed")
    network = read_autoencoder(autoencoder)[0]
    for split in ("train", "held_out"):
        examples = compose_examples(cutouts, None, split, 6 if split == "train" else 1)
        counts = pack(examples, network, words, tuple(VARIANTS.values()), out, split)
    assert counts["outpaint-208x304"] == counts["scene_synthesis-208x304"] == 1
    assert not any(name.startswith("image_to_motion") for name in counts)  # no example has a later picture
    return out


def options(run, packed, steps, *more):
    begun = ["--run", run, "--packed", packed, "--steps", steps, "--spec", "canvas-rehearsal"]
    return [str(word) for word in (*begun, "--stages", "0-320:1:2", "--fall", "0.0", "--save_every", 3, *more)]


def losses(run):
    return [json.loads(line)["loss"] for line in (run / "losses.jsonl").read_text().splitlines()]


def train(run, packed, autoencoder, steps, *more):
    looked = ["--autoencoder", autoencoder, "--sheet_rows", 1] if autoencoder else []
    assert main(options(run, packed, steps, *looked, *more)) == 0
    return losses(run)


def train_by_two(run, packed, steps, *more):
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "--"]
    command = [*launch, "models.training.train_base", *options(run, packed, steps, *more)]
    env, root = {**os.environ, "OMP_NUM_THREADS": "1"}, Path(__file__).parents[3]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=root, env=env)
    assert done.returncode == 0, done.stderr
    return losses(run)


def step_on_joined_batches(state, recipe, pairs):
    """A step of one process on the batches that two would draw; its loss."""
    numbers = (2 * state.step, 2 * state.step + 1)
    batches = [noised(*pairs.batch(recipe.seed, number, 2), recipe, number) for number in numbers]
    loss = sum(loss_of(state.network, batch) for batch in batches) / 2
    loss.backward()
    zero_unused(state.network)
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), 1.0)
    state.optimizer.param_groups[0]["lr"] = recipe.rate * recipe.rate_at(state.step)
    state.optimizer.step()
    state.optimizer.zero_grad()
    average_into(state.average, state.network, state.step, recipe.average)
    state.step += 1
    return loss.item()


def furthest(first, second):
    """The greatest mean distance of two tensors of one name; both dictionaries have the same names and shapes."""
    assert {name: value.shape for name, value in first.items()} == {name: value.shape for name, value in second.items()}
    return max(float((first[name].float() - second[name].float()).abs().mean()) for name in first)


def test_six_steps_broken_off_and_gone_on_have_the_losses_of_six_in_one_go(tmp_path, packed, autoencoder):
    whole = train(tmp_path / "whole", packed, autoencoder, 6)
    train(tmp_path / "broken", packed, autoencoder, 3)
    broken = train(tmp_path / "broken", packed, autoencoder, 6)
    assert broken == whole and len(whole) == 6
    first, second = (read_canvas(tmp_path / name / "model")[0].state_dict() for name in ("whole", "broken"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    sheet = cv2.imread(str(tmp_path / "whole" / "samples" / "000006.png"))
    assert sheet.shape[0] > 800 and sheet.shape[1] > 600
    variant = tmp_path / "variant"
    train(variant, packed, autoencoder, 2, "--start", tmp_path / "whole" / "model", "--variants", "background")
    card = read_canvas(variant / "model")[1]
    assert set(card.metrics) == {"background_loss"} and card.recipe["variants"] == "background"


@pytest.mark.cluster
@pytest.mark.parametrize("sharded", ["false", "true"])
def test_two_processes_go_on_from_a_checkpoint_as_one_does_with_both_batches(tmp_path, packed, sharded):
    recipe = Recipe(spec="canvas-rehearsal", steps=4, stages="0-320:1:2", fall=0.0, rate=2e-3, warm_steps=1)
    torch.set_num_threads(1)
    pairs, accelerator = Packed([packed], "train", recipe.tasks(), 0, 320), accelerator_of(False, False)
    state = new_state(recipe, None, pairs.moments(recipe.carries), accelerator)
    found = [step_on_joined_batches(state, recipe, pairs) for _ in range(2)]
    save_state(tmp_path, state, accelerator)
    found += [step_on_joined_batches(state, recipe, pairs) for _ in range(2)]
    more = ("--rate", 2e-3, "--warm_steps", 1, "--sharded", sharded)
    assert train_by_two(tmp_path, packed, 4, *more) == pytest.approx(found[2:], rel=1e-5)
    files = {"checkpoint.pt", "losses.jsonl", "losses.png", "model", "samples"}
    assert {path.name for path in tmp_path.iterdir()} == files
    own, theirs = state.state_dict(), torch.load(tmp_path / "checkpoint.pt")
    for name in ("own", "average"):
        assert furthest(own[name], theirs[name]) < 1e-6  # they moved by 2e-3 and more
    for number, kept in own["optimizer"]["state"].items():
        assert furthest(kept, theirs["optimizer"]["state"][number]) < 1e-6
    assert furthest(theirs["average"], read_canvas(tmp_path / "model")[0].state_dict()) == 0


def test_a_delta_broken_off_and_gone_on_has_the_same_losses_and_stays_with_its_base(tmp_path, packed):
    train(tmp_path / "base", packed, None, 1)
    base = tmp_path / "base" / "model"
    more = ("--start", base, "--variants", "background", "--lora", 2, "--rate", 1e-2)
    whole = train(tmp_path / "whole", packed, None, 4, *more)
    train(tmp_path / "broken", packed, None, 2, *more)
    assert train(tmp_path / "broken", packed, None, 4, *more) == whole and len(whole) == 4
    first, second = (read_merged(base, tmp_path / name / "model") for name in ("whole", "broken"))
    assert all(torch.equal(*pair) for pair in zip(first[0].parameters(), second[0].parameters(), strict=True))
    assert not torch.equal(first[0].body.conv_in.weight, read_canvas(base)[0].body.conv_in.weight)
    assert first[1].data["base"] == read_canvas(base)[1].sha256
    train(tmp_path / "other", packed, None, 1, "--seed", 1)
    with pytest.raises(ConfigError, match="the run began on the base"):
        train(tmp_path / "broken", packed, None, 6, "--start", tmp_path / "other" / "model", *more[2:])
    with pytest.raises(ConfigError, match="name its `model` folder with --start"):
        train(tmp_path / "none", packed, None, 1, "--lora", 2)


def test_batches_repeat_themselves_and_follow_the_shares(packed):
    pairs = Packed([packed], "train", tuple(VARIANTS), 0, 320)
    first, second = pairs.batch(0, 5, 2), pairs.batch(0, 5, 2)
    assert first[0] == second[0] and all(torch.equal(first[1][name], second[1][name]) for name in first[1])
    drawn = [rng(number).choice(len(pairs.paths), p=pairs.shares) for number in range(1)]
    assert drawn and pairs.shares.sum() == pytest.approx(1)
    share = sum(share for file, share in enumerate(pairs.shares) if pairs.variant(file) == "background")
    assert share == pytest.approx(0.4 / 0.95)
    with pytest.raises(ConfigError, match="no packed train pairs of background"):
        Packed([packed], "train", ("background",), 400, 500)


def write_pairs(path, given, target, known=1):
    """Packed pairs [N, 32, h, w] of one file; every cell's given counts as `known` says."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    cells = np.full((len(given), 1, *given.shape[2:]), 255 * known, np.uint8)
    text = np.zeros((len(given), 3, 32, 128), np.float16)
    latents = {"target": target.astype(np.float16), "given": given.astype(np.float16)}
    save_file({**latents, "known": cells, "text": text}, path)


@pytest.fixture(scope="module")
def two_tasks(tmp_path_factory):
    """Pairs of three tasks: one whose given is nearly the answer, one that goes with it by half, one without any."""
    folder = tmp_path_factory.mktemp("two")
    for split in ("train", "held_out"):
        target, other = rng(5).standard_normal((2, 40, 32, 13, 19), np.float32)
        write_pairs(folder / split / "super_resolution-208x304.safetensors", target + 0.1 * other, target)
        write_pairs(folder / split / "image_to_motion-208x304.safetensors", 0.5 * target + 0.75**0.5 * other, target)
        write_pairs(folder / split / "background-208x304.safetensors", target, target, known=0)
    return folder


def test_what_is_given_goes_with_each_tasks_answer_or_with_all_of_them_together(two_tasks):
    pairs = Packed([two_tasks], "train", tuple(VARIANTS), 0, 320)
    each, joint, nothing = (pairs.moments(how).carried for how in ("each", "joint", "nothing"))
    assert each["super_resolution"].mean() == pytest.approx(1 / 1.01**0.5, abs=0.01)
    assert each["image_to_motion"].mean() == pytest.approx(0.5, abs=0.02)
    assert not each["background"].any() and set(each) == {"super_resolution", "image_to_motion", "background"}
    assert set(joint) == set(VARIANTS) and nothing == {}
    assert all(torch.equal(joint["staging"], joint[task]) for task in VARIANTS)
    assert joint["staging"].mean() == pytest.approx(1.5 / (2 * 2.01) ** 0.5, abs=0.02)
    with pytest.raises(ConfigError, match="carries 'much' is none of each, joint, nothing"):
        pairs.moments("much")


def test_a_base_keeps_each_tasks_correlation_and_a_variant_of_it_takes_its_own(tmp_path, two_tasks):
    base = tmp_path / "base"
    train(base, two_tasks, None, 2)
    network, card = read_canvas(base / "model")
    assert card.recipe["carries"] == "each"
    scales = network.preconditioning
    assert scales.carried_super_resolution.mean() > 0.97 and scales.carried_image_to_motion.mean() < 0.55
    options = ("--start", base / "model", "--variants", "image_to_motion")
    for name, more in (("whole", ()), ("delta", ("--lora", 2))):
        train(tmp_path / name, two_tasks, None, 2, *options, *more)
    whole = read_canvas(tmp_path / "whole" / "model")[0]
    delta = read_merged(base / "model", tmp_path / "delta" / "model")[0]
    for variant in (whole, delta):
        assert torch.equal(variant.preconditioning.carried_image_to_motion, scales.carried_image_to_motion)


def test_a_run_that_began_with_one_correlation_goes_on_with_it(tmp_path, two_tasks):
    whole = train(tmp_path / "whole", two_tasks, None, 4, "--carries", "joint")
    train(tmp_path / "broken", two_tasks, None, 2, "--carries", "joint")
    checkpoint = tmp_path / "broken" / "checkpoint.pt"
    held = torch.load(checkpoint)
    for part in ("own", "average"):  # as it was named
        carried = [held[part].pop(f"preconditioning.carried_{task}") for task in VARIANTS]
        held[part]["preconditioning.carried"] = carried[0]
    torch.save(held, checkpoint)
    assert train(tmp_path / "broken", two_tasks, None, 4, "--carries", "each") == whole


def test_folders_are_packed_apart_and_trained_on_together(tmp_path, packed, cutouts, autoencoder):
    network, other = read_autoencoder(autoencoder)[0], tmp_path / "other"
    for split in ("train", "held_out"):
        pack(compose_examples(cutouts, None, split, 2, seed=1), network, words, [VARIANTS["background"]], other, split)
    both = Packed([packed, other], "train", ("background",), 0, 320)
    assert sum(both.counts) == 6 + 2 and both.shares == pytest.approx(np.array(both.counts) / 8)
    for folder, source, filled in ((packed, "one", []), (other, "another", [])):
        write_facts(folder, {"source": source, "pairs": {}, "autoencoder": "ab", "filled": filled})
    assert read_facts([packed, other])["source"] == "one; another" and read_facts([other])["source"] == "another"
    write_facts(other, {"source": "another", "pairs": {}, "autoencoder": "cd", "filled": []})
    with pytest.raises(ConfigError, match="were not packed alike"):
        read_facts([packed, other])
    for folder in (packed, other):
        (folder / "facts.json").unlink()


def test_a_later_frame_is_asked_for_by_the_way_of_the_camera_alone(tmp_path, autoencoder):
    noise = rng(3).normal(0, 1, (90, 75, 3))
    picture = np.clip(128 + 300 * cv2.GaussianBlur(noise, (0, 0), 4), 0, 255).astype(np.uint8)
    for number in range(60):  # some of them are held out
        cv2.imwrite(str(tmp_path / f"p{number}.png"), picture)
    examples = photograph_examples(tmp_path, "train", 1, licence="CC0-1.0", moving=True)
    asked, network = [], read_autoencoder(autoencoder)[0]

    def listening(texts):
        asked.extend(texts)
        return words(texts)

    pack(examples, network, listening, [VARIANTS["image_to_motion"]], tmp_path / "out", "train")
    assert len(asked) == 3 and len(set(asked)) == 1
    assert asked[0].startswith("image_to_motion: the camera ")


def test_variants_differ_by_what_they_are_given(cutouts):
    example = next(iter(compose_examples(cutouts, None, "train", 1)))
    pairs = {name: conditions_of(example, variant, rng(3)) for name, variant in VARIANTS.items()}
    assert pairs["image_to_motion"] is None
    background, outpaint, synthesis = (pairs[name] for name in ("background", "outpaint", "scene_synthesis"))
    assert np.array_equal(background.known > 0, example.coverage == 255)
    assert (background.given[background.known == 0] == 128).all()
    assert np.array_equal(outpaint.given[outpaint.known > 0], example.scene[outpaint.known > 0])
    grey = conditions_of(example, replace(VARIANTS["outpaint"], fills=False), rng(3))
    assert np.array_equal(grey.known, outpaint.known) and (grey.given[grey.known == 0] == 128).all()
    unknown = outpaint.known == 0
    away = [np.abs(pair.given[unknown].astype(int) - example.scene[unknown]).mean() for pair in (grey, outpaint)]
    assert away[1] < 0.8 * away[0], "a continuation is nearer to the picture than grey"
    assert not synthesis.known.any() and synthesis.references.shape == (1, 64, 64, 3)
    assert pairs["super_resolution"].known.all()
    assert np.array_equal(mirrored(outpaint).target[:, ::-1], outpaint.target)


def test_a_set_is_given_with_its_products_laid_in_and_asked_for_with_what_they_do_to_it(cutouts):
    example = next(iter(compose_examples(cutouts, None, "train", 1)))
    assert conditions_of(example, VARIANTS["staging"], rng(3)) is None  # nobody knows the set without the product
    empty = np.clip(example.scene.astype(int) + 40, 0, 255).astype(np.uint8)
    pair = conditions_of(replace(example, empty=empty), VARIANTS["staging"], rng(3))
    away, inside = example.coverage == 0, example.coverage == 255
    assert pair.known.all()
    assert np.array_equal(pair.given[away], empty[away]) and np.array_equal(pair.target[away], example.scene[away])
    assert np.array_equal(pair.given[inside], pair.target[inside])
    assert np.array_equal(pair.given[inside], example.registered[..., :3][inside])


def test_products_are_laid_on_grey_and_cells_say_how_much_is_known():
    product = np.zeros((40, 20, 4), np.uint8)
    product[..., 0], product[10:30, :, 3] = 200, 255
    laid = on_grey(product)
    assert laid.shape == (64, 64, 3) and tuple(laid[0, 0]) == (128, 128, 128) and tuple(laid[32, 32]) == (200, 0, 0)
    known = np.zeros((32, 16), np.float32)
    known[:8] = 1
    assert cells_of(known).tolist() == [[128], [0]]


def test_stages_follow_each_other_and_wrong_ones_are_refused():
    recipe = Recipe(steps=100, stages="0-320:3:16,321-700:1:4")
    assert [recipe.stage_at(step).most for step in (0, 74, 75, 99)] == [320, 320, 700, 700]
    with pytest.raises(ConfigError, match="least-most:share:batch"):
        parse_stages("320:1")
