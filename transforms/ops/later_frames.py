"""Frames of a slow camera, drawn from one picture's own pixels along a flow.

What the picture does not show, because it was outside or behind something, comes from a painted frame: the flow goes
beyond the picture there, or tears it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import cv2
import numpy as np

from transforms.ops.motion import Flow, Real, drawn, enlarged, torn_by, within
from transforms.records import Pixels, Size

_FEATHER = 0.002  # of the longer side
_TONE = 0.03  # of the longer side: painted tones are brought to the picture's, as far as that reaches


def last_frame(picture: Pixels, painted: Pixels, flow: Flow) -> Pixels:
    """The later frame at the picture's own size.

    Args:
        picture: uint8 [H, W, 3].
        painted: uint8 [h, w, 3], what the network painted.
        flow: where each pixel of the later frame lies in the picture, float32 [h, w, 2].
    """
    size = Size(*picture.shape[:2])
    large = enlarged(flow, size)
    own, seen = drawn(picture, large).astype(np.float32), seen_before(large)[..., None]
    other = cv2.resize(painted, size[::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return _bytes(seen * own + (1 - seen) * (other + _tone(own - other, seen)))


def seen_before(flow: Flow) -> Real:
    """How far each pixel of a later frame is the picture's own, float32 [h, w] in [0, 1], with a feathered edge."""
    feather = max(0.5, _FEATHER * max(flow.shape[:2]))
    shown = (within(flow) & ~torn_by(flow)).astype(np.float32)
    reach = np.ones([2 * int(np.ceil(feather)) + 1] * 2, np.uint8)
    return cast(Real, cv2.GaussianBlur(cv2.erode(shown, reach), (0, 0), feather, borderType=cv2.BORDER_REPLICATE))


def frames_between(picture: Pixels, last: Pixels, flow: Flow, count: int) -> Iterator[Pixels]:
    """`count` frames at even times, the first of them `picture` itself and the last `last` itself.

    Args:
        picture, last: uint8 [h, w, 3] of one size.
        flow: where each pixel of `last` lies in `picture`, at any size.
        count: two at least.

    Raises:
        ValueError: the sizes differ, or there are fewer than two frames.
    """
    if picture.shape != last.shape or count < 2:
        raise ValueError(f"{count} frames between pictures of {picture.shape} and {last.shape}")
    whole = enlarged(flow, Size(*picture.shape[:2]))
    seen = seen_before(whole)
    yield picture
    for number in range(1, count - 1):
        yield _at(picture, last, whole, seen, number / (count - 1))
    yield last


def _at(picture: Pixels, last: Pixels, flow: Flow, seen: Real, time: float) -> Pixels:
    """The frame at `time` in 0..1: things go straight, each at one speed."""
    moving = drawn(flow, (time - 1) * flow)  # of what stands here now; by the flow here, which is smooth
    shown = np.clip(drawn(seen, (time - 1) * moving), 0, 1)[..., None]
    own, other = drawn(picture, time * moving), drawn(last, (time - 1) * moving)
    return _bytes(shown * own + (1 - shown) * other)


def _tone(apart: Real, seen: Real) -> Real:
    """A difference [h, w, 3] as the neighbourhood that was seen has it, everywhere."""
    sigma = _TONE * max(apart.shape[:2])
    weight = cv2.GaussianBlur(seen[..., 0], (0, 0), sigma)[..., None]
    return cast(Real, cv2.GaussianBlur(apart * seen, (0, 0), sigma) / np.maximum(weight, 1e-3))


def _bytes(picture: Real) -> Pixels:
    return cast(Pixels, np.clip(np.rint(picture), 0, 255).astype(np.uint8))
