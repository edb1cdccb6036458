"""What the segment stage asks its three networks: how a picture, its parts, a cutout and clues are shown to them."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.inference.batching import infer_batch
from transforms.inference.interface import InferenceClient
from transforms.ops.backdrop import border_ring, fill_field
from transforms.ops.mask_gate import Looks, whole_of
from transforms.ops.masks import bounding_box, dilated, resized
from transforms.ops.tiles import blend_tiles, tiles_of
from transforms.records import Box, Mask, Matte, Pixels, Size

Real = NDArray[np.float32]

_OWN, _OTHER = "product_segmenter", "segmenter"  # the project's own network, and U2-Net-p
_REFINER = "mask_refiner"
_NETWORK = Size(320, 320)
_WORKING_SIDE = 512  # longest side at which network, colour and gate meet
_FOUND = 0.3  # probability from which something may be there
_ZOOM_MARGIN = 0.15  # of the product's sides, around the closer look
_ZOOM_RATIO = 0.6  # least ratio of that look's shorter side to its longer one
_GREY = (150.0, 152.0, 155.0)  # the second backdrop
_GONE_MARGIN = 4  # working pixels around the product that are emptied with it


def look(pixels: Pixels, client: InferenceClient) -> Looks:
    """The networks' looks at a picture (uint8 [H, W, 3]): at the whole, then ours twice closer at what is there."""
    size = working_size(Size(*pixels.shape[:2]))
    small = _squash(pixels)
    tone = toned(small)
    answers = _ask(client, _OWN, np.stack([small, small[:, ::-1], tone]))
    upright = (answers[0], np.ascontiguousarray(answers[1][:, ::-1]), answers[2])
    full, flipped, darker = (resized(answer, size) for answer in upright)
    other, other_toned = (resized(answer, size) for answer in _ask(client, _OTHER, np.stack([small, tone])))
    whole = whole_of((full, flipped, darker), (other, other_toned))
    box = zoom_box(whole > _FOUND)
    closer, parts = (_look_closer(pixels, whole, boxes, client) for boxes in ((box,), tiles_of(box)))
    return Looks(full, flipped, darker, closer, parts, other, other_toned)


def _look_closer(pixels: Pixels, whole: Real, boxes: Sequence[Box], client: InferenceClient) -> Real:
    """`whole` (float32 [h, w], working size) with `boxes` seen again, larger, by our network.

    A box in which nothing was found is not looked at: the network never saw a close-up of nothing.
    """
    chosen = [box for box in boxes if whole[box.top : box.bottom, box.left : box.right].max(initial=0.0) > _FOUND]
    if not chosen:
        return whole
    answers = _ask(client, _OWN, np.stack([_squash(_crop(pixels, box, Size(*whole.shape))) for box in chosen]))
    return blend_tiles(whole, chosen, [resized(answer, box.size) for answer, box in zip(answers, chosen, strict=True)])


def _crop(pixels: Pixels, box: Box, size: Size) -> Pixels:
    """What `box`, which lies in a picture of `size`, shows of `pixels`; a pixel at least."""
    tall, wide = pixels.shape[0] / size.height, pixels.shape[1] / size.width
    top, left = round(box.top * tall), round(box.left * wide)
    return pixels[top : max(round(box.bottom * tall), top + 1), left : max(round(box.right * wide), left + 1)]


def recheck(foreground: Pixels, alpha: Matte, pixels: Pixels, mask: Mask, client: InferenceClient) -> tuple[Real, Real]:
    """What our network takes for product in the cutout before a grey, and in the picture when the product is gone.

    A piece of backdrop in the mask looks odd before another backdrop; a lost part is still there when the rest is gone.

    Args:
        foreground: uint8 [H, W, 3], with its `alpha` float32 [H, W].
        pixels: the picture at working size, uint8 [h, w, 3], with the product's `mask`, bool [h, w].

    Returns:
        Two probabilities, float32 [h, w].
    """
    size = Size(*mask.shape)
    part = resized(alpha, size)[..., None]
    laid = scaled(foreground, size) * part + np.asarray(_GREY, np.float32) * (1 - part)
    gone = dilated(mask, _GONE_MARGIN)
    emptied = fill_field(pixels.astype(np.float32), ~gone) if not gone.all() else pixels
    without = np.where(gone[..., None], emptied, pixels)
    pictures = np.stack([_squash(np.rint(picture).astype(np.uint8)) for picture in (laid, without)])
    again, left = (resized(answer, size) for answer in _ask(client, _OWN, pictures))
    return again, left


def ask_refiner(pixels: Pixels, clues: Pixels, client: InferenceClient) -> Real:
    """The mask refiner's probability of "product", float32 [h, w].

    Args:
        pixels: the picture at working size, uint8 [h, w, 3].
        clues: see `transforms.ops.clues`, uint8 [h, w, 5].
    """
    shown = np.concatenate([pixels, clues], axis=-1)
    height, width = pixels.shape[:2]
    padding = ((0, _WORKING_SIDE - height), (0, _WORKING_SIDE - width), (0, 0))
    return _ask(client, _REFINER, np.pad(shown, padding, mode="edge")[None])[0, :height, :width]


def toned(pixels: Pixels) -> Pixels:
    """`pixels` (uint8 [H, W, 3]) with a gamma that brings the border's median to 0.45, within what 8 bits bear."""
    level = float(np.median(pixels[border_ring(Size(*pixels.shape[:2]))])) / 255
    gamma = min(5.0, max(0.35, log(0.45) / log(min(0.99, max(0.01, level)))))
    if 0.7 < gamma < 1.6:
        gamma = 1.6  # a middle tone already: another look must still be another look
    table = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return cast(Pixels, table[pixels])


def zoom_box(mask: Mask) -> Box:
    """The box of `mask` with a margin, or the whole picture where there is nothing to go by.

    A narrow box is widened: squashed to the network's square, a lamp post would be stretched until it is none.
    """
    box = bounding_box(mask)
    if box.size.height < 4 or box.size.width < 4:
        return Box(0, 0, *mask.shape)
    tall, wide = ((1 + 2 * _ZOOM_MARGIN) * length + 4 for length in box.size)
    least = _ZOOM_RATIO * max(tall, wide)
    top, bottom = _widened(box.top, box.bottom, max(tall, least), mask.shape[0])
    left, right = _widened(box.left, box.right, max(wide, least), mask.shape[1])
    return Box(top, left, bottom, right)


def _widened(first: int, last: int, length: float, limit: int) -> tuple[int, int]:
    """`first` to `last` grown to `length` about their middle, within 0 and `limit`."""
    middle = (first + last) / 2
    begin = min(max(0, round(middle - length / 2)), first)
    return begin, max(min(limit, round(middle + length / 2)), last)


def working_size(size: Size) -> Size:
    """`size` with its longest side at 512."""
    scale = _WORKING_SIDE / max(size)
    return Size(max(8, round(size.height * scale)), max(8, round(size.width * scale)))


def _ask(client: InferenceClient, model: str, images: Pixels) -> Real:
    answer = infer_batch(client, model, {"IMAGE": np.ascontiguousarray(images)})
    return cast(Real, answer["ALPHA"][..., 0])


def _squash(pixels: Pixels) -> Pixels:
    return scaled(pixels, _NETWORK)


def scaled(pixels: Pixels, size: Size) -> Pixels:
    """`pixels` (uint8 [H, W, 3]) at `size`: area-averaged down, bilinear up."""
    shrink = size.height < pixels.shape[0] or size.width < pixels.shape[1]
    kernel = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
    return cast(Pixels, cv2.resize(pixels, (size.width, size.height), interpolation=kernel))
