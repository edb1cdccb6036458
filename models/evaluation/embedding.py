"""Pictures as vectors: the pooled last features of EfficientNet-lite0 (Tan & Le 2019) with ImageNet weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.training.features import imagenet_network

Pixels = NDArray[np.uint8]
SIDE = 224  # what the network was trained at
_MEAN, _SCALE = 127.0, 128.0  # its own normalisation of 8-bit RGB


class Embedder:
    """Call it with pictures, uint8 [h, w, 3] of any sizes: float32 [N, 1280]."""

    def __init__(self) -> None:
        self._network = imagenet_network().eval().requires_grad_(False)

    def __call__(self, pictures: Iterable[Pixels]) -> NDArray[np.float32]:
        """Each by itself, squeezed to a square as a whole, so that its edges count."""
        return np.stack([self._embed(picture) for picture in pictures])

    def _embed(self, picture: Pixels) -> NDArray[np.float32]:
        small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        batch = torch.from_numpy((small - _MEAN) / _SCALE).permute(2, 0, 1)[None]
        with torch.inference_mode():
            features = self._network.extract_features(batch).mean((2, 3))[0]
        return cast(NDArray[np.float32], features.numpy())


def variety(features: NDArray[np.float32]) -> float:
    """How different pictures are: 1 - cosine of their features [N, D], mean over pairs; 0 for one picture.

    >>> variety(np.eye(2, dtype=np.float32))
    1.0
    """
    count = len(features)
    if count < 2:
        return 0.0
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
    likeness = unit @ unit.T
    return float(1 - (likeness.sum() - np.trace(likeness)) / (count * (count - 1)))
