"""PNG chunks (W3C PNG, third edition)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from transforms.ops.containers.container import MAX_PARTS, Container, Damaged, Unsupported
from transforms.records import Size

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD = b"XML:com.adobe.xmp"
# PNG (third edition), 11.3.3: predefined keywords. Titles, software and comments are no credits.
_TEXTS = {XMP_KEYWORD: "xmp", b"Author": "author", b"Copyright": "notice"}
_LONGEST_KEYWORD = 80
# What the decoder needs. Animation chunks are left out: the default image is the first frame, or stands for it.
_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_MAX_INFLATED = 8_000_000


class Chunk(NamedTuple):
    """A chunk: its type, data, and all its bytes with length and checksum."""

    kind: bytes
    payload: bytes
    raw: bytes


def chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks up to and with IEND.

    Raises:
        Damaged: the file ends before IEND.
    """
    position = len(SIGNATURE)
    for _ in range(MAX_PARTS):
        length = int.from_bytes(data[position : position + 4], "big")
        end = position + 12 + length
        if end > len(data):
            raise Damaged("the file ends inside a chunk")
        kind = data[position + 4 : position + 8]
        yield Chunk(kind, data[position + 8 : end - 4], data[position:end])
        if kind == b"IEND":
            return
        position = end
    raise Damaged(f"more than {MAX_PARTS} chunks")


def read(data: bytes) -> Container:
    """Take a PNG apart.

    Raises:
        Damaged, Unsupported: see `container`.
    """
    header, transparent = b"", b""
    kept = [SIGNATURE]
    blocks: dict[str, bytes] = {}
    for chunk in chunks(data):
        header = header or _header(chunk)
        wide = header[8] == 16
        if chunk.kind == b"tRNS" and wide:
            transparent = chunk.payload
        elif chunk.kind in _KEPT:
            kept.append(chunk.raw)
        name = _metadata_of(chunk)
        if name and name not in blocks:  # thousands of compressed ones would take minutes
            blocks[name] = _block(chunk)
    size = Size(int.from_bytes(header[4:8], "big"), int.from_bytes(header[:4], "big"))
    return Container(
        "png",
        size,
        b"".join(kept),
        exif=blocks.get("exif", b""),
        xmp=blocks.get("xmp", b""),
        author=blocks.get("author", b""),
        notice=blocks.get("notice", b""),
        icc=blocks.get("icc", b""),
        bits=header[8],
        transparent=transparent,
    )


def _header(chunk: Chunk) -> bytes:
    if chunk.kind == b"CgBI":
        raise Unsupported("Apple's own form of it (CgBI); save it as a plain PNG")
    if chunk.kind != b"IHDR" or len(chunk.payload) != 13:
        raise Damaged("no header")
    return chunk.payload


def _metadata_of(chunk: Chunk) -> str:
    """Which metadata a chunk holds, "" for none."""
    if chunk.kind in (b"tEXt", b"zTXt", b"iTXt"):
        return _TEXTS.get(chunk.payload[:_LONGEST_KEYWORD].partition(b"\x00")[0], "")
    return {b"eXIf": "exif", b"iCCP": "icc"}.get(chunk.kind, "")


def _block(chunk: Chunk) -> bytes:
    """The metadata in a chunk, text as it stands: Latin-1 by the standard, UTF-8 by the custom of many writers."""
    if chunk.kind == b"eXIf":
        return chunk.payload
    rest = chunk.payload.partition(b"\x00")[2]
    if chunk.kind == b"iCCP":
        return _inflated(rest[1:])
    if chunk.kind == b"iTXt":  # flag, method, language, translated keyword
        text = rest[2:].partition(b"\x00")[2].partition(b"\x00")[2]
        return _inflated(text) if rest[:1] == b"\x01" else text
    return _inflated(rest[1:]) if chunk.kind == b"zTXt" else rest


def _inflated(data: bytes) -> bytes:
    """`data` inflated, b"" where it is no zlib stream or holds more than any profile or packet does."""
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(data, _MAX_INFLATED)
    except zlib.error:
        return b""
    return inflated if inflater.eof else b""


def embed(stream: bytes, *, exif: bytes, xmp: bytes, icc: bytes) -> bytes:
    """`stream` with metadata behind its IHDR; empty blocks are left out. PNG has no place for IPTC-IIM."""
    at = len(SIGNATURE) + 25
    parts = [
        (b"iCCP", b"sRGB\x00\x00" + zlib.compress(icc, 9) if icc else b""),
        (b"eXIf", exif),
        (b"iTXt", XMP_KEYWORD + b"\x00\x00\x00\x00\x00" + xmp if xmp else b""),
    ]
    return stream[:at] + b"".join(_chunk(kind, payload) for kind, payload in parts if payload) + stream[at:]


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + kind + payload + zlib.crc32(kind + payload).to_bytes(4, "big")
