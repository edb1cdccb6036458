"""From a coarse probability to an alpha matte at full resolution, and the product's own colours along its edge.

Colours are float32 RGB in [0, 1], alpha float32 in [0, 1]; all pictures are [H, W] or [H, W, 3].
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.backdrop import fill_field
from transforms.ops.masks import bounding_box, dilated, resized
from transforms.records import Mask, Matte, Pixels, Size

Real = NDArray[np.float32]

_CLEAR = 128  # alpha below which a pixel of a file counts as clear
_LEAST_CLEAR, _MOST_CLEAR = 0.005, 0.998  # shares of clear pixels between which a file's alpha says something
_SATURATE = 0.05  # alpha this near to 0 or 1 is noise of the estimate, and is rounded
_ENLARGE_RADIUS, _ENLARGE_EPSILON = 1, 1e-5  # of 1 and 2, and 1e-5 to 1e-3: least error on compositions of known matte
_SPILL = 12  # how far the product's colours are carried past its edge, pixels; Lanczos reaches 3 per unit of reduction
_COLOR_NOISE = 0.02  # RMS of sensor and JPEG noise in [0, 1] RGB; two colours closer than this say nothing


def guided_filter(guide: Real, source: Real, radius: int, epsilon: float, subsample: int = 1) -> Real:
    """Edge-preserving smoothing of `source` [H, W] led by the colours of `guide` [H, W, 3].

    He, Sun & Tang 2013, "Guided Image Filtering", eq. 14-16 with a colour guide; `subsample` > 1 solves the linear
    models on a smaller picture (He & Sun 2015, "Fast Guided Filter").

    Args:
        radius: of the window, pixels at full resolution.
        epsilon: regularisation; edges of a variance below it are smoothed over.
    """
    height, width = source.shape
    small = (max(1, width // subsample), max(1, height // subsample))
    lead = cv2.resize(guide, small, interpolation=cv2.INTER_AREA) if subsample > 1 else guide
    data = cv2.resize(source, small, interpolation=cv2.INTER_AREA) if subsample > 1 else source
    slopes, offset = _linear_models(cast(Real, lead), cast(Real, data), max(1, radius // subsample), epsilon)
    if subsample > 1:
        slopes = cast(Real, cv2.resize(slopes, (width, height), interpolation=cv2.INTER_LINEAR))
        offset = cast(Real, cv2.resize(offset, (width, height), interpolation=cv2.INTER_LINEAR))
    return cast(Real, np.einsum("hwc,hwc->hw", slopes, guide) + offset)


def _linear_models(guide: Real, source: Real, radius: int, epsilon: float) -> tuple[Real, Real]:
    """The window-averaged slopes [H, W, C] and offset [H, W] of source = slopes . guide + offset."""
    # double precision: a grey picture's covariance has rank 1, and its determinant is lost in single precision
    lead, data = guide.astype(np.float64), source.astype(np.float64)
    mean_lead, mean_data = _mean(lead, radius), _mean(data, radius)
    covariance = _mean(lead * data[..., None], radius) - mean_lead * mean_data[..., None]
    moment = {
        (i, j): _mean(lead[..., i] * lead[..., j], radius) - mean_lead[..., i] * mean_lead[..., j]
        for i in range(3)
        for j in range(i, 3)
    }
    slopes = _solve_symmetric(moment, epsilon, covariance)
    offset = mean_data - np.einsum("hwc,hwc->hw", slopes, mean_lead)
    return _mean(slopes, radius).astype(np.float32), _mean(offset, radius).astype(np.float32)


def _solve_symmetric(
    moment: dict[tuple[int, int], NDArray[np.float64]], epsilon: float, right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """x of (moment + epsilon) x = right for symmetric 3 x 3 matrices, by cofactors: numpy's is ten times slower."""
    a, d, f = (moment[i, i] + epsilon for i in range(3))
    b, c, e = moment[0, 1], moment[0, 2], moment[1, 2]
    aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
    dd, ee, ff = a * f - c * c, b * c - a * e, a * d - b * b
    determinant = a * aa + b * bb + c * cc
    x, y, z = right[..., 0], right[..., 1], right[..., 2]
    solved = np.stack([aa * x + bb * y + cc * z, bb * x + dd * y + ee * z, cc * x + ee * y + ff * z], axis=-1)
    return cast("NDArray[np.float64]", solved / np.maximum(determinant, 1e-18)[..., None])


def _mean(picture: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    side = 2 * radius + 1
    return cast("NDArray[np.float64]", cv2.blur(picture, (side, side), borderType=cv2.BORDER_REFLECT))


def smoothed_along(lead: Real, source: Real, radius: int, epsilon: float) -> Real:
    """The guided filter with one channel of guide [H, W]: He, Sun & Tang 2013, eq. 5, 6 and 8."""
    mean_lead, mean_source = _box(lead, radius), _box(source, radius)
    variance = np.maximum(_box(lead * lead, radius) - mean_lead * mean_lead, 0.0)
    slope = (_box(lead * source, radius) - mean_lead * mean_source) / (variance + epsilon)
    offset = mean_source - slope * mean_lead
    return cast(Real, _box(slope, radius) * lead + _box(offset, radius))


def _box(picture: Real, radius: int) -> Real:
    side = 2 * radius + 1
    return cast(Real, cv2.blur(picture, (side, side), borderType=cv2.BORDER_REFLECT))


def is_informative(alpha: Pixels) -> bool:
    """True where a file's alpha (uint8 [H, W]) cuts something out, as neither a veil nor nothing at all does."""
    clear = float((alpha < _CLEAR).mean())
    return _LEAST_CLEAR <= clear < _MOST_CLEAR


def trimap_of(coarse: Real, radius: int) -> tuple[Mask, Mask]:
    """(surely product, surely backdrop) of a coarse probability [H, W]: further than `radius` from its edge.

    Doubt is no translucency: away from the edge a pixel is decided, and whether to trust the whole is the gate's.
    """
    inside = (coarse > 0.5).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    deep = cv2.erode(inside, kernel, borderType=cv2.BORDER_REPLICATE) > 0
    far = cv2.dilate(inside, kernel, borderType=cv2.BORDER_REPLICATE) == 0
    return deep, far


def decided(alpha: Real, radius: int) -> Matte:
    """`alpha` (float32 [H, W]) made 0 or 1 wherever it is further than `radius` pixels from its edge."""
    deep, far = trimap_of(alpha, radius)
    return cast(Matte, np.where(deep, np.float32(1), np.where(far, np.float32(0), alpha)))


def refine_alpha(guide: Real, coarse: Real, radius: int, backdrop: Real | None = None) -> Matte:
    """The alpha matte of a coarse probability.

    In the band around the coarse edge every pixel is first explained as a mix of the product's and the backdrop's
    colour nearby (the compositing equation projected on the line between them); where the two are too alike to tell,
    the coarse probability led by the picture's edges stands in. A small guided filter then makes the two agree.

    Args:
        guide: the picture, float32 [H, W, 3] in [0, 1].
        coarse: the product's probability, float32 [H, W].
        radius: half the width of the band, pixels.
        backdrop: the backdrop's known colour, as `guide`; None estimates it from the pixels outside the band.

    Returns:
        float32 [H, W] in [0, 1].
    """
    alpha = np.zeros_like(coarse)
    box = reach_of(coarse > 0.1, 6 * radius)
    alpha[box] = _refine(guide[box], coarse[box], radius, None if backdrop is None else backdrop[box])
    return saturate(alpha)


def _refine(guide: Real, coarse: Real, radius: int, backdrop: Real | None) -> Real:
    if not coarse.size:
        return coarse
    product, outside = trimap_of(coarse, radius)
    led = np.clip(guided_filter(guide, coarse, 2 * radius, 1e-4, max(1, radius // 2)), 0.0, 1.0)
    mixed, trust = _unmix(guide, product, outside, radius, backdrop)
    alpha = trust * mixed + (1 - trust) * led
    alpha = np.where(product, 1.0, np.where(outside, 0.0, alpha)).astype(np.float32)
    smooth = smoothed_along(_contrast_axis(guide, product, outside), alpha, max(1, radius // 4), 1e-4)
    return np.where(product, 1.0, np.where(outside, 0.0, smooth)).astype(np.float32)


def enlarge_alpha(pixels: Pixels, alpha: Real) -> Matte:
    """A matte made at a smaller size, at the size of its picture.

    Where the picture is larger, a linear model of colour explains the matte around each small pixel and is applied to
    the large ones (He & Sun 2015, "Fast Guided Filter"), within what the matte says nearby. Where it is not, the matte
    is resampled.

    Args:
        pixels: the picture, uint8 [H, W, 3].
        alpha: float32 [h, w].

    Returns:
        float32 [H, W] in [0, 1].
    """
    size, small = Size(*pixels.shape[:2]), Size(*alpha.shape)
    if size.height <= small.height or size.width <= small.width:
        return saturate(resized(alpha, size))
    lead = cv2.resize(pixels, small[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    slopes, offset = _linear_models(lead, alpha, _ENLARGE_RADIUS, _ENLARGE_EPSILON)
    led = resized(offset, size)
    for channel in range(3):  # one by one: a large picture's planes are many megabytes
        led += resized(slopes[..., channel], size) * (pixels[..., channel] / np.float32(255))
    nearby = np.ones((3, 3), np.uint8)
    np.maximum(led, resized(cast(Real, cv2.erode(alpha, nearby)), size), out=led)
    np.minimum(led, resized(cast(Real, cv2.dilate(alpha, nearby)), size), out=led)
    return saturate(led)


def _contrast_axis(guide: Real, product: Mask, outside: Mask) -> Real:
    """The picture as one channel: along the line from the backdrop's mean colour to the product's, [H, W]."""
    if not product.any() or not outside.any():
        return cast(Real, guide.mean(axis=2))
    axis = np.abs(guide[product].mean(axis=0) - guide[outside].mean(axis=0)) + 0.05
    return cast(Real, (guide @ (axis / axis.sum()).astype(np.float32)).astype(np.float32))


def saturate(alpha: Real) -> Matte:
    """`alpha` with its last 5 % at both ends stretched to exactly 0 and 1."""
    return cast(Matte, np.clip((alpha - _SATURATE) / (1 - 2 * _SATURATE), 0.0, 1.0).astype(np.float32))


def _unmix(guide: Real, product: Mask, outside: Mask, radius: int, backdrop: Real | None) -> tuple[Real, Real]:
    """(alpha by colour, trust in it in [0, 1]), both [H, W]."""
    front, front_variance = _local_color(guide, product, 2 * radius)
    back, back_variance = _local_color(guide, outside, 2 * radius)
    if backdrop is not None:
        back, back_variance = backdrop, np.full_like(back_variance, _COLOR_NOISE**2)
    axis = front - back
    length = np.einsum("hwc,hwc->hw", axis, axis)
    alpha = np.einsum("hwc,hwc->hw", guide - back, axis) / np.maximum(length, 1e-6)
    off_line = guide - back - np.clip(alpha, 0, 1)[..., None] * axis
    error = np.einsum("hwc,hwc->hw", off_line, off_line)
    noise = front_variance + back_variance + error + _COLOR_NOISE**2
    trust = length / (length + 8.0 * noise)
    return np.clip(alpha, 0.0, 1.0).astype(np.float32), trust.astype(np.float32)


def _local_color(guide: Real, known: Mask, radius: int) -> tuple[Real, Real]:
    """Mean colour [H, W, 3] and summed variance [H, W] of the `known` pixels around each pixel."""
    weight = known.astype(np.float32)
    total = np.maximum(_box(weight, radius), 1e-6)
    mean = _box(guide * weight[..., None], radius) / total[..., None]
    square = _box(np.einsum("hwc,hwc->hw", guide, guide) * weight, radius) / total
    variance = np.maximum(square - np.einsum("hwc,hwc->hw", mean, mean), 0.0)
    reached = _box(weight, radius) > 1e-4
    if not reached.all():
        mean = fill_field(mean, reached)
        variance = np.where(reached, variance, 1.0)
    return cast(Real, mean), cast(Real, variance.astype(np.float32))


def estimate_foreground(pixels: Pixels, alpha: Matte, radii: tuple[int, ...] = (90, 6)) -> Pixels:
    """The product's own colours where it mixes with the backdrop, so that no fringe travels to a new one.

    Blur fusion (Forte 2021, "Approximate Fast Foreground Colour Estimation", eq. 4-7), coarse then fine.

    Args:
        pixels: uint8 [H, W, 3].
        alpha: float32 [H, W].
        radii: window radii of the passes, pixels.

    Returns:
        uint8 [H, W, 3]; equal to `pixels` bit for bit where alpha is 1, and away from the edge. Just outside the
        edge it carries the product's colour on, so that resampling draws no backdrop in.
    """
    edge = (alpha > 0) & (alpha < 1)
    if not edge.any():
        return pixels.copy()
    rows, columns = reach_of(edge, max(radii))
    image = pixels[rows, columns].astype(np.float32) / 255.0
    part = alpha[rows, columns, None]
    front = back = image
    for radius in radii:
        front, back = _fuse(image, front, back, part, radius)
    foreground = pixels.copy()
    estimated = np.rint(np.clip(front, 0, 1) * 255).astype(np.uint8)
    inner = dilated(edge, _SPILL)[rows, columns] & (alpha[rows, columns] < 1)
    foreground[rows, columns][inner] = estimated[inner]
    return foreground


def _fuse(image: Real, front: Real, back: Real, alpha: Real, radius: int) -> tuple[Real, Real]:
    """One pass: (foreground, backdrop), each [H, W, 3]."""
    share = _box(alpha[..., 0], radius)[..., None]
    mean_front = _box(front * alpha, radius) / (share + 1e-5)
    mean_back = _box(back * (1 - alpha), radius) / (1 - share + 1e-5)
    fused = mean_front + alpha * (image - alpha * mean_front - (1 - alpha) * mean_back)
    return np.clip(fused, 0.0, 1.0), mean_back


def reach_of(mask: Mask, margin: int) -> tuple[slice, slice]:
    """(rows, columns) of the box around `mask` with `margin` pixels around it; nothing gives empty slices."""
    box = bounding_box(mask)
    if not box.size.height:
        return slice(0, 0), slice(0, 0)
    top, left = max(0, box.top - margin), max(0, box.left - margin)
    return slice(top, box.bottom + margin), slice(left, box.right + margin)
