"""What the segmenter is trained to make small."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def matte_loss(logits: Tensor, alpha: Tensor, weight: Tensor) -> Tensor:
    """Weighted cross entropy plus soft IoU loss, a scalar; all arguments [B, 1, H, W], `alpha` in [0, 1].

    Cross entropy decides pixels, `weight` makes edges and thin parts count; IoU (Rahman & Wang 2016) makes a small
    product count as much as a large one.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, alpha, reduction="none")
    entropy = (entropy * weight).sum() / weight.sum()
    chance = logits.sigmoid()
    both = (chance * alpha).sum((1, 2, 3))
    either = (chance + alpha - chance * alpha).sum((1, 2, 3))
    return entropy + (1 - (both + 1) / (either + 1)).mean()
