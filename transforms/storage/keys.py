"""Ids in keys: any text becomes one safe segment, and no two texts the same one."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

MAX_SEGMENT_BYTES = 200
# The unreserved "~" is never percent-encoded, so "%7E" can only stand in a shortened segment.
_SHORTENED = "%7E"
_DIGEST_CHARS = 32


def percent_encode(text: str) -> str:
    """`text` as one segment of a key: RFC 3986 unreserved characters stay, all other bytes become `%XX`.

    `.` and `..` are encoded too. What would be longer than 200 bytes is cut and ends in `%7E` and 128 bits of the
    text's SHA-256, which no short text can produce.

    Raises:
        ValueError: `text` is empty.

    >>> percent_encode("shoe/42 ü"), percent_encode("..")
    ('shoe%2F42%20%C3%BC', '%2E%2E')
    """
    if not text:
        raise ValueError("an empty id has no key")
    if text in (".", ".."):
        return text.replace(".", "%2E")
    encoded = quote(text, safe="", errors="surrogatepass")
    return encoded if len(encoded) <= MAX_SEGMENT_BYTES else _shortened(text, encoded)


def _shortened(text: str, encoded: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]
    head = encoded[: MAX_SEGMENT_BYTES - len(_SHORTENED) - _DIGEST_CHARS]
    return re.sub(r"%[0-9A-F]?$", "", head) + _SHORTENED + digest
