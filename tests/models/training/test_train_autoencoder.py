"""A few steps of the real autoencoder: they go on after a break as if there had been none, guided or not."""

import json

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from models.autoencoder import read_autoencoder  # noqa: E402
from models.data.cutouts import write_layers  # noqa: E402
from models.data.drawings import draw_thing  # noqa: E402
from models.training.masking import draw_frame, draw_known  # noqa: E402
from models.training.pictures import find_pictures, split_of  # noqa: E402
from models.training.train_autoencoder import Recipe, main, new_state  # noqa: E402
from transforms.errors import ConfigError  # noqa: E402


def rng(number):
    return np.random.Generator(np.random.Philox(number))


@pytest.fixture(scope="module")
def cutouts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cutouts")
    for number in (1, 2, 3, 13, 39):
        write_layers(draw_thing(rng(number)), folder / f"thing{number}.0")
    assert {split_of(path) for path in folder.glob("*.webp")} == {"train", "held_out"}
    return folder


def train(run, cutouts, steps, *more):
    options = ["--run", str(run), "--cutouts", str(cutouts), "--steps", str(steps), "--batch", "2", "--side", "64"]
    assert main([*options, "--fall", "0.0", "--features", "0", "--save_every", "2", *map(str, more)]) == 0
    return [json.loads(line)["loss"] for line in (run / "losses.jsonl").read_text().splitlines()]


def test_a_run_that_was_broken_off_goes_on_to_the_same_losses_and_a_guided_one_builds_on_it(tmp_path, cutouts):
    whole = train(tmp_path / "whole", cutouts, 6)
    train(tmp_path / "broken", cutouts, 4)
    broken = train(tmp_path / "broken", cutouts, 6)
    assert broken == whole and len(whole) == 6
    card = read_autoencoder(tmp_path / "broken" / "model")[1]
    assert card.data["cutouts"] == len(find_pictures([], cutouts, None, "train").cutouts)
    assert card.metrics["psnr_db"] > 10 and (tmp_path / "whole" / "losses.png").stat().st_size > 1000
    added = card.metrics["psnr_db"] - card.metrics["linear_part_psnr_db"]
    assert 0.0 < abs(added) < 3.0, "six steps move the decoder's network, and not far from its linear part"
    start = tmp_path / "whole" / "model"
    train(tmp_path / "guided", cutouts, 2, "--guided", "true", "--start", start, "--features", "0.05")
    guided, card = read_autoencoder(tmp_path / "guided" / "model")
    first = read_autoencoder(start)[0]
    assert all(torch.equal(a, b) for a, b in zip(first.encoder.parameters(), guided.encoder.parameters(), strict=True))
    assert (
        any(guide.mix.weight.abs().sum() > 0 for guide in guided.decoder.guides) and "unknown_psnr_db" in card.metrics
    )


def test_the_splits_share_no_file_and_folders_without_pictures_are_refused(tmp_path, cutouts):
    own, held_out = (find_pictures([], cutouts, None, split) for split in ("train", "held_out"))
    assert not set(own.cutouts) & set(held_out.cutouts)
    assert np.array_equal(own.crop(0, 3, 64), own.crop(0, 3, 64)) and own.crop(0, 3, 64).shape == (64, 64, 3)
    with pytest.raises(ConfigError, match="no train pictures under"):
        find_pictures([tmp_path], None, None, "train")


def test_photographs_are_cut_and_enlarged_where_they_are_too_small(tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"photo{number}.jpg"), np.full((40, 90, 3), 50 * number, np.uint8))
    pictures = find_pictures([tmp_path], None, None, "train")
    assert pictures.photos and pictures.crop(0, 1, 64).shape == (64, 64, 3)


def test_masks_know_frames_shapes_and_now_and_then_nothing():
    planes = [draw_known(rng(number), 64) for number in range(60)]
    assert all(set(np.unique(plane)) <= {0.0, 1.0} for plane in planes)
    assert 4 <= sum(not plane.any() for plane in planes) <= 24
    for number in range(20):
        known = draw_frame(rng(number), 48, 80)
        assert 0.4 <= known.mean() <= 0.95
        rows, columns = known.all(axis=1), known.all(axis=0)
        assert rows.any() != columns.any()  # bands run the whole width, or the whole height


def test_linear_maps_move_at_their_own_share_of_the_rate(tmp_path, cutouts):
    train(tmp_path, cutouts, 2, "--linear_rate", "0")
    moved, _ = read_autoencoder(tmp_path / "model")
    begun = new_state(Recipe(side=64, batch=2), None, find_pictures([], cutouts, None, "train")).network
    assert torch.equal(moved.encoder.linear.weight, begun.encoder.linear.weight)
    assert torch.equal(moved.decoder.linear.weight, begun.decoder.linear.weight)
    assert not torch.equal(moved.encoder.stem[1].weight, begun.encoder.stem[1].weight)
