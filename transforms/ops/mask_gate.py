"""Is this mask good? Measures that need no truth, and the probability that a mask's IoU reaches 0.9."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import exp, log
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.backdrop import border_ring
from transforms.ops.mask_metrics import iou
from transforms.ops.masks import FLAT, components, dilated, eroded, holes, slope_of
from transforms.records import Mask, Size

Real = NDArray[np.float32]

_COEFFICIENTS = "mask_gate.json"
_OWN_WEIGHT = 0.6  # of our network beside the other; benchmarks.segmentation, tuning half: flat from 0.5 to 0.7
_COLOR_STEP = 6.0  # dE from which colour alone would call a pixel product


# Measures that are at best 0; the others that are weighed by order of size are at best 1.
_SHARES = frozenset({"leak", "look_spread", "recut_lost", "remains", "remains_doubt"})
_AGREEMENTS = frozenset({"own_support", "second_support", "threshold_stability", "certainty", "confidence"})
_PLACES = frozenset({"largest_share", "edge_share", "frame_share"})  # neither; weighed as they are
_GRAIN = 0.01  # differences finer than this are noise


class Looks(NamedTuple):
    """What two networks saw on each of their looks, in the picture's frame: probabilities, float32 [H, W].

    `toned` saw the picture with its backdrop brought to a middle tone, which shows white goods on white; `zoomed` saw
    the product's box only, `parts` saw that box in four parts; both equal `whole_of` outside it. `other` and
    `other_toned` are the second network's, which was trained on other pictures and is seldom wrong in the same way.
    """

    full: Real
    flipped: Real
    toned: Real
    zoomed: Real
    parts: Real
    other: Real
    other_toned: Real

    def own(self) -> Real:
        """The first network's word: the whole picture and the two closer looks, a third each."""
        return (median_of(self.full, self.flipped, self.toned) + self.zoomed + self.parts) / np.float32(3)

    def others(self) -> Real:
        """The second network's word: the mean of its looks."""
        return cast(Real, (self.other + self.other_toned) / 2)

    def merged(self) -> Real:
        """Both networks' word."""
        return _joined(self.own(), self.others())


def whole_of(own: tuple[Real, Real, Real], others: tuple[Real, Real]) -> Real:
    """Both networks' word on the whole picture: the first's median, the second's mean."""
    return _joined(median_of(*own), cast(Real, (others[0] + others[1]) / 2))


def median_of(first: Real, second: Real, third: Real) -> Real:
    """The middle one of three probabilities: a look that fails does not count."""
    return np.maximum(np.minimum(first, second), np.minimum(np.maximum(first, second), third))


def _joined(own: Real, others: Real) -> Real:
    return cast(Real, np.float32(_OWN_WEIGHT) * own + np.float32(1 - _OWN_WEIGHT) * others)


@dataclass(frozen=True)
class Gate:
    """A logistic model: log odds that IoU >= 0.9 = bias + sum of weight x spread-out measure."""

    bias: float
    weights: Mapping[str, float]

    def quality(self, measures: Mapping[str, float]) -> float:
        """The probability, in [0, 1], that a mask of these `measures` has an IoU of 0.9 or more."""
        odds = self.bias + sum(weight * spread_out(name, measures[name]) for name, weight in self.weights.items())
        return 1 / (1 + exp(-max(-60.0, min(60.0, odds))))


def spread_out(name: str, value: float) -> float:
    """A measure as the gate weighs it: how near an agreement is to 1, or a share to 0, counts by its order of size.

    >>> round(spread_out("recut_agreement", 1.0) - spread_out("recut_agreement", 0.9), 2)
    2.4
    """
    if name in _AGREEMENTS or name.endswith("_agreement"):
        return -log(1 - min(1.0, max(0.0, value)) + _GRAIN)
    if name in _SHARES or (name.endswith("_share") and name not in _PLACES):
        return log(max(0.0, value) + _GRAIN)
    return value


@cache
def load_gate() -> Gate:
    """The fitted gate that ships with the package."""
    text = resources.files("transforms").joinpath("data", _COEFFICIENTS).read_text(encoding="utf-8")
    content = json.loads(text)
    return Gate(float(content["bias"]), {name: float(weight) for name, weight in content["weights"].items()})


def measure_mask(lab: Real, looks: Looks, probability: Real, mask: Mask, distance: Real | None) -> dict[str, float]:
    """The gate's measures, all at working size.

    Args:
        lab: the picture, Lab float32 [H, W, 3].
        looks: the network's probabilities.
        probability: what the mask was made from, float32 [H, W].
        mask: bool [H, W].
        distance: dE from a plain backdrop's colour, float32 [H, W]; None where there is none.
    """
    merged = looks.merged()
    return {
        "flip_agreement": iou(looks.full > 0.5, looks.flipped > 0.5),
        "zoom_agreement": iou(median_of(looks.full, looks.flipped, looks.toned) > 0.5, looks.zoomed > 0.5),
        "parts_agreement": iou(looks.zoomed > 0.5, looks.parts > 0.5),
        "tone_agreement": iou(looks.full + looks.flipped > 1.0, looks.toned > 0.5),
        "threshold_stability": iou(merged > 0.75, merged > 0.25),
        "network_agreement": iou(merged > 0.5, mask),
        **_second_measures(looks, mask),
        "certainty": _certainty(probability, mask),
        **_network_measures(looks, mask),
        **_color_measures(mask, distance),
        **_edge_measures(lab, mask),
        **_shape_measures(mask),
    }


def measure_refinement(coarse: Real | None, refined: Real) -> dict[str, float]:
    """How much of a mask the refiner left as it was; all of it where it was not asked.

    Args:
        coarse: the probability before, float32 [H, W]; None where nothing was refined.
        refined: the probability after, float32 [H, W].
    """
    return {"refined_agreement": 1.0 if coarse is None else iou(coarse > 0.5, refined > 0.5)}


def measure_recheck(mask: Mask, again: Real, left: Real) -> dict[str, float]:
    """What a second look says about `mask` (bool [H, W]).

    Args:
        again: probability of product where the cutout lies before another backdrop, float32 [H, W].
        left: the same for the picture without the product.
    """
    area = max(1, int(np.count_nonzero(mask)))
    return {
        "recut_agreement": iou(again > 0.5, mask),
        "recut_lost": int(np.count_nonzero(mask & (again < 0.5))) / area,
        "remains": min(2.0, int(np.count_nonzero(left > 0.5)) / area),
        "remains_doubt": min(2.0, float(left.sum()) / area),
    }


def _network_measures(looks: Looks, mask: Mask) -> dict[str, float]:
    """Where the networks and the mask differ, as shares of the mask's area."""
    merged, area = looks.merged(), max(1, int(np.count_nonzero(mask)))
    spread = np.std(np.stack(looks), axis=0)
    return {
        "erased_share": min(2.0, int(np.count_nonzero((merged > 0.6) & ~mask)) / area),
        "added_share": int(np.count_nonzero(mask & (merged < 0.4))) / area,
        "doubt_share": min(2.0, int(np.count_nonzero((merged > 0.15) & (merged < 0.85))) / area),
        "confidence": float(merged[mask].mean()) if mask.any() else 0.0,
        "leak": min(2.0, float(merged[~mask].sum()) / area),
        "look_spread": min(2.0, float(spread.sum()) / area),
    }


def _second_measures(looks: Looks, mask: Mask) -> dict[str, float]:
    """How far the two networks agree with each other and with the mask: seldom are both wrong in one way."""
    own, others, area = looks.own() > 0.5, looks.others() > 0.5, max(1, int(np.count_nonzero(mask)))
    return {
        "second_agreement": iou(own, others),
        "own_support": iou(own, mask),
        "second_support": iou(others, mask),
        "second_tone_agreement": iou(looks.other > 0.5, looks.other_toned > 0.5),
        "disputed_share": min(2.0, int(np.count_nonzero(eroded(own ^ others, 1))) / area),
    }


def _color_measures(mask: Mask, distance: Real | None) -> dict[str, float]:
    """How far the mask holds what colour sets off from a plain backdrop; neutral values without one."""
    if distance is None or not mask.any():
        return {"plain": 0.0, "color_agreement": 1.0, "flat_share": 0.0, "missed_share": 0.0}
    area = int(np.count_nonzero(mask))
    other = eroded(distance > _COLOR_STEP, 1)
    return {
        "plain": 1.0,
        "color_agreement": iou(distance > _COLOR_STEP, mask),
        "flat_share": int(np.count_nonzero(eroded(mask, 2) & (distance < FLAT))) / area,
        "missed_share": min(2.0, int(np.count_nonzero(other & ~dilated(mask, 2))) / area),
    }


def _certainty(probability: Real, mask: Mask) -> float:
    """Mean of |2 p - 1| within 3 % of the picture's side around the mask's edge, in [0, 1]."""
    reach = max(2, round(0.03 * min(mask.shape)))
    band = dilated(mask, reach) & ~eroded(mask, reach)
    return float(np.abs(2 * probability[band] - 1).mean()) if band.any() else 0.0


def _edge_measures(lab: Real, mask: Mask) -> dict[str, float]:
    """How well the mask's edge lies on edges of the picture, and how different both of its sides are."""
    slope = slope_of(lab)
    edge = dilated(mask, 1) & ~eroded(mask, 1)
    frame = border_ring(Size(*mask.shape))
    edge &= ~frame
    if edge.sum() < 20:
        return {"edge_strength": 0.0, "edge_share": 0.0, "edge_contrast": 0.0}
    strongest = cast(Real, cv2.dilate(slope, np.ones((5, 5), np.uint8)))
    around = dilated(edge, max(3, round(0.02 * min(mask.shape))))
    return {
        "edge_strength": float(np.log1p(np.median(strongest[edge]))),
        "edge_share": float((slope[edge] >= 0.5 * strongest[edge]).mean()),
        "edge_contrast": float(np.log1p(np.mean(slope[edge])) - np.log1p(np.mean(slope[around & ~edge]))),
    }


def _shape_measures(mask: Mask) -> dict[str, float]:
    area = int(np.count_nonzero(mask))
    if area == 0:
        return {
            "largest_share": 0.0,
            "pieces": 0.0,
            "hole_share": 0.0,
            "log_area": log(1e-4),
            "frame_share": 0.0,
            "raggedness": 0.0,
        }
    _, areas = components(mask)
    frame = border_ring(Size(*mask.shape))
    perimeter = int(np.count_nonzero(mask & ~eroded(mask, 1)))
    return {
        "largest_share": float(areas.max()) / area,
        "pieces": log(max(1, int(np.count_nonzero(areas > 0.002 * area)))),
        "hole_share": int(np.count_nonzero(holes(mask))) / area,
        "log_area": log(max(1e-4, area / mask.size)),
        "frame_share": float(mask[frame].mean()),
        "raggedness": log(max(1.0, perimeter / area**0.5)),
    }
