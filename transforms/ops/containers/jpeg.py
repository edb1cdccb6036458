"""JPEG segments (ITU-T T.81 annex B; JFIF; APP1 EXIF and XMP, APP2 ICC.1 annex B.4, APP13 Photoshop)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from transforms.ops.containers.container import MAX_PARTS, Container, Damaged, Unsupported
from transforms.ops.containers.progression import lacks_scans
from transforms.records import Size

SIGNATURE = b"\xff\xd8\xff"
EXIF, XMP, ICC, PHOTOSHOP = (
    b"Exif\x00\x00",
    b"http://ns.adobe.com/xap/1.0/\x00",
    b"ICC_PROFILE\x00",
    b"Photoshop 3.0\x00",
)
# A scan of a few bytes costs a pass over all coefficients: libjpeg-turbo's own fuzzers stop at 500, real progressive
# files have about ten.
MAX_SCANS = 100
MAX_SCANNED_PIXELS = 1_500_000_000  # 30 scans of 50 megapixels: some 15 s of decoding
_APP0, _APP1, _APP2, _APP13, _APP14 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE
_SOS, _EOI, _DNL = 0xDA, 0xD9, 0xDC
# Baseline, extended, progressive, and the last two with arithmetic coding: what libjpeg-turbo decodes.
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_PROGRESSIVE = {0xC2, 0xCA}
_OTHER_FRAMES = {0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF}
# What the decoder needs: tables, frame, restart interval, JFIF and Adobe (they decide the colour transform).
_KEPT = _FRAMES | {0xC4, 0xCC, 0xDB, 0xDD, _APP0, _APP14, _SOS, _EOI}
_FILL = re.compile(rb"\xff*(?=\xff)")  # any number of them before a marker's own
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class Segment(NamedTuple):
    """A marker segment without fill bytes before it; a scan's holds its entropy-coded data too."""

    marker: int
    payload: bytes
    raw: bytes


def segments(data: bytes) -> Iterator[Segment]:
    """The segments between SOI and EOI; a file that ends early just ends, for the decoder to judge."""
    position = 2
    for _ in range(MAX_PARTS):
        fill = _FILL.match(data, position)
        position = fill.end() if fill else position
        marker = data[position : position + 2]
        if len(marker) < 2 or marker[0] != 0xFF:
            return
        if marker[1] == _EOI:
            yield Segment(_EOI, b"", marker)
            return
        if marker[1] == 0x01 or 0xD0 <= marker[1] <= 0xD8:
            position += 2
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        end = position + 2 + length
        if length < 2 or end > len(data):
            raise Damaged("a segment reaches beyond the file")
        payload = data[position + 4 : end]
        if marker[1] == _SOS:
            found = _NEXT_MARKER.search(data, end)
            end = found.start() if found else len(data)
        yield Segment(marker[1], payload, data[position:end])
        position = end
    raise Damaged(f"more than {MAX_PARTS} segments")


def read(data: bytes) -> Container:
    """Take a JPEG apart.

    Raises:
        Damaged, Unsupported: see `container`.
    """
    size, scans, late, sketched = None, list[bytes](), False, b""
    blocks: dict[bytes, list[bytes]] = defaultdict(list)
    kept = [b"\xff\xd8"]
    for segment in segments(data):
        if segment.marker in _OTHER_FRAMES:
            raise Unsupported("a lossless or hierarchical JPEG")
        if segment.marker in _FRAMES:
            size = _frame_size(segment.payload)
            sketched = segment.payload if segment.marker in _PROGRESSIVE else b""
        if segment.marker in _KEPT:
            kept.append(segment.raw)
        scans += [segment.payload] if segment.marker == _SOS else []
        late = late or segment.marker == _DNL
        if len(scans) > MAX_SCANS:
            raise Unsupported(f"more than {MAX_SCANS} scans")
        for name in _names(segment):
            blocks[name].append(segment.payload[len(name) :])
    if size is None or not scans:
        raise Damaged("no image in it")
    if late and size.height == 0:
        raise Unsupported("a JPEG that tells its height behind its pixels (DNL); save it anew")
    if len(scans) > 20 and len(scans) * size.height * size.width > MAX_SCANNED_PIXELS:
        raise Unsupported(f"{len(scans)} scans of {size.height * size.width} pixels")
    if sketched and lacks_scans(sketched, scans):
        raise Damaged("its last scans are missing, so it is no more than a sketch of its picture")
    return Container(
        "jpeg",
        size,
        b"".join(kept),
        exif=b"".join(blocks[EXIF][:1]),
        xmp=b"".join(blocks[XMP][:1]),
        iptc=iptc_of(b"".join(blocks[PHOTOSHOP])),
        icc=_profile(blocks[ICC]),
    )


def _frame_size(payload: bytes) -> Size:
    if len(payload) < 6:
        raise Damaged("a short frame header")
    if payload[0] != 8:
        raise Unsupported(f"a JPEG of {payload[0]} bits a sample")
    return Size(int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big"))


def _names(segment: Segment) -> Iterator[bytes]:
    for marker, name in ((_APP1, EXIF), (_APP1, XMP), (_APP2, ICC), (_APP13, PHOTOSHOP)):
        if segment.marker == marker and segment.payload.startswith(name):
            yield name


def _profile(chunks: list[bytes]) -> bytes:
    """Chunks are numbered from 1 to 255 at most; a set with gaps is no profile."""
    ordered = sorted(chunks, key=lambda chunk: chunk[:1])
    if b"".join(chunk[:1] for chunk in ordered) != bytes(range(1, 256))[: len(ordered)]:
        return b""
    return b"".join(chunk[2:] for chunk in ordered)


def iptc_of(resources: bytes) -> bytes:
    """The IPTC-IIM datasets among Photoshop's image resources (resource 0x0404), b"" where there are none."""
    position = 0
    while resources[position : position + 4] == b"8BIM" and len(resources) >= position + 12:
        name_length = resources[position + 6] + 1
        start = position + 6 + name_length + name_length % 2
        length = int.from_bytes(resources[start : start + 4], "big")
        if resources[position + 4 : position + 6] == b"\x04\x04":
            return resources[start + 4 : start + 4 + length]
        position = start + 4 + length + length % 2
    return b""


def embed(stream: bytes, *, exif: bytes, xmp: bytes, iptc: bytes, icc: bytes) -> bytes:
    """`stream` with metadata behind its JFIF segment; empty blocks are left out.

    Raises:
        ValueError: a block does not fit into one segment (65,533 bytes).
    """
    photoshop = b"8BIM\x04\x04\x00\x00" + len(iptc).to_bytes(4, "big") + iptc + b"\x00" * (len(iptc) % 2)
    parts = [
        (_APP1, EXIF, exif),
        (_APP1, XMP, xmp),
        (_APP2, ICC, b"\x01\x01" + icc if icc else b""),
        (_APP13, PHOTOSHOP, photoshop if iptc else b""),
    ]
    at = 4 + int.from_bytes(stream[4:6], "big") if stream[2:4] == b"\xff\xe0" else 2
    return (
        stream[:at] + b"".join(_segment(marker, name + block) for marker, name, block in parts if block) + stream[at:]
    )


def _segment(marker: int, payload: bytes) -> bytes:
    if len(payload) > 65_533:
        raise ValueError(f"{len(payload)} bytes do not fit into a JPEG segment")
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload
