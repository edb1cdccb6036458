"""What a variant is given and what it is to answer, out of an example: variants differ by this data alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.examples import Bytes, Example
from models.filling import GREY, masked
from models.registry import MOST_REFERENCES, REFERENCE_SIDE, Variant
from models.training.masking import Rng, draw_frame

_SHRINK = 3


class Conditions(NamedTuple):
    """One training pair.

    Attributes:
        target: uint8 [H, W, 3].
        given: uint8 [H, W, 3]; where nothing is known it is grey, or a continuation of what is.
        known: float32 [H, W], 1 where `given` counts.
        references: uint8 [N, 64, 64, 3], N up to 8, products on grey.
    """

    target: Bytes
    given: Bytes
    known: NDArray[np.float32]
    references: Bytes


def conditions_of(example: Example, variant: Variant, rng: Rng) -> Conditions | None:
    """The pair of `variant`, or None where the example lacks a picture for it."""
    target = _TARGETS[variant.target](example)
    lacks = shows_products(variant) and not example.products
    if target is None or lacks or (variant.registered == "staged" and example.empty is None):
        return None
    given, known = _GIVEN[variant.registered](example, rng)
    given = masked(given, known > 0, fills=variant.fills)
    pictures = [on_grey(product) for product in example.products[:MOST_REFERENCES]] if variant.references else []
    references = np.stack(pictures) if pictures else np.zeros((0, REFERENCE_SIDE, REFERENCE_SIDE, 3), np.uint8)
    return Conditions(target, given, known, references)


def shows_products(variant: Variant) -> bool:
    """Whether a variant is given pictures of the products alone."""
    return variant.references or variant.registered in ("products", "staged")


def mirrored(pair: Conditions) -> Conditions:
    """The pair as in a mirror; references change places too, so that those in order from left to right stay so."""
    return Conditions(
        np.ascontiguousarray(pair.target[:, ::-1]),
        np.ascontiguousarray(pair.given[:, ::-1]),
        np.ascontiguousarray(pair.known[:, ::-1]),
        np.ascontiguousarray(pair.references[::-1, :, ::-1]),
    )


def on_grey(product: Bytes) -> Bytes:
    """A product (uint8 [h, w, 4], straight alpha) fitted into 64 x 64 pixels of grey, uint8 [64, 64, 3]."""
    height, width = product.shape[:2]
    scale = REFERENCE_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    alpha = product[..., 3:].astype(np.float32) / 255
    laid = product[..., :3] * alpha + GREY * (1 - alpha)
    small = cv2.resize(laid.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    canvas = np.full((REFERENCE_SIDE, REFERENCE_SIDE, 3), GREY, np.uint8)
    top, left = (REFERENCE_SIDE - size[1]) // 2, (REFERENCE_SIDE - size[0]) // 2
    canvas[top : top + size[1], left : left + size[0]] = np.rint(small)
    return canvas


Given = tuple[Bytes, NDArray[np.float32]]


def _products(example: Example, _: Rng) -> Given:
    """The products in studio light where that was rendered, else as the scene shows them."""
    coverage = example.coverage
    colors = example.scene
    if example.registered is not None:
        coverage, colors = example.registered[..., 3], example.registered[..., :3]
    known = (coverage == 255).astype(np.float32)
    return colors, known


def _frame(example: Example, rng: Rng) -> Given:
    known = draw_frame(rng, *example.coverage.shape)
    return example.scene, known


def _small(example: Example, _: Rng) -> Given:
    height, width = example.coverage.shape
    small = cv2.resize(example.scene, (width // _SHRINK, height // _SHRINK), interpolation=cv2.INTER_AREA)
    large = cast(Bytes, cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))
    return large, np.ones((height, width), np.float32)


def _scene(example: Example, _: Rng) -> Given:
    return example.scene, np.ones(example.coverage.shape, np.float32)


def _nothing(example: Example, _: Rng) -> Given:
    return np.full_like(example.scene, GREY), np.zeros(example.coverage.shape, np.float32)


def _staged(example: Example, _: Rng) -> Given:
    assert example.empty is not None
    return _laid_over(example.empty, example), np.ones(example.coverage.shape, np.float32)


def _laid_over(ground: Bytes, example: Example) -> Bytes:
    """The products' own pixels over `ground`: what is not theirs to change is alike in the given and the target."""
    colors = example.scene if example.registered is None else example.registered[..., :3]
    alpha = example.coverage[..., None].astype(np.float32) / 255
    return np.rint(colors * alpha + ground * (1 - alpha)).astype(np.uint8)


_GIVEN = {
    "products": _products,
    "frame": _frame,
    "small": _small,
    "scene": _scene,
    "nothing": _nothing,
    "staged": _staged,
}
_TARGETS: dict[str, Callable[[Example], Bytes | None]] = {
    "scene": lambda example: example.scene,
    "later": lambda example: example.later,
    "staged": lambda example: _laid_over(example.scene, example),
}
