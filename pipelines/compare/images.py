"""The creatives that changed most, as an eye sees them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from PIL import Image

from pipelines.compare.runs import Pairing
from transforms.ops.color_difference import ciede2000, lab_of
from transforms.storage.store import StoreConfig, open_store

_SIDE = 96  # pixels; what is smaller than 1 % of a side is not what a creative is about
_SHOWN = 240


class ImageChange(NamedTuple):
    """One creative before and after.

    Attributes:
        difference: mean CIEDE2000 of the two at 96 pixels; 1 is about what an eye just tells apart, inf where sizes
            differ.
        before, after: JPEG data URIs.
    """

    product: str
    place: str
    difference: float
    before: str
    after: str


def changed_rows(before: pa.Table, after: pa.Table, pairing: Pairing) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of rows whose creatives are both there and differ in bytes."""
    columns = ["advertiser_id", "product_id", "place", "creative_uri", "creative_digest"]
    old, new = (
        table.select(columns).take(pa.array(rows)).to_pylist()
        for table, rows in ((before, pairing.before), (after, pairing.after))
    )
    return [
        (one, other)
        for one, other in zip(old, new, strict=True)
        if one["creative_uri"] and other["creative_uri"] and one["creative_digest"] != other["creative_digest"]
    ]


def sample(
    pairs: list[tuple[dict[str, Any], dict[str, Any]]], limit: int
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """`limit` of the pairs at most, the same ones each time, chosen by their digests."""
    return sorted(pairs, key=lambda pair: str(pair[1]["creative_digest"]))[:limit]


def measure(
    pairs: Iterable[tuple[dict[str, Any], dict[str, Any]]], config: StoreConfig, shown: int
) -> tuple[list[ImageChange], int]:
    """The `shown` most changed of `pairs`, and how many could not be read."""
    found, unread = [], 0
    for old, new in pairs:
        try:
            one, other = (_opened(row["creative_uri"], config) for row in (old, new))
        except Exception:  # decoders raise a dozen kinds for damaged files; all mean the same here
            unread += 1
            continue
        name = f"{new['advertiser_id']}/{new['product_id']}"
        found.append((difference(one, other), name, new["place"] or "", one, other))
        found = sorted(found, key=lambda each: -each[0])[:shown]
    return [
        ImageChange(name, place, value, _data_uri(one), _data_uri(other)) for value, name, place, one, other in found
    ], unread


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean CIEDE2000 of two images reduced to 96 pixels; infinite where their shapes differ."""
    if abs(one.width * other.height - other.width * one.height) > max(one.size) * 2:
        return float("inf")
    size = _reduced(one)
    labs = [lab_of(np.asarray(image.resize(size, Image.Resampling.BOX))) for image in (one, other)]
    return float(ciede2000(*labs).mean())


def _reduced(image: Image.Image) -> tuple[int, int]:
    scale = min(1.0, _SIDE / max(image.size))
    return max(round(image.width * scale), 1), max(round(image.height * scale), 1)


def _opened(uri: str, config: StoreConfig) -> Image.Image:
    """The image, reduced to what is shown."""
    with Image.open(io.BytesIO(open_store(uri, config).read(uri).data)) as image:
        image.draft("RGB", (_SHOWN, _SHOWN))
        small = image.convert("RGB")
    small.thumbnail((_SHOWN, _SHOWN), Image.Resampling.LANCZOS)
    return small


def _data_uri(image: Image.Image) -> str:
    sink = io.BytesIO()
    image.save(sink, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(sink.getvalue()).decode()
