"""Whether a finished file is what it should be: decoded again, measured against the scene it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.errors import CanvasError, Rejected
from transforms.ops.containers.sniff import open_container
from transforms.ops.decode import DecodeLimits, decode
from transforms.ops.icc import srgb_profile
from transforms.ops.metadata import Credits, read_credits
from transforms.placements import Placement
from transforms.records import Mask, Pixels, Scene

_ANY = DecodeLimits(max_bytes=1 << 30, max_pixels=1 << 27)


@dataclass(frozen=True)
class EncodedLimits:
    """How far encoding may move the product's colours: CIE 1976 colour difference over the core.

    A difference of 1 is about the least that is seen side by side; 2.3 is the "just noticeable difference" of Sharma,
    Digital Color Imaging Handbook (2003). Over 32 clothing photographs the largest mean and 99th percentile were 1.3
    and 5.0 for JPEG at quality 92, 2.1 and 6.5 at 75, and 2.1 and 7.1 for WebP, whose chroma is halved, at 92.
    """

    max_mean_colour_difference: float = 2.3
    max_p99_colour_difference: float = 8.0


class ColourDifference(NamedTuple):
    """CIE 1976 differences over a region: mean and 99th percentile; 0 where the region is empty."""

    mean: float
    p99: float


def read_label(data: bytes) -> str:
    """The IPTC DigitalSourceType URI that a file carries in its XMP, "" where there is none.

    Raises:
        SourceError: not a sound image file.
    """
    return read_metadata(data).digital_source_type


def read_metadata(data: bytes) -> Credits:
    """The credits and the label that a file carries.

    Raises:
        SourceError: not a sound image file.
    """
    return read_credits(open_container(data, max_bytes=_ANY.max_bytes, max_pixels=_ANY.max_pixels))


def colour_difference(one: Pixels, other: Pixels, where: Mask) -> ColourDifference:
    """CIE 1976 colour difference of two sRGB images (uint8 [H, W, 3]) over a region (bool [H, W])."""
    if not where.any():
        return ColourDifference(0.0, 0.0)
    apart = _lab(one[where]) - _lab(other[where])
    distances = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    rank = int(0.99 * (distances.size - 1))
    return ColourDifference(float(distances.mean(dtype=np.float64)), float(np.partition(distances, rank)[rank]))


def _lab(colours: Pixels) -> NDArray[np.float32]:
    scaled = colours[None].astype(np.float32) / np.float32(255)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2Lab)[0], np.float32)


def check_encoded(
    data: bytes, scene: Scene, placement: Placement, label: str, limits: EncodedLimits
) -> dict[str, float]:
    """Decode a creative and hold it against its scene and its placement.

    Args:
        data: the finished file.
        scene: what it was made from.
        placement: whose size, format and byte limit it must keep.
        label: the DigitalSourceType that it must carry.
        limits: of the colour difference inside the core.

    Returns:
        The measures: `encoded_bytes`, `encoded_colour_difference_mean`, `encoded_colour_difference_p99`.

    Raises:
        Rejected: `undecodable`, `size`, `format`, `bytes`, `profile`, `label`, `encoding_loss`.
    """
    try:
        image = decode(data, _ANY)
        container = open_container(data, max_bytes=_ANY.max_bytes, max_pixels=_ANY.max_pixels)
    except CanvasError as error:
        raise Rejected("undecodable", str(error)) from error
    if image.size != placement.size or image.pixels.shape != scene.pixels.shape:
        raise Rejected("size", f"{tuple(image.size)} for a placement of {tuple(placement.size)}")
    if container.file_format != placement.file_format:
        raise Rejected("format", f"{container.file_format} for a placement of {placement.file_format}")
    if len(data) > placement.max_bytes:
        raise Rejected("bytes", "over the placement's limit", value=len(data), limit=placement.max_bytes)
    if container.icc != srgb_profile():
        raise Rejected("profile", "the sRGB profile is missing")
    if image.facts.digital_source_type != label:
        raise Rejected("label", f"labelled {image.facts.digital_source_type!r}, not {label!r}")
    return {"encoded_bytes": float(len(data)), **_check_colours(image.pixels, scene, limits)}


def _check_colours(pixels: Pixels, scene: Scene, limits: EncodedLimits) -> dict[str, float]:
    mean, p99 = colour_difference(pixels, scene.pixels, scene.core)
    for name, value, limit in (
        ("mean", mean, limits.max_mean_colour_difference),
        ("99th percentile", p99, limits.max_p99_colour_difference),
    ):
        if value > limit:
            raise Rejected("encoding_loss", f"{name} of the colour difference", value=value, limit=limit)
    return {"encoded_colour_difference_mean": mean, "encoded_colour_difference_p99": p99}
