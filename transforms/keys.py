"""Keys: what makes two pieces of work the same.

A *plan key* is known before an image is loaded: the source's identity (ETag, or size and mtime), the row's own
words, and the digest of what configures the result. A *content key* is known after load: the source's bytes,
and everything else that decides the creative's bytes. Both are 128-bit BLAKE2b digests in hex.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from transforms.records import Product

_KEY_BYTES = 16
# The row's columns that decide the result, in the order in which they are digested.
_WORDS = (
    "advertiser_id",
    "product_id",
    "image_uri",
    "title",
    "description",
    "product_category",
    "brand",
    "color",
    "prompt",
    "features",
    "seed",
)


def digest_of(value: Any) -> str:
    """The hex digest of a JSON-like value; dataclasses count by their fields."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).hexdigest()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no digest")


def row_keys(table: pa.Table, identities: Sequence[str], config_digest: str) -> list[str]:
    """One hex key for each row of a normalised manifest table: identity + words + configuration.

    Fields are length-prefixed, so no two rows share a key by moving a character across a border.
    """
    columns = [table.column(name).to_pylist() for name in _WORDS]
    prefix = hashlib.blake2b(config_digest.encode(), digest_size=_KEY_BYTES)
    keys = []
    for identity, *cells in zip(identities, *columns, strict=True):
        state = prefix.copy()
        state.update(_framed((identity, *cells)))
        keys.append(state.hexdigest())
    return keys


def _framed(cells: Iterable[object]) -> bytes:
    texts = [cell if isinstance(cell, str) else repr(cell) for cell in cells]
    return "\x1f".join(f"{len(text)}:{text}" for text in texts).encode("utf-8", "surrogatepass")


def key_words(keys: Sequence[str]) -> NDArray[np.uint64]:
    """Hex keys as uint64 [N, 2]: what the plan compares a million of."""
    raw = bytes.fromhex("".join(keys))
    return np.frombuffer(raw, dtype=">u8").astype(np.uint64).reshape(-1, 2)


def plan_key(row_key: str, placement_digest: str) -> str:
    """The key of a row in one placement: the XOR of both digests, so that a table of them is one numpy operation.

    >>> plan_key("0f" * 16, "ff" * 16) == "f0" * 16
    True
    """
    return f"{int(row_key, 16) ^ int(placement_digest, 16):032x}"


def content_key(parts: Mapping[str, Any]) -> str:
    """The key of a creative: the digest of everything that decides its bytes."""
    return digest_of(parts)


def digests_of(models: Sequence[str], served: Mapping[str, str]) -> dict[str, str]:
    """The digests of the `models` that a job asks, of all that are `served`: the others are no part of its keys."""
    return {name: served[name] for name in models if name in served}


def default_seed(product: Product) -> int:
    """A seed in [0, 2**31) from the product's identity: stable over nights, independent of row order."""
    text = _framed((product.advertiser_id, product.product_id))
    return int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "big") & 0x7FFFFFFF
