"""Super-resolution by three in one step: a small convolutional network that adds detail to a bicubic enlargement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

SCALE = 3


@dataclass(frozen=True)
class UpscalerSpec:
    """Sizes: channels of the features, and blocks of three convolutions each."""

    width: int = 32
    blocks: int = 4


class Upscaler(nn.Module):
    """RGB in [0, 1], float32 [B, 3, H, W] to [B, 3, 3H, 3W]; not clipped.

    The blocks are SPAN's (arXiv 2311.12770): the features gate themselves, without parameters. All work is done at
    the small size. A new network answers what bicubic interpolation does.
    """

    def __init__(self, spec: UpscalerSpec) -> None:
        super().__init__()
        self.spec = spec
        self.first = nn.Conv2d(3, spec.width, 3, padding=1)
        self.blocks = nn.ModuleList(_Block(spec.width) for _ in range(spec.blocks))
        self.joined = nn.Conv2d(2 * spec.width, spec.width, 1)
        self.last = nn.Conv2d(spec.width, 3 * SCALE**2, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(cast(Tensor, self.last.bias))

    def forward(self, small_BCHW: Tensor) -> Tensor:
        """See the class."""
        first_BCHW = self.first(small_BCHW - 0.5)
        features_BCHW = first_BCHW
        for block in self.blocks:
            features_BCHW = block(features_BCHW)
        joined_BCHW = self.joined(torch.cat((first_BCHW, features_BCHW), 1))
        detail_BCHW = functional.pixel_shuffle(self.last(joined_BCHW), SCALE)
        plain_BCHW = functional.interpolate(small_BCHW, scale_factor=float(SCALE), mode="bicubic", align_corners=False)
        return plain_BCHW + detail_BCHW


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two, self.three = (nn.Conv2d(width, width, 3, padding=1) for _ in range(3))

    def forward(self, features: Tensor) -> Tensor:
        deep = self.three(functional.silu(self.two(functional.silu(self.one(features)))))
        return cast(Tensor, (deep + features) * (deep.sigmoid() - 0.5) + features)
