"""The write stage: a verified scene to a labelled file and its evidence in the store, each written once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from transforms.errors import Rejected
from transforms.ops.encode import EncoderSettings, encode_creative, encode_evidence
from transforms.ops.encoded import EncodedLimits, check_encoded
from transforms.ops.metadata import Credits, source_type
from transforms.placements import EXTENSIONS, Placement
from transforms.records import Creative, Job, Scene, SourceFacts
from transforms.stage import StageTransform
from transforms.storage.keys import percent_encode
from transforms.storage.once import write_once
from transforms.storage.store import StoreConfig, open_store
from transforms.storage.uris import join
from transforms.work import Run

# Painters that compute their pixels without anything learnt; whatever else paints counts as a trained model.
PROCEDURAL_PAINTERS = frozenset({"studio", "patchmatch"})


@dataclass
class WriteCreatives(StageTransform):
    """Encodes, checks and stores every composed scene.

    Attributes:
        output: the folder that `creatives/` and `evidence/` lie in.
        store: how to reach it.
        encoder: qualities and their floors.
        limits: how far encoding may move the product's colours.
    """

    output: str
    store: StoreConfig
    encoder: EncoderSettings = EncoderSettings()
    limits: EncodedLimits = EncodedLimits()
    name: ClassVar[str] = "write"
    per_placement: ClassVar[bool] = True

    def step(self) -> Run:
        """See `StageTransform.step`."""
        return partial(write_job, output=self.output, store=self.store, encoder=self.encoder, limits=self.limits)


def write_job(job: Job, *, output: str, store: StoreConfig, encoder: EncoderSettings, limits: EncodedLimits) -> Job:
    """Encode the scene, check the file, store evidence and creative, and fill in `creative`, URIs, label and scores.

    The evidence goes first, so that no creative is ever without it. Where another writer was first its file stays,
    and `creative.digest` is that file's.

    Raises:
        Rejected: `bytes`, or what :func:`transforms.ops.encoded.check_encoded` finds.
        StorageError: the store did not take a file.
    """
    assert job.image is not None and job.placement is not None and job.scene is not None and job.content_key
    credits_ = credits_of(job.image.facts, painter=job.uris.get("painter", ""))
    creative, scores = encode_faithfully(job.scene, job.placement, credits_, encoder, limits)
    evidence = encode_evidence(job.scene.core, job.scene.mask, job.scene.kept)
    target = open_store(output, store)
    evidence_uri = uri_of(output, "evidence", job, "png")
    write_once(target, evidence_uri, evidence, content_type="image/png")
    uri = uri_of(output, "creatives", job, EXTENSIONS[creative.file_format])
    written = write_once(target, uri, creative.data, content_type=f"image/{creative.file_format}")
    label = credits_.digital_source_type
    return replace(
        job,
        creative=replace(creative, uri=uri, digest=written.digest),
        uris={**job.uris, "creative": uri, "evidence": evidence_uri, "label": label},
        scores={**job.scores, **scores},
    )


def encode_faithfully(
    scene: Scene,
    placement: Placement,
    credits_: Credits,
    encoder: EncoderSettings,
    limits: EncodedLimits,
    parts: Sequence[Scene] = (),
) -> tuple[Creative, Mapping[str, float]]:
    """The creative and its measures, at the first quality that keeps the product's colours within their bounds.

    Args:
        parts: the scene of each product where there are several; every one is held against the bounds.

    Raises:
        Rejected: see :func:`transforms.ops.encode.encode_creative` and :func:`transforms.ops.encoded.check_encoded`;
            `encoding_loss` only where the finest quality loses too much.
    """
    first = max(encoder.jpeg_quality, encoder.webp_quality)
    lossy = placement.file_format != "png"
    for quality in (*(finer for finer in encoder.finer if lossy and finer > first), None):
        creative = encode_creative(scene.pixels, placement, credits_, encoder)
        try:
            for part in parts:
                check_encoded(creative.data, part, placement, credits_.digital_source_type, limits)
            return creative, check_encoded(creative.data, scene, placement, credits_.digital_source_type, limits)
        except Rejected as refusal:
            if refusal.reason != "encoding_loss" or quality is None:
                raise
        encoder = replace(encoder, jpeg_quality=quality, webp_quality=quality)
    raise AssertionError("the last try returns or raises")


def credits_of(source: SourceFacts, *, painter: str) -> Credits:
    """What a creative says about itself: the source's credits, and a DigitalSourceType that is true of it.

    Args:
        source: of the image that the product was taken from.
        painter: the served painter's name.
    """
    trained = painter not in PROCEDURAL_PAINTERS
    label = source_type(trained=trained, source=source.digital_source_type)
    return Credits(source.artist, source.copyright, label)


def uri_of(output: str, folder: str, job: Job, extension: str) -> str:
    """`OUTPUT/folder/<advertiser>/<product>/<placement>-<key>.<extension>`, ids percent-encoded."""
    assert job.placement is not None
    ids = (percent_encode(job.product.advertiser_id), percent_encode(job.product.product_id))
    return join(output, folder, *ids, f"{percent_encode(job.placement.name)}-{job.content_key}.{extension}")
