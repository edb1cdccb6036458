"""The mask refiner: a light U-Net at half size that corrects a product's probability, pixel by pixel, by what it sees.

The task is CascadePSP's (Cheng et al. 2020): the picture and a coarse mask in, a mask with true edges out. It begins as
the identity: its last layer, which adds to the log odds, starts at zero.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from transforms.ops.clues import CLUES

_WIDTHS = (24, 40, 64, 96, 112)  # channels at strides 2, 4, 8, 16 and 32
_LEAST_CHANCE = 0.02  # as `log_odds` of transforms/ops/masks.py
_LOGS = 96.0  # clues' levels a unit of what the network sees


class Refiner(nn.Module):
    """A picture with its clues -> logits of "product", [B, 1, H, W].

    Takes RGB and the clues of `transforms.ops.clues`, float [B, 8, H, W] in [0, 255]; sides are divisible by 32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), _block(4 * (3 + CLUES), _WIDTHS[0]))
        self.down = nn.ModuleList(nn.Sequential(_block(a, b, stride=2), _block(b, b)) for a, b in pairwise(_WIDTHS))
        self.narrow = nn.ModuleList(_block(b, a, size=1) for a, b in pairwise(_WIDTHS))
        self.join = nn.ModuleList(_block(a, a) for a in _WIDTHS[:-1])
        self.context = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(_WIDTHS[-1], _WIDTHS[-1], 1))
        self.last = nn.Conv2d(_WIDTHS[0], 4, 3, padding=1)
        self.head = nn.PixelShuffle(2)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(cast(Tensor, self.last.bias))

    def forward(self, shown: Tensor) -> Tensor:
        """See the class."""
        images, clues = shown[:, :3], shown[:, 3:]
        odds = _log_odds(clues[:, :2] / 255)
        x = torch.cat([images / 128 - 1, odds / 4, clues[:, 2:] / _LOGS - 1], 1)
        levels = [self.stem(x)]
        for layer in self.down:
            levels.append(layer(levels[-1]))
        y = levels[-1] + self.context(levels[-1])
        for narrow, join, skip in zip(reversed(self.narrow), reversed(self.join), reversed(levels[:-1]), strict=True):
            y = join(
                skip + nn.functional.interpolate(narrow(y), scale_factor=2.0, mode="bilinear", align_corners=False)
            )
        return cast(Tensor, odds[:, :1] + self.head(self.last(y)))


def _log_odds(chance: Tensor) -> Tensor:
    clipped = chance.clamp(_LEAST_CHANCE, 1 - _LEAST_CHANCE)
    return (clipped / (1 - clipped)).log()


def _block(inputs: int, outputs: int, *, size: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, momentum=0.05), nn.ReLU(inplace=True))
