"""Pictures that were damaged or replaced since a run read them: what shows them goes on without them."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.compare.images import measure
from pipelines.rating.pictures import blind_jpeg
from pipelines.report.page import thumbnail
from pipelines.review.pictures import Reader, thumb
from transforms.errors import TableError, TruncatedImage
from transforms.storage.store import StoreConfig


def broken() -> bytes:
    """A PNG whose second piece of pixels has another name: Pillow calls it a syntax error."""
    sink = BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)).save(sink, "PNG")
    data = bytearray(sink.getvalue())
    data[data.index(b"IDAT", data.index(b"IDAT") + 1)] = 1
    return bytes(data)


def huge() -> bytes:
    """More pixels than Pillow opens."""
    sink = BytesIO()
    Image.new("1", (20_000, 20_000)).save(sink, "PNG")
    return sink.getvalue()


@pytest.mark.parametrize("data", [broken(), huge(), b"no picture"], ids=["broken", "huge", "none"])
def test_reports_pages_and_comparisons_do_without(data: bytes, tmp_path: Path) -> None:
    uri = str(tmp_path / "x.png")
    Path(uri).write_bytes(data)
    assert thumbnail(uri, StoreConfig()) == ""
    row = {"creative_uri": uri, "creative_format": "png", "advertiser_id": "a", "product_id": "p", "place": ""}
    with pytest.raises(TruncatedImage):
        thumb(row, Reader(StoreConfig()))
    assert measure([(row, row)], StoreConfig(), 1) == ([], 1)
    with pytest.raises(TableError, match=r"x\.png"):
        blind_jpeg(uri, StoreConfig())
