"""Examples as shards: tar files in the WebDataset layout, WebP and JSON inside, a folder a split, a name a bucket.

    FOLDER/train/208x304-000000.tar, FOLDER/held_out/256x256-000000.tar, ...

Written in one go and moved into place when whole: a folder of shards is never half of one. The same examples in the
same order give the same bytes.
"""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from models.data.examples import SPLITS, Bytes, Example, Split
from transforms.errors import ConfigError
from transforms.ops.shadows import KeyLight

_QUALITY = 92
_PER_SHARD = 512
_SHUFFLED = 256  # examples that wait for their turn
_REMEDY = "pack the shards again"


def write_shards(examples: Iterable[Example], folder: Path, *, per_shard: int = _PER_SHARD) -> dict[str, int]:
    """Write `examples` under `folder`, each split and bucket apart; how many there are, by `split/bucket`.

    Raises:
        ConfigError: `folder` is there already: shards are made anew, never added to.
    """
    if folder.exists():
        raise ConfigError(f"{str(folder)!r} is there already", remedy="name a new folder, or remove the old shards")
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    counts = _write_all(examples, part, per_shard)
    part.rename(folder)
    return counts


def _write_all(examples: Iterable[Example], folder: Path, per_shard: int) -> dict[str, int]:
    counts: dict[str, int] = {}
    folder.mkdir(parents=True)
    with ExitStack() as open_shards:
        writers: dict[str, Any] = {}
        for example in examples:
            name = f"{example.split}/{example.bucket}"
            if name not in writers:
                writers[name] = open_shards.enter_context(_writer(folder, name, per_shard))
            writers[name].write(_packed(example))
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))


def _writer(folder: Path, name: str, per_shard: int) -> Any:
    from webdataset.writer import ShardWriter

    (folder / name).parent.mkdir(exist_ok=True)
    pattern = f"{str(folder / name).replace('%', '%%')}-%06d.tar"
    return ShardWriter(pattern, maxcount=per_shard, verbose=0, mtime=0.0, encoder=False)


def read_shards(
    folder: Path, split: Split, *, bucket: str | None = None, seed: int | None = None, part: tuple[int, int] = (0, 1)
) -> Iterator[Example]:
    """Stream the examples of a split, one after the other, as they were written.

    Args:
        folder: of `write_shards`.
        split: which part of the data.
        bucket: of one bucket alone; None reads all.
        seed: shuffle shards and, within a window, examples; None keeps the order.
        part: (number, of how many): every so-manieth example, so that processes share a pass; decodes no other.

    Raises:
        ConfigError: there are no such shards, or one of them is damaged.
    """
    paths = sorted((folder / split).glob(f"{bucket or '*'}-*.tar"))
    if not paths:
        wanted = f"{split} shards{f' of bucket {bucket}' if bucket else ''}"
        raise ConfigError(f"no {wanted} under {str(folder)!r}", remedy="write them with python -m models.data.pack")
    return (_unpacked(sample) for number, sample in enumerate(_stream(paths, seed)) if number % part[1] == part[0])


def _stream(paths: list[Path], seed: int | None) -> Iterator[dict[str, Any]]:
    from webdataset import filters

    if seed is None:
        return chain.from_iterable(_samples(path) for path in paths)
    order = np.random.default_rng(seed).permutation(len(paths))
    samples = chain.from_iterable(_samples(paths[number]) for number in order)
    shuffled: Iterator[dict[str, Any]] = filters._shuffle(samples, _SHUFFLED, _SHUFFLED, seed=seed)
    return shuffled


def _samples(path: Path) -> Iterator[dict[str, Any]]:
    """The raw samples of one shard; webdataset's own opener would leave the file open."""
    from webdataset.tariterators import group_by_keys, tar_file_expander

    with path.open("rb") as stream:
        try:
            yield from group_by_keys(tar_file_expander([{"url": str(path), "stream": stream}]))
        except tarfile.TarError as error:
            raise ConfigError(f"{path}: {error.args[0]}", remedy=_REMEDY) from error


def _packed(example: Example) -> dict[str, Any]:
    pictures: dict[str, Bytes | None] = {
        "scene.webp": example.scene,
        "registered.webp": example.registered,
        "later.webp": example.later,
        "empty.webp": example.empty,
        **{f"product{number}.webp": product for number, product in enumerate(example.products)},
    }
    files: dict[str, Any] = {name: webp(pixels) for name, pixels in pictures.items() if pixels is not None}
    files["coverage.webp"] = webp(example.coverage, lossless=True)
    files["json"] = json.dumps(_text(example), ensure_ascii=False, sort_keys=True).encode()
    return {"__key__": example.key, **files}


def _text(example: Example) -> dict[str, object]:
    names = ("captions", "words", "source", "licence", "authors", "split", "bucket")
    return {name: getattr(example, name) for name in names} | {"light": example.light}


def _unpacked(sample: Mapping[str, Any]) -> Example:
    try:
        return _example(sample)
    except (KeyError, ValueError, TypeError, UnidentifiedImageError) as error:
        where = f"{sample.get('__url__')}, example {sample.get('__key__')!r}"
        raise ConfigError(f"{where}: {error!r}", remedy=_REMEDY) from error


def _example(sample: Mapping[str, Any]) -> Example:
    text = json.loads(sample["json"])
    names = sorted((name for name in sample if name.startswith("product")), key=lambda name: int(name[7:-5]))
    return Example(
        key=sample["__key__"],
        scene=from_webp(sample["scene.webp"]),
        coverage=np.ascontiguousarray(from_webp(sample["coverage.webp"])[..., 0]),
        registered=from_webp(sample["registered.webp"]) if "registered.webp" in sample else None,
        products=tuple(from_webp(sample[name]) for name in names),
        later=from_webp(sample["later.webp"]) if "later.webp" in sample else None,
        captions=tuple(text["captions"]),
        words=text["words"],
        source=text["source"],
        licence=text["licence"],
        authors=tuple(text["authors"]),
        split=text["split"],
        bucket=text["bucket"],
        empty=from_webp(sample["empty.webp"]) if "empty.webp" in sample else None,
        light=KeyLight(*text["light"]) if text.get("light") else None,
    )


def webp(pixels: Bytes, *, lossless: bool = False) -> bytes:
    """`pixels` (uint8 [H, W], [H, W, 3] or [H, W, 4]) as WebP; alpha is kept exactly, and colour where it is 0 too."""
    packed = io.BytesIO()
    quality = 60 if lossless else _QUALITY
    Image.fromarray(pixels).save(packed, "WEBP", quality=quality, lossless=lossless, exact=True, method=3)
    return packed.getvalue()


def from_webp(packed: bytes) -> Bytes:
    """Pixels of `webp`, uint8 [H, W, 3] or, where it holds alpha, [H, W, 4]; grey comes back as three equal planes."""
    with Image.open(io.BytesIO(packed)) as picture:
        return np.array(picture)


def count_shards(folder: Path) -> dict[str, tuple[int, int]]:
    """(files, bytes) of the shards under `folder`, by split."""
    found = {split: sorted((folder / split).glob("*.tar")) for split in SPLITS}
    return {split: (len(paths), sum(path.stat().st_size for path in paths)) for split, paths in found.items()}
