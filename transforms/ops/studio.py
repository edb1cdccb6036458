"""The `studio` painter: a seamless studio set around a product, or a rendered room where the prompt asks for one.

`paint` draws a small candidate, `upscale` the same set at the placement's size. Both draw one design, made from the
inputs at the candidate's size, so the winner looks as it did when it was ranked. The answer is the backdrop alone,
with the product's shadow and reflection; the cutout is laid over it later.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.contact import contact_shadow
from transforms.ops.empty_sets import Place, cut, find_place, key_of, lit
from transforms.ops.oklab import Floats, to_linear, to_srgb
from transforms.ops.papers import read_prompt
from transforms.ops.reflections import reflection
from transforms.ops.sets import Design, design_set, light_set, lit_side, stream, texture
from transforms.ops.shadows import KeyLight

Pixels = NDArray[np.uint8]

_GREY = 128  # of the canvas around a product
_GRAIN = 1.3  # standard deviation of the paper's grain, in 8-bit steps: hides the steps of a slow gradient


def paint(image: Pixels, product: Pixels, known: Pixels, prompt: str, seed: int) -> Pixels:
    """Paint a candidate.

    Args:
        image: uint8 [h, w, 3]; the product's foreground laid into the placement over neutral grey.
        product: uint8 [h, w]; its alpha.
        known: uint8 [h, w]; not needed here, part of every painter's signature.
        prompt: words for colours, light, surface and pose; see `transforms.ops.papers`. A phrase of
            `transforms.ops.empty_sets`, such as "wooden floor", asks for a rendered room in place of the studio.
        seed: chooses among designs.

    Returns:
        uint8 [h, w, 3]; the backdrop without the product.
    """
    del known
    place = _room(image, product, prompt, seed)
    if place is not None:
        return finish(lit(place, product.astype(np.float32) / 255), seed, product, standing=True)
    design = design_set(image, product, prompt, seed)
    return finish(_scene(design, image, product), seed, product, standing=_touches(design), spots=True)


def upscale(
    image: Pixels, product: Pixels, known: Pixels, candidate: Pixels, guide: NDArray[np.int16], prompt: str, seed: int
) -> Pixels:
    """Paint a candidate's set at full size.

    Args:
        image, product, known: as for `paint`, at the placement's size [H, W].
        candidate: uint8 [h, w, 3]; what `paint` answered for these inputs brought to [h, w] by `shrink`.
        guide: not needed here.
        prompt, seed: as for `paint`.

    Returns:
        uint8 [H, W, 3].
    """
    del known, guide
    size = (candidate.shape[0], candidate.shape[1])
    small, matte = shrink(image, product, size)
    place = _room(small, matte, prompt, seed)
    if place is not None:
        return finish(lit(place, product.astype(np.float32) / 255), seed, product, standing=True)
    design = design_set(small, matte, prompt, seed)
    scene = cv2.resize(_scene(design, small, matte), product.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return finish(np.asarray(scene, np.float32), seed, product, standing=_touches(design), spots=True)


def _touches(design: Design) -> bool:
    """Whether the product's contact with a floor is to be drawn."""
    return design.pose == "standing" and design.shadow


class Bare(NamedTuple):
    """A room before its product comes, the same in the studio's shadows, sRGB in [0, 255], float32 [h, w, 3] each; its
    main light."""

    picture: Floats
    shadowed: Floats
    key: KeyLight


def bare_room(image: Pixels, product: Pixels, prompt: str, seed: int, matte: Pixels) -> Bare | None:
    """The rendered room that `paint` puts a product in, without what the product does to it.

    Args:
        image, product, prompt, seed: as for `paint`.
        matte: uint8 [H, W]; the product's alpha at the size of the picture that is wanted, in the same ratio.

    Returns:
        None where the prompt asks for none, or the product does not stand in one.
    """
    place = _room(image, product, prompt, seed)
    if place is None:
        return None
    shadowed = lit(place, matte.astype(np.float32) / 255) * np.float32(255)
    return Bare(cut(place, matte.shape).astype(np.float32), shadowed, key_of(place))


def _room(image: Pixels, matte: Pixels, prompt: str, seed: int) -> Place | None:
    """Where the product stands in a rendered room, None where the prompt asks for none."""
    if read_prompt(prompt).pose != "standing":
        return None
    return find_place(matte.astype(np.float32) / 255, prompt, seed, lit_side(image, matte))


def shrink(image: Pixels, product: Pixels, size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """Image uint8 [H, W, 3] and alpha uint8 [H, W] at `size` (height, width): how the inputs of `paint` are made.

    Area averages; colours are weighted by alpha, so that no grey creeps into the product's edge. Grey where alpha is 0.
    """
    if product.shape == tuple(size):
        return image, product
    matte = product.astype(np.float32)
    small = cv2.resize(matte, size[::-1], interpolation=cv2.INTER_AREA)
    sums = cv2.resize(image * matte[..., None], size[::-1], interpolation=cv2.INTER_AREA)
    colours = np.where(small[..., None] > 0.5, sums / np.maximum(small, 0.5)[..., None], _GREY)
    return np.rint(colours).astype(np.uint8), np.rint(small).astype(np.uint8)


def _scene(design: Design, image: Pixels, product: Pixels) -> Floats:
    """Everything but the finest detail: sRGB in [0, 1], float32 [h, w, 3]."""
    matte = product.astype(np.float32) / 255
    lit = light_set(design, matte) * texture(design, matte)[..., None]
    if design.gloss > 0 and design.pose == "standing":
        share, mirrored = reflection(to_linear(image), matte)
        share = (0.34 * design.gloss * share)[..., None]
        lit = lit * (1 - share) + mirrored * share
    return to_srgb(lit)


def finish(scene: Floats, seed: int, product: Pixels, *, standing: bool, spots: bool = False) -> Pixels:
    """Contact shadow, grain and quantisation, at the scene's own size: sRGB in [0, 1], float32 [h, w, 3] to uint8."""
    if standing:
        _darken_contact(scene, product, spots)
    grain = _grain(seed, product)
    return np.asarray(np.clip(scene * 255 + grain[..., None] + 0.5, 0, 255), np.uint8)


def _darken_contact(scene: Floats, product: Pixels, spots: bool) -> None:
    band, dark = contact_shadow(product.astype(np.float32) / 255, spots=spots)
    scene[band] *= (1.0 - 0.6 * dark)[..., None]


def _grain(seed: int, like: Pixels) -> Floats:
    raw = stream(seed, 2).integers(0, 256, (4, *like.shape), np.uint8)
    bell = raw.sum(axis=0, dtype=np.int16).astype(np.float32)
    # a sum of four uniform bytes: mean 510, standard deviation 147.8
    return np.asarray((bell - 510.0) * (_GRAIN / 147.8), np.float32)
