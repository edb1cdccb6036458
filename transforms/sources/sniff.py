"""Tell a page or a document from an image by its bytes; what a server says of its content is not believed."""

from __future__ import annotations

import json
import re

from transforms.errors import SourceEmpty, UnsupportedImage, WrongContent

_HEAD_BYTES = 1024
_JSON_BYTES = 1_000_000  # read as JSON it takes thirty times its size; the decoder refuses what begins like it anyway
# A comment ends at its first `-->`, and no second thought is given to it: n comments could be parted in 2**n ways.
_HTML = re.compile(
    rb"(?is)^(?:(?><!--.*?-->)\s*|<\?xml[^>]*>\s*)*+<(?:!doctype\s+html|html|head|body|script|title|meta)\b"
)
_SVG = re.compile(rb"(?is)^(?:(?><!--.*?-->)\s*|<\?xml[^>]*>\s*|<!doctype\s+svg[^>]*>\s*)*+<svg\b")
# Offset, bytes, name. Signatures as in the "file" program's magic database.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"PK\x03\x04", "a ZIP archive or an office document"),
    (0, b"\x1f\x8b", "gzip-compressed data"),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM video"),
    (8, b"AVI LIST", "an AVI video"),
    (0, b"FLV\x01", "a Flash video"),
    (0, b"\x00\x00\x01\xba", "an MPEG video"),
    (0, b"OggS", "an Ogg video or sound"),
)
# ISO 14496-12 brands of still pictures; every other file with an `ftyp` box is taken for a video.
_STILL_BRANDS = frozenset(
    {
        *(b"heic", b"heix", b"heim", b"heis", b"heif", b"hevc", b"hevx", b"hevm", b"hevs"),
        *(b"mif1", b"mif2", b"msf1", b"avif", b"avis"),
    }
)


def check_content(data: bytes, uri: str) -> None:
    """Refuse what is plainly no picture; whether the rest is one, the decoder finds out.

    Raises:
        SourceEmpty: no bytes.
        WrongContent: a web page, JSON, XML, a document, an archive or a video.
        UnsupportedImage: SVG.
    """
    if not data:
        raise SourceEmpty(f"{uri}: 0 bytes")
    name = _name_of(data)
    if name == "SVG":
        raise UnsupportedImage(f"{uri}: SVG, which has no pixels")
    if name:
        raise WrongContent(f"{uri}: {name}")


def _name_of(data: bytes) -> str:
    for offset, signature, name in _SIGNATURES:
        if data.startswith(signature, offset):
            return name
    if data[4:8] == b"ftyp" and data[8:12] not in _STILL_BRANDS:
        return "a video"
    return _markup(data)


def _markup(data: bytes) -> str:
    head = data[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if _SVG.match(head):
        return "SVG"
    if _HTML.match(head):
        return "a web page"
    if head.startswith(b"<?xml"):
        return "an XML document"
    return "JSON" if head[:1] in (b"{", b"[") and _is_json(data) else ""


def _is_json(data: bytes) -> bool:
    if len(data) > _JSON_BYTES:
        return False
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True
