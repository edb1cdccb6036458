"""How a painted later frame follows from a picture: the camera's flow between them, and what speaks against it.

A painted frame is soft, so its flow is noisy. A pan and zoom is fitted to all of it; what things near and far deviate
from that is believed only where it explains much of what the pan and zoom leave, and else taken for noise.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import cv2
import numpy as np

from transforms.ops.camera_flow import PanZoom, flow_by, off_parallax, pan_zoom_of
from transforms.ops.motion import Flow, Picture, Real, drawn, torn_by, trusted_flow, within
from transforms.records import Pixels, Size

LEAST_EXPLAINED = 0.2  # of what a pan and zoom leave; see `Followed.explained`
_SOFT = 2.0  # pixels: a painted frame is softer than a picture, which is no matter of its movement
_SMOOTH = 0.026  # of the longer side: the deviation of the blur that makes parallax smooth
_DOUBT = 0.02  # trust that speaks for no parallax


class Followed(NamedTuple):
    """A later frame as it is drawn from a first one.

    Attributes:
        flow: where each pixel of the later frame lies in the first, float32 [h, w, 2].
        camera: the pan and zoom in it, of places in the first frame against those in the later one.
        residual: mean difference, in levels, of what is drawn along the flow from the later frame, both softened.
        explained: the share of what the pan and zoom leave that what deviates from them explains: of true later
            frames, through latents, a quarter and more, and of what small networks paint a tenth, which is noise.
        bent: the share of the parallax that no camera makes; 0 where none was believed.
        torn: the share of the later frame that the flow folds or tears.
    """

    flow: Flow
    camera: PanZoom
    residual: float
    explained: float
    bent: float
    torn: float

    @property
    def moved(self) -> float:
        """Median length of the flow, as a share of the longer side."""
        return float(np.median(np.hypot(*np.moveaxis(self.flow, -1, 0)))) / max(self.flow.shape[:2])


def follow(first: Pixels, later: Pixels) -> Followed:
    """The flow between two pictures, uint8 [h, w, 3], through the same latents: `first` with what `later` lost."""
    flow, trust = trusted_flow(later, first)
    camera = pan_zoom_of(flow, trust)
    plain = flow_by(camera, Size(*first.shape[:2]))
    goal = soft(later)
    more, trust = trusted_flow(goal, soft(drawn(first, plain)))
    parallax = _smoothed(more, trust)
    whole = plain + parallax
    without, left = (_residual(first, goal, each) for each in (plain, whole))
    explained = 1 - left / max(without, 1e-6)
    if explained < LEAST_EXPLAINED:
        return Followed(plain, camera, without, explained, 0.0, float(torn_by(plain).mean()))
    size = float(np.sqrt((trust[..., None] * parallax**2).sum() / max(float(trust.sum()), 1e-9)))
    bent = off_parallax(whole, trust) / max(size, 1e-6)
    return Followed(whole, camera, left, explained, bent, float(torn_by(whole).mean()))


def soft(picture: Picture) -> Picture:
    """Without the detail that painted frames lack."""
    return cast(Picture, cv2.GaussianBlur(picture, (0, 0), _SOFT))


def _residual(first: Pixels, goal: Pixels, flow: Flow) -> float:
    """Levels, where the flow stays within the first picture."""
    apart = np.abs(soft(drawn(first, flow)).astype(np.float32) - goal).mean(-1)
    return float(apart[within(flow)].mean()) if within(flow).any() else 255.0


def _smoothed(flow: Flow, trust: Real) -> Flow:
    """A flow as its trusted neighbours have it, and none where nothing is trusted."""
    sigma = _SMOOTH * max(flow.shape[:2])
    known = cv2.GaussianBlur(trust, (0, 0), sigma) + _DOUBT
    return cast(Flow, cv2.GaussianBlur(flow * trust[..., None], (0, 0), sigma) / known[..., None])
