"""Pictures with and without people, from public sets, for fitting and judging the human detector.

A detector that is shown only street photographs against garments on floors learns streets and floors. So people are
also cut out and laid on plain backdrops and into rooms, headless, cropped and painted flat ones too; streets are
also shown without their people; garments and furniture are laid on plain backdrops and into rooms in the same way.
Who is in the test split is decided by the source picture, so no cut-out or background crosses over.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.records import Matte, Pixels

PEOPLED_ROOMS = ("pexels-2560067",)  # the one "interior" that shows children at play
UNSURE = ("Not sure", "Other", "Skip")  # labels of the garment set that may show anything
_LIBRARIES = ("scopia", "katorlegaz", "blendswap-cc-0", "blendswap-cc-by", "reallusion")
_PEOPLE_LIBRARY = "reallusion"
_UNCLEAR_ICONS = ("mannequinMale", "mannequinBrunette", "doll")
_ICON_GROUND = (224, 192)  # icons are 128 px: a larger ground would only blur them
_SIDE = 448  # longest side of a sample


@dataclass(frozen=True)
class Sources:
    """Where the sets lie; None leaves a set out.

    Attributes:
        people: clothing-co-parsing, `photos/*.jpg` and `annotations/pixel-level/*.mat`.
        garments: clothing-dataset, `images/*.jpg` and `images.csv`.
        rooms: interiors without people.
        furniture: unpacked Sweet Home 3D libraries, whose icons (`reallusion` shows people) have exact alpha.
        objects: Caltech-101; only its `fitted` categories are used.
    """

    people: Path
    garments: Path
    rooms: Path | None = None
    furniture: Path | None = None
    objects: Path | None = None


@dataclass(frozen=True)
class Sample:
    """A picture (uint8 [H, W, 3]), whether a person is in it, its kind, and whether it is held out."""

    pixels: Pixels
    human: bool
    kind: str
    held_out: bool


def held_out(path: Path) -> bool:
    """Whether this source picture belongs to the test split: one in five, by its name."""
    return zlib.crc32(path.stem.encode()) % 5 == 0


def read(path: Path) -> Pixels:
    """The picture at `path`, at most 448 px on its longer side."""
    pixels = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    scale = _SIDE / max(pixels.shape[:2])
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels


def samples(sources: Sources, matte: Callable[[Pixels], Matte], *, each: int, seed: int) -> Iterator[Sample]:
    """All samples, at most `each` source pictures a set. `matte` cuts a garment out, float32 [H, W]."""
    generator = np.random.Generator(np.random.Philox(seed))
    garments = garment_paths(sources.garments, each)
    scenes = _rooms(sources.rooms)
    for path in some(sorted((sources.people / "photos").glob("*.jpg")), each):
        yield from _of_person(path, sources, scenes, generator)
    for path in garments:
        yield from _of_garment(path, scenes, matte, generator)
    for path in scenes:
        for _ in range(8):
            yield Sample(_crop(read(path), generator), False, "room", held_out(path))
    for path in _icons(sources.furniture):
        yield from _of_icon(path, scenes, generator)
    for path in _objects(sources.objects):
        yield Sample(read(path), False, "object", held_out(path))


def fitted(category: str) -> bool:
    """Whether a Caltech-101 category may be fitted on: half of them, without the people; the rest only judges."""
    return zlib.crc32(category.encode()) % 2 == 0 and not category.startswith(("Faces", "BACKGROUND"))


def _of_person(path: Path, sources: Sources, scenes: list[Path], generator: np.random.Generator) -> Iterator[Sample]:
    pixels, out = read(path), held_out(path)
    yield Sample(pixels, True, "street", out)
    labels = _labels(path, sources.people, pixels)
    if labels is None:
        return
    person = labels > 0
    for _ in range(2):
        crop, share = _crop_with(pixels, person, generator)
        if share > 0.15:
            yield Sample(crop, True, "street crop", out)
    for strip in _beside(pixels, person):
        yield Sample(strip, False, "street without its person", out)
    matte = cv2.GaussianBlur(person.astype(np.float32), (3, 3), 0)
    yield Sample(_lay(pixels, matte, _plain(generator), generator), True, "person on plain", out)
    painted = _painted(pixels, labels)
    yield Sample(_lay(painted, matte, _plain(generator), generator), True, "painted person on plain", out)
    scene = _scene(scenes, out, generator)
    if scene is not None:
        yield Sample(_lay(pixels, matte, scene, generator), True, "person in room", out)


def _of_garment(
    path: Path, scenes: list[Path], matte: Callable[[Pixels], Matte], generator: np.random.Generator
) -> Iterator[Sample]:
    pixels, out = read(path), held_out(path)
    yield Sample(pixels, False, "garment", out)
    yield Sample(_crop(pixels, generator), False, "garment crop", out)
    if generator.random() < 0.35:
        cut = matte(pixels)
        yield Sample(_lay(pixels, cut, _plain(generator), generator), False, "garment on plain", out)
        scene = _scene(scenes, out, generator)
        if scene is not None:
            yield Sample(_lay(pixels, cut, scene, generator), False, "garment in room", out)


def _of_icon(path: Path, scenes: list[Path], generator: np.random.Generator) -> Iterator[Sample]:
    icon = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
    pixels, matte = icon[..., :3], icon[..., 3].astype(np.float32) / 255
    human, out = path.parent.name == _PEOPLE_LIBRARY, held_out(path)
    for number in range(24 if human else 4):
        turned = number % 2 == 1
        part, alpha = (pixels[:, ::-1], matte[:, ::-1]) if turned else (pixels, matte)
        scene = _scene(scenes, out, generator) if number % 4 >= 2 else None
        ground = _plain(generator) if scene is None else scene
        small = cv2.resize(ground, _ICON_GROUND[::-1], interpolation=cv2.INTER_AREA)
        yield Sample(_lay(part, alpha, small, generator), human, "rendered person" if human else "furniture", out)


def garment_paths(root: Path, each: int) -> list[Path]:
    lines = (root / "images.csv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split(",") for line in lines]
    names = sorted(row[0] for row in rows if len(row) >= 3 and row[2] not in UNSURE)
    return some([root / "images" / f"{name}.jpg" for name in names], each)


def _rooms(root: Path | None) -> list[Path]:
    rooms = sorted(root.glob("*.jpg")) if root else []
    return [path for path in rooms if path.stem not in PEOPLED_ROOMS]


def _icons(root: Path | None) -> list[Path]:
    found = sorted(root.rglob("*.png")) if root else []
    named = [path for path in found if path.parent.name in _LIBRARIES and path.stem not in _UNCLEAR_ICONS]
    return [path for path in named if cv2.imread(str(path), cv2.IMREAD_UNCHANGED).shape[2:] == (4,)]


def _objects(root: Path | None) -> list[Path]:
    folders = sorted({path.parent for path in root.rglob("*.jpg")}) if root else []
    return [path for folder in folders if fitted(folder.name) for path in some(sorted(folder.glob("*.jpg")), 8)]


def some(paths: list[Path], count: int) -> list[Path]:
    step = max(1, len(paths) // max(1, count))
    return [path for path in paths[::step] if path.exists()][:count]


def _labels(path: Path, root: Path, pixels: Pixels) -> NDArray[np.uint8] | None:
    """The annotated parts of the person in `path` at the size of `pixels`, 0 elsewhere; None without annotation."""
    annotation = root / "annotations" / "pixel-level" / f"{path.stem}.mat"
    if not annotation.exists():
        return None
    from scipy.io import loadmat

    labels = loadmat(str(annotation))["groundtruth"]
    size = (pixels.shape[1], pixels.shape[0])
    resized = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
    return resized if resized.any() else None


def _painted(pixels: Pixels, labels: NDArray[np.uint8]) -> Pixels:
    """The person with every part in its mean colour and soft shading: a figure as a renderer draws it."""
    painted = pixels.astype(np.float32)
    for label in np.unique(labels[labels > 0]):
        painted[labels == label] = pixels[labels == label].mean(axis=0)
    shading = cv2.GaussianBlur(pixels.astype(np.float32) - painted, (0, 0), 8)
    return np.clip(painted + 0.5 * shading, 0, 255).astype(np.uint8)


def _window(height: int, width: int, generator: np.random.Generator) -> tuple[slice, slice]:
    side_h = int(height * generator.uniform(0.25, 0.9))
    side_w = int(width * generator.uniform(0.35, 0.95))
    top = int(generator.integers(0, height - side_h + 1))
    left = int(generator.integers(0, width - side_w + 1))
    return slice(top, top + side_h), slice(left, left + side_w)


def _crop(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    rows, columns = _window(*pixels.shape[:2], generator)
    return pixels[rows, columns]


def _crop_with(pixels: Pixels, mask: NDArray[np.bool_], generator: np.random.Generator) -> tuple[Pixels, float]:
    rows, columns = _window(*pixels.shape[:2], generator)
    return pixels[rows, columns], float(mask[rows, columns].mean())


def _beside(pixels: Pixels, person: NDArray[np.bool_]) -> Iterator[Pixels]:
    """What lies left and right of the person, where it is wide enough to show something."""
    columns = np.nonzero(person.any(axis=0))[0]
    for strip in (pixels[:, : max(0, columns.min() - 6)], pixels[:, columns.max() + 7 :]):
        if strip.shape[1] >= 64:
            yield strip[: strip.shape[1] * 2] if strip.shape[0] > strip.shape[1] * 2 else strip


def _plain(generator: np.random.Generator) -> Pixels:
    """A white, grey or tinted sweep with a little falloff, uint8 [448, 384, 3]."""
    base = (
        np.full(3, 255.0) if generator.random() < 0.5 else generator.uniform(150, 250) + generator.uniform(-12, 12, 3)
    )
    falloff = np.linspace(0, -generator.uniform(0, 25), _SIDE)[:, None, None]
    return np.clip(np.broadcast_to(base + falloff, (_SIDE, 384, 3)), 0, 255).astype(np.uint8)


def _scene(scenes: list[Path], out: bool, generator: np.random.Generator) -> Pixels | None:
    same = [path for path in scenes if held_out(path) == out]
    return _crop(read(same[int(generator.integers(len(same)))]), generator) if same else None


def _lay(pixels: Pixels, matte: Matte, ground: Pixels, generator: np.random.Generator) -> Pixels:
    """The cut-out of `pixels`, at times without its top (a head), laid onto `ground` at a drawn size and place."""
    rows, columns = np.nonzero(matte > 0.5)
    if rows.size < 400:
        return ground
    top = rows.min() + int((np.ptp(rows) + 1) * (generator.uniform(0.12, 0.35) if generator.random() < 0.35 else 0.0))
    box = (slice(top, rows.max() + 1), slice(columns.min(), columns.max() + 1))
    part, alpha = pixels[box], matte[box]
    scale = generator.uniform(0.3, 1.0) * min(ground.shape[0] / part.shape[0], ground.shape[1] / part.shape[1])
    size = (max(8, int(part.shape[1] * scale)), max(8, int(part.shape[0] * scale)))
    part, alpha = (cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in (part, alpha))
    y = int(generator.integers(0, ground.shape[0] - size[1] + 1))
    x = int(generator.integers(0, ground.shape[1] - size[0] + 1))
    laid = ground.astype(np.float32)
    spot = laid[y : y + size[1], x : x + size[0]]
    spot += (part - spot) * alpha[..., None]
    return np.clip(laid, 0, 255).astype(np.uint8)
