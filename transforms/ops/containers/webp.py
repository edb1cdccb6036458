"""WebP's RIFF chunks (RFC 9649)."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.ops.containers.container import MAX_PARTS, Container, Damaged
from transforms.records import Size


def matches(data: bytes) -> bool:
    """Whether `data` begins like a WebP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(FourCC, payload) of each chunk.

    Raises:
        Damaged: the file ends before its RIFF does.
    """
    end, position = 8 + int.from_bytes(data[4:8], "little"), 12
    if end > len(data):
        raise Damaged("the file ends before its RIFF does")
    for _ in range(MAX_PARTS):
        if position + 8 > end:
            return
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        if position + 8 + length > end:
            raise Damaged("a chunk reaches beyond the file")
        yield data[position : position + 4], data[position + 8 : position + 8 + length]
        position += 8 + length + length % 2
    raise Damaged(f"more than {MAX_PARTS} chunks")


def read(data: bytes) -> Container:
    """Take a WebP apart.

    Raises:
        Damaged: see `container`.
    """
    found: dict[bytes, bytes] = {}
    for kind, payload in chunks(data):
        found.setdefault(kind, payload)
    sizes = [_SIZES[kind](payload) for kind, payload in found.items() if kind in _SIZES]
    if not sizes:
        raise Damaged("no image in it")
    exif = found.get(b"EXIF", b"").removeprefix(b"Exif\x00\x00")
    return Container(
        "webp",
        Size(max(size.height for size in sizes), max(size.width for size in sizes)),
        data,
        exif=exif,
        xmp=found.get(b"XMP ", b""),
        icc=found.get(b"ICCP", b""),
    )


def _extended(payload: bytes) -> Size:
    if len(payload) < 10:
        raise Damaged("a short VP8X chunk")
    return Size(int.from_bytes(payload[7:10], "little") + 1, int.from_bytes(payload[4:7], "little") + 1)


def _lossy(payload: bytes) -> Size:
    if len(payload) < 10 or payload[3:6] != b"\x9d\x01\x2a":
        raise Damaged("a short VP8 chunk")
    return Size(int.from_bytes(payload[8:10], "little") & 0x3FFF, int.from_bytes(payload[6:8], "little") & 0x3FFF)


def _lossless(payload: bytes) -> Size:
    if len(payload) < 5 or payload[0] != 0x2F:
        raise Damaged("a short VP8L chunk")
    packed = int.from_bytes(payload[1:5], "little")
    return Size((packed >> 14 & 0x3FFF) + 1, (packed & 0x3FFF) + 1)


_SIZES = {b"VP8X": _extended, b"VP8 ": _lossy, b"VP8L": _lossless}
