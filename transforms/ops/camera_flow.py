"""What a camera does to a picture of a still scene: it pans and zooms, and near things move more than far ones.

Both are fitted by least squares that are weighted anew by Cauchy's weights, so that what moves otherwise counts little.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transforms.ops.motion import Flow, Real
from transforms.records import Size

_ROUNDS = 12
_ASTRAY = 0.7  # pixels: half the weight
_EVERY = 3  # pixels: parallax is looked for at every third one
_LEAST_SPEED = 0.1  # of the mean: nearer to where the camera heads, directions are noise

Table = NDArray[np.float64]


class PanZoom(NamedTuple):
    """A camera that only turns and zooms.

    Attributes:
        across, down: of the centre, pixels.
        grown: by how much places lie further from the centre, as a share.
    """

    across: float
    down: float
    grown: float


def pan_zoom_of(flow: Flow, trust: Real) -> PanZoom:
    """The pan and zoom that explains a flow, float32 [h, w, 2], best; `trust` in [0, 1], [h, w]."""
    places, moves, known = _places(flow.shape[:2]), flow.reshape(-1, 2).astype(np.float64), trust.ravel() + 1e-9
    weights, found = known, PanZoom(0.0, 0.0, 0.0)
    for _ in range(_ROUNDS):
        found = _fitted(places, moves, weights / weights.sum())
        weights = known * _cauchy(np.hypot(*(moves - _moved(places, found)).T))
    return found


def flow_by(found: PanZoom, size: Size) -> Flow:
    """The flow of a pan and zoom, float32 [h, w, 2]."""
    return _moved(_places((size.height, size.width)), found).reshape(size.height, size.width, 2).astype(np.float32)


def off_parallax(flow: Flow, trust: Real) -> float:
    """By how much a flow differs from those of a moving camera in any still scene: root mean square, pixels.

    Wherever things lie in depth, such flows meet one equation, linear in three numbers of the camera's way and six of
    its turn and lens (Brooks, Chojnacki, Baumela 1997, "Determining the egomotion of an uncalibrated camera from
    instantaneous optical flow").
    """
    height, width = flow.shape[:2]
    unit = max(height, width) / 2
    thin = np.s_[::_EVERY, ::_EVERY]
    x, y = _places((height, width)).reshape(height, width, 2)[thin].reshape(-1, 2).T / unit
    u, v = flow[thin].reshape(-1, 2).T.astype(np.float64) / unit
    terms = np.stack([-v, u, v * x - u * y, x * x, x * y, x, y * y, y, np.ones_like(x)], 1)
    known = trust[thin].ravel() + 1e-9
    weights, apart = known, known
    for _ in range(_ROUNDS):
        apart = unit * _distances(terms, x, y, weights / weights.sum())
        weights = known * _cauchy(apart)
    return float(np.sqrt((apart**2 * known).sum() / known.sum()))


def _distances(terms: Table, x: Table, y: Table, weights: Table) -> Table:
    """From each move to the nearest one that meets the equation that meets all of them best."""
    squares = (terms * weights[:, None]).T @ terms
    turned = np.linalg.solve(squares[3:, 3:] + 1e-9 * np.eye(6), squares[3:, :3])
    speeds = np.stack([np.stack([0 * x, 0 * x + 1, -y], 1), np.stack([0 * x - 1, 0 * x, x], 1)])
    scale = np.linalg.cholesky(np.einsum("kni,n,knj->ij", speeds, weights, speeds) + 1e-9 * np.eye(3))
    left = np.linalg.solve(scale, squares[:3, :3] - squares[:3, 3:] @ turned)
    way = np.linalg.solve(scale.T, np.linalg.eigh(np.linalg.solve(scale, left.T))[1][:, 0])
    off = np.abs(terms @ np.concatenate([way, -turned @ way]))
    return off / np.maximum(np.hypot(*(speeds @ way)), _LEAST_SPEED)


def _fitted(places: Table, moves: Table, weights: Table) -> PanZoom:
    """By weights that sum to 1."""
    middle, mean = weights @ places, weights @ moves
    away = places - middle
    grown = float((weights @ (away * (moves - mean)).sum(1)) / max(float(weights @ (away**2).sum(1)), 1e-9))
    across, down = mean - grown * middle
    return PanZoom(float(across), float(down), grown)


def _moved(places: Table, found: PanZoom) -> Table:
    return np.array([found.across, found.down]) + found.grown * places


def _places(shape: tuple[int, ...]) -> Table:
    """Of pixels from the centre, float64 [h * w, 2], (x, y)."""
    rows, columns = np.indices(shape, np.float64)
    return np.stack([columns - (shape[1] - 1) / 2, rows - (shape[0] - 1) / 2], -1).reshape(-1, 2)


def _cauchy(apart: Table) -> Table:
    return np.asarray(1 / (1 + (apart / _ASTRAY) ** 2), np.float64)
