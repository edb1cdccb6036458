"""The dark line where a product meets the floor."""

from __future__ import annotations

import cv2
import numpy as np

from transforms.ops.footing import Floats, Footing, find_footing, parts_of

_SPOT, _AROUND = 0.5, 8.0  # of a foot: how dark; how far beyond it, thousandths of the picture


def contact_shadow(matte: Floats, *, spots: bool = False) -> tuple[slice, Floats]:
    """The dark line where the base meets the floor.

    Args:
        matte: float32 [h, w] in [0, 1].
        spots: whether each foot gets a soft spot as well. A thin leg's own shadow is too faint to hold it down where
            the floor is plain; rendered scenes have none (benchmarks/staging.py).

    Returns:
        The rows it lies in and, for these, float32 [rows, w] in [0, 1].
    """
    found = [_contact(part, spots) for part in parts_of(matte)]
    found = [(band, dark) for band, dark in found if dark.size] or found[:1]
    whole = slice(min(band.start for band, _ in found), max(band.stop for band, _ in found))
    out = np.zeros((whole.stop - whole.start, matte.shape[1]), np.float32)
    for band, dark in found:
        rows = out[band.start - whole.start : band.stop - whole.start]
        np.maximum(rows, dark, out=rows)
    return whole, out


def _contact(matte: Floats, spots: bool) -> tuple[slice, Floats]:
    footing, height = find_footing(matte), matte.shape[0]
    if footing is None or not footing.touching.any():
        return slice(0, 0), np.zeros((0, matte.shape[1]), np.float32)
    unit = max(matte.shape) / 1000
    low = footing.bottom[footing.touching]
    band = slice(max(0, int(low.min() - 36 * unit)), min(height, int(low.max() + 36 * unit) + 2))
    below = np.arange(band.start, band.stop, dtype=np.float32)[:, None] - footing.bottom[None, :]
    line = footing.touching[None, :] & (below > -6 * unit) & (below <= max(1.0, 1.5 * unit))
    line_ = line.astype(np.float32)
    tight = cv2.GaussianBlur(line_, (0, 0), sigmaX=max(0.8, 3.0 * unit), sigmaY=max(0.6, 1.8 * unit))
    wide = cv2.GaussianBlur(line_, (0, 0), sigmaX=max(1.2, 11.0 * unit), sigmaY=max(0.9, 5.5 * unit))
    dark = 0.75 * tight + 0.85 * wide
    if spots:
        dark += _spots(footing, band, unit)
    return band, np.clip(dark, 0.0, 1.0).astype(np.float32)


def _spots(footing: Footing, band: slice, unit: float) -> Floats:
    """A soft spot under each foot, float32 [rows, w]."""
    rows = np.arange(band.start, band.stop, dtype=np.float32)[:, None]
    columns = np.arange(len(footing.bottom), dtype=np.float32)[None, :]
    out = np.zeros((len(rows), columns.shape[1]), np.float32)
    for foot in footing.feet:
        reach = (foot.right - foot.left + 1) / 2 + _AROUND * unit
        apart = ((columns - (foot.left + foot.right) / 2) / reach) ** 2
        apart = apart + ((rows - foot.row) / (max(footing.foreshortening, 0.3) * reach)) ** 2
        np.maximum(out, _SPOT * np.exp(-apart), out=out)
    return out
