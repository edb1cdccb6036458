"""A finished run, made by the real write stage and the real index, without a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipelines.review.runs import Run, read_run
from transforms.errors import CanvasError, Refusal, Rejected, Skipped, SourceNotFound
from transforms.index import conclude, index_row, index_table
from transforms.keys import digest_of
from transforms.ledger import parquet_bytes
from transforms.ops.decode import DecodeLimits, decode
from transforms.ops.encode import EncoderSettings
from transforms.ops.encoded import EncodedLimits
from transforms.ops.geometry import lay, resample, resample_matte
from transforms.placements import PLACEMENTS, Placement
from transforms.records import Candidate, Job, Product, ProductImage, Scene, Size, Transform
from transforms.storage.store import StoreConfig, open_store
from transforms.work import Ended
from transforms.write import write_job

EVIL_TITLE = '<img src=x onerror="window.hacked=1"></script><script>window.hacked=2</script>'
EVIL_ID = '../../"><svg onload=window.hacked=3>'
HUES = {"pmax_landscape": (92, 110, 84), "pmax_square": (214, 204, 190), "meta_stories": (70, 86, 112)}


@dataclass(frozen=True)
class Made:
    """A row that is to be: of whom, what, where, and how it ended."""

    advertiser: str
    product: str
    title: str
    category: str
    placement: str
    end: Refusal | CanvasError | None = None
    stage: str = "write"


ROWS = (
    *(Made("acme", "lamp-1", "Desk lamp", "lamps", name) for name in HUES),
    Made("acme", "vase-1", "Blue vase", "vases", "pmax_square"),
    Made("acme", "vase-1", "Blue vase", "vases", "pmax_landscape",
         Rejected("product_expanded", "grew", value=0.7, limit=0.35), "verify"),
    Made("acme", "cup-1", "Cup", "cups", "pmax_square", Skipped("text_overlay", value=0.3, limit=0.2), "eligibility"),
    Made("acme", "gone", "Gone", "cups", "pmax_square", SourceNotFound("no such file"), "load"),
    Made("acme", EVIL_ID, EVIL_TITLE, "<b>x</b>", "pmax_square"),
    Made("zeta", "lamp-1", "Zeta's lamp", "lamps", "pmax_square"),
)  # fmt: skip


def shot(product: str) -> tuple[Image.Image, Image.Image]:
    """A shaded product on white, 600 x 600, and its mask; the same name gives the same pixels."""
    noise = np.random.default_rng(int(sha256(product.encode()).hexdigest()[:8], 16))
    mask = Image.new("L", (600, 600))
    draw = ImageDraw.Draw(mask)
    draw.rounded_rectangle((190, 170, 410, 520), 70, fill=255)
    draw.ellipse((230, 90, 370, 230), fill=255)
    light = np.linspace(1.2, 0.65, 600)[None, :, None] + noise.normal(0, 0.02, (600, 600, 1))
    paint = np.clip(noise.integers(60, 190, 3) * light, 0, 255).astype(np.uint8)
    return Image.composite(Image.fromarray(paint), Image.new("RGB", (600, 600), "white"), mask), mask


def finished(made: Made, output: str, shots: Path, store: StoreConfig) -> Ended:
    """The job of a row as the last stage leaves it."""
    image, mask = shot(made.product)
    path = shots / f"{sha256(made.product.encode()).hexdigest()[:12]}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    sink = BytesIO()
    image.save(sink, "PNG")
    path.write_bytes(sink.getvalue())
    product = Product(
        "feed.parquet", ROWS.index(made) if made in ROWS else 0, made.advertiser, made.product, str(path), made.title,
        product_category=made.category, seed=7, plan_key=digest_of([made.advertiser, made.product]),
    )  # fmt: skip
    job = Job(product, placement=PLACEMENTS[made.placement], uris={"source": str(path)})
    if made.stage == "load":
        return Ended(job, made.stage, made.end)
    loaded = replace(job, image=decode(sink.getvalue(), DecodeLimits()), task="background", scores={"contrast": 40.0})
    loaded = replace(loaded, content_key=digest_of([*made.__dict__.values()][:5]))
    if made.end is not None:
        return Ended(loaded, made.stage, made.end)
    return Ended(_written(loaded, np.asarray(mask, np.float32) / 255, output, store), "write", None)


def _written(job: Job, matte: np.ndarray, output: str, store: StoreConfig) -> Job:
    assert job.image is not None and job.placement is not None
    scene, transform = _scene(job.image, matte, job.placement)
    core = sha256(scene.pixels[scene.core].tobytes()).hexdigest()
    candidate = Candidate(np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1, 2), np.int16), 11, "a calm studio")
    job = replace(job, scene=scene, transform=transform, candidate=candidate, models={"studio": "ab" * 32})
    job = replace(job, uris={**job.uris, "core_digest": core, "painter": "studio"}, scores={**job.scores, "halo": 0.02})
    limits = EncodedLimits()
    return write_job(job, output=output, store=store, encoder=EncoderSettings(), limits=limits)


def _scene(image: ProductImage, matte: np.ndarray, placement: Placement) -> tuple[Scene, Transform]:
    side = int(min(placement.size) * 0.8)
    height, width = placement.size
    transform = Transform(side / 600, Size(side, side), (height - side) // 2, (width - side) // 2, "lanczos3")
    laid, _ = lay(resample(image.pixels, transform.scaled), transform, placement.size)
    alpha, _ = lay(resample_matte(matte, transform.scaled), transform, placement.size)
    wall = np.empty((height, width, 3), np.float32)
    wall[:] = HUES[placement.name]
    wall[int(height * 0.78) :] *= 0.85
    mask = alpha >= 0.5
    core = cv2.erode((alpha >= 1.0).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    pixels = np.where(core[..., None], laid, np.clip(laid * alpha[..., None] + wall * (1 - alpha[..., None]), 0, 255))
    return Scene(pixels.astype(np.uint8), core, mask, mask), transform


def _write_run(
    output: str, shots: Path, rows: tuple[Made, ...] = ROWS, store: StoreConfig | None = None, run_id: str = "night"
) -> str:
    """Write a finished run below `output`, and return its folder."""
    config, table = store or StoreConfig(), []
    for made in rows:
        outcome = conclude(finished(made, output, shots, config), made.placement, "engine")
        table.append(index_row(outcome, run_id, digest_of([made.advertiser, made.product, made.placement])))
    folder, target = f"{output}/runs/{run_id}", open_store(output, config)
    target.write(f"{folder}/index/part-00000.parquet", parquet_bytes(index_table(table)))
    target.write(f"{folder}/report.json", b'{"cost": 1.5, "options": {}}')
    return folder


@pytest.fixture(scope="session")
def shared_run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A finished run that nobody changes."""
    output = tmp_path_factory.mktemp("output")
    return _write_run(str(output), output / "shots")


@pytest.fixture
def run(shared_run: str) -> Run:
    """The shared run, read."""
    return read_run(shared_run, StoreConfig())


@pytest.fixture(scope="session")
def write_run() -> Callable[..., str]:
    """Writes a finished run: `write_run(output, shots, rows, store, run_id)`."""
    return _write_run


@pytest.fixture(scope="session")
def made() -> type[Made]:
    """A row of such a run."""
    return Made
