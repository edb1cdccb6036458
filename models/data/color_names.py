"""Names of colours, as captions use them: sRGB to words, and words to sRGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.data.examples import Bytes
from transforms.ops.oklab import to_oklab
from transforms.ops.palette import product_palette

# sRGB anchors of the usual words; several anchors may carry one name.
_ANCHORS: tuple[tuple[str, str], ...] = (
    ("white", "#f6f6f4"),
    ("white", "#e4e4e2"),
    ("light grey", "#c4c4c4"),
    ("grey", "#8f8f8f"),
    ("dark grey", "#555555"),
    ("black", "#1b1b1b"),
    ("black", "#2c2c2e"),
    ("cream", "#efe6d2"),
    ("beige", "#d3c2a6"),
    ("tan", "#b99a74"),
    ("brown", "#84593a"),
    ("brown", "#9c7248"),
    ("dark brown", "#4a3024"),
    ("red", "#b92b27"),
    ("red", "#d9403a"),
    ("dark red", "#701f24"),
    ("orange", "#e07b2c"),
    ("terracotta", "#b5654a"),
    ("yellow", "#e9c83b"),
    ("yellow", "#f2e07a"),
    ("mustard", "#c39a32"),
    ("olive green", "#7d7d43"),
    ("green", "#3f8a46"),
    ("light green", "#a9d09b"),
    ("sage green", "#a3b196"),
    ("dark green", "#24492f"),
    ("turquoise", "#42a8a3"),
    ("light blue", "#a9c9e0"),
    ("blue", "#3667b3"),
    ("blue", "#5b8dc4"),
    ("grey blue", "#7b8fa3"),
    ("navy blue", "#1f2c4d"),
    ("purple", "#6c4690"),
    ("lilac", "#bfaed6"),
    ("pink", "#e39ab0"),
    ("pale pink", "#eccfcb"),
    ("magenta", "#b9327c"),
)
_NAMES = tuple(name for name, _ in _ANCHORS)
_LAB = to_oklab(np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for _, code in _ANCHORS], np.uint8))
_SECOND = 0.22  # share of the product from which a second colour is named
_CHROMA_COUNTS = 2.0  # hue tells names apart more than lightness does


def name_of(lab: NDArray[np.floating[Any]]) -> str:
    """The name of an Oklab colour, float [3].

    >>> name_of(to_oklab(np.array([250, 250, 250], np.uint8)))
    'white'
    """
    gap = (_LAB - lab) * np.array([1.0, _CHROMA_COUNTS, _CHROMA_COUNTS])
    return _NAMES[int((gap**2).sum(axis=1).argmin())]


def colors_of(pixels: Bytes, alpha: Bytes) -> tuple[str, ...]:
    """Names of the one or two main colours of what is opaque: uint8 [H, W, 3] under uint8 [H, W]; none if all is clear.

    Glare and deep shadow are left to the majority: a colour is named for its share.
    """
    if (alpha >= 250).sum() < 16:
        return ()
    palette = product_palette(pixels, alpha)
    shares: dict[str, float] = {}
    for lab, weight in zip(palette.colours, palette.weights, strict=True):
        name = name_of(lab)
        shares[name] = shares.get(name, 0.0) + float(weight)
    ranked = sorted(shares, key=lambda name: -shares[name])
    return tuple(name for number, name in enumerate(ranked[:2]) if number == 0 or shares[name] > _SECOND)
