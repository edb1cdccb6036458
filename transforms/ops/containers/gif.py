"""GIF's blocks up to the first image (CompuServe GIF89a)."""

from __future__ import annotations

from transforms.ops.containers.container import MAX_PARTS, Container, Damaged
from transforms.records import Size

SIGNATURES = (b"GIF87a", b"GIF89a")
_EXTENSION, _IMAGE = 0x21, 0x2C


def read(data: bytes) -> Container:
    """Take a GIF apart as far as its first frame; the canvas grows where that frame reaches beyond the screen.

    Raises:
        Damaged: see `container`.
    """
    if len(data) < 13:
        raise Damaged("a short header")
    at = _after_screen(data)
    frame = [int.from_bytes(data[at + 1 + 2 * index : at + 3 + 2 * index], "little") for index in range(4)]
    left, top, width, height = frame
    screen = Size(int.from_bytes(data[8:10], "little"), int.from_bytes(data[6:8], "little"))
    return Container("gif", Size(max(screen.height, top + height), max(screen.width, left + width)), data)


def _after_screen(data: bytes) -> int:
    """Where the first image descriptor begins."""
    position = 13 + _palette(data[10])
    for _ in range(MAX_PARTS):
        if position + 10 > len(data):
            break
        if data[position] == _IMAGE:
            return position
        if data[position] != _EXTENSION:
            break
        position += 2
        while position < len(data) and data[position]:
            position += 1 + data[position]
        position += 1
    raise Damaged("no image in it")


def _palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
