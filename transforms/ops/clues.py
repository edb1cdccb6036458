"""What the mask refiner is shown beside a picture: probabilities so far, and how colours differ from the backdrop's."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from transforms.ops.masks import Evidence
from transforms.records import Pixels

Real = NDArray[np.float32]

CLUES = 5
# Levels of 8 bits a unit of ln(1 + dE): the largest difference of Lab colours and the highest barrier stay below 255.
LEVELS_OF_LOG = 48.0


def clues_of(probability: Real, networks: Real, evidence: Evidence) -> Pixels:
    """The clues of a picture, uint8 [H, W, 5], for `mask_refiner`.

    Args:
        probability: of "product", after colour has joined in, float32 [H, W] in [0, 1].
        networks: the networks' own word before that, float32 [H, W] in [0, 1].
        evidence: what colour says.

    Returns:
        Both probabilities in steps of 1 / 255; then distance, tint and barrier, 48 levels a unit of ln(1 + dE).
    """
    shares = [255 * plane for plane in (probability, networks)]
    logs = [LEVELS_OF_LOG * np.log1p(plane) for plane in (evidence.distance, evidence.tint, evidence.barrier)]
    return cast(Pixels, np.rint(np.clip(np.stack([*shares, *logs], axis=-1), 0, 255)).astype(np.uint8))
