"""What an image file says about itself before a single pixel is decoded.

Files are not trusted: each reader walks its format's structure with every length checked, so that bombs and
truncated files are refused before a decoder sees them. JPEG, PNG, TIFF and GIF are handed on without their metadata, so
that no decoder parses a hostile block, or warns about one.
"""

from __future__ import annotations

from dataclasses import dataclass

from transforms.records import Box, Size

# More parts than any writer makes; a file of millions of empty ones would take minutes to walk.
MAX_PARTS = 100_000


class Damaged(Exception):
    """The structure breaks off or contradicts itself; `sniff.open_container` turns it into `TruncatedImage`."""


class Unsupported(Exception):
    """A sound file that uses a part of its format that is not accepted."""


@dataclass(frozen=True)
class Container:
    """A file, taken apart.

    Attributes:
        file_format: `jpeg`, `png`, `webp`, `tiff` or `gif`.
        size: of the pixels as stored, before orientation.
        body: what the decoder gets.
        exif: an EXIF block that starts with its TIFF header; TIFF: the file's own first directory.
        xmp: an XMP packet.
        iptc: IPTC-IIM datasets.
        author, notice: PNG: what its text says under `Author` and `Copyright`.
        icc: a colour profile.
        bits: of one sample.
        white_is_zero: TIFF greys that count downwards.
        transparent: PNG: the raw `tRNS` of 16-bit images, which is then not in `body`.
        frame: GIF: what of the canvas the first frame covers; the rest is transparent.
    """

    file_format: str
    size: Size
    body: bytes
    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    author: bytes = b""
    notice: bytes = b""
    icc: bytes = b""
    bits: int = 8
    white_is_zero: bool = False
    transparent: bytes = b""
    frame: Box | None = None
