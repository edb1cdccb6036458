"""TIFF and BigTIFF directories, which EXIF blocks are made of too (TIFF 6.0; Adobe TIFF Technical Note 3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from transforms.ops.containers.container import MAX_PARTS, Container, Damaged, Unsupported
from transforms.ops.containers.jpeg import iptc_of
from transforms.records import Size

SIGNATURES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
ARTIST, COPYRIGHT, ORIENTATION = 315, 33432, 274
_XMP, _IPTC, _PHOTOSHOP, _ICC = 700, 33723, 34377, 34675
_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC = 256, 257, 258, 262
_OFFSETS, _COUNTS, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS = 273, 279, 322, 323, 324, 325
# Bytes of a value by type code.
_TYPES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INTEGERS = {1: "B", 3: "H", 4: "L", 13: "L", 16: "Q"}
_SAMPLES, _COMPRESSION, _PLANES = 277, 259, 284
_RGB, _CMYK, _YCBCR = 2, 5, 6
_SINGLE = {_WIDTH, _HEIGHT, 259, _PHOTOMETRIC, 266, _SAMPLES, 278, 284, 292, 293, 317, _TILE_WIDTH, _TILE_HEIGHT, 332}
_MAX_SAMPLES = 6  # Pillow's own limit
_MAX_TABLE = 8 * MAX_PARTS  # bytes of a structural tag: the places of as many strips as any file has
# What describes the pixels; everything else (EXIF, GPS, previews, orientation, private tags) is dropped from the body.
_STRUCTURE = {
    *(_WIDTH, _HEIGHT, _BITS, 259, _PHOTOMETRIC, 266, _OFFSETS, _SAMPLES, 278, _COUNTS, 284, 292, 293, 317, 320),
    *(_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS, 332, 338, 339, 347, 529, 530, 531, 532),
}


class Layout(NamedTuple):
    """How a file writes its numbers."""

    order: str
    big: bool

    def integer(self, data: bytes) -> int:
        """An unsigned integer of any length."""
        return int.from_bytes(data, "little" if self.order == "<" else "big")


class Entry(NamedTuple):
    """A directory entry; `value` is None where it reaches beyond the file.

    It is a view of the file and no copy: thousands of tags may each claim all of it.
    """

    tag: int
    kind: int
    value: memoryview | None
    raw: bytes


class Directory(NamedTuple):
    """The first directory of a block."""

    layout: Layout
    at: int
    entries: Mapping[int, Entry]

    def integers(self, tag: int, most: int = MAX_PARTS) -> tuple[int, ...]:
        """The first `most` values of an integer tag, () where it is absent."""
        entry = self.entries.get(tag)
        if entry is None or not entry.value or entry.kind not in _INTEGERS:
            return ()
        size = _TYPES[entry.kind]
        count = min(len(entry.value) // size, most)
        return struct.unpack_from(f"{self.layout.order}{count}{_INTEGERS[entry.kind]}", entry.value)

    def integer(self, tag: int, default: int) -> int:
        """The first value of an integer tag."""
        return (*self.integers(tag, 1), default)[0]

    def block(self, tag: int) -> bytes:
        """The raw bytes of a tag, b"" where it is absent or damaged."""
        entry = self.entries.get(tag)
        return bytes(entry.value or b"") if entry else b""


def directory(data: bytes) -> Directory:
    """The first directory of a TIFF file or an EXIF block.

    Raises:
        Damaged: it lies outside `data`.
    """
    if data[:4] not in SIGNATURES:
        raise Damaged("no TIFF header")
    layout = Layout("<" if data[:1] == b"I" else ">", b"+" in data[2:4])
    at = layout.integer(data[8:16] if layout.big else data[4:8])
    return Directory(layout, at, {entry.tag: entry for entry in _entries(data, layout, at)})


def _entries(data: bytes, layout: Layout, at: int) -> Iterator[Entry]:
    head, step = (8, 20) if layout.big else (2, 12)
    count = layout.integer(data[at : at + head])
    if at < 8 or count > 65_535 or at + head + count * step > len(data):
        raise Damaged("the directory lies outside the file")
    for index in range(count):
        start = at + head + index * step
        raw = data[start : start + step]
        kind = layout.integer(raw[2:4])
        yield Entry(layout.integer(raw[:2]), kind, _value(data, layout, kind, raw[4:]), raw)


def _value(data: bytes, layout: Layout, kind: int, field: bytes) -> memoryview | None:
    half = len(field) // 2
    length = layout.integer(field[:half]) * _TYPES.get(kind, 0)
    if length <= half:
        return memoryview(field)[half : half + length]
    offset = layout.integer(field[half:])
    return memoryview(data)[offset : offset + length] if offset + length <= len(data) else None


def read(data: bytes) -> Container:
    """Take a TIFF's first page apart.

    Raises:
        Damaged, Unsupported: see `container`; or a strip or tile reaches beyond the file.
    """
    page = directory(data)
    size = Size(page.integer(_HEIGHT, 0), page.integer(_WIDTH, 0))
    _check_structure(page)
    _check_tiles(page, size)
    for offsets, counts in ((_OFFSETS, _COUNTS), (_TILE_OFFSETS, _TILE_COUNTS)):
        pairs = zip(page.integers(offsets), page.integers(counts), strict=False)
        if any(offset + count > len(data) for offset, count in pairs):
            raise Damaged("the file ends before its pixels do")
    return Container(
        "tiff",
        size,
        _stripped(data, page),
        exif=data,
        xmp=page.block(_XMP),
        iptc=_in_order(page.block(_IPTC)) or iptc_of(page.block(_PHOTOSHOP)),
        icc=page.block(_ICC),
        bits=page.integer(_BITS, 1),
        white_is_zero=page.integer(_PHOTOMETRIC, 1) == 0,
    )


def _in_order(iptc: bytes) -> bytes:
    """IPTC datasets, which some writers take for an array of LONG and swap: each begins with 0x1c."""
    if iptc[:1] == b"\x1c" or iptc[3:4] != b"\x1c":
        return iptc
    words = len(iptc) // 4
    return struct.pack(f">{words}I", *struct.unpack_from(f"<{words}I", iptc))


def _check_structure(page: Directory) -> None:
    for tag, entry in page.entries.items():
        if tag in _STRUCTURE and entry.value is None:
            raise Damaged("a tag reaches beyond the file")
        if tag in _STRUCTURE and len(entry.value or b"") > _MAX_TABLE:
            raise Unsupported(f"tag {tag} of {len(entry.value or b'')} bytes")
        if tag in _SINGLE and len(entry.value or b"") != _TYPES.get(entry.kind, 0):
            raise Damaged(f"tag {tag} does not hold one value")
    samples = page.integer(_SAMPLES, 1)
    if samples > _MAX_SAMPLES:
        raise Unsupported(f"{samples} samples a pixel")
    if page.integer(_PHOTOMETRIC, 1) == _YCBCR and page.integer(_COMPRESSION, 1) == 1:
        raise Unsupported("uncompressed YCbCr; save it as RGB")
    if page.integer(_PLANES, 1) == 2 and samples > 1 and not _reads_planes(page):
        raise Unsupported("samples in planes apart, in a layout that is not read; save them interleaved")


def _reads_planes(page: Directory) -> bool:
    """Whether Pillow puts planes together: it takes uncompressed ones for bytes, and mixes up those of Lab and grey."""
    whole_bytes = page.integer(_BITS, 1) == 8 or page.integer(_COMPRESSION, 1) != 1
    return whole_bytes and page.integer(_PHOTOMETRIC, 1) in (_RGB, _CMYK)


def _check_tiles(page: Directory, size: Size) -> None:
    """libtiff allocates whole tiles, whatever the image's size."""
    tile = page.integer(_TILE_HEIGHT, 1), page.integer(_TILE_WIDTH, 1)
    if tile[0] * tile[1] > 4 * size.height * size.width + (1 << 22):
        raise Damaged(f"tiles of {tile[1]} x {tile[0]} pixels")


def _stripped(data: bytes, page: Directory) -> bytes:
    """The file with a first directory of structural tags only, and no second one."""
    kept = [entry.raw for entry in page.entries.values() if entry.tag in _STRUCTURE and entry.value]
    head, link = (8, 8) if page.layout.big else (2, 4)
    order = "little" if page.layout.order == "<" else "big"
    short = len(kept).to_bytes(head, order) + b"".join(kept) + bytes(link)  # type: ignore[arg-type]
    return data[: page.at] + short + data[page.at + len(short) :]
