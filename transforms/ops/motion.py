"""Optical flow between two pictures of one scene: finding it, how far it can be believed, drawing along it."""

from __future__ import annotations

from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.records import Pixels, Size

Real = NDArray[np.float32]
Flow = NDArray[np.float32]
Picture = TypeVar("Picture", Pixels, Real)
_TEXTURE, _RETURN = 3.0, 1.0  # squared levels a pixel, pixels: where trust halves
_LEAST_SPREAD = 0.3
_FINE = 1.5  # pixels: detail is what a Gaussian blur of that deviation takes away


def flow_of(first: Pixels, later: Pixels) -> Flow:
    """Where each pixel of `first` lies in `later`: float32 [h, w, 2], (dx, dy) in pixels; both uint8 [h, w, 3].

    By dense inverse search (Kroeger et al. 2016).
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (first, later))
    return cast(Flow, search.calc(*grey, None))  # type: ignore[call-overload]


def trusted_flow(first: Pixels, later: Pixels) -> tuple[Flow, Real]:
    """`flow_of` two pictures and how far it can be believed, float32 [h, w] in [0, 1].

    It is believed where there is texture to follow, where the flow back returns to the same place, and not where it
    leaves the picture.
    """
    there, back = flow_of(first, later), flow_of(later, first)
    astray = np.hypot(*np.moveaxis(there + drawn(back, there), -1, 0))
    grey = cv2.GaussianBlur(cv2.cvtColor(first, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *axis) / 8 for axis in ((1, 0), (0, 1)))
    texture = cv2.GaussianBlur(across**2 + down**2, (0, 0), 2)
    trust = texture / (texture + _TEXTURE) / (1 + (astray / _RETURN) ** 2)
    return there, cast(Real, (trust * within(there)).astype(np.float32))


def within(flow: Flow) -> NDArray[np.bool_]:
    """Which pixels the flow leaves within the picture, bool [h, w]."""
    rows, columns = np.indices(flow.shape[:2], np.float32)
    across, down = columns + flow[..., 0], rows + flow[..., 1]
    inside = (across >= 0) & (across <= flow.shape[1] - 1) & (down >= 0) & (down <= flow.shape[0] - 1)
    return cast(NDArray[np.bool_], inside)


def spread(flow: Flow) -> Real:
    """By how much what a flow looks up is larger there than here, float32 [h, w]: 1 at rest, 0 and less in a fold.

    It is the determinant of the Jacobian of the places.
    """
    down, across = np.gradient(flow, axis=(0, 1))
    return cast(Real, (1 + across[..., 0]) * (1 + down[..., 1]) - across[..., 1] * down[..., 0])


def torn_by(flow: Flow) -> NDArray[np.bool_]:
    """Where a flow folds, or makes more than three pixels of one, bool [h, w]: nothing in the picture shows that."""
    return spread(flow) < _LEAST_SPREAD


def enlarged(flow: Flow, size: Size) -> Flow:
    """A flow between pictures as it is between the same pictures at `size`."""
    scale = np.array([size.width / flow.shape[1], size.height / flow.shape[0]], np.float32)
    return cast(Flow, cv2.resize(flow, (size.width, size.height), interpolation=cv2.INTER_LINEAR) * scale)


def drawn(picture: Picture, flow: Flow) -> Picture:
    """`picture` [h, w] or [h, w, c] looked up at each pixel's place plus `flow`; its border goes on beyond it."""
    rows, columns = np.indices(flow.shape[:2], np.float32)
    places = (columns + flow[..., 0], rows + flow[..., 1])
    return cast(Picture, cv2.remap(picture, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def detail_kept(first: Pixels, later: Pixels) -> float:
    """How much of the fine detail of `first` is found again in `later`, 1 for the picture itself; uint8 [h, w, 3].

    Neither what is blurred nor noise in its place counts.
    """
    there = flow_of(first, later)
    own, found = (_detail(picture)[within(there)] for picture in (first, drawn(later, there)))
    return float((own * found).sum() / max(float((own * own).sum()), 1e-6))


def _detail(picture: Pixels) -> Real:
    """What a blur takes from a picture's lightness: float32 [h, w]."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return cast(Real, grey - cv2.GaussianBlur(grey, (0, 0), _FINE))
