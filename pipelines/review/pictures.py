"""The pictures of an item: thumbnails, the original laid as the creative shows it, its mask, and what was changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from io import BytesIO
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pipelines.audit import audit_row, read_source, source_bytes
from pipelines.review.runs import Row
from pipelines.review.scenes import members_of
from transforms.errors import CanvasError, ObjectNotFound, TruncatedImage
from transforms.ops.encode import BACKGROUND, CORE, EDGE, KEPT, decode_evidence, jpeg_stream
from transforms.ops.encoded import EncodedLimits
from transforms.ops.geometry import lay, resample
from transforms.records import Pixels, Size, Transform
from transforms.storage.store import StoreConfig, open_store

THUMB_SIDE, ORIGINAL_SIDE = 400, 1600
_PAPER = 238  # what the page shows where the original has no pixels
_MAX_CREATIVE_BYTES = 64_000_000

# level of the evidence -> RGBA laid over the creative
_CHANGED: Mapping[int, tuple[int, int, int, int]] = {
    BACKGROUND: (122, 62, 190, 150),
    EDGE: (255, 176, 0, 235),
    KEPT: (16, 122, 87, 90),
    CORE: (16, 160, 100, 120),
}
_MASK: Mapping[int, tuple[int, int, int, int]] = {
    BACKGROUND: (18, 22, 33, 225),
    KEPT: (18, 22, 33, 140),
    EDGE: (255, 255, 255, 60),
    CORE: (0, 0, 0, 0),
}


class File(NamedTuple):
    """A finished file and its MIME type."""

    data: bytes
    content_type: str


class Reader(NamedTuple):
    """How pictures are read.

    Attributes:
        allow: where sources may be read; () trusts the index's own references.
    """

    store: StoreConfig
    allow: tuple[str, ...] = ()


def after(row: Row, reader: Reader) -> File:
    """The creative itself, byte for byte.

    Raises:
        ObjectNotFound: the row has none.
    """
    uri = _named(row, "creative_uri")
    data = open_store(uri, reader.store).read(uri, limit_bytes=_MAX_CREATIVE_BYTES).data
    return File(data, f"image/{row['creative_format']}")


def thumb(row: Row, reader: Reader) -> File:
    """A small JPEG of the creative."""
    return _shrunk(after(row, reader).data, THUMB_SIDE)


def small(row: Row, reader: Reader) -> File:
    """A small JPEG of the original; of a scene the originals of its products in a row."""
    if members_of(row):
        return _jpeg(_sheet(row, reader, 160), 78)
    return _shrunk(source_bytes(_known(row), reader.store, reader.allow), THUMB_SIDE)


def original(row: Row, reader: Reader) -> File:
    """The original, 1600 pixels at most; of a scene the originals of its products in a row."""
    if members_of(row):
        return _jpeg(_sheet(row, reader, ORIGINAL_SIDE // 4), 90)
    return _jpeg(_limited(_source(row, reader), ORIGINAL_SIDE), 90)


def before(row: Row, reader: Reader) -> File:
    """The original where the creative shows it: the same pixels, so that a slider moves over nothing but the change."""
    if members_of(row):
        return _jpeg(Image.fromarray(_laid_together(row, reader)), 92)
    return _jpeg(Image.fromarray(_laid(row, reader)), 92)


def _laid(row: Row, reader: Reader) -> Pixels:
    """The original under its transform, uint8 [h, w, 3]."""
    _named(row, "transform_height")
    transform = Transform(
        float(row["transform_scale"] or 1.0),
        Size(int(row["transform_height"]), int(row["transform_width"])),
        int(row["transform_top"]),
        int(row["transform_left"]),
        str(row["transform_kernel"]),
    )
    size = Size(int(row["creative_height"]), int(row["creative_width"]))
    laid, _ = lay(resample(_source(row, reader), transform.scaled), transform, size, _PAPER)
    return laid


def _laid_together(row: Row, reader: Reader) -> Pixels:
    """The originals of a scene's products where the scene shows them, each up to the middle between it and the next."""
    members = members_of(row)
    spans = [np.flatnonzero((_evidence(member, reader) != BACKGROUND).any(axis=0)) for member in members]
    ends = [(int(one[-1]) + int(next_[0])) // 2 for one, next_ in pairwise(spans)]
    found = _laid(members[0], reader)
    for member, start in zip(members[1:], ends, strict=True):
        found = np.concatenate([found[:, :start], _laid(member, reader)[:, start:]], axis=1)
    return found


def _sheet(row: Row, reader: Reader, side: int) -> Image.Image:
    """The originals of a scene's products in a row of white squares; what was never read leaves a grey one."""
    members = members_of(row)
    sheet = Image.new("RGB", (side * len(members), side), (_PAPER,) * 3)
    for at, member in enumerate(members):
        try:
            data = _shrunk(source_bytes(_known(member), reader.store, reader.allow), side).data
        except CanvasError:
            continue
        sheet.paste("white", (at * side, 0, (at + 1) * side, side))
        with Image.open(BytesIO(data)) as photo:
            sheet.paste(photo, (at * side + (side - photo.width) // 2, (side - photo.height) // 2))
    return sheet


def mask(row: Row, reader: Reader) -> File:
    """An overlay that darkens everything but the product."""
    return _overlay(_evidence(row, reader), _MASK)


def changed(row: Row, reader: Reader) -> File:
    """An overlay of what became of each pixel before encoding: kept bit for bit, blended, kept around, painted."""
    return _overlay(_evidence(row, reader), _CHANGED)


PICTURES: Mapping[str, Callable[[Row, Reader], File]] = {
    "after": after,
    "thumb": thumb,
    "small": small,
    "original": original,
    "before": before,
    "mask": mask,
    "changed": changed,
}
OF_CREATIVES = ("thumb", "after", "before", "mask", "changed")
OF_SOURCES = ("small", "original")


class Proof(NamedTuple):
    """What comparing a creative's product with its original gave, computed anew from original and evidence.

    Attributes:
        state: `proven`, `differs`, or `unread` where a file could not be read.
        compared, differing: product pixels.
        blended, kept, painted: the other pixels, by what became of them.
    """

    state: str
    compared: int
    differing: int
    blended: int = 0
    kept: int = 0
    painted: int = 0
    note: str = ""


def prove(row: Row, reader: Reader) -> Proof:
    """Recompute the product from the original alone and compare it with what was composed; see `pipelines.audit`."""
    if members_of(row):
        return _proven_together(row, reader)
    if not all(row[name] for name in ("creative_uri", "evidence_uri", "transform_height")):
        return Proof("unread", 0, 0, note="This creative was made without the files that the proof needs.")
    finding = audit_row(row, reader.store, reader.allow, EncodedLimits())
    if not finding.read:
        return Proof("unread", 0, 0, note="A file that the proof needs could not be read.")
    levels = _evidence(row, reader)
    counts = np.bincount(levels.ravel(), minlength=256)
    parts = (int(counts[EDGE]), int(counts[KEPT]), int(counts[BACKGROUND]))
    state = "differs" if finding.fault or finding.differing else "proven"
    return Proof(state, finding.compared, finding.differing, *parts, note=finding.fault)


def _proven_together(row: Row, reader: Reader) -> Proof:
    """Every product of a scene is proven, or the scene is not."""
    proofs = [prove(member, reader) for member in members_of(row)]
    compared, differing = (sum(getattr(each, name) for each in proofs) for name in ("compared", "differing"))
    worst = next((each for state in ("unread", "differs") for each in proofs if each.state == state), proofs[0])
    if worst.state == "unread":
        return worst
    counts = np.bincount(_evidence(row, reader).ravel(), minlength=256)
    parts = (int(counts[EDGE]), int(counts[KEPT]), int(counts[BACKGROUND]))
    return Proof(worst.state, compared, differing, *parts, note=worst.note)


def _named(row: Row, column: str) -> str:
    if not row[column]:
        raise ObjectNotFound(f"{row['product_id']}: the row has no {column}")
    return str(row[column])


def _evidence(row: Row, reader: Reader) -> Pixels:
    members = members_of(row)
    if members:
        found = _evidence(members[0], reader)
        for member in members[1:]:
            own = _evidence(member, reader)
            found = np.where(own == BACKGROUND, found, own)
        return found
    uri = _named(row, "evidence_uri")
    return decode_evidence(open_store(uri, reader.store).read(uri).data)


def _source(row: Row, reader: Reader) -> NDArray[np.uint8]:
    _known(row)
    names = ("source_uri", "image_uri", "source_digest")
    return _cached_source(tuple(str(row[name] or "") for name in names), reader)


def _known(row: Row) -> Row:
    if not row["source_digest"]:
        raise ObjectNotFound(f"{row['product_id']}: the original was never read")
    return row


# One product's placements are asked for one after the other; 64 MB each at most.
@lru_cache(maxsize=4)
def _cached_source(names: tuple[str, ...], reader: Reader) -> NDArray[np.uint8]:
    row = dict(zip(("source_uri", "image_uri", "source_digest"), names, strict=True))
    return read_source(row, reader.store, reader.allow)


def _limited(pixels: NDArray[np.uint8], side: int) -> Image.Image:
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return image


def _shrunk(data: bytes, side: int) -> File:
    try:
        with Image.open(BytesIO(data)) as image:
            image.draft("RGB", (side, side))
            image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
            upright = ImageOps.exif_transpose(image)
            return _jpeg(_on_white(upright), 78)
    except Exception as error:  # decoders raise a dozen kinds for damaged files; all mean the same here
        raise TruncatedImage(f"not a picture: {error}") from error


def _on_white(image: Image.Image) -> Image.Image:
    """As the job reads a transparent original."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")


def _jpeg(image: Image.Image, quality: int) -> File:
    fine = quality > 80
    return File(jpeg_stream(image, quality, progressive=fine, full_chroma=fine), "image/jpeg")


def _overlay(levels: Pixels, colours: Mapping[int, tuple[int, int, int, int]]) -> File:
    """A palette PNG with alpha: small, and exact to the pixel."""
    order = list(colours)
    indices = np.zeros(levels.shape, np.uint8)
    for number, level in enumerate(order):
        indices[levels == level] = number
    image = Image.fromarray(indices, "P")
    image.putpalette([part for level in order for part in colours[level][:3]])
    sink = BytesIO()
    options: dict[str, Any] = {"transparency": bytes(colours[level][3] for level in order), "optimize": True, "bits": 2}
    image.save(sink, "PNG", **options)
    return File(sink.getvalue(), "image/png")
