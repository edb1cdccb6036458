from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.data.curation import Curator, Limits, NearDuplicates, edge_width, frame_contact
from models.data.examples import Example
from models.data.framing import axes
from models.data.opt_out import MEMBERS, OptOut, check_left, read_opt_out, shard_keys
from models.data.pack import main
from models.data.pairs import read_pair, read_pairs
from models.data.photographs import cropped, light_of, split_of_sender, words_of, write_pair
from models.data.shards import read_shards, webp
from transforms.errors import ConfigError

SIDE = 96
WORDS = {
    "category": "chair",
    "products": [{"phrase": "chair", "noun": "chair", "colors": ["red"]}],
    "place": "on an oak wooden floor",
    "light": "soft light",
}


def scene(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A textured room of the seed's own with a red thing in it, [96, 96, 3], and the thing's mask."""
    rng = np.random.default_rng(seed)
    room = cv2.resize(rng.integers(60, 200, (6, 6, 3)).astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    room[SIDE // 2 :] = room[SIDE // 2 :] // 2 + 20
    coverage = np.zeros((SIDE, SIDE), np.uint8)
    coverage[30:70, 35:65] = 255
    room[coverage > 0] = (190, 40, 40)
    return room, coverage


def write_folder(root: Path, number: int, **changes: object) -> Path:
    pixels, coverage = scene(number)
    registered = np.dstack([pixels, coverage])
    about = {
        "key": f"s0-{number:06}",
        "split": "held_out" if number % 3 == 0 else "train",
        "size": [SIDE, SIDE],
        "source": "rendered scenes",
        "licence": "CC-BY-3.0",
        "authors": ["A. Maker"],
        "products": [f"library/model{number}"],
        "props": [],
        "words": WORDS,
    } | changes
    folder = root / str(about["key"])
    folder.mkdir(parents=True)
    for name in ("scene", "registered", "product0"):
        (folder / f"{name}.webp").write_bytes(webp(pixels if name == "scene" else registered))
    cv2.imwrite(str(folder / "coverage.png"), coverage)
    (folder / "about.json").write_text(json.dumps(about))
    return folder


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    for number in range(6):
        write_folder(tmp_path / "scenes", number)
    return tmp_path / "scenes"


def run(tmp_path: Path, scenes: Path, out: str, *more: str) -> int:
    return main(["--scenes", str(scenes), "--out", str(tmp_path / out), *more])


def test_a_set_is_packed_with_captions_card_and_members(tmp_path: Path, scenes: Path) -> None:
    assert run(tmp_path, scenes, "set") == 0
    examples = list(read_shards(tmp_path / "set", "train"))
    assert [example.key for example in examples] == ["s0-000001", "s0-000002", "s0-000004", "s0-000005"]
    assert examples[0].captions[1] == "a red chair on an oak wooden floor"
    card = json.loads((tmp_path / "set" / "card.json").read_text())
    assert card["by_bucket"] == {"held_out/96x96": 2, "train/96x96": 4}
    assert card["by_source"] == [{"source": "rendered scenes", "licence": "CC-BY-3.0", "examples": 6}]
    assert card["authors"] == {"A. Maker": 6}
    assert "A. Maker (6)" in (tmp_path / "set" / "card.md").read_text()


@pytest.mark.parametrize("key", ["library/model4", "s0-000004", "author:A. Maker"])
def test_what_is_opted_out_leaves_the_next_set(tmp_path: Path, scenes: Path, key: str) -> None:
    write_folder(scenes, 9, authors=["B. Maker"], key="s0-000009")
    write_folder(scenes, 10, authors=["B. Maker"], key="s0-000010")
    assert run(tmp_path, scenes, "before") == 0
    with_it = shard_keys(tmp_path / "before")
    listed = tmp_path / "list.txt"
    listed.write_text(f"# asked on 3 May\n{key}  # by mail\nlibrary/unknown\n")
    with pytest.raises(ConfigError, match="opted out"):
        check_left(tmp_path / "before", read_opt_out(listed))
    assert run(tmp_path, scenes, "after", "--opt_out", str(listed)) == 0
    gone = with_it - shard_keys(tmp_path / "after")
    kept = [pair for pair in read_pairs(scenes) if pair.example.key in shard_keys(tmp_path / "after")]
    assert gone and all(key not in pair.keys for pair in kept)
    assert main(["--check", str(tmp_path / "after"), "--opt_out", str(listed)]) == 0
    assert main(["--check", str(tmp_path / "before"), "--opt_out", str(listed)]) == 2
    card = json.loads((tmp_path / "after" / "card.json").read_text())
    assert card["left_out"]["opted_out"] == len(gone)
    assert card["opt_out"]["matched"] == [key]
    assert card["opt_out"]["unknown"] == ["library/unknown"]
    assert "2 keys on the list" in (tmp_path / "after" / "card.md").read_text()
    assert "No list was given" in (tmp_path / "before" / "card.md").read_text()


def test_a_set_that_was_tampered_with_is_found_out(tmp_path: Path, scenes: Path) -> None:
    run(tmp_path, scenes, "set")
    lines = (tmp_path / "set" / MEMBERS).read_text().splitlines()
    (tmp_path / "set" / MEMBERS).write_text("\n".join(lines[1:]) + "\n")
    with pytest.raises(ConfigError, match="disagree"):
        check_left(tmp_path / "set", OptOut())


def test_a_list_that_cannot_be_read_stops_the_packing(
    tmp_path: Path, scenes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, scenes, "set", "--opt_out", str(tmp_path / "missing.txt")) == 2
    assert "missing.txt" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


def test_a_product_in_both_splits_stops_the_packing(
    tmp_path: Path, scenes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(scenes, 7, products=["library/model3"])
    assert run(tmp_path, scenes, "set") == 2
    assert "library/model3" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


def test_near_duplicates_come_once(tmp_path: Path, scenes: Path) -> None:
    folder = write_folder(scenes, 8, key="s0-000008")
    (folder / "scene.webp").write_bytes((scenes / "s0-000001" / "scene.webp").read_bytes())
    run(tmp_path, scenes, "set")
    assert json.loads((tmp_path / "set" / "card.json").read_text())["left_out"] == {"near_duplicate": 1}


def test_packing_twice_gives_the_same_bytes(tmp_path: Path, scenes: Path) -> None:
    for name in ("one", "two"):
        run(tmp_path, scenes, name)
    for path in sorted((tmp_path / "one").rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_a_damaged_pair_is_named(tmp_path: Path, scenes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (scenes / "s0-000002" / "scene.webp").write_bytes(b"nothing")
    assert run(tmp_path, scenes, "set") == 2
    assert "s0-000002" in capsys.readouterr().err


@pytest.fixture
def fine(tmp_path: Path) -> Example:
    return read_pair(write_folder(tmp_path, 1)).example


def test_a_good_pair_has_no_fault(fine: Example) -> None:
    assert Curator().fault_of(fine) is None


def grown(example: Example, coverage: np.ndarray) -> Example:
    registered = np.dstack([example.scene, coverage])
    return replace(example, coverage=coverage, registered=registered)


def test_each_fault_is_named(fine: Example) -> None:
    curator = Curator()
    nothing, everything = np.zeros_like(fine.coverage), np.full_like(fine.coverage, 255)
    assert curator.fault_of(grown(fine, nothing)) == "product_small"
    assert curator.fault_of(grown(fine, everything)) == "product_large"
    assert curator.fault_of(replace(fine, scene=fine.scene // 12)) == "exposure"
    soft = np.clip(cv2.GaussianBlur(fine.coverage, (0, 0), 14).astype(int) * 2, 0, 255).astype(np.uint8)
    assert curator.fault_of(grown(fine, soft)) == "mask_unsure"
    touching = fine.coverage.copy()
    touching[:, :50] = 255
    assert curator.fault_of(grown(fine, touching)) == "cut_by_frame"
    smooth = cv2.GaussianBlur(fine.scene, (0, 0), 9)
    assert Curator(Limits(max_blur=0.6)).fault_of(replace(fine, scene=smooth)) == "blurred"
    on_white = np.where(fine.coverage[..., None] > 0, fine.scene, 255).astype(np.uint8)
    assert curator.fault_of(replace(fine, scene=on_white)) == "too_similar"
    other = fine.registered.copy()  # type: ignore[union-attr]
    other[..., :3] = other[..., [1, 2, 0]]
    assert curator.fault_of(replace(fine, registered=other)) == "too_different"


def test_photographs_are_checked_for_what_renders_cannot_have(fine: Example) -> None:
    taken = replace(fine, source="clothing-dataset")
    assert Curator(unsafe=lambda _: True).fault_of(fine) is None
    assert Curator(unsafe=lambda _: True).fault_of(taken) == "unsafe"
    assert Curator(overlaid=lambda _: True).fault_of(taken) == "text_overlay"
    quarters = np.full((SIDE, SIDE, 3), 255, np.uint8)
    for top in (2, SIDE // 2 + 2):
        for left in (2, SIDE // 2 + 2):
            quarters[top : top + SIDE // 2 - 4, left : left + SIDE // 2 - 4] = scene(top + left)[0][:44, :44]
    assert Curator(Limits(max_change=1e9)).fault_of(replace(taken, scene=quarters)) == "collage"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_a_picture_resembles_itself_in_other_light_and_no_other_picture(seed: int) -> None:
    seen = NearDuplicates()
    one = cv2.resize(np.random.default_rng(seed).integers(0, 256, (9, 9, 3)).astype(np.uint8), (80, 80))
    other = cv2.resize(np.random.default_rng(seed + 1).integers(0, 256, (9, 9, 3)).astype(np.uint8), (80, 80))
    assert not seen.seen(one)
    assert seen.seen(np.clip(one.astype(int) * 0.9 + 8, 0, 255).astype(np.uint8))
    assert not seen.seen(other)


def test_masks_are_measured() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[:, :20] = 255
    assert frame_contact(mask) == pytest.approx(0.5, abs=0.02)
    assert edge_width(cv2.GaussianBlur(mask, (0, 0), 4)) > 2 > edge_width(mask) == 0


@given(st.integers(60, 900), st.integers(60, 900), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_a_photographs_crop_keeps_the_products_middle(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = np.zeros((height, width, 3), np.uint8)
    alpha = np.zeros((height, width), np.float32)
    row, column = int(rng.integers(height // 3, 2 * height // 3)), int(rng.integers(width // 3, 2 * width // 3))
    alpha[row - 12 : row + 12, column - 12 : column + 12] = 1
    picture, matte = cropped(pixels, alpha, 96)
    assert picture.shape[:2] == matte.shape and max(matte.shape) <= 96
    assert matte.max() > 0.5


def test_a_photographs_pair_is_written_whole_and_read_as_an_example(tmp_path: Path) -> None:
    pixels, coverage = scene(3)
    row = {"image": "4285fab0", "sender_id": "124", "label": "Longsleeve"}
    write_pair(pixels, coverage.astype(np.float32) / 255, row, tmp_path / "4285fab0", 304)
    pair = read_pair(tmp_path / "4285fab0")
    assert pair.keys == {"4285fab0", "sender:124"}
    assert pair.example.split == split_of_sender("124")
    assert pair.example.captions[0] == "red long-sleeved shirt"
    assert np.array_equal(pair.example.registered[..., 3], pair.example.coverage)  # type: ignore[index]


def test_a_scenes_pair_knows_its_empty_picture_and_its_light_from_the_camera(tmp_path: Path) -> None:
    turned = {"rotation": axes(30.0, 12.0).tolist(), "light_deg": [-15.0, 45.0]}
    words = {**WORDS, "light": "bright sunlight"}
    folder = write_folder(tmp_path, 4, camera=turned, words=words)
    assert read_pair(folder).example.empty is None
    (folder / "empty.webp").write_bytes(webp(scene(5)[0]))
    found = read_pair(folder).example
    assert found.empty is not None and found.empty.shape == found.scene.shape
    assert found.light is not None and found.light == pytest.approx((0.7071, 0.7071, 0.05), abs=1e-3)
    assert read_pair(write_folder(tmp_path, 5)).example.light is None


def test_a_photographs_words_are_what_was_measured() -> None:
    coverage = np.zeros((SIDE, SIDE), np.uint8)
    coverage[30:60, 30:60] = 255
    plain = np.full((SIDE, SIDE, 3), 240, np.uint8)
    plain[30:60, 30:60] = (40, 60, 160)
    words = words_of(plain, coverage, "T-Shirt")
    assert words["place"] == "on a plain white surface"
    assert words["products"][0]["colors"] == ["blue"]
    checked = plain.copy()
    checked[::2, ::2] = 40
    assert words_of(checked, coverage, "T-Shirt")["place"].startswith("on a patterned")
    assert light_of(np.full((4, 4, 3), (220, 190, 150), np.uint8)) == "warm bright light"
