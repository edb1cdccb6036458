"""Which kind of file this is, by its first bytes, and whether it may be decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from transforms.errors import (
    NotAnImage,
    SourceEmpty,
    SourceTooLarge,
    TooManyPixels,
    TruncatedImage,
    UnsupportedImage,
    WrongContent,
)
from transforms.ops.containers import gif, jpeg, png, tiff, webp
from transforms.ops.containers.container import Container, Damaged, Unsupported

_READERS: Mapping[str, Callable[[bytes], Container]] = {
    "jpeg": jpeg.read,
    "png": png.read,
    "webp": webp.read,
    "tiff": tiff.read,
    "gif": gif.read,
}
_OTHER_IMAGES = {
    b"BM": "BMP",
    b"8BPS": "PSD",
    b"\x00\x00\x01\x00": "ICO",
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
}
_IMAGE_BRANDS = {
    *(b"heic", b"heix", b"heim", b"heis", b"heif", b"hevc", b"hevx", b"hevm", b"hevs"),
    *(b"mif1", b"mif2", b"msf1", b"avif", b"avis"),
}
_DOCUMENTS = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a ZIP archive",
    b"PK\x05\x06": "a ZIP archive",
    b"\x1f\x8b": "a gzip file",
    b"RIFF": "a sound or video",
    b"\x1a\x45\xdf\xa3": "a video",
    b"OggS": "a sound or video",
    b"ID3": "a sound",
    b"{": "JSON",
    b"[": "JSON",
    b"<": "a web page or XML",
    b"version https://git-lfs": "a Git LFS pointer",
}


def format_of(data: bytes) -> str:
    """`jpeg`, `png`, `webp`, `tiff` or `gif`, by signature.

    Raises:
        SourceEmpty, WrongContent, UnsupportedImage, NotAnImage.
    """
    if not data:
        raise SourceEmpty("0 bytes")
    if data.startswith(jpeg.SIGNATURE):
        return "jpeg"
    if data.startswith(png.SIGNATURE):
        return "png"
    if webp.matches(data):
        return "webp"
    if data.startswith(tiff.SIGNATURES):
        return "tiff"
    if data.startswith(gif.SIGNATURES):
        return "gif"
    _refuse(data)
    raise NotAnImage(f"begins with {data[:8].hex(' ')}, which no accepted image does")


def _refuse(data: bytes) -> None:
    if data[4:8] == b"ftyp":
        if data[8:12] in _IMAGE_BRANDS:
            raise UnsupportedImage(f"{data[8:12].decode().upper()} is not accepted")
        raise WrongContent("a video in place of an image")
    for signature, name in _OTHER_IMAGES.items():
        if data.startswith(signature):
            raise UnsupportedImage(f"{name} is not accepted")
    text = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    for signature, name in _DOCUMENTS.items():
        if text.startswith(signature):
            raise WrongContent(f"{name} in place of an image")


def open_container(data: bytes, *, max_bytes: int, max_pixels: int) -> Container:
    """Take a file apart, up to but not including its pixels.

    Raises:
        SourceEmpty, SourceTooLarge, WrongContent, NotAnImage, UnsupportedImage, TruncatedImage, TooManyPixels.
    """
    if len(data) > max_bytes:
        raise SourceTooLarge(f"{len(data)} bytes, over the limit of {max_bytes}")
    file_format = format_of(data)
    try:
        container = _READERS[file_format](data)
    except Damaged as error:
        raise TruncatedImage(f"{file_format}: {error}") from error
    except Unsupported as error:
        raise UnsupportedImage(f"{file_format}: {error}") from error
    height, width = container.size
    if height < 1 or width < 1:
        raise TruncatedImage(f"{file_format}: {width} x {height} pixels")
    if height * width > max_pixels:
        raise TooManyPixels(f"{width} x {height} pixels, over the limit of {max_pixels}")
    return container
