"""The stager: a light U-Net at half size that answers how a product changes the light of the set it is put into.

It is shown the empty set, the product in it and what geometry says of its shadow (`transforms.ops.staging`), and
answers the logarithm of the set's change. It begins as no change: its last layer starts at zero. Beside a change of its
own it answers how far each of the geometric shadows is to be believed, pixel by pixel: so it need not draw their edges.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from transforms.ops.staging import SHOWN

_WIDTHS = (32, 48, 80, 112)  # channels at strides 2, 4, 8 and 16
_CLUES = slice(7, 10)
_DARKEST = 0.08  # of a geometric shadow
_STEEPEST = 4.0  # logarithm of the largest change


class Stager(nn.Module):
    """Planes of `transforms.ops.staging.shown_of`, float [B, 13, H, W] in [0, 255] -> change [B, 3, H, W].

    Sides are divisible by 16.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), _block(4 * SHOWN, _WIDTHS[0]))
        self.down = nn.ModuleList(nn.Sequential(_block(a, b, stride=2), _block(b, b)) for a, b in pairwise(_WIDTHS))
        self.far = nn.Sequential(*(_block(_WIDTHS[-1], _WIDTHS[-1], spread=step) for step in (2, 4)))
        self.narrow = nn.ModuleList(_block(b, a, size=1) for a, b in pairwise(_WIDTHS))
        self.join = nn.ModuleList(_block(a, a) for a in _WIDTHS[:-1])
        self.context = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(_WIDTHS[-1], _WIDTHS[-1], 1))
        self.last = nn.Conv2d(_WIDTHS[0], 4 * 6, 3, padding=1)
        self.head = nn.PixelShuffle(2)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(cast(Tensor, self.last.bias))

    def forward(self, shown: Tensor) -> Tensor:
        """See the class."""
        levels = [self.stem(shown / 128 - 1)]
        for layer in self.down:
            levels.append(layer(levels[-1]))
        y = self.far(levels[-1]) + levels[-1]
        y = y + self.context(y)
        for narrow, join, skip in zip(reversed(self.narrow), reversed(self.join), reversed(levels[:-1]), strict=True):
            y = join(
                skip + nn.functional.interpolate(narrow(y), scale_factor=2.0, mode="bilinear", align_corners=False)
            )
        change, belief = self.head(self.last(y)).split(3, 1)
        shadows = (shown[:, _CLUES] / 255).clamp(min=_DARKEST).log()
        whole = change + (belief * shadows).sum(1, keepdim=True)
        return cast(Tensor, whole.clamp(-_STEEPEST, _STEEPEST))


def _block(inputs: int, outputs: int, *, size: int = 3, stride: int = 1, spread: int = 1) -> nn.Sequential:
    padding = size // 2 * spread
    convolution = nn.Conv2d(inputs, outputs, size, stride=stride, padding=padding, dilation=spread, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, momentum=0.05), nn.ReLU(inplace=True))


def levels_of(ground: Tensor, change: Tensor, floor: float) -> Tensor:
    """The set [B, 3, H, W] in [0, 255] in the changed light, as `transforms.ops.staging.shaded` but unclipped."""
    return (ground + floor) * torch.exp(change) - floor
