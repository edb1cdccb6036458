import cv2
import numpy as np
import pytest

from models.data.compositions import compose
from models.data.cutouts import Layers, write_layers
from models.data.pseudo_labels import is_sure
from models.data.training_set import Folders, read_rgb, scan, street_files
from transforms.errors import ConfigError


def write_cutout(folder, name="lamp.0"):
    folder.mkdir(exist_ok=True)
    coverage = np.zeros((60, 60), np.uint8)
    coverage[10:50, 20:40] = 255
    write_layers(Layers(np.full((60, 60, 3), 120, np.uint8), coverage, None), folder / name)


def test_a_number_is_always_the_same_sample_and_another_is_another(tmp_path):
    write_cutout(tmp_path / "cutouts")
    data = scan(Folders(tmp_path / "cutouts"))
    assert np.array_equal(data.draw(0, 7, 64).pixels, data.draw(0, 7, 64).pixels)
    assert not np.array_equal(data.draw(0, 7, 64).pixels, data.draw(0, 8, 64).pixels)
    assert not np.array_equal(data.draw(0, 7, 64).pixels, data.draw(1, 7, 64).pixels)


def test_every_kind_of_folder_is_drawn_from(tmp_path):
    write_cutout(tmp_path / "cutouts")
    render, garment = tmp_path / "renders" / "chair", tmp_path / "garments"
    render.mkdir(parents=True)
    garment.mkdir()
    mask = np.zeros((50, 50), np.uint8)
    mask[10:40, 10:40] = 255
    for name in ("white", "plain", "scene"):
        cv2.imwrite(str(render / f"{name}.jpg"), cv2.merge([mask] * 3))
    cv2.imwrite(str(render / "alpha.png"), mask)
    cv2.imwrite(str(garment / "shirt.jpg"), cv2.merge([mask] * 3))
    cv2.imwrite(str(garment / "shirt.png"), mask)
    data = scan(Folders(tmp_path / "cutouts", tmp_path / "renders", garments=garment))
    assert {kind: len(files) for kind, files in data.files.items()} == {
        "cutouts": 1,
        "renders": 1,
        "street": 0,
        "garments": 1,
    }
    assert all(data.draw(0, number, 32).alpha.shape == (32, 32) for number in range(40))


def test_what_benchmarks_and_the_gate_show_is_never_trained_on(tmp_path):
    folder = tmp_path / "annotations" / "pixel-level"
    folder.mkdir(parents=True)
    for number in range(12):
        (folder / f"{number:04}.mat").touch()
    kept = {path.stem for path in street_files(tmp_path)}
    every = sorted(path.stem for path in folder.glob("*.mat"))
    assert not kept & {*every[::6], *every[3::6]}
    assert len(kept) == 8


def test_missing_cutouts_say_how_to_make_them(tmp_path):
    with pytest.raises(ConfigError, match=r"models\.data\.cutouts"):
        scan(Folders(tmp_path))
    with pytest.raises(FileNotFoundError):
        read_rgb(tmp_path / "none.jpg")


def test_rooms_are_shrunk_and_become_backdrops(tmp_path):
    write_cutout(tmp_path / "cutouts")
    cv2.imwrite(str(tmp_path / "room.jpg"), np.full((900, 1200, 3), 90, np.uint8))
    data = scan(Folders(tmp_path / "cutouts", rooms=tmp_path))
    assert [max(photo.shape) for photo in data.rooms] == [800]
    rng = np.random.Generator(np.random.Philox(1))
    assert compose(rng, Layers(np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.uint8), None), 48, data.rooms)


def test_a_pseudo_label_must_be_sure_and_of_a_usual_size():
    alpha = np.zeros((100, 100), np.float32)
    assert not is_sure(alpha)
    alpha[20:80, 20:80] = 1
    assert is_sure(alpha)
    assert not is_sure(alpha * 0.7)
    assert not is_sure(np.ones_like(alpha))
