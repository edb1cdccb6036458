"""The base of the Canvas family: a rectified-flow network over latents, conditioned on pictures and words.

What is given in register with the target (a product laid in place, a frame) joins the latents as channels: as tokens,
in the manner of FLUX.1 Kontext, it would double what attention and convolutions work on. Up to eight reference
pictures that are not in register join the words as tokens. Both bodies are diffusers' own classes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from models.checkpoint import Card, read_checkpoint
from models.preconditioning import Preconditioning, upgraded
from models.registry import LATENT_CHANNELS, MOST_REFERENCES, STRIDE, TEXT_TOKENS, TEXT_WIDTH, CanvasSpec
from transforms.errors import ConfigError

PRECONDITIONING = "preconditioning."  # with what its weights' names begin
_INPUTS = 2 * LATENT_CHANNELS + 1
_HEAD = 64
_NORM_GROUPS = 8  # few, so that what is alike all over a picture, its colour, is not normalised away


class Canvas(nn.Module):
    """Answers velocities, whatever its body predicts.

    `forward(latents, time, given, known, text, references, task=...)`: latents, given [B, 32, h, w]; time [B] in
    [0, 1]; known [B, 1, h, w], the share of each cell that is known; text [B, 32, 128], 0 where no token stands;
    references [B, N, 32, h', w'] or None, N up to 8. All float32; answers [B, 32, h, w]. `task` is the variant that the
    whole batch is asked for: what is given is carried by its correlation.
    """

    def __init__(self, spec: CanvasSpec) -> None:
        super().__init__()
        self.spec = spec
        self.body = _dit(spec) if spec.body == "dit" else _unet(spec)
        self.preconditioning = Preconditioning(LATENT_CHANNELS)
        self.reference = nn.Linear(LATENT_CHANNELS, TEXT_WIDTH)
        self.slot = nn.Parameter(torch.randn(MOST_REFERENCES, TEXT_WIDTH) * 0.02)

    def forward(
        self,
        latents: Tensor,
        time: Tensor,
        given: Tensor,
        known: Tensor,
        text: Tensor,
        references: Tensor | None = None,
        *,
        task: str,
    ) -> Tensor:
        """See the class."""
        words = text if references is None else torch.cat([text, self._tokens(references)], 1)
        body = self._by_transformer if self.spec.body == "dit" else self._by_unet
        if self.spec.predicts == "velocity":
            return body(torch.cat([latents, given, known], 1), time, words)
        when, scales = time.view(-1, 1, 1, 1), self.preconditioning
        prior = scales.prior(given, known, task)
        inputs = torch.cat([scales.shown(latents, when, prior), scales.standard(given), known], 1)
        return scales.velocity(latents, when, body(inputs, time, words), prior)

    def _by_unet(self, inputs: Tensor, time: Tensor, words: Tensor) -> Tensor:
        whole = words[:, :TEXT_TOKENS].mean(1)  # what a whole picture is told joins the time
        return cast(Tensor, self.body(inputs, time * 1000.0, words, class_labels=whole, return_dict=False)[0])

    def _tokens(self, references: Tensor) -> Tensor:
        """[B, N, 32, h, w] -> [B, N h w, 128]."""
        cells = self.reference(references.flatten(3).transpose(2, 3))
        return cast(Tensor, (cells + self.slot[None, : cells.shape[1], None]).flatten(1, 2))

    def _by_transformer(self, inputs: Tensor, time: Tensor, words: Tensor) -> Tensor:
        batch, _, height, width = inputs.shape
        answer = self.body(
            hidden_states=inputs.flatten(2).transpose(1, 2),
            encoder_hidden_states=words,
            pooled_projections=words[:, :TEXT_TOKENS].mean(1),
            timestep=time,
            img_ids=_places(height, width),
            txt_ids=torch.zeros(words.shape[1], 3),
            return_dict=False,
        )[0]
        return cast(Tensor, answer.transpose(1, 2).reshape(batch, LATENT_CHANNELS, height, width))


def _places(height: int, width: int) -> Tensor:
    """(0, row, column) of each cell, as FLUX numbers them: [height * width, 3]."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([torch.zeros_like(rows), rows, columns], -1).reshape(-1, 3).float()


def _unet(spec: CanvasSpec) -> Any:
    """A conditional U-Net without attention at its first level, where it is dear and convolutions do."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    lower = len(spec.widths) - 1
    return UNet2DConditionModel(
        in_channels=_INPUTS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=spec.widths,
        layers_per_block=spec.depth,
        down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * lower),
        up_block_types=(*["CrossAttnUpBlock2D"] * lower, "UpBlock2D"),
        attention_head_dim=tuple(2 * width // _HEAD for width in spec.widths),  # the number of heads, despite its name
        cross_attention_dim=TEXT_WIDTH,
        norm_num_groups=_NORM_GROUPS,
        resnet_time_scale_shift="scale_shift",
        class_embed_type="projection",
        projection_class_embeddings_input_dim=TEXT_WIDTH,
    )


def _dit(spec: CanvasSpec) -> Any:
    from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel

    return FluxTransformer2DModel(
        patch_size=1,
        in_channels=_INPUTS,
        out_channels=LATENT_CHANNELS,
        num_layers=spec.depth,
        num_single_layers=2 * spec.depth,
        attention_head_dim=_HEAD,
        num_attention_heads=spec.widths[0] // _HEAD,
        joint_attention_dim=TEXT_WIDTH,
        pooled_projection_dim=TEXT_WIDTH,
        axes_dims_rope=(16, 24, 24),
    )


def read_canvas(folder: Path) -> tuple[Canvas, Card]:
    """The base or variant of a checkpoint, ready to answer, and its card.

    Raises:
        ConfigError: there is no such checkpoint (`models.checkpoint.read_checkpoint`), or an earlier network wrote it.
    """
    checkpoint = read_checkpoint(folder, "canvas")
    spec = checkpoint.card.spec
    network = Canvas(CanvasSpec(spec["body"], tuple(spec["widths"]), spec["depth"], spec.get("predicts", "velocity")))
    try:
        network.load_state_dict(upgraded(checkpoint.tensors, PRECONDITIONING))
    except RuntimeError as error:
        raise ConfigError(
            f"the weights under {folder} are of a network that is no more", remedy="train anew"
        ) from error
    return network.eval(), checkpoint.card


def latent_size(height: int, width: int) -> tuple[int, int]:
    """Cells of a picture whose sides are divisible by 16.

    >>> latent_size(608, 416)
    (38, 26)
    """
    return height // STRIDE, width // STRIDE
