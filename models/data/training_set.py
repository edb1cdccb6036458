"""Where the segmenter's training samples come from, and which of them comes next.

Sample `n` of seed `s` is always drawn the same way from the same files: see `TrainingSet.draw`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from models.data.backdrops import Real, Rng
from models.data.compositions import Bytes, Sample, close_up, compose, vary
from models.data.cutouts import read_layers
from models.data.drawings import draw_thing
from transforms.errors import ConfigError

_STREET_STEP = 6  # of every six street photographs the first is the benchmarks', the fourth the mask gate's
_BACKDROPS = ("white", "plain", "scene")
_ROOM_SIDE = 800
_SHARES = {"cutouts": 0.42, "renders": 0.38, "street": 0.11, "garments": 0.09}  # renders: their shadows are real
_DRAWN = 0.22  # of the cutouts
_CLOSE_UPS, _LEAST_ZOOM, _MOST_ZOOM = 0.25, 1.4, 2.0  # share of the samples


@dataclass(frozen=True)
class Folders:
    """What to train on; a folder that is None is left out.

    Attributes:
        cutouts: of `models.data.cutouts`.
        renders: of `benchmarks.render_products`, of products that no benchmark shows.
        rooms: photographs of rooms, backdrops only.
        street: a checkout of clothing-co-parsing.
        garments: of `models.data.pseudo_labels`.
    """

    cutouts: Path
    renders: Path | None = None
    rooms: Path | None = None
    street: Path | None = None
    garments: Path | None = None


@dataclass(frozen=True)
class TrainingSet:
    """The files of one scan; `rooms` are decoded once, everything else when it is drawn."""

    files: dict[str, tuple[Path, ...]]
    rooms: list[Bytes] = field(default_factory=list)

    def draw(self, seed: int, number: int, side: int) -> Sample:
        """Sample `number`, `side` x `side` pixels."""
        rng = np.random.Generator(np.random.Philox(key=[seed, number]))
        kinds = [kind for kind in _SHARES if self.files.get(kind)]
        shares = np.array([_SHARES[kind] for kind in kinds])
        kind = kinds[rng.choice(len(kinds), p=shares / shares.sum())]
        path = self.files[kind][rng.integers(len(self.files[kind]))]
        if rng.random() < _CLOSE_UPS:
            larger = round(side * rng.uniform(_LEAST_ZOOM, _MOST_ZOOM))
            return close_up(rng, self._draw(rng, kind, path, larger), side)
        return self._draw(rng, kind, path, side)

    def _draw(self, rng: Rng, kind: str, path: Path, side: int) -> Sample:
        if kind == "cutouts":
            layers = draw_thing(rng) if rng.random() < _DRAWN else read_layers(path)
            return compose(rng, layers, side, self.rooms)
        return vary(rng, *_READERS[kind](path, rng), side)


def scan(folders: Folders, rooms: Sequence[Bytes] | None = None) -> TrainingSet:
    """What lies in the folders now; `rooms` that were decoded before are taken over.

    Raises:
        ConfigError: there are no cutouts.
    """
    files = {
        "cutouts": tuple(sorted(folders.cutouts.glob("*.webp"))),
        "renders": _finished(folders.renders) if folders.renders else (),
        "street": street_files(folders.street) if folders.street else (),
        "garments": tuple(sorted(folders.garments.glob("*.png"))) if folders.garments else (),
    }
    if not files["cutouts"]:
        raise ConfigError(f"no cutouts under {str(folders.cutouts)!r}: run python -m models.data.cutouts first")
    return TrainingSet(files, list(rooms) if rooms is not None else read_rooms(folders.rooms))


def _finished(renders: Path) -> tuple[Path, ...]:
    return tuple(path for path in sorted(renders.glob("*/alpha.png")) if path.parent.suffix != ".partial")


def street_files(folder: Path) -> tuple[Path, ...]:
    """The annotations of the street photographs that neither a benchmark nor the fit of the mask gate shows."""
    annotations = sorted((folder / "annotations" / "pixel-level").glob("*.mat"))
    return tuple(path for number, path in enumerate(annotations) if number % (_STREET_STEP // 2))


def read_rooms(folder: Path | None) -> list[Bytes]:
    """The photographs under `folder`, at most 800 pixels wide or tall."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".jpeg")) if folder else []
    photos = [read_rgb(path) for path in paths]
    scales = [min(1.0, _ROOM_SIDE / max(photo.shape)) for photo in photos]
    return [
        cast(Bytes, cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        for photo, scale in zip(photos, scales, strict=True)
    ]


def read_rgb(path: Path) -> Bytes:
    """A picture as uint8 RGB [H, W, 3].

    Raises:
        FileNotFoundError: there is none that OpenCV can read.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise FileNotFoundError(path)
    return np.ascontiguousarray(pixels[..., ::-1])


Read = Callable[[Path, Rng], tuple[Bytes, Real]]


def _read_mask(path: Path) -> Real:
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255  # type: ignore[union-attr]


def _read_render(alpha: Path, rng: Rng) -> tuple[Bytes, Real]:
    pictures = [path for path in (alpha.with_name(f"{name}.jpg") for name in _BACKDROPS) if path.exists()]
    return read_rgb(pictures[rng.integers(len(pictures))]), _read_mask(alpha)


def _read_street(mat: Path, _: Rng) -> tuple[Bytes, Real]:
    from scipy.io import loadmat

    labels = loadmat(mat)["groundtruth"]
    return read_rgb(mat.parents[2] / "photos" / f"{mat.stem}.jpg"), (labels > 0).astype(np.float32)


def _read_garment(mask: Path, _: Rng) -> tuple[Bytes, Real]:
    return read_rgb(mask.with_suffix(".jpg")), _read_mask(mask)


_READERS: dict[str, Read] = {"renders": _read_render, "street": _read_street, "garments": _read_garment}
