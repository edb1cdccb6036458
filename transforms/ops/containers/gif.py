"""GIF's blocks up to the first image (CompuServe GIF89a)."""

from __future__ import annotations

from transforms.ops.containers.container import MAX_PARTS, Container, Damaged
from transforms.records import Box, Size

SIGNATURES = (b"GIF87a", b"GIF89a")
_EXTENSION, _IMAGE, _CONTROL = 0x21, 0x2C, 0xF9


def read(data: bytes) -> Container:
    """Take a GIF apart as far as its first frame; the canvas grows where that frame reaches beyond the screen.

    Of the extensions only the frame's own is handed on: Pillow's time for comments grows with the square of their size.

    Raises:
        Damaged: see `container`.
    """
    if len(data) < 13:
        raise Damaged("a short header")
    begin = 13 + _palette(data[10])
    control, at = _before_image(data, begin)
    left, top, width, height = (
        int.from_bytes(data[at + 1 + 2 * index : at + 3 + 2 * index], "little") for index in range(4)
    )
    screen = Size(int.from_bytes(data[8:10], "little"), int.from_bytes(data[6:8], "little"))
    size = Size(max(screen.height, top + height), max(screen.width, left + width))
    return Container("gif", size, data[:begin] + control + data[at:], frame=Box(top, left, top + height, left + width))


def _before_image(data: bytes, position: int) -> tuple[bytes, int]:
    """The last graphic control extension before the first image descriptor, and where that begins."""
    control = b""
    for _ in range(MAX_PARTS):
        if position + 10 > len(data):
            break
        if data[position] == _IMAGE:
            return control, position
        if data[position] != _EXTENSION:
            break
        start = position
        position += 2
        while position < len(data) and data[position]:
            position += 1 + data[position]
        position += 1
        control = data[start:position] if data[start + 1] == _CONTROL else control
    raise Damaged("no image in it")


def _palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
