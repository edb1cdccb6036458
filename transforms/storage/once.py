"""Write an object that must exist once, whoever else writes it at the same time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from transforms.errors import ObjectNotFound, StoreUnavailable
from transforms.storage.store import Store

_TRIES = 3


class WriteResult(NamedTuple):
    """What the store holds now.

    Attributes:
        digest: SHA-256 of what is stored, hex: of `data`, or of what an earlier writer stored.
        created: whether this call stored it.
    """

    digest: str
    created: bool


def write_once(
    store: Store,
    uri: str,
    data: bytes,
    *,
    content_type: str = "application/octet-stream",
    metadata: Mapping[str, str] | None = None,
) -> WriteResult:
    """Store `data` unless the key is taken; who comes second reads back the winner's object and gets its digest.

    A write whose answer got lost and that was sent again counts as second: the digest is right all the same.
    """
    for _ in range(_TRIES):
        written = store.write(uri, data, content_type=content_type, if_absent=True, metadata=metadata)
        if written.created:
            return WriteResult(written.digest, True)
        try:
            return WriteResult(hashlib.sha256(store.read(uri).data).hexdigest(), False)
        except ObjectNotFound:
            continue  # the winner's object was deleted in between
    raise StoreUnavailable(f"{uri}: appears and disappears while it is written")
