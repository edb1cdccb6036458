"""Frames between two pictures of one scene, by optical flow.

The flow at a time between is a mixture of the flows there and back, each frame a mixture of both pictures drawn along
it: the linear model of Jiang et al. 2018 ("Super SloMo"), equation 4, without its networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.records import Pixels, Size

Flow = NDArray[np.float32]
Picture = TypeVar("Picture", Pixels, NDArray[np.float32])
_FINE = 1.5  # pixels: detail is what a Gaussian blur of that deviation takes away


def flow_of(first: Pixels, later: Pixels) -> Flow:
    """Where each pixel of `first` lies in `later`: float32 [h, w, 2], (dx, dy) in pixels; both uint8 [h, w, 3].

    By dense inverse search (Kroeger et al. 2016).
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (first, later))
    return cast(Flow, search.calc(*grey, None))  # type: ignore[call-overload]


class Followed(NamedTuple):
    """How a later picture follows from a first one.

    Attributes:
        residual: mean difference, in levels, once the later picture is drawn back along the flow.
        moved: median length of the flow, as a share of the longer side.
        kept: how much of the first picture's fine detail is found again there: 1 for the picture itself. Neither
            what is blurred nor noise in its place counts.
    """

    residual: float
    moved: float
    kept: float


def follow(first: Pixels, later: Pixels) -> Followed:
    """Hold two pictures, uint8 [h, w, 3], against each other.

    Rendered scenes and the same two seconds later: residuals of 2 to 5 levels, 0.010 to 0.052 of the side, 0.69 to 0.90
    of the detail kept. Noise: a residual of 47. Copies blurred by 1.5 pixels: 0.17 to 0.35 of the detail.
    """
    there = flow_of(first, later)
    back = drawn(later, there)
    residual = float(np.abs(back.astype(np.float32) - first).mean())
    moved = float(np.median(np.hypot(there[..., 0], there[..., 1]))) / max(first.shape[:2])
    return Followed(residual, moved, _kept(first, back, _within(there)))


def _kept(first: Pixels, back: Pixels, seen: NDArray[np.bool_]) -> float:
    """How much of the detail of `first` the picture `back`, in register with it, shows where it is `seen`."""
    own, found = (_detail(picture)[seen] for picture in (first, back))
    return float((own * found).sum() / max(float((own * own).sum()), 1e-6))


def _detail(picture: Pixels) -> NDArray[np.float32]:
    """What a blur takes from a picture's lightness: float32 [h, w]."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return cast(NDArray[np.float32], grey - cv2.GaussianBlur(grey, (0, 0), _FINE))


def _within(flow: Flow) -> NDArray[np.bool_]:
    """Which pixels the flow leaves within the picture, bool [h, w]."""
    rows, columns = np.indices(flow.shape[:2], np.float32)
    across, down = columns + flow[..., 0], rows + flow[..., 1]
    inside = (across >= 0) & (across <= flow.shape[1] - 1) & (down >= 0) & (down <= flow.shape[0] - 1)
    return cast(NDArray[np.bool_], inside)


def frames_between(first: Pixels, later: Pixels, count: int, small: Size | None = None) -> Iterator[Pixels]:
    """`count` frames at even times, the first of them `first` itself and the last `later` itself.

    Args:
        first, later: uint8 [h, w, 3] of one size.
        count: two at least.
        small: the size at which the flow is looked for; their own where None.

    Raises:
        ValueError: the sizes differ, or there are fewer than two frames.
    """
    if first.shape != later.shape or count < 2:
        raise ValueError(f"{count} frames between pictures of {first.shape} and {later.shape}")
    size = small or Size(*first.shape[:2])
    near, far = (
        cast(Pixels, cv2.resize(each, (size.width, size.height), interpolation=cv2.INTER_AREA))
        for each in (first, later)
    )
    there, back = (enlarged(flow, Size(*first.shape[:2])) for flow in (flow_of(near, far), flow_of(far, near)))
    yield first
    for number in range(1, count - 1):
        yield _at(first, later, there, back, number / (count - 1))
    yield later


def enlarged(flow: Flow, size: Size) -> Flow:
    """A flow between pictures as it is between the same pictures at `size`."""
    scale = np.array([size.width / flow.shape[1], size.height / flow.shape[0]], np.float32)
    return cast(Flow, cv2.resize(flow, (size.width, size.height), interpolation=cv2.INTER_LINEAR) * scale)


def _at(first: Pixels, later: Pixels, there: Flow, back: Flow, time: float) -> Pixels:
    """The frame at `time` in 0..1."""
    left = 1.0 - time
    to_first = -left * time * there + time * time * back
    to_later = left * left * there - time * left * back
    mixed = left * drawn(first, to_first).astype(np.float32) + time * drawn(later, to_later)
    return cast(Pixels, np.rint(mixed).astype(np.uint8))


def drawn(picture: Picture, flow: Flow) -> Picture:
    """`picture` [h, w, 3] looked up at each pixel's place plus `flow`; its border goes on beyond it."""
    rows, columns = np.indices(flow.shape[:2], np.float32)
    places = (columns + flow[..., 0], rows + flow[..., 1])
    return cast(Picture, cv2.remap(picture, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
