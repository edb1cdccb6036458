"""Finished pair folders, as `scenes` and `photographs` leave them, read as examples."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2

from models.data.captions import captions_of
from models.data.examples import Bytes, Example, bucket_name
from models.data.key_lights import key_light_of
from models.data.shards import from_webp
from transforms.errors import ConfigError
from transforms.records import Size

ABOUT = "about.json"


@dataclass(frozen=True)
class Pair:
    """An example with what it may be opted out by: its own key, products, senders, authors (`author:<name>`)."""

    example: Example
    keys: frozenset[str]


def read_pairs(folder: Path) -> Iterator[Pair]:
    """Every finished pair under `folder`, by name.

    Raises:
        ConfigError: there is none, or one is damaged.
    """
    paths = sorted(path.parent for path in folder.glob(f"*/{ABOUT}") if not path.parent.name.startswith("."))
    if not paths:
        raise ConfigError(
            f"no pairs under {str(folder)!r}",
            remedy="make them with python -m models.data.scenes or python -m models.data.photographs",
        )
    return (read_pair(path) for path in paths)


def keys_of(folder: Path) -> frozenset[str]:
    """What the pair in `folder` may be opted out by, without a look at its pictures."""
    return _keys(_about(folder))


def read_pair(folder: Path) -> Pair:
    """The pair in `folder`.

    Raises:
        ConfigError: a file is missing or does not hold what it should.
    """
    about = _about(folder)
    try:
        return Pair(_example(folder, about), _keys(about))
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError(f"{str(folder)!r}: {error!r}", remedy="remove the folder and make it again") from error


def _about(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / ABOUT).read_text()))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{str(folder / ABOUT)!r}: {error!r}", remedy="remove the folder and make it again"
        ) from error


def _keys(about: dict[str, Any]) -> frozenset[str]:
    authors = (f"author:{name}" for name in about["authors"])
    return frozenset([about["key"], *about["products"], *about["props"], *authors])


def _example(folder: Path, about: dict[str, Any]) -> Example:
    words = about["words"]
    seed = int.from_bytes(about["key"].encode(), "big") % 2**32
    return Example(
        key=about["key"],
        scene=_picture(folder / "scene.webp"),
        coverage=cast(Bytes, cv2.imread(str(folder / "coverage.png"), cv2.IMREAD_GRAYSCALE)),
        registered=_picture(folder / "registered.webp"),
        products=tuple(_picture(folder / f"product{number}.webp") for number in range(len(words["products"]))),
        later=_if_there(folder / "later.webp"),
        captions=captions_of(words, seed),
        source=about["source"],
        licence=about["licence"],
        authors=tuple(about["authors"]),
        split=about["split"],
        bucket=bucket_name(Size(*about["size"])),
        words=words,
        empty=_if_there(folder / "empty.webp"),
        light=key_light_of(about),
    )


def _if_there(path: Path) -> Bytes | None:
    return _picture(path) if path.exists() else None


def _picture(path: Path) -> Bytes:
    return from_webp(path.read_bytes())
