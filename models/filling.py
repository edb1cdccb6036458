"""What stands where a picture is not known, in training and where a variant is served: grey, or a continuation."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from transforms.ops.backdrop import fill_field

Bytes = NDArray[np.uint8]
GREY = 128


def masked(picture: Bytes, known: NDArray[np.bool_], *, fills: bool = False) -> Bytes:
    """`picture` where it is known; elsewhere grey or, where it `fills` and anything is known, its smooth continuation.

    Args:
        picture: uint8 [H, W, 3].
        known: bool [H, W].
        fills: see `models.registry.Variant`.
    """
    if not fills or not known.any():
        return np.where(known[..., None], picture, np.uint8(GREY))
    carried = np.rint(fill_field(picture.astype(np.float32), known)).astype(np.uint8)
    return cast(Bytes, np.where(known[..., None], picture, carried))
