"""A few steps of the real network on drawn sets: it begins as no change, goes on after a break, is served alike."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from models.data.examples import Example  # noqa: E402
from models.data.shards import write_shards  # noqa: E402
from models.data.stagings import main as make_stagings  # noqa: E402
from models.data.stagings import read_staging, staging_of, write_staging  # noqa: E402
from models.export.cards import check_files  # noqa: E402
from models.export.stager import load_average  # noqa: E402
from models.export.stager import main as export  # noqa: E402
from models.serving.stager import load_stager, paint, upscale  # noqa: E402
from models.stager import Stager  # noqa: E402
from models.training.staging_set import draw, parts_of, scan  # noqa: E402
from models.training.train_stager import main  # noqa: E402
from transforms.errors import ConfigError  # noqa: E402
from transforms.ops import studio  # noqa: E402
from transforms.ops.shadows import KeyLight  # noqa: E402
from transforms.ops.staging import SHOWN, shaded  # noqa: E402

SIDE = 256


def example(number, **changes):
    """A box on a plain floor that darkens the floor to its right by half."""
    empty = np.full((SIDE, SIDE, 3), 120 + 10 * number, np.uint8)
    product = np.zeros((SIDE, SIDE, 4), np.uint8)
    product[90:170, 100 : 130 + 5 * number] = (180, 60, 40, 255)
    scene = empty.copy()
    scene[150:170, 130 + 5 * number : 180] //= 2
    alpha = product[..., 3]
    scene[alpha > 0] = product[alpha > 0, :3]
    known = {"empty": empty, "light": KeyLight(0.8, 0.1, 0.1), "words": {"stand": "floor"}} | changes
    return Example(
        key=f"drawn-{number}",
        scene=scene,
        coverage=np.ascontiguousarray(alpha),
        registered=product,
        products=(),
        later=None,
        captions=("a box",),
        source="drawn",
        licence="CC0-1.0",
        authors=(),
        split="held_out" if number == 3 else "train",
        bucket="256x256",
        **known,
    )


@pytest.fixture(scope="module")
def stagings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stagings")
    for split in ("train", "held_out"):
        (folder / split).mkdir()
    for number in range(4):
        made = example(number)
        write_staging(staging_of(made), folder / made.split / f"{made.key}.npz")
    return folder


def train(run, stagings, steps):
    options = {"run": run, "stagings": stagings, "steps": steps, "batch": 2, "save_every": 2, "fall": 0.0}
    assert main([part for name, value in options.items() for part in (f"--{name}", str(value))]) == 0
    return [json.loads(line) for line in (run / "losses.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, stagings):
    run = tmp_path_factory.mktemp("run")
    return run, train(run, stagings, 40)


def test_shards_become_stagings_but_for_what_hangs_or_is_not_known(tmp_path, capsys):
    held = [example(0), example(1, words={"stand": "wall"}), example(2, light=None), example(3)]
    write_shards(held, tmp_path / "shards")
    for _ in range(2):
        assert make_stagings(["--shards", str(tmp_path / "shards"), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["train: 1 stagings", "held_out: 1 stagings"]
    found = read_staging(tmp_path / "out" / "train" / "drawn-0.npz")
    assert found.light == pytest.approx(KeyLight(0.8, 0.1, 0.1)) and found.clues.shape == (SIDE, SIDE, 3)
    assert np.abs(found.empty.astype(int) - 120).max() <= 2


def test_a_new_network_changes_nothing():
    shown = torch.from_numpy(np.random.Generator(np.random.Philox(1)).integers(0, 256, (1, SHOWN, 64, 96))).float()
    with torch.no_grad():
        assert Stager().eval()(shown).abs().max() == 0


def test_a_run_that_was_broken_off_has_the_losses_of_one_that_was_not(tmp_path, stagings):
    whole = train(tmp_path / "whole", stagings, 4)
    train(tmp_path / "broken", stagings, 2)
    broken = train(tmp_path / "broken", stagings, 4)
    assert [row["loss"] for row in broken] == [row["loss"] for row in whole]


def test_it_learns_where_a_product_darkens_its_set(trained):
    run, rows = trained
    last = rows[-8:]
    assert np.mean([row["loss"] for row in last]) < 0.7 * np.mean([row["given"] for row in last])
    staging = staging_of(example(3))
    shown, _, _ = parts_of(staging)
    with torch.no_grad():
        change = load_average(run / "checkpoint.pt")(torch.from_numpy(shown).permute(2, 0, 1)[None].float())
    painted = shaded(staging.empty.astype(np.float32), change[0].permute(1, 2, 0).numpy())
    shadow, away = painted[154:166, 150:175].mean(), painted[20:60, 20:60].mean()
    assert shadow < away - 15


def test_batches_repeat_themselves_and_weigh_the_set_alone(stagings):
    files = scan(stagings / "train")
    first, again = draw(files, 0, 3, 2), draw(files, 0, 3, 2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert torch.equal(first.weight[:, 0] == 0, first.shown[:, 6] > 0)
    across = {int(draw(files, 0, number, 1).shown[0, 10, 0, 0]) for number in range(12)}
    assert across == {153, 102}, "some are mirrored, and their light with them"
    with pytest.raises(ConfigError, match=r"models\.data\.stagings"):
        scan(stagings)


def test_what_is_served_is_what_was_trained(trained, tmp_path, capsys):
    run, _ = trained
    assert export(["--run", str(run), "--out", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert check_files(tmp_path)["recipe"]["steps"] == 40 and told["stager.onnx"] < 3_000_000
    shown = parts_of(staging_of(example(3)))[0]
    planes = np.ascontiguousarray(shown[:, :208].transpose(2, 0, 1)[None].astype(np.float32))
    with torch.no_grad():
        expected = load_average(run / "checkpoint.pt")(torch.from_numpy(planes)).numpy()
    for engine in ("openvino", "onnxruntime"):
        assert np.abs(load_stager(tmp_path, engine).network({"shown": planes}) - expected).max() < 0.02

    made = staging_of(example(3))
    colors, outline = np.ascontiguousarray(made.product[..., :3]), np.ascontiguousarray(made.product[..., 3])
    change = load_stager(tmp_path).change(made.empty, colors, outline, made.light)
    assert np.ptp(change, axis=2).max() == 0 and change[184:196, 180:206].mean() < -0.1

    stage, alpha = load_stager(tmp_path), np.zeros((600, 400), np.uint8)
    alpha[300:480, 150:250] = 255
    image = np.where(alpha[..., None] > 0, np.uint8(90), np.uint8(128)) * np.ones(3, np.uint8)
    small, matte = studio.shrink(image, alpha, (304, 208))
    candidate, guide = paint(stage, small, matte, matte, "wooden floor", 5)
    assert np.array_equal(candidate, paint(stage, small, matte, matte, "wooden floor", 5)[0]) and guide.all()
    assert not np.array_equal(candidate, studio.paint(small, matte, matte, "wooden floor", 5))
    scene = upscale(stage, image, alpha, alpha, candidate, guide, "wooden floor", 5)
    assert scene.shape == (600, 400, 3) and abs(float(scene.mean()) - float(candidate.mean())) < 3
    flat, _ = paint(stage, small, matte, matte, "flat lay", 5)
    assert np.array_equal(flat, studio.paint(small, matte, matte, "flat lay", 5)), (
        "the studio's own where nothing stands"
    )
