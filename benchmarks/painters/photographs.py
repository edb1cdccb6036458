"""Held-out photographs as the outpaint stage meets them: cropped to a frame whose rest is known, and can be compared.

Of every photograph a window of the placement's ratio is the original; the frame is cut out of the window across, around
the product and never through it. A photograph that lies the other way is turned by a quarter: things that lie flat are
seen from above. Masks come from the served segmenter; a photograph of which it is not sure, or whose
product leaves no room for a frame, is not used. Both are kept, so that the next run reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import cv2
import numpy as np

from benchmarks.painters.products import drawn, seed_of
from models.data.photographs import read_rows, split_of_sender
from models.data.pseudo_labels import is_sure
from models.data.training_set import read_rgb
from transforms.errors import ConfigError
from transforms.inference.interface import InferenceClient
from transforms.ops.masks import bounding_box
from transforms.placements import Placement
from transforms.records import Box, Cutout, Job, Matte, Product, ProductImage, Size, SourceFacts

# The ratio of pmax_portrait and its like across, at what photographs of some 500 pixels can fill.
PLACEMENTS = {
    "to_portrait": Placement("to_portrait", Size(750, 600), (0.0,) * 4),
    "to_landscape": Placement("to_landscape", Size(600, 750), (0.0,) * 4),
}
DIRECTIONS = tuple(PLACEMENTS)
_FRAME = 5 / 4  # the frame's longer over its shorter side, at least, where the product leaves room
_LEAST_PAINTED = 0.2
_MARGIN = 0.02  # of the window, around the product
_SEEN = 320


class Framing(NamedTuple):
    """Both boxes in the photograph's pixels."""

    window: Box
    frame: Box


def photographs_of(folders: Sequence[Path]) -> list[Path]:
    """Every picture below the folders; of a checkout of clothing-dataset those of held-out senders only.

    Raises:
        ConfigError: there is none.
    """
    found: list[Path] = []
    for folder in folders:
        table = folder / "images.csv"
        if table.exists():
            rows = [row for row in read_rows(table) if split_of_sender(row["sender_id"]) == "held_out"]
            named = [folder / "images" / f"{row['image']}.jpg" for row in rows]
            found += sorted(path for path in named if path.exists())
        else:
            found += sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    if not found:
        raise ConfigError(f"--photos {', '.join(map(str, folders))} hold no picture")
    return found


def framing_of(size: Size, box: Box, direction: str) -> Framing | None:
    """The window and the frame around a product; None where it leaves no room.

    >>> framing_of(Size(600, 400), Box(200, 100, 350, 300), "to_portrait")
    Framing(window=Box(top=25, left=0, bottom=525, right=400), frame=Box(top=115, left=0, bottom=435, right=400))
    """
    if direction == "to_landscape":
        turned = framing_of(Size(size.width, size.height), _turned(box), "to_portrait")
        return None if turned is None else Framing(_turned(turned.window), _turned(turned.frame))
    ratio = PLACEMENTS["to_portrait"].size.height / PLACEMENTS["to_portrait"].size.width
    width = min(size.width, round(size.height / ratio))
    height = round(width * ratio)
    margin = round(_MARGIN * height)
    across = _around(box.left - margin, box.right + margin, width, size.width)
    down = _around(box.top - margin, box.bottom + margin, height, size.height)
    if across is None or down is None:
        return None
    tall = max(round(width / _FRAME), box.size.height + 2 * margin)
    rows = _around(box.top - margin, box.bottom + margin, tall, size.height, down)
    if tall > (1 - _LEAST_PAINTED) * height or rows is None:
        return None
    return Framing(Box(down[0], across[0], down[1], across[1]), Box(rows[0], across[0], rows[1], across[1]))


def _turned(box: Box) -> Box:
    return Box(box.left, box.top, box.right, box.bottom)


def _around(
    start: int, end: int, length: int, room: int, inside: tuple[int, int] | None = None
) -> tuple[int, int] | None:
    """`length` pixels around [start, end) within `inside`; None where the product does not fit in or is cut."""
    low, high = inside or (0, room)
    if end - start > length or start < low or end > high or length > high - low:
        return None
    first = int(np.clip((start + end - length) // 2, low, high - length))
    return first, first + length


def photograph_jobs(paths: Sequence[Path], client: InferenceClient, out: Path, count: int, seed: int) -> Iterator[Job]:
    """`count` jobs of the outpaint stage, directions in turn; their images are the frames.

    OUT/<key>.json, <key>.png (mask), original_<key>.png and frame_<key>.png are read where they exist.
    """
    out.mkdir(parents=True, exist_ok=True)
    given = 0
    for path in drawn(paths, seed):
        if given == count:
            return
        key, direction = path.stem, DIRECTIONS[given % 2]
        if not (out / f"{key}.json").exists():
            _prepare(path, client, out)
        about = json.loads((out / f"{key}.json").read_text(encoding="utf-8"))
        if about.get(direction):
            yield _job(path, Framing(*(Box(*each) for each in about[direction])), direction, out, seed)
            given += 1


def _prepare(path: Path, client: InferenceClient, out: Path) -> None:
    pixels = read_rgb(path)
    small = cv2.resize(pixels, (_SEEN, _SEEN), interpolation=cv2.INTER_AREA)
    seen = client.infer("segmenter", {"IMAGE": small[None]})["ALPHA"][0, ..., 0]
    alpha = cast(Matte, cv2.resize(seen, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR))
    about: dict[str, Framing | None] = {}
    if is_sure(alpha):
        for each in DIRECTIONS:
            turned = _laid(alpha, each)
            about[each] = framing_of(Size(*turned.shape), bounding_box(turned > 0.5), each)
        cv2.imwrite(str(out / f"{path.stem}.png"), np.rint(alpha * 255).astype(np.uint8))
    (out / f"{path.stem}.json").write_text(json.dumps(about), encoding="utf-8")


def _job(path: Path, framing: Framing, direction: str, out: Path, seed: int) -> Job:
    pixels, key = _laid(read_rgb(path), direction), path.stem
    alpha = cv2.imread(str(out / f"{key}.png"), cv2.IMREAD_GRAYSCALE)
    assert alpha is not None
    for name, box in (("original", framing.window), ("frame", framing.frame)):
        target = out / f"{name}_{key}.png"
        if not target.exists():
            cv2.imwrite(str(target), _cut(pixels, box)[..., ::-1])
    frame, matte = _cut(pixels, framing.frame), _cut(_laid(alpha, direction), framing.frame) / np.float32(255)
    mask = matte > 0.5
    product = Product("", 0, "benchmark", key, str(path), seed=seed_of(key, seed))
    image = ProductImage(frame, SourceFacts(key, 0, "jpeg", "RGB"))
    job = Job(product, image=image, task="outpaint", placement=PLACEMENTS[direction])
    return replace(job, cutout=Cutout(frame, matte, mask, bounding_box(mask)))


def _laid(picture: Any, direction: str) -> Any:
    """A picture or a matte as it lies in a direction's placement, turned by a quarter where it does not."""
    height, width = picture.shape[:2]
    upright = direction == "to_portrait"
    return picture if (height >= width) == upright else np.rot90(picture)


def _cut(picture: Any, box: Box) -> Any:
    return np.ascontiguousarray(picture[box.top : box.bottom, box.left : box.right])
