"""Credits and provenance: read out of EXIF, XMP and IPTC-IIM, written back into the creative; all else is dropped.

So GPS positions, serial numbers, previews and timestamps never reach a creative, and the same scene gives the same
bytes. What is carried: creator, copyright notice, and the IPTC DigitalSourceType, which says how a picture came to be.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from transforms.ops.containers import tiff
from transforms.ops.containers.container import Container, Damaged

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE = _SOURCE_TYPES + "composite"
COMPOSITE_SYNTHETIC = _SOURCE_TYPES + "compositeSynthetic"
COMPOSITE_WITH_TRAINED = _SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
# The vocabulary's terms for pictures that hold generated parts already.
_GENERATED = {
    _SOURCE_TYPES + name
    for name in ("trainedAlgorithmicMedia", "compositeSynthetic", "compositeWithTrainedAlgorithmicMedia")
}
_DC = "http://purl.org/dc/elements/1.1/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_MAX_XMP_BYTES = 1_000_000
_MAX_CHARS = 500
_MAX_CREDIT_BYTES, _MAX_DATASETS = 65_535, 10_000  # what is longer is no name, and no record has as many keywords
_DECLARATION = re.compile(rb"<!(?!--|\[CDATA\[)")  # comments and quoted text declare nothing
_BY_LINE, _COPYRIGHT_NOTICE = 80, 116


@dataclass(frozen=True)
class Credits:
    """Who made a picture, who owns it, and how it came to be; "" where unknown."""

    artist: str = ""
    copyright: str = ""
    digital_source_type: str = ""


def source_type(*, trained: bool, source: str = "") -> str:
    """The IPTC DigitalSourceType URI that is true of a creative.

    Definitions of http://cv.iptc.org/newscodes/digitalsourcetype as of 2024-10-23:

    - A trained model painted around the product: `compositeWithTrainedAlgorithmicMedia`, "augmentation, correction or
      enhancement using a Generative AI model, such as with inpainting or outpainting operations".
    - Procedural painters (the studio set, the patch-based fill): `composite`, "mix or composite of several elements,
      any of which may or may not be generative AI". `compositeSynthetic` would be false: since 2024 it means "at least
      one of which is Generative AI". `algorithmicMedia` is "created purely by an algorithm", and the product is a
      photograph; `compositeCapture` claims that all of it is captured from life, and `algorithmicallyEnhanced` that
      the main content is unchanged: neither is so of a painted set or of an invented extension of a room.
    - A procedural painter around a source that is itself labelled as generated: `compositeSynthetic`.

    Args:
        trained: whether a trained model painted any of the pixels.
        source: the source's own DigitalSourceType, "" where it has none.
    """
    if trained:
        return COMPOSITE_WITH_TRAINED
    return COMPOSITE_SYNTHETIC if _normal(source) in _GENERATED else COMPOSITE


def _normal(uri: str) -> str:
    return uri.strip().replace("https://", "http://", 1)


def orientation_of(container: Container) -> int:
    """EXIF orientation 1..8; 1 where there is none or nonsense."""
    try:
        value = tiff.directory(container.exif).integer(tiff.ORIENTATION, 1)
    except Damaged:
        return 1
    return value if 1 <= value <= 8 else 1


def read_credits(container: Container) -> Credits:
    """The credits of a file: XMP before IPTC-IIM before EXIF before PNG's own text, the first that has each.

    Damaged blocks are ignored.
    """
    texts = Credits(_text(container.author), _text(container.notice))
    readings = [from_xmp(container.xmp), from_iptc(container.iptc), from_exif(container.exif), texts]
    return Credits(
        next((reading.artist for reading in readings if reading.artist), ""),
        next((reading.copyright for reading in readings if reading.copyright), ""),
        readings[0].digital_source_type,
    )


def from_exif(block: bytes) -> Credits:
    """Artist and Copyright of an EXIF block."""
    try:
        page = tiff.directory(block)
    except Damaged:
        return Credits()
    return Credits(_text(page.block(tiff.ARTIST)), _text(page.block(tiff.COPYRIGHT)))


def from_iptc(datasets: bytes) -> Credits:
    """By-line and Copyright Notice of IPTC-IIM datasets (record 2)."""
    found: dict[int, list[str]] = {_BY_LINE: [], _COPYRIGHT_NOTICE: []}
    for number, value in islice(_datasets(datasets), _MAX_DATASETS):
        if number in found:
            found[number].append(_text(value))
    artist, notice = ("; ".join(filter(None, texts)) for texts in found.values())
    return Credits(_clean(artist), _clean(notice))


def _datasets(block: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while block[position : position + 1] == b"\x1c" and position + 5 <= len(block):
        length = int.from_bytes(block[position + 3 : position + 5], "big")
        if length & 0x8000:  # an extended dataset: longer than any credit
            return
        if block[position + 1] == 2:
            yield block[position + 2], block[position + 5 : position + 5 + length]
        position += 5 + length


def from_xmp(packet: bytes) -> Credits:
    """dc:creator, dc:rights and Iptc4xmpExt:DigitalSourceType of an XMP packet; no DTD or entity is ever expanded."""
    packet = packet.strip(b"\x00 \r\n\t")
    # Without NULs it is no UTF-16 either, in which a DTD would look different.
    if not packet or len(packet) > _MAX_XMP_BYTES or _DECLARATION.search(packet) or b"\x00" in packet:
        return Credits()
    try:
        root = ElementTree.fromstring(packet)
    except (ElementTree.ParseError, ValueError, LookupError):
        return Credits()
    return Credits(
        _clean("; ".join(_values(root, _DC, "creator"))),
        _clean(next(iter(_values(root, _DC, "rights")), "")),
        _normal(next(iter(_values(root, _IPTC_EXT, "DigitalSourceType")), ""))[:_MAX_CHARS],
    )


def _values(root: ElementTree.Element, namespace: str, name: str) -> list[str]:
    """A property's values, whether written as an attribute, a text, a resource or a list.

    A list's items are looked for where RDF has them, in the container that the property holds, and no deeper:
    properties within properties would be read over and over.
    """
    values: list[str] = []
    for element in root.iter():
        values.append(element.get(f"{{{namespace}}}{name}", ""))
        if element.tag == f"{{{namespace}}}{name}":
            items = [item.text or "" for item in element.iterfind(f"*/{{{_RDF}}}li")]
            values += items or [element.get(f"{{{_RDF}}}resource", "") or element.text or ""]
    return [value.strip() for value in values if value.strip()]


def _text(raw: bytes) -> str:
    """An EXIF or IPTC string: UTF-8 by custom, Windows' Latin-1 where it is not; parts between NULs are joined."""
    if len(raw) > _MAX_CREDIT_BYTES:
        return ""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "ignore")  # with dashes and quotes where Latin-1 has control characters
    return _clean("; ".join(part.strip() for part in text.split("\x00") if part.strip()))


def _clean(text: str) -> str:
    """Without characters that XML cannot hold, on one line, of bounded length."""
    return re.sub(r"[^\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+", " ", text).strip()[:_MAX_CHARS]


def xmp_packet(credits_: Credits) -> bytes:
    """An XMP packet with the credits and nothing else: no dates, no tool, no ids."""
    source = f"<Iptc4xmpExt:DigitalSourceType>{escape(credits_.digital_source_type)}</Iptc4xmpExt:DigitalSourceType>"
    creator = f"<dc:creator><rdf:Seq><rdf:li>{escape(credits_.artist)}</rdf:li></rdf:Seq></dc:creator>"
    rights = escape(credits_.copyright)
    rights = f'<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">{rights}</rdf:li></rdf:Alt></dc:rights>'
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
        f'<rdf:Description rdf:about="" xmlns:dc="{_DC}" xmlns:Iptc4xmpExt="{_IPTC_EXT}">'
        f"{source if credits_.digital_source_type else ''}"
        f"{creator if credits_.artist else ''}{rights if credits_.copyright else ''}"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def exif_block(credits_: Credits) -> bytes:
    """A big-endian EXIF block with Artist and Copyright, b"" where there are none."""
    texts = [(tiff.ARTIST, credits_.artist), (tiff.COPYRIGHT, credits_.copyright)]
    values = [(tag, text.encode() + b"\x00") for tag, text in texts if text]
    if not values:
        return b""
    at = 8 + 2 + 12 * len(values) + 4
    entries, tail = b"", b""
    for tag, value in values:
        short = len(value) <= 4
        field = value.ljust(4, b"\x00") if short else struct.pack(">I", at + len(tail))
        entries += struct.pack(">HHI", tag, 2, len(value)) + field
        tail += b"" if short else value + b"\x00" * (len(value) % 2)
    return b"MM\x00*" + struct.pack(">IH", 8, len(values)) + entries + bytes(4) + tail


def iptc_block(credits_: Credits) -> bytes:
    """IPTC-IIM datasets, marked as UTF-8, with By-line and Copyright Notice, b"" where there are none."""
    texts = [(_BY_LINE, credits_.artist), (_COPYRIGHT_NOTICE, credits_.copyright)]
    values = [(number, _bytes(text, 32 if number == _BY_LINE else 128)) for number, text in texts if text]
    if not values:
        return b""
    utf8 = b"\x1c\x01\x5a\x00\x03\x1b%G"
    return utf8 + b"".join(b"\x1c\x02" + struct.pack(">BH", number, len(value)) + value for number, value in values)


def _bytes(text: str, limit: int) -> bytes:
    """UTF-8, cut between characters: IIM allows 32 bytes for a by-line, 128 for a notice; XMP has it in full."""
    return text.encode()[:limit].decode("utf-8", "ignore").encode()
