"""The autoencoder of the Canvas family: pictures to a small grid of numbers and back.

One latent cell stands for 16 x 16 pixels and holds `channels` numbers. The decoder takes what is already known beside
them: a mask, and the masked picture over what the linear code answers, folded into its levels (as Canvas does for
outpainting, arXiv 2603.06453), so that it joins what it paints to what it was given. Normalisation looks at one place
alone, so a cell's answer depends on its neighbourhood and never on the rest of the picture, and any size decodes alike.
Beside the networks run linear maps that begin as the principal components of cells and the best linear guess from them
(`begin_linear`), so training starts from there. It costs about 17,000 multiplications a pixel to encode and 25,000 to
decode: the full size is never convolved, sub-pixel layers (Shi et al. 2016) lead from a quarter and to half of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.checkpoint import Card, read_checkpoint
from models.registry import LATENT_CHANNELS, STRIDE

_RIDGE = 0.01  # of the variance of latents, against chance where few cells are seen


@dataclass(frozen=True)
class AutoencoderSpec:
    """Sizes of an autoencoder.

    Attributes:
        channels: numbers of a latent cell.
        widths: channels at 1/2, 1/4, 1/8 and 1/16 of a side.
        depths: residual blocks at those levels, in the encoder (its first level has none) and in the decoder.
    """

    channels: int = LATENT_CHANNELS
    widths: tuple[int, int, int, int] = (24, 48, 96, 160)
    depths: tuple[int, int, int, int] = (1, 2, 2, 2)


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside a skip; the second begins at nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = _silent(nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """[B, width, H, W] -> the same."""
        return cast(Tensor, x + self.second(functional.silu(self.first(functional.silu(x)))))


def _silent(layer: nn.Conv2d) -> nn.Conv2d:
    """`layer`, answering nothing until it is trained."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(cast(Tensor, layer.bias))
    return layer


def even(x: Tensor) -> Tensor:
    """[B, C, H, W] with a mean square of 1 over the channels of each place (Zhang & Sennrich 2019).

    Without it a long training lets the levels grow until all that reaches the last layer is far below zero, where
    nothing passes on. It looks at one place alone, so a picture still decodes alike at every size.
    """
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-6)


def _blocks(width: int, depth: int) -> nn.Sequential:
    return nn.Sequential(*(Residual(width) for _ in range(depth)))


class Encoder(nn.Module):
    """Pictures [B, 3, H, W] in [-1, 1], sides divisible by 16 -> latents [B, channels, H/16, W/16].

    Their channels have mean 0 and, on average, variance 1: see `Autoencoder.normalise`.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, spec: AutoencoderSpec) -> None:
        super().__init__()
        _, quarter, eighth, sixteenth = spec.widths
        self.stem = nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(48, quarter, 3, padding=1))
        self.quarter = _blocks(quarter, spec.depths[1])
        self.to_eighth = nn.Conv2d(quarter, eighth, 4, stride=2, padding=1)
        self.eighth = _blocks(eighth, spec.depths[2])
        self.to_sixteenth = nn.Conv2d(eighth, sixteenth, 4, stride=2, padding=1)
        self.sixteenth = _blocks(sixteenth, spec.depths[3])
        self.head = _silent(nn.Conv2d(sixteenth, spec.channels, 3, padding=1))
        self.linear = nn.Conv2d(3, spec.channels, STRIDE, stride=STRIDE)
        self.register_buffer("mean", torch.zeros(1, spec.channels, 1, 1))
        self.register_buffer("scale", torch.ones(1, spec.channels, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        y = self.quarter(even(self.stem(pictures)))
        y = self.eighth(even(self.to_eighth(y)))
        y = self.sixteenth(even(self.to_sixteenth(y)))
        y = self.linear(pictures) + self.head(even(y))
        return cast(Tensor, (y - self.mean) / self.scale)


class Decoder(nn.Module):
    """Latents, and a picture of which a mask says what is known -> pictures [B, 3, H, W], about [-1, 1].

    `given` is [B, 3, H, W] in [-1, 1], `known` [B, 1, H, W], 1 where `given` counts; all zeros decodes latents alone.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, spec: AutoencoderSpec) -> None:
        super().__init__()
        half, quarter, eighth, sixteenth = spec.widths
        self.register_buffer("mean", torch.zeros(1, spec.channels, 1, 1))
        self.register_buffer("scale", torch.ones(1, spec.channels, 1, 1))
        self.stem = nn.Conv2d(spec.channels, sixteenth, 3, padding=1)
        levels = ((16, sixteenth), (8, eighth), (4, quarter), (2, half))
        self.guides = nn.ModuleList(_Guide(stride, width) for stride, width in levels)
        self.blocks = nn.ModuleList(
            _blocks(width, depth) for (_, width), depth in zip(levels, spec.depths[::-1], strict=True)
        )
        self.ups = nn.ModuleList(_doubling(wide, slim) for (_, wide), (_, slim) in pairwise(levels))
        self.head = nn.Sequential(nn.SiLU(), _silent(nn.Conv2d(half, 12, 3, padding=1)), nn.PixelShuffle(2))
        self.linear = nn.ConvTranspose2d(spec.channels, 3, 3 * STRIDE, stride=STRIDE, padding=STRIDE)

    def forward(self, latents: Tensor, given: Tensor, known: Tensor) -> Tensor:
        """See the class."""
        cells = latents * self.scale + self.mean
        coarse = self.linear(cells)
        guide = torch.cat([joined(coarse, given, known), known], 1)
        y = self.stem(cells)
        for number, (guided, blocks) in enumerate(zip(self.guides, self.blocks, strict=True)):
            if number:
                y = self.ups[number - 1](y)
            y = blocks(even(y) + guided(guide))
        return cast(Tensor, coarse + self.head(even(y)))

    def linear_part(self, latents: Tensor) -> Tensor:
        """What the linear map alone answers; a decoder that adds nothing to it is dead."""
        return cast(Tensor, self.linear(latents * self.scale + self.mean))


def _doubling(wide: int, slim: int) -> nn.Sequential:
    """Twice the side by a sub-pixel layer: each of its four places has weights of its own.

    After nearest neighbours and one convolution a place does not know where in its cell it lies, and cannot tell the
    joins of cells from edges of the picture: nothing that it could add is right on average, and it learns nothing.
    """
    return nn.Sequential(nn.Conv2d(wide, 4 * slim, 3, padding=1), nn.PixelShuffle(2))


class _Guide(nn.Module):
    """The linear answer under what is known, and the mask, brought to one level.

    The mask begins at nothing.
    """

    def __init__(self, stride: int, width: int) -> None:
        super().__init__()
        self.fold = nn.PixelUnshuffle(stride)
        self.mix = nn.Conv2d(4 * stride * stride, width, 1, bias=False)
        nn.init.zeros_(self.mix.weight[:, 3 * stride * stride :])  # the mask's: it is folded last

    def forward(self, guide: Tensor) -> Tensor:
        return cast(Tensor, self.mix(self.fold(guide)))


class Autoencoder(nn.Module):
    """Both halves of one spec."""

    def __init__(self, spec: AutoencoderSpec = AutoencoderSpec()) -> None:
        super().__init__()
        self.spec = spec
        self.encoder, self.decoder = Encoder(spec), Decoder(spec)

    @torch.no_grad()
    def begin_linear(self, pictures: Tensor) -> None:
        """Fit the linear maps to `pictures` [B, 3, H, W].

        The encoder's answers the principal components of cells, to unit variance; the decoder's is the best linear
        guess of a cell from them and from those of the eight cells around it, which hides most joins.
        """
        cells = functional.unfold(pictures, STRIDE, stride=STRIDE).transpose(1, 2).flatten(0, 1)
        mean = cells.mean(0)
        _, values, vectors = torch.linalg.svd(cells - mean, full_matrices=False)
        spread = (values / len(cells) ** 0.5)[: self.spec.channels, None].clamp(min=1e-4)
        basis = vectors[: self.spec.channels]
        self.encoder.linear.weight.copy_((basis / spread).view(self.spec.channels, 3, STRIDE, STRIDE))
        cast(Tensor, self.encoder.linear.bias).copy_(-(basis / spread) @ mean)
        # what the components leave of the mean is the same everywhere in a cell but for its place: one colour stays
        colour = mean.view(3, -1).mean(1)
        cast(Tensor, self.decoder.linear.bias).copy_(colour)
        latents = self.encoder.linear(pictures)
        around = functional.unfold(latents, 3, padding=1).transpose(1, 2).flatten(0, 1)  # [cells, channels x 9]
        own = latents.flatten(2).transpose(1, 2).flatten(0, 1)
        left = cells - colour.repeat_interleave(STRIDE * STRIDE) - own @ (basis * spread)
        damped = around.T @ around + _RIDGE * len(cells) * torch.eye(around.shape[1])
        maps = torch.linalg.solve(damped, around.T @ left).view(self.spec.channels, 3, 3, 3, STRIDE, STRIDE)
        maps[:, 1, 1] += (basis * spread).view(self.spec.channels, 3, STRIDE, STRIDE)
        # a cell's neighbour above, the first of `maps`, paints the part of the kernel that reaches down, its last
        whole = maps.flip(1, 2).permute(0, 3, 1, 4, 2, 5)
        self.decoder.linear.weight.copy_(whole.reshape(self.decoder.linear.weight.shape))

    @torch.no_grad()
    def normalise(self, mean: Tensor, scale: Tensor, spread: float = 0.0) -> None:
        """Let latents have mean 0, and variances whose mean is 1.

        Args:
            mean, scale: [channels], what latents have now.
            spread: what power of its weight in the picture a channel keeps as its deviation. 0 makes all equal: then
                fine detail that no generator can predict counts as much as a cell's mean colour. 1 keeps the picture's
                own proportions, which drowns detail in noise until the last steps.
        """
        for half in (self.encoder, self.decoder):
            half.mean += mean.view(1, -1, 1, 1) * half.scale
            half.scale *= scale.view(1, -1, 1, 1)
        weight = self.decoder.linear.weight.flatten(1).norm(dim=1) * self.decoder.scale.flatten()
        kept = weight.clamp(min=1e-8) ** spread
        kept = kept / kept.square().mean().sqrt()
        for half in (self.encoder, self.decoder):
            half.scale /= kept.view(1, -1, 1, 1)


def read_autoencoder(folder: Path) -> tuple[Autoencoder, Card]:
    """The autoencoder of a checkpoint, ready to answer, and its card.

    Raises:
        ConfigError: there is no such checkpoint (see `models.checkpoint.read_checkpoint`).
    """
    checkpoint = read_checkpoint(folder, "autoencoder")
    told = checkpoint.card.spec.items()
    sizes: dict[str, Any] = {name: tuple(size) if isinstance(size, list) else size for name, size in told}
    autoencoder = Autoencoder(AutoencoderSpec(**sizes))
    autoencoder.load_state_dict(checkpoint.tensors)
    return autoencoder.eval(), checkpoint.card


def joined(decoded: Tensor, given: Tensor, known: Tensor) -> Tensor:
    """`decoded` with what is known laid over it: exact where `known` is 1."""
    return decoded * (1 - known) + given * known
