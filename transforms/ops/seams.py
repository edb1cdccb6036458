"""Seams: where generated pixels meet kept ones. Scores, and a blend that touches the generated side only.

A *seam* is the border between known and unknown pixels. Scores are ratios to what the same image shows a little
away from the seam, so that a busy carpet and a plain wall are held against themselves.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.color_difference import cie76, ciede2000, lab_of

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

# Shares of the shorter side: how wide the strips are that are compared, and how far a correction carries.
STRIP = 0.008
CARRY = 0.3
# The two sides' colours are read this near to the seam, in pixels: what is finer fades within as little.
BLEND_SIGMA = 0.8
# A step of this many levels is no light any more, but a thing that ends at the seam: carried on, it would be a smudge.
LIGHT_STEP = 30.0
# A gradient below this many levels cannot be seen, so ratios do not divide by less.
QUIET_LEVELS = 1.5
AWAY_PX = (4, 8, 12)
# Shares of the shorter side: a window along a seam, and the smoothing that leaves only what a glance takes in.
WINDOW = 0.05
SMOOTH = 0.05


class Line(NamedTuple):
    """A straight seam: `axis` 0 where it runs along a row; the first row (column) behind it; its extent, half open."""

    axis: int
    position: int
    start: int
    stop: int


def seam_lines(known: Mask) -> list[Line]:
    """The sides of the kept rectangle that do not lie on the canvas's border.

    Raises:
        ValueError: nothing is kept.
    """
    rows, columns = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
    if not len(rows):
        raise ValueError("no pixel is kept")
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    lines = [Line(0, at, left, right) for at in (top, bottom) if 0 < at < known.shape[0]]
    return lines + [Line(1, at, top, bottom) for at in (left, right) if 0 < at < known.shape[1]]


def window_ratios(scene: Pixels, line: Line) -> Floats:
    """Along a line, window by window: the mean absolute step across it over that across its parallels near by.

    float32 [windows]; a line in an undisturbed photograph scores about 1. The parallels' mean mixes the window's own
    with the whole line's, so that a single edge near by does not decide.
    """
    grey = cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY).astype(np.float32)
    part = (grey if line.axis == 0 else grey.T)[:, line.start : line.stop]
    places = [line.position + sign * px for px in AWAY_PX for sign in (-1, 1)]
    away = np.mean([np.abs(part[at] - part[at - 1]) for at in places if 1 <= at < len(part)] or [0 * part[0]], axis=0)
    across = np.abs(part[line.position] - part[line.position - 1])
    side = max(4, round(WINDOW * min(scene.shape[:2])))
    count = max(1, len(across) // side)
    steps = np.array([piece.mean() for piece in np.array_split(across, count)], np.float32)
    beside = np.array([piece.mean() for piece in np.array_split(away, count)], np.float32)
    return (steps + QUIET_LEVELS) / ((beside + away.mean()) / 2 + QUIET_LEVELS)  # type: ignore[no-any-return]


def seam_score(scene: Pixels, known: Mask) -> float:
    """The worst seam's mean gradient ratio (see :func:`window_ratios`); 1.0 where nothing was generated.

    Args:
        scene: uint8 [h, w, 3]; known: bool [h, w], one kept rectangle.
    """
    return max((float(window_ratios(scene, line).mean()) for line in seam_lines(known)), default=1.0)


def windowed_seam_score(scene: Pixels, known: Mask) -> float:
    """The worst seam's 90th percentile of window ratios: sees an object that is cut along a part of a seam."""
    return max((float(np.percentile(window_ratios(scene, line), 90)) for line in seam_lines(known)), default=1.0)


def strangeness(scene: Pixels, known: Mask) -> float:
    """How far the bands' low-frequency colours are from the frame's edge: CIE76, 90th percentile over the bands.

    High where a band shows things that the edge does not promise, such as an object copied a second time.
    """
    if known.all() or not known.any():
        return 0.0
    rows, columns = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
    y = np.clip(np.arange(known.shape[0]), rows[0], rows[-1])
    x = np.clip(np.arange(known.shape[1]), columns[0], columns[-1])
    shrink = max(1, round(SMOOTH * min(known.shape) / 4))
    promised, shown = (_glance(picture, shrink) for picture in (scene[y][:, x], scene))
    size = (promised.shape[1], promised.shape[0])
    painted = cv2.resize((~known).astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    return float(np.percentile(cie76(lab_of(promised), lab_of(shown))[painted], 90)) if painted.any() else 0.0


def _glance(scene: Pixels, shrink: int) -> Pixels:
    """`scene` reduced and blurred over 4 of its new pixels."""
    size = (max(1, scene.shape[1] // shrink), max(1, scene.shape[0] // shrink))
    small = cv2.resize(scene, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 4.0, borderType=cv2.BORDER_REPLICATE), np.uint8)


def line_delta_e(scene: Pixels, line: Line) -> float:
    """By how much the colours of the strips on both sides of a line differ beyond what its parallels show.

    CIEDE2000 of the smoothed strips at the line, less the larger of those at the parallels two strips away, 90th
    percentile along the line, 0 at least: light that falls off gradually, or a busy carpet, is no seam.
    """
    strip = max(2, round(STRIP * min(scene.shape[:2])))
    turned = scene if line.axis == 0 else scene.transpose(1, 0, 2)
    part = np.asarray(turned[:, line.start : line.stop], np.float32)
    beside = [_strips_apart(part, line.position + sign * 2 * strip, strip) for sign in (-1, 1)]
    excess = _strips_apart(part, line.position, strip) - np.maximum(*beside)
    return max(float(np.percentile(excess, 90)), 0.0)


def _strips_apart(part: Floats, at: int, strip: int) -> Floats:
    """CIEDE2000 along a line between the means of `strip` rows before and behind row `at`."""
    at = min(max(at, 1), len(part) - 1)
    means = np.stack([part[max(at - strip, 0) : at].mean(axis=0), part[at : at + strip].mean(axis=0)])
    sides = cv2.blur(means, (8 * strip + 1, 1), borderType=cv2.BORDER_REFLECT)
    lab = lab_of(np.clip(np.rint(sides), 0, 255).astype(np.uint8))
    return ciede2000(lab[0], lab[1]).astype(np.float32)


def seam_delta_e(scene: Pixels, known: Mask) -> float:
    """The worst seam's colour step (see :func:`line_delta_e`); 0.0 where nothing was generated."""
    return max((line_delta_e(scene, line) for line in seam_lines(known)), default=0.0)


def blend_generated_side(scene: Pixels, kept_pixels: Pixels, known: Mask) -> Pixels:
    """Close the step of colour at a seam by moving the generated side towards the kept one.

    The difference of the two sides' smoothed colours is interpolated over the generated side (pull-push: Gortler et
    al., "The Lumigraph", 1996), finely near the seam and coarsely further out, and fades with the distance.
    Steps count the less, the nearer they come to `LIGHT_STEP` (the biweight of Beaton and Tukey, Technometrics 1974).

    Args:
        scene: uint8 [h, w, 3]; kept_pixels: uint8 [h, w, 3], looked at where known; known: bool [h, w].

    Returns:
        uint8 [h, w, 3]; `kept_pixels` bit for bit where known.
    """
    if known.all() or not known.any():
        return np.where(known[..., None], kept_pixels, scene)
    shorter = min(known.shape)
    inside, outside = known.astype(np.float32), (~known).astype(np.float32)
    step = _smoothed(kept_pixels, inside, BLEND_SIGMA) - _smoothed(scene, outside, BLEND_SIGMA)
    distance = cv2.distanceTransform(outside.astype(np.uint8), cv2.DIST_L2, 5)
    near = ((distance > 0) & (distance <= 1.5)).astype(np.float32)
    near *= np.maximum(1.0 - (step**2).max(axis=-1) / LIGHT_STEP**2, 0.0) ** 2
    carried = _pull_push(step * near[..., None], near) * np.exp(-distance / (CARRY * shorter))[..., None]
    moved = np.clip(np.rint(scene + carried), 0, 255).astype(np.uint8)
    return np.where(known[..., None], kept_pixels, moved)


def _smoothed(pixels: Pixels, weight: Floats, sigma: float) -> Floats:
    mass = cv2.GaussianBlur(weight, (0, 0), sigma)
    mean = cv2.GaussianBlur(pixels.astype(np.float32) * weight[..., None], (0, 0), sigma)
    return mean / np.maximum(mass, 1e-6)[..., None]  # type: ignore[no-any-return]


def _pull_push(total: Floats, weight: Floats) -> Floats:
    """Values known where `weight` > 0 (premultiplied in `total`), interpolated everywhere."""
    if min(weight.shape) <= 2:
        return total / np.maximum(weight, 1e-6)[..., None] if weight.max() > 0 else total
    height, width = weight.shape
    small = ((width + 1) // 2, (height + 1) // 2)
    pulled_total = cv2.resize(total, small, interpolation=cv2.INTER_AREA)
    pulled_weight = cv2.resize(weight, small, interpolation=cv2.INTER_AREA)
    strong = np.maximum(1.0, pulled_weight * 4)
    coarse = _pull_push(pulled_total * 4 / strong[..., None], np.minimum(pulled_weight * 4, 1.0))
    filled = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return total + (1.0 - np.minimum(weight, 1.0))[..., None] * filled  # type: ignore[no-any-return]
