from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.data.examples import BUCKETS, Example, bucket_name, bucket_size, nearest_bucket
from models.data.shards import from_webp, read_shards, webp, write_shards
from transforms.errors import ConfigError
from transforms.ops.shadows import KeyLight
from transforms.records import Size


def smooth(rng: np.random.Generator, height: int, width: int, planes: int) -> np.ndarray:
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    picture = np.stack([rows * rng.uniform(50, 200) + columns * rng.uniform(0, 50) for _ in range(planes)], axis=-1)
    return np.rint(picture).astype(np.uint8)


def example(number: int, **changes: object) -> Example:
    rng = np.random.default_rng(number)
    size = BUCKETS[number % 2]
    coverage = (rng.random(size) > 0.5).astype(np.uint8) * rng.integers(1, 256, size).astype(np.uint8)
    made = Example(
        key=f"made-{number:04}",
        scene=smooth(rng, *size, 3),
        coverage=coverage,
        registered=np.dstack([smooth(rng, *size, 3), coverage]),
        products=tuple(np.dstack([smooth(rng, 40, 30, 3), np.full((40, 30), 9, np.uint8)]) for _ in range(number % 3)),
        later=None if number % 2 else smooth(rng, *size, 3),
        captions=("a chair", "a red chair on a wooden floor, é"),
        words={"category": "chair", "floor": {"surface": "wood"}},
        source="renders",
        licence="CC0-1.0",
        authors=("A. Maker",),
        split="train" if number % 4 else "held_out",
        bucket=bucket_name(size),
        empty=None if number % 3 else smooth(rng, *size, 3),
        light=None if number % 3 else KeyLight(0.5, -1.25, 0.4),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_what_is_written_is_read_again_in_its_order(tmp_path: Path) -> None:
    made = [example(number) for number in range(9)]
    counts = write_shards(iter(made), tmp_path / "shards", per_shard=2)
    assert counts == {"held_out/208x304": 3, "train/208x304": 2, "train/256x256": 4}
    for bucket in ("208x304", "256x256"):
        wanted = [each for each in made if each.split == "train" and each.bucket == bucket]
        found = list(read_shards(tmp_path / "shards", "train", bucket=bucket))
        assert [each.key for each in found] == [each.key for each in wanted]
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other)


def assert_same(one: Example, other: Example) -> None:
    assert np.array_equal(one.coverage, other.coverage)
    assert (one.captions, one.words, one.authors) == (other.captions, other.words, other.authors)
    assert (one.source, one.licence, one.split) == (other.source, other.licence, other.split)
    assert np.abs(one.scene.astype(int) - other.scene).mean() < 2
    assert one.registered is not None and other.registered is not None
    assert np.array_equal(one.registered[..., 3], other.registered[..., 3])
    assert (one.later is None) == (other.later is None)
    assert (one.empty is None) == (other.empty is None) and one.light == other.light
    assert one.empty is None or np.abs(one.empty.astype(int) - other.empty).mean() < 2
    assert [product.shape for product in one.products] == [product.shape for product in other.products]
    assert all(np.array_equal(a[..., 3], b[..., 3]) for a, b in zip(one.products, other.products, strict=True))


def test_the_same_examples_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_shards((example(number) for number in range(4)), tmp_path / name)
    for path in sorted((tmp_path / "one").rglob("*.tar")):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_a_seed_shuffles_and_repeats_itself_and_loses_nothing(tmp_path: Path) -> None:
    write_shards((example(2 * number + 1) for number in range(12)), tmp_path / "shards", per_shard=3)
    plain, first, again, other = (
        [each.key for each in read_shards(tmp_path / "shards", "train", seed=seed)] for seed in (None, 1, 1, 2)
    )
    assert first == again != other
    assert sorted(first) == sorted(plain) and first != plain


def test_parts_share_a_pass_without_overlap(tmp_path: Path) -> None:
    write_shards((example(2 * number + 1) for number in range(7)), tmp_path / "shards")
    parts = [[each.key for each in read_shards(tmp_path / "shards", "train", part=(n, 3))] for n in range(3)]
    whole = [each.key for each in read_shards(tmp_path / "shards", "train")]
    assert sorted(key for part in parts for key in part) == sorted(whole)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_killed_writer_leaves_no_folder_of_shards(tmp_path: Path) -> None:
    def broken() -> object:
        yield example(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shards(broken(), tmp_path / "shards")  # type: ignore[arg-type]
    assert not (tmp_path / "shards").exists()
    assert write_shards(iter([example(1)]), tmp_path / "shards") == {"train/256x256": 1}


def test_shards_are_never_added_to(tmp_path: Path) -> None:
    write_shards(iter([example(1)]), tmp_path / "shards")
    with pytest.raises(ConfigError, match="there already"):
        write_shards(iter([example(2)]), tmp_path / "shards")


def test_missing_and_damaged_shards_say_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no train shards of bucket 9x9"):
        read_shards(tmp_path, "train", bucket="9x9")
    write_shards(iter([example(1)]), tmp_path / "shards")
    path = next((tmp_path / "shards" / "train").glob("*.tar"))
    with tarfile.open(path, "w") as tar, (tmp_path / "made-0001.scene.webp").open("w+b") as broken:
        broken.write(b"RIFF")
        broken.flush()
        tar.add(broken.name, "made-0001.scene.webp")
    with pytest.raises(ConfigError, match="made-0001"):
        list(read_shards(tmp_path / "shards", "train"))
    path.write_bytes(b"no tar" * 200)
    with pytest.raises(ConfigError, match=path.name):
        list(read_shards(tmp_path / "shards", "train"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": "a.b"}, "key"),
        ({"split": "test"}, "split"),
        ({"captions": ()}, "caption"),
        ({"bucket": "1x2"}, "bucket"),
        ({"coverage": np.zeros((3, 3), np.uint8)}, "coverage"),
        ({"later": np.zeros((256, 256, 3), np.float32)}, "later"),
        ({"products": (np.zeros((4, 4, 3), np.uint8),)}, r"products\[0\]"),
    ],
)
def test_an_example_that_is_not_as_agreed_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        example(1, **changes)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 4]))
def test_alpha_and_lossless_planes_survive_webp(seed: int, planes: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 7, planes), np.uint8)
    assert np.array_equal(from_webp(webp(pixels))[..., 3:], pixels[..., 3:])
    assert np.array_equal(from_webp(webp(pixels, lossless=True)), pixels)


@given(st.integers(10, 5000), st.integers(10, 5000))
def test_the_nearest_bucket_turns_with_the_picture(height: int, width: int) -> None:
    bucket = nearest_bucket(Size(height, width))
    assert bucket_size(bucket_name(bucket)) == bucket
    if height > width:
        assert bucket.height >= bucket.width
