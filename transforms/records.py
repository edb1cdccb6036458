"""The records on the edges between stages. Frozen; pixels are numpy arrays in (height, width, channel) order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from transforms.placements import Placement

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Matte = NDArray[np.float32]

OUTCOMES = ("enhanced", "skipped", "rejected", "failed")
TASKS = ("background", "outpaint")


class Size(NamedTuple):
    """(height, width) in pixels."""

    height: int
    width: int


class Box(NamedTuple):
    """(top, left, bottom, right) in pixels, half open."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def size(self) -> Size:
        """The box's height and width."""
        return Size(self.bottom - self.top, self.right - self.left)


@dataclass(frozen=True)
class Product:
    """A validated manifest row.

    Attributes:
        manifest_uri: the Parquet file it came from.
        row: its position in that file.
        plan_key: source identity + configuring digest, known before load; "" until planned.
        placements: the names asked for; never empty once planned.
        features: the tasks that job and row allow; none where the row asks only for what the job does not do.
        opted_out: tasks that the advertiser opted out of, whatever `features` says.
        seed: the row's own, or the default made from the product's identity; another one for each attempt.
        own_seed: whether it is the row's own.
        attempt: how many of its candidates were refused before.
    """

    manifest_uri: str
    row: int
    advertiser_id: str
    product_id: str
    image_uri: str
    title: str = ""
    description: str = ""
    product_category: str = ""
    brand: str = ""
    color: str = ""
    prompt: str = ""
    placements: tuple[str, ...] = ()
    features: tuple[str, ...] = TASKS
    opted_out: tuple[str, ...] = ()
    seed: int = 0
    own_seed: bool = False
    attempt: int = 0
    plan_key: str = ""


@dataclass(frozen=True)
class SourceFacts:
    """What is known of the source file.

    Attributes:
        digest: SHA-256 of the bytes, hex.
        file_format: `jpeg`, `png`, `webp`, `tiff` or `gif`.
        mode: Pillow's mode before conversion.
        orientation: EXIF orientation 1..8 that was applied.
        artist, copyright: creator metadata to carry over, "" where absent.
        profile: what became of the colour profile: `none`, `srgb` (no change), `converted`, or `ignored` (damaged).
        digital_source_type: the IPTC term's URI that the file itself carries, "" where absent.
    """

    digest: str
    byte_size: int
    file_format: str
    mode: str
    orientation: int = 1
    artist: str = ""
    copyright: str = ""
    profile: str = "none"
    digital_source_type: str = ""


@dataclass(frozen=True)
class ProductImage:
    """A decoded source: oriented, sRGB.

    Attributes:
        pixels: uint8 [H, W, 3]; transparent sources keep the colours under the alpha composited on white.
        alpha: uint8 [H, W] of a transparent source, None where the file is opaque.
    """

    pixels: Pixels
    facts: SourceFacts
    alpha: Pixels | None = None

    @property
    def size(self) -> Size:
        """Height and width after orientation."""
        return Size(*self.pixels.shape[:2])


@dataclass(frozen=True)
class Cutout:
    """A product cut out at the source's resolution.

    Attributes:
        foreground: uint8 [H, W, 3]; the source where alpha is 1, estimated product colours on the edge.
        alpha: float32 [H, W] in [0, 1].
        mask: bool [H, W]; the product, hard.
        box: the mask's bounding box.
        scores: the mask-quality measures, by name.
        doubt: uint8 [H, W], see `transforms.ops.doubt`; None where the file itself says what is product.
        bare: uint8 [h, w, 3], smaller than the source: its plain backdrop without product and shadow; None where there
            is none.
        left: uint8 [H, W, 3] in 255ths, the light that a shadow in the file's own alpha leaves; None where it has none.
    """

    foreground: Pixels
    alpha: Matte
    mask: Mask
    box: Box
    scores: Mapping[str, float] = field(default_factory=dict)
    doubt: Pixels | None = None
    bare: Pixels | None = None
    left: Pixels | None = None


@dataclass(frozen=True)
class Transform:
    """The one recorded mapping of a source onto a placement.

    The source, resampled once to `scaled` pixels with `kernel`, is laid with its top left corner at (top, left)
    of the placement; both may be negative. `kernel` is `identity` exactly where `scaled` is the source's size.
    """

    scale: float
    scaled: Size
    top: int
    left: int
    kernel: str


@dataclass(frozen=True)
class Scene:
    """A composed placement before encoding.

    Attributes:
        pixels: uint8 [h, w, 3], sRGB.
        core: bool [h, w]; where the pixels are the resampled source's own, bit for bit.
        mask: bool [h, w]; the product as laid into the placement.
        kept: bool [h, w]; outpaint: the kept image; background: equal to `mask`.
    """

    pixels: Pixels
    core: Mask
    mask: Mask
    kept: Mask


@dataclass(frozen=True)
class Creative:
    """A finished, encoded file.

    Attributes:
        uri: where it was written, "" before.
        quality: encoder quality that met the byte limit; 100 for lossless.
        digest: SHA-256 of `data`, hex.
    """

    data: bytes
    file_format: str
    size: Size
    quality: int
    digest: str
    uri: str = ""


@dataclass(frozen=True)
class Candidate:
    """One painted answer, small, before the winner is brought to full resolution.

    Attributes:
        pixels: uint8 [h, w, 3] at the bucket's size.
        guide: int16 [h, w, 2]; what the painter's upscaling needs (PatchMatch: offsets), zeros otherwise.
        seed: what it was painted with.
        prompt: the words it was painted with.
    """

    pixels: Pixels
    guide: NDArray[np.int16]
    seed: int
    prompt: str


@dataclass(frozen=True)
class Job:
    """A row in flight: what the stages before have found out.

    Row stages (load, eligibility, segment) fill the upper half once; placement stages (background, outpaint,
    compose, verify, write) run on a copy for each placement. Only the process that runs it ever holds pixels.
    """

    product: Product
    image: ProductImage | None = None
    task: str = ""
    prompt: str = ""
    cutout: Cutout | None = None
    placement: Placement | None = None
    transform: Transform | None = None
    candidate: Candidate | None = None
    background: Pixels | None = None
    scene: Scene | None = None
    creative: Creative | None = None
    content_key: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    uris: Mapping[str, str] = field(default_factory=dict)
    timings_msec: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a row, or of one of its placements: a row of the index.

    `columns` holds the index's remaining columns by name (see `transforms.index.INDEX_SCHEMA`). `decided_in_run`
    names an earlier run whose decision is taken over; "" where this run decided.
    """

    product: Product
    placement: str | None
    outcome: str
    stage: str
    reason: str
    detail: str = ""
    value: float | None = None
    limit: float | None = None
    remedy: str = ""
    retryable: bool = False
    columns: Mapping[str, Any] = field(default_factory=dict)
    decided_in_run: str = ""
