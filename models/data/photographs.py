"""Pairs from photographs: the product masked by the segmenter that is served, words from labels and measures.

    python -m models.data.photographs --photos DIR --out DIR --count 1500

DIR is a checkout of clothing-dataset (CC0): images/<id>.jpg and images.csv with `image`, `sender_id`, `label`. Writes
OUT/<id>/: scene.webp, registered.webp (the garment as photographed, straight alpha), coverage.png, product0.webp and
about.json, as `models.data.scenes` does. A photograph on which the segmenter is not sure of itself is left out, and
remembered in OUT/unsure.txt. Needs the extra `serving`.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from models.command import told
from models.data.color_names import colors_of
from models.data.examples import Bytes, Split, nearest_bucket
from models.data.pseudo_labels import is_sure
from models.data.shards import webp
from models.data.training_set import read_rgb
from transforms.records import Size

SOURCE = "clothing-dataset"
LICENCE = "CC0-1.0"
_SEGMENTER_SIDE = 320
_HELD_OUT_OF = 10  # every tenth sender, not photograph: one sender's photographs look alike
_NOUNS = {
    "Longsleeve": "long-sleeved shirt",
    "Outwear": "jacket",
    "Body": "bodysuit",
    "Undershirt": "undershirt",
    "Polo": "polo shirt",
}
_NO_PRODUCT = ("Not sure", "Skip", "Other")
_ROUGH = (2.2, 6.0)  # mean dL a pixel of the surroundings: plain below, patterned above


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.data.photographs", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="checkout of clothing-dataset")
    parser.add_argument("--out", type=Path, required=True, help="folder of the pairs")
    parser.add_argument("--count", type=int, default=1500, help="photographs to look at (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of which photographs those are (default %(default)s)")
    parser.add_argument("--side", type=int, default=304, help="pixels of the longer side (default %(default)s)")
    args = parser.parse_args(arguments)
    rows = read_rows(args.photos / "images.csv")
    chosen = np.random.default_rng(args.seed).permutation(len(rows))[: args.count]
    args.out.mkdir(parents=True, exist_ok=True)
    kept = pair_up([rows[number] for number in chosen], args.photos / "images", args.out, args.side)
    sys.stdout.write(f"kept {kept} of {len(chosen)}\n")
    return 0


def read_rows(table: Path) -> list[dict[str, str]]:
    """The rows of images.csv that name a garment."""
    with table.open(newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["label"] not in _NO_PRODUCT]


def pair_up(rows: Sequence[Mapping[str, str]], photos: Path, out: Path, side: int) -> int:
    """Write the pairs of those photographs that the segmenter is sure of; how many there are."""
    segment = _Segmenter()
    unsure_file = out / "unsure.txt"
    unsure = set(unsure_file.read_text().split()) if unsure_file.exists() else set()
    for row in rows:
        path, folder = photos / f"{row['image']}.jpg", out / row["image"]
        if folder.exists() or row["image"] in unsure or not path.exists():
            continue
        alpha = segment(pixels := read_rgb(path))
        if is_sure(alpha):
            write_pair(pixels, alpha, row, folder, side)
        else:
            with unsure_file.open("a") as stream:
                stream.write(f"{row['image']}\n")
    return sum((out / row["image"]).exists() for row in rows)


class _Segmenter:
    """The graph that the server runs, in this process."""

    def __init__(self) -> None:
        from onnxruntime import InferenceSession, SessionOptions

        from models.export.onnx import segmenter_graph

        options = SessionOptions()
        options.intra_op_num_threads = 1
        graph = segmenter_graph(1).SerializeToString()
        self._session = InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def __call__(self, pixels: Bytes) -> NDArray[np.float32]:
        """Probability of product, float32 [H, W], refined along the picture's own edges."""
        small = cv2.resize(pixels, (_SEGMENTER_SIDE,) * 2, interpolation=cv2.INTER_AREA)
        answer = self._session.run(None, {"IMAGE": np.ascontiguousarray(small[None])})[0][0, ..., 0]
        return cast("NDArray[np.float32]", cv2.resize(answer, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR))


def write_pair(pixels: Bytes, alpha: NDArray[np.float32], row: Mapping[str, str], folder: Path, side: int) -> None:
    """Write one pair under `folder`, whole or not at all; the photograph is cropped to a bucket around its product."""
    scene, matte = cropped(pixels, alpha, side)
    coverage = np.rint(np.clip((matte - 0.15) / 0.7, 0, 1) * 255).astype(np.uint8)
    registered = np.dstack([scene, coverage])
    about = describe(scene, coverage, row)
    part = folder.with_name(f".part-{folder.name}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    (part / "scene.webp").write_bytes(webp(scene))
    (part / "registered.webp").write_bytes(webp(registered))
    (part / "product0.webp").write_bytes(webp(_trimmed(registered)))
    cv2.imwrite(str(part / "coverage.png"), coverage)
    (part / "about.json").write_text(json.dumps(about, indent=1, ensure_ascii=False))
    part.rename(folder)


def cropped(pixels: Bytes, alpha: NDArray[np.float32], side: int) -> tuple[Bytes, NDArray[np.float32]]:
    """Picture and matte in the bucket nearest to the picture's ratio, cropped so that the product stays in sight."""
    size = nearest_bucket(Size(*alpha.shape))
    size = Size(*(round(length * side / 304 / 16) * 16 for length in size))
    scale = max(size.height / alpha.shape[0], size.width / alpha.shape[1])
    shape = (max(size.width, round(alpha.shape[1] * scale)), max(size.height, round(alpha.shape[0] * scale)))
    small = cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA)
    matte = cv2.resize(alpha, shape, interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero(matte > 0.5)
    middle = ((rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2) if len(rows) else (0.0, 0.0)
    top = int(np.clip(middle[0] - size.height / 2, 0, shape[1] - size.height))
    left = int(np.clip(middle[1] - size.width / 2, 0, shape[0] - size.width))
    part = (slice(top, top + size.height), slice(left, left + size.width))
    return np.ascontiguousarray(small[part]).astype(np.uint8), np.ascontiguousarray(matte[part]).astype(np.float32)


def describe(scene: Bytes, coverage: Bytes, row: Mapping[str, str]) -> dict[str, object]:
    """What is known of a photograph: its label, and what can be measured; plain JSON values."""
    sender = f"sender:{row['sender_id']}"
    return {
        "key": row["image"],
        "split": split_of_sender(row["sender_id"]),
        "size": list(coverage.shape),
        "source": SOURCE,
        "licence": LICENCE,
        "authors": [],
        "products": [row["image"], sender],
        "props": [],
        "words": words_of(scene, coverage, row["label"]),
    }


def split_of_sender(sender: str) -> Split:
    """Held out is every tenth of those who sent photographs: their homes show nowhere else.

    >>> {split_of_sender(str(number)) for number in range(40)} == {"train", "held_out"}
    True
    """
    return "held_out" if zlib.crc32(f"sender:{sender}".encode()) % _HELD_OUT_OF == 0 else "train"


def words_of(scene: Bytes, coverage: Bytes, label: str) -> dict[str, Any]:
    """The words of a caption: noun and colours of the garment, colour and texture of what is around it, the light."""
    phrase = _NOUNS.get(label, label.lower() if label != "T-Shirt" else "T-shirt")
    around = np.where(cv2.dilate(coverage, np.ones((9, 9), np.uint8)) > 8, 0, 255).astype(np.uint8)
    ground, texture = colors_of(scene, around)[:1], texture_of(scene, around)
    named = " ".join(word for word in (texture, *ground) if word)
    return {
        "category": phrase,
        "products": [{"phrase": phrase, "noun": phrase, "colors": list(colors_of(scene, coverage))}],
        "place": f"on a {named} surface".replace("a o", "an o") if named else "",
        "light": light_of(scene),
        "share": round(float((coverage > 127).mean()), 4),
    }


def texture_of(scene: Bytes, around: Bytes) -> str:
    """`plain`, `textured` or `patterned`, by how lightness changes from pixel to pixel; nothing if little shows."""
    if (around > 0).mean() < 0.03:
        return ""
    lightness = cv2.cvtColor(scene, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32) * (100 / 255)
    change = np.abs(np.diff(lightness, axis=1))[:-1] + np.abs(np.diff(lightness, axis=0))[:, :-1]
    rough = float(change[around[:-1, :-1] > 0].mean())
    return "plain" if rough < _ROUGH[0] else "textured" if rough < _ROUGH[1] else "patterned"


def light_of(scene: Bytes) -> str:
    """`bright light`, `soft light` or `dim light`, warm or cool where the picture leans so."""
    mean = scene.reshape(-1, 3).mean(axis=0)
    level = float(mean.mean())
    kind = "bright light" if level > 165 else "soft light" if level > 95 else "dim light"
    lean = float(mean[0] - mean[2]) / max(level, 1.0)
    return f"warm {kind}" if lean > 0.16 else f"cool {kind}" if lean < -0.06 else kind


def _trimmed(cutout: Bytes) -> Bytes:
    rows = np.flatnonzero(cutout[..., 3].max(axis=1) > 8)
    columns = np.flatnonzero(cutout[..., 3].max(axis=0) > 8)
    return np.ascontiguousarray(cutout[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


if __name__ == "__main__":
    sys.exit(told(main))
