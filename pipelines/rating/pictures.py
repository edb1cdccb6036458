"""Images as raters see them: alike in format and size, without metadata, so that nothing but the picture speaks."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageOps

from transforms.errors import TableError
from transforms.storage.store import StoreConfig, open_store

SIDE = 1600  # pixels of the longer side, at most
_MOST_PIXELS = 100_000_000


@lru_cache(maxsize=64)
def blind_jpeg(uri: str, config: StoreConfig) -> bytes:
    """The image at `uri` as a JPEG of quality 92 without metadata, reduced to 1600 pixels where it is larger.

    Raises:
        TableError: it cannot be read or is no image.
    """
    sink = io.BytesIO()
    opened(uri, config, SIDE).save(sink, "JPEG", quality=92, subsampling=0)
    return sink.getvalue()


def opened(uri: str, config: StoreConfig, side: int) -> Image.Image:
    """The image upright, RGB on white, reduced to `side` pixels at most."""
    data = open_store(uri, config).read(uri).data
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise TableError(f"{uri}: {image.width} x {image.height} pixels are too many")
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except TableError:
        raise
    except Exception as error:  # decoders raise a dozen kinds for damaged files; all mean the same here
        raise TableError(f"{uri}: not an image: {error}") from error
    flat = Image.new("RGB", upright.size, "white")
    flat.paste(upright, mask=upright.getchannel("A"))
    flat.thumbnail((side, side), Image.Resampling.LANCZOS)
    return flat
