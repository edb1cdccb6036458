"""A product's own colours, and the backdrop that suits them."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.oklab import Floats, hue_gap_deg, in_gamut, to_oklab
from transforms.ops.papers import PAPERS, Wish

_SAMPLES = 1500
_COLOURS = 5
_ROUNDS = 6
_NEUTRAL_CHROMA = 0.02
_TEMPERATURE = 0.07  # spread of the choice among good papers


class Palette(NamedTuple):
    """A product's main colours in Oklab.

    Attributes:
        colours: float32 [k, 3], of the whole product.
        weights: float32 [k], their shares; they sum to 1.
        edges: float32 [k, 3], of the product's outline.
        edge_weights: float32 [k], their shares.
    """

    colours: Floats
    weights: Floats
    edges: Floats
    edge_weights: Floats


def product_palette(image: NDArray[np.uint8], matte: NDArray[np.uint8]) -> Palette:
    """The palette of a product, image uint8 [h, w, 3] under matte uint8 [h, w]; grey where nothing is opaque."""
    solid = matte >= 250
    if not solid.any():
        grey = np.array([[0.6, 0.0, 0.0]], np.float32)
        one = np.ones(1, np.float32)
        return Palette(grey, one, grey, one)
    radius = max(2, round(0.012 * max(matte.shape)))
    inner = cv2.erode(solid.astype(np.uint8), np.ones((2 * radius + 1,) * 2, np.uint8)) > 0
    colours, weights = _clusters(image[solid])
    rim = solid & ~inner  # none where the product fills the picture
    edges, edge_weights = _clusters(image[rim]) if rim.any() else (colours, weights)
    return Palette(colours, weights, edges, edge_weights)


def _clusters(pixels: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Weighted main colours: Lloyd's iterations from evenly spaced quantiles of lightness, so without any chance."""
    step = max(1, len(pixels) // _SAMPLES)
    lab = to_oklab(pixels[::step])
    order = np.argsort(lab[:, 0], kind="stable")
    centres = lab[order[((np.arange(_COLOURS) + 0.5) / _COLOURS * len(lab)).astype(int)]]
    for _ in range(_ROUNDS):
        nearest = np.argmin(((lab[:, None, :] - centres[None]) ** 2).sum(axis=2), axis=1)
        for i in range(_COLOURS):
            if (nearest == i).any():
                centres[i] = lab[nearest == i].mean(axis=0)
    weights = np.bincount(nearest, minlength=_COLOURS).astype(np.float32) / len(lab)
    return centres, weights


def separation(palette: Palette, backdrop: Floats) -> float:
    """How well the product's outline stands off an Oklab colour, in [0, 1]; lightness counts more than colour."""
    gap = palette.edges - backdrop
    distance = np.sqrt(gap[:, 0] ** 2 + 1.4 * (gap[:, 1] ** 2 + gap[:, 2] ** 2))
    rise = np.clip((distance - 0.04) / 0.2, 0.0, 1.0)
    return float(((rise * rise * (3 - 2 * rise)) * palette.edge_weights).sum())


def harmony(palette: Palette, backdrop: Floats) -> float:
    """How well an Oklab colour goes with the product, in [0, 1]: related and opposite hues do, those between clash."""
    chroma = np.hypot(palette.colours[:, 1], palette.colours[:, 2])
    own = float(np.hypot(backdrop[1], backdrop[2]))
    gap = hue_gap_deg(palette.colours, backdrop)
    # tone on tone 0, analogous to 35 degrees, a clash about 75, split complement 140, complement 180
    fit = np.interp(gap, [0, 30, 50, 80, 110, 140, 180], [1.0, 0.95, 0.6, 0.25, 0.45, 0.85, 0.95])
    weight = palette.weights * np.clip((chroma - _NEUTRAL_CHROMA) / 0.08, 0.0, 1.0)
    force = min(1.0, own / 0.05)
    neutral = 0.8
    return float(neutral + (weight * (fit - neutral)).sum() * force)


def choose_backdrop(palette: Palette, wish: Wish, rng: np.random.Generator) -> Floats:
    """The backdrop's Oklab colour [3]: the prompt's, or one of the papers by separation, harmony, taste and chance.

    A colour that the prompt names keeps its hue; its lightness moves where the product would otherwise drown in it.
    """
    if wish.colour:
        return _set_off(palette, _wished(_lab(wish.colour), wish))
    papers = np.stack([_wished(_lab(code), wish) for code, _ in PAPERS.values()])
    scores = np.array(
        [
            _gate(separation(palette, paper)) * (0.45 + 0.55 * harmony(palette, paper)) * (0.55 + 0.45 * taste)
            for paper, (_, taste) in zip(papers, PAPERS.values(), strict=True)
        ]
    )
    likely = np.exp((scores - scores.max()) / _TEMPERATURE)
    return np.asarray(papers[int(rng.choice(len(papers), p=likely / likely.sum()))], np.float32)


def _gate(separated: float) -> float:
    """A backdrop that the outline drowns in is no choice, however pretty; above 0.7 it is all the same."""
    return float(np.clip((separated - 0.25) / 0.45, 0.0, 1.0))


def _wished(lab: Floats, wish: Wish) -> Floats:
    lightness = float(np.clip(lab[0] + wish.lightness, 0.23, 0.965))
    # a darkened paper keeps its look where its chroma sinks with its lightness
    chroma = wish.chroma * min(1.0, lightness / float(lab[0])) ** 0.7
    return in_gamut(np.array([lightness, lab[1] * chroma, lab[2] * chroma], np.float32))


def _set_off(palette: Palette, lab: Floats) -> Floats:
    """`lab` with its lightness moved by as little as gives the outline a fair separation."""
    outline = float((palette.edges[:, 0] * palette.edge_weights).sum())
    away = -1.0 if outline > lab[0] - 0.1 and outline > 0.5 else 1.0
    moves = away * np.array([0.0, 0.03, 0.06, 0.09, 0.12, 0.15])
    tried = [in_gamut(np.array([np.clip(lab[0] + m, 0.2, 0.965), lab[1], lab[2]], np.float32)) for m in moves]
    enough = [colour for colour in tried if separation(palette, colour) >= 0.5]
    return enough[0] if enough else max(tried, key=lambda colour: separation(palette, colour))


def _lab(code: str) -> Floats:
    return to_oklab(np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.uint8))
