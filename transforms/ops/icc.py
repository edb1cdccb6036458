"""The sRGB profile that every creative carries, built from the standard's numbers: the same bytes everywhere.

LittleCMS writes its version and the date into the profiles that it creates, so those differ between machines and
seconds. This one is an ICC.1:2001-04 (version 2) display profile: matrix and one tone curve, readable by everything.
"""

from __future__ import annotations

import struct
from functools import cache

# sRGB primaries (IEC 61966-2-1) seen under D50: Bradford-adapted, http://www.brucelindbloom.com, columns X Y Z.
# The last one is what is left to D50, so that white is exactly white.
_WHITE = (0.9642, 1.0, 0.8249)
_RED = (0.4360747, 0.2225045, 0.0139322)
_GREEN = (0.3850649, 0.7168786, 0.0971045)
_CURVE_POINTS = 1024


@cache
def srgb_profile() -> bytes:
    """The profile's bytes: 2.6 kB, constant."""
    white, red, green = (_fixed(colour) for colour in (_WHITE, _RED, _GREEN))
    blue = tuple(whole - one - other for whole, one, other in zip(white, red, green, strict=True))
    curve = _curve()
    tags = {
        b"desc": _description("sRGB"),
        b"cprt": b"text" + bytes(4) + b"No copyright, use freely\x00",
        b"wtpt": _xyz(white),
        b"rXYZ": _xyz(red),
        b"gXYZ": _xyz(green),
        b"bXYZ": _xyz(blue),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    return _assembled(tags, white)


def _fixed(colour: tuple[float, ...]) -> tuple[int, ...]:
    return tuple(round(value * 65536) for value in colour)


def _xyz(colour: tuple[int, ...]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *colour)


def _curve() -> bytes:
    """The transfer function of IEC 61966-2-1, device value to light."""
    values = []
    for index in range(_CURVE_POINTS):
        value = index / (_CURVE_POINTS - 1)
        light = value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        values.append(round(light * 65535))
    return b"curv" + bytes(4) + struct.pack(f">I{_CURVE_POINTS}H", _CURVE_POINTS, *values)


def _description(text: str) -> bytes:
    # ASCII, then empty Unicode and Macintosh descriptions, as version 2 wants them.
    ascii_ = text.encode() + b"\x00"
    return b"desc" + bytes(4) + struct.pack(">I", len(ascii_)) + ascii_ + bytes(8 + 3 + 67)


def _assembled(tags: dict[bytes, bytes], white: tuple[int, ...]) -> bytes:
    places: dict[bytes, tuple[int, int]] = {}
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        if content not in places:
            places[content] = (start + len(body), len(content))
            body += content + bytes(-len(content) % 4)
        table += name + struct.pack(">II", *places[content])
    size = start + len(body)
    date = (1999, 10, 18, 0, 0, 0)  # of IEC 61966-2-1: the header wants one
    header = struct.pack(
        ">I4sI4s4s4s6H4s4sI4sIQI3I4s44x",
        *(size, b"\x00\x00\x00\x00", 0x02100000, b"mntr", b"RGB ", b"XYZ ", *date, b"acsp", b"\x00\x00\x00\x00"),
        *(0, b"\x00\x00\x00\x00", 0, 0, 0, *white, b"\x00\x00\x00\x00"),
    )
    return header + struct.pack(">I", len(tags)) + table + body
