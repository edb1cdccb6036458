"""The reward: two probabilities of a defect, of the product and of its background, from an original and a scene."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

HEADS = ("product", "background")
_STRIDE = 16  # pixels of a feature
_STEP_GAIN = 8.0  # brings the steps of a soft backdrop to the order of its colours
CHANNELS = 7  # see `transforms.ops.pairs.pair_of`


class Reward(nn.Module):
    """A pair uint8 [B, 160, 160, 7] (see `transforms.ops.pairs`) to probabilities of a defect, float32 [B, 2].

    `forward` answers calibrated probabilities, `logits` what training looks at. Two things are laid before the network
    as channels of their own: the difference of scene and original inside the product, where it has to be nothing, and
    the steps between neighbouring pixels of the backdrop, without which training finds neither garbage nor seams. Each
    head reads its own part of the picture: one the product and what is near it, the other what lies outside.
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        sizes = (CHANNELS + 12, width, width * 4 // 3, width * 8 // 3, width * 4)
        stages = [_stage(wide, wider, again=number > 0) for number, (wide, wider) in enumerate(pairwise(sizes))]
        self.features = nn.Sequential(*stages)
        self.product, self.background = (
            nn.Sequential(nn.Linear(2 * sizes[-1], 32), nn.ReLU(), nn.Linear(32, 1)) for _ in HEADS
        )
        self.scale = nn.Buffer(torch.ones(len(HEADS)))
        self.shift = nn.Buffer(torch.zeros(len(HEADS)))

    def logits(self, pair_BHWC: Tensor) -> Tensor:
        """Before calibration, float32 [B, 2]."""
        planes_BCHW = pair_BHWC.float().permute(0, 3, 1, 2) / 255  # cast first: TensorRT moves no bytes
        original, alpha, scene = planes_BCHW[:, :3] - 0.5, planes_BCHW[:, 3:4], planes_BCHW[:, 4:] - 0.5
        within, around = 4 * (scene - original) * alpha, scene * (1 - alpha)
        seen = torch.cat((original, alpha, scene, within, around, _steps(scene, alpha)), 1)
        features = self.features(seen)
        inside = functional.avg_pool2d(alpha, _STRIDE)
        near = functional.max_pool2d((inside > 0).float(), 3, stride=1, padding=1)
        heads = (self.product(_pooled(features, near)), self.background(_pooled(features, 1 - inside)))
        return torch.cat(heads, 1)

    def forward(self, pair_BHWC: Tensor) -> Tensor:
        """See the class."""
        return torch.sigmoid(self.logits(pair_BHWC) * self.scale + self.shift)


def _steps(scene_B3HW: Tensor, alpha_B1HW: Tensor) -> Tensor:
    """Absolute differences of a pixel and the next, across and down, amplified; 0 at the product, [B, 6, H, W]."""
    outside = 1 - functional.max_pool2d(torch.ceil(alpha_B1HW), 3, stride=1, padding=1)
    across = functional.pad(scene_B3HW[..., 1:] - scene_B3HW[..., :-1], (0, 1))
    down = functional.pad(scene_B3HW[..., 1:, :] - scene_B3HW[..., :-1, :], (0, 0, 0, 1))
    return (_STEP_GAIN * torch.cat((across, down), 1).abs() * outside).clamp(max=2)


def _pooled(features_BCHW: Tensor, weight_B1HW: Tensor) -> Tensor:
    """Weighted mean and maximum of features that are nowhere negative, [B, 2C]."""
    weighted_BCHW = features_BCHW * weight_B1HW
    mean_BC = weighted_BCHW.sum((2, 3)) / weight_B1HW.sum((2, 3)).clamp(min=1)
    return torch.cat((mean_BC, weighted_BCHW.amax((2, 3))), 1)


def _stage(wide: int, wider: int, *, again: bool) -> nn.Sequential:
    def convolved(channels: int, stride: int) -> tuple[nn.Module, ...]:
        return (
            nn.Conv2d(channels, wider, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(wider),
            nn.ReLU(inplace=True),
        )

    return nn.Sequential(*convolved(wide, 2), *(convolved(wider, 1) if again else ()))


def fit_platt(logits: NDArray[np.float64], truth: NDArray[np.float64]) -> tuple[float, float]:
    """(scale, shift) of one head that make its probabilities true ones, by Newton's method on the cross entropy.

    Platt 1999: the truths are drawn in by what so many samples can say, so that separable ones stay finite.

    Args:
        logits: [N].
        truth: [N], 0 or 1.
    """
    ones, zeros = float(truth.sum()), float((1 - truth).sum())
    target = np.where(truth > 0, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    design = np.stack([logits, np.ones_like(logits)], 1)
    weights = np.array([1.0, 0.0])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (chance - target)
        curve = design.T @ (design * (chance * (1 - chance))[:, None]) + 1e-6 * np.eye(2)
        step = np.linalg.solve(curve, slope)
        weights -= step / max(1.0, float(np.abs(step).max()))
    return float(weights[0]), float(weights[1])


def fit_heads(logits: NDArray[np.float64], truth: NDArray[np.float64]) -> list[tuple[float, float]]:
    """(scale, shift) of each head, each over the pictures without a defect of the other's.

    Training leaves a head free on those (see `loss_of` in `models.training.train_reward`): what it says there is no
    opinion, and probabilities that made room for it would be too timid where it has one.

    Args:
        logits, truth: [N, 2]; see `fit_platt`.
    """
    alone = truth[:, ::-1] == 0
    return [fit_platt(logits[rows, head], truth[rows, head]) for head, rows in enumerate(alone.T)]


def calibration_error(chance: NDArray[np.float64], truth: NDArray[np.float64], bins: int = 10) -> float:
    """Expected calibration error: the mean gap of stated and true shares over bins of equal width, by their weight."""
    place = np.minimum((chance * bins).astype(int), bins - 1)
    gaps = [
        abs(float(chance[place == at].mean() - truth[place == at].mean())) * float((place == at).mean())
        for at in set(place)
    ]
    return float(sum(gaps))
