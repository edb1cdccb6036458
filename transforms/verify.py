"""The verify stage: the product is the original's, and the creative is good enough to be shown.

Every measure is recorded as a score; the first one beyond its limit rejects the creative, and the original stays.
Where the limits come from stands in docs/verify.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any, ClassVar, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.errors import ConfigError, Rejected
from transforms.inference.client import shared_client
from transforms.inference.config import ServingConfig
from transforms.inference.interface import InferenceClient
from transforms.ops.expansion import expansion
from transforms.ops.geometry import lay, resample
from transforms.ops.halo import outline_of
from transforms.ops.quality import box_of, cover_of, height_fraction, outside_px
from transforms.ops.reference import Placing, differing_pixels
from transforms.ops.seams import seam_delta_e, seam_score, strangeness, windowed_seam_score
from transforms.records import Job, Mask, Scene
from transforms.stage import StageTransform
from transforms.work import Run


@dataclass(frozen=True)
class VerifyLimits:
    """What a creative is held against; see docs/verify.md for how each was measured.

    Attributes:
        min_core_share: of the product's parts that are not thin, proven equal to the source.
        max_expansion: growth of the product as a segmenter sees it, as a share of its area.
        max_seam_score: gradient across a seam over that beside it, mean along the seam.
        max_seam_window: the same, 90th percentile of the seam's windows: an object cut along a part of it.
        max_seam_delta_e: CIEDE2000 of the strips on both sides of a seam, beyond that of its parallels.
        max_strangeness: CIE76 between the bands' colours and those that the frame's edge promises.
        max_halo: share of the old backdrop's colour in the ring around the product.
        min_contrast: CIE76 between the product's rim and the background.
        min_height: the product's height over the placement's.
        safe_zone_slack_px: pixels that the product may reach beyond the safe zone.
        max_unsafe: score of the unsafe-image model.
    """

    min_core_share: float = 0.90
    max_expansion: float = 0.35
    max_seam_score: float = 1.75
    max_seam_window: float = 3.4
    max_seam_delta_e: float = 20.0
    max_strangeness: float = 65.0
    max_halo: float = 0.45
    min_contrast: float = 3.0
    min_height: float = 0.08
    safe_zone_slack_px: int = 2
    max_unsafe: float = 0.8

    def __post_init__(self) -> None:
        for name in ("min_core_share", "min_height", "max_unsafe", "max_halo"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"verify: {name} {getattr(self, name)} is not within 0..1")
        for name in (
            "max_expansion",
            "max_seam_score",
            "max_seam_window",
            "max_seam_delta_e",
            "max_strangeness",
            "min_contrast",
            "safe_zone_slack_px",
        ):
            if not getattr(self, name) >= 0:  # so that what is no number is refused too
                raise ConfigError(f"verify: {name} {getattr(self, name)} must not be negative")


class Finding(NamedTuple):
    """A measure and its limit; `too_small` says which side of the limit is bad."""

    score: str
    value: float
    limit: float
    reason: str
    detail: str
    too_small: bool = False

    @property
    def bad(self) -> bool:
        """Beyond the limit; what is no number is bad."""
        return not (self.value >= self.limit if self.too_small else self.value <= self.limit)


@dataclass
class VerifyCreatives(StageTransform):
    """Holds every composed scene against the limits."""

    serving: ServingConfig
    limits: VerifyLimits = VerifyLimits()
    name: ClassVar[str] = "verify"
    per_placement: ClassVar[bool] = True

    def step(self) -> Run:
        """See `StageTransform.step`."""
        return partial(verify_job, serving=self.serving, limits=self.limits)


def verify_job(job: Job, *, serving: ServingConfig, limits: VerifyLimits) -> Job:
    """Measure a composed scene; fills in scores and `uris["core_digest"]`, the SHA-256 of the core's pixels.

    Raises:
        Rejected: `product_altered`, `core_too_small`, `outside_safe_zone`, `product_too_small`, `seam_visible`,
            `seam_color`, `strange_band`, `halo`, `indistinct_product`, `product_expanded`, `unsafe_output`.
        ServingError: the segmenter or the unsafe-image model cannot be asked.
    """
    return verify(job, shared_client(serving), limits)


def verify(job: Job, client: InferenceClient, limits: VerifyLimits) -> Job:
    """As `verify_job`, through a given client.

    Everything is measured, whatever fails first: who looks at a rejected creative wants the whole picture.
    """
    assert job.scene is not None
    return hold(job, [*product_findings(job, limits), *picture_findings(job, client, limits)])


def hold(job: Job, found: Sequence[Finding]) -> Job:
    """`job` with what was found of its scene among its scores, and the digest of its core's pixels.

    Raises:
        Rejected: for the first finding beyond its limit.
    """
    assert job.scene is not None
    scores = {**job.scores, **{finding.score: finding.value for finding in found}}
    bad = next((finding for finding in found if finding.bad), None)
    if bad is not None:
        raise Rejected(bad.reason, bad.detail, value=bad.value, limit=bad.limit, scores=scores)
    digest = sha256(job.scene.pixels[job.scene.core].tobytes()).hexdigest()
    return replace(job, scores={**scores, **_notes(job.scene)}, uris={**job.uris, "core_digest": digest})


def product_findings(job: Job, limits: VerifyLimits) -> Iterator[Finding]:
    """What is measured of one product in its scene: the proof, where it stands, its outline or the frame's seams."""
    assert job.scene is not None
    yield from _proof(job, job.scene, limits)
    yield from _standing(job, job.scene, limits)
    yield from _seams(job.scene, limits) if job.task == "outpaint" else _edges(job, job.scene, limits)


def picture_findings(job: Job, client: InferenceClient, limits: VerifyLimits) -> Iterator[Finding]:
    """What served models see in the picture as a whole; the scene's mask covers all that was laid into it."""
    assert job.scene is not None
    yield from _seen(job, job.scene, client, limits)


def _proof(job: Job, scene: Scene, limits: VerifyLimits) -> Iterator[Finding]:
    assert job.image is not None and job.transform is not None
    transform = job.transform
    placing = Placing(transform.kernel, *transform.scaled, transform.top, transform.left)
    differing = differing_pixels(scene.pixels, scene.core, job.image.pixels, placing)
    detail = "product pixels differ from the source's"
    yield Finding("product_pixels_differing", float(differing), 0.0, "product_altered", detail)
    stray = float((scene.core & ~(scene.kept | scene.mask)).sum())
    yield Finding("core_pixels_outside", stray, 0.0, "product_altered", "the core leaves the product")
    # thin parts have no least share, so a product of nothing else could do without any proof
    proven, least = float(scene.core.sum()), float(scene.mask.any())
    yield Finding("core_pixels", proven, least, "core_too_small", "nothing of the product is proven", too_small=True)
    cover = cover_of(scene.core, scene.mask)
    detail = "too little of the product is proven"
    limit = limits.min_core_share
    yield Finding("core_share_thick", cover.thick_share, limit, "core_too_small", detail, too_small=True)


def _standing(job: Job, scene: Scene, limits: VerifyLimits) -> Iterator[Finding]:
    """Where the product stands; nothing to say where no product is known."""
    assert job.placement is not None
    box = box_of(scene.mask)
    if box is None:
        return
    outside = float(outside_px(box, job.placement.safe_zone))
    slack = float(limits.safe_zone_slack_px)
    yield Finding("outside_safe_zone_px", outside, slack, "outside_safe_zone", "the product leaves the safe zone")
    height, detail = height_fraction(box, job.placement.size), "the product is lost in the placement"
    yield Finding("product_height", height, limits.min_height, "product_too_small", detail, too_small=True)


def _seams(scene: Scene, limits: VerifyLimits) -> Iterator[Finding]:
    score = seam_score(scene.pixels, scene.kept)
    yield Finding("seam_score", score, limits.max_seam_score, "seam_visible", "a seam shows")
    window = windowed_seam_score(scene.pixels, scene.kept)
    detail = "something is cut at a seam"
    yield Finding("seam_window", window, limits.max_seam_window, "seam_visible", detail)
    delta_e = seam_delta_e(scene.pixels, scene.kept)
    yield Finding("seam_delta_e", delta_e, limits.max_seam_delta_e, "seam_color", "colours differ across a seam")
    strange, detail = strangeness(scene.pixels, scene.kept), "a band shows what the frame's edge does not promise"
    yield Finding("strangeness", strange, limits.max_strangeness, "strange_band", detail)


def _edges(job: Job, scene: Scene, limits: VerifyLimits) -> Iterator[Finding]:
    assert job.image is not None and job.transform is not None and job.placement is not None
    laid = resample(job.image.pixels, job.transform.scaled)
    original, covered = lay(laid, job.transform, job.placement.size)
    outline = outline_of(scene.pixels, original, scene.mask, covered)
    yield Finding("halo", outline.halo, limits.max_halo, "halo", "the old backdrop shines around the product")
    detail = "the product does not stand out from its background"
    yield Finding("contrast", outline.contrast, limits.min_contrast, "indistinct_product", detail, too_small=True)


def _seen(job: Job, scene: Scene, client: InferenceClient, limits: VerifyLimits) -> Iterator[Finding]:
    grown = _expansion(job, scene, client)
    yield Finding("expansion", grown, limits.max_expansion, "product_expanded", "more product is seen than was laid")
    small = _square(scene.pixels, 224)
    unsafe = float(client.infer("unsafe_image", {"IMAGE": small[None]})["SCORE"][0, 0])
    yield Finding("unsafe_output", unsafe, limits.max_unsafe, "unsafe_output", "the creative may be unsafe")


def _expansion(job: Job, scene: Scene, client: InferenceClient) -> float:
    """Growth at the segmenter's size. An extended scene may hold other things: there only what was painted counts."""
    alpha = client.infer("segmenter", {"IMAGE": _square(scene.pixels, 320)[None]})["ALPHA"][0, ..., 0]
    laid = _square(scene.mask.astype(np.float32), 320) >= 0.5
    where = _square(scene.kept.astype(np.float32), 320) <= 0.0 if job.task == "outpaint" else None
    return expansion(alpha >= 0.5, laid, where)


def _square(picture: NDArray[Any], side: int) -> NDArray[Any]:
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA))


def _notes(scene: Scene) -> dict[str, float]:
    """Scores without a limit of their own."""
    cover = cover_of(scene.core, scene.mask)
    return {
        "core_share": cover.share,
        "thin_share": cover.thin_share,
        "core_pixels": float(scene.core.sum()),
        "painted_share": float(1.0 - _share(scene.kept)),
    }


def _share(mask: Mask) -> float:
    return float(mask.mean())
