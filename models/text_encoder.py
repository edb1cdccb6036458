"""The text encoder: a small transformer whose words and whole sentence other models are conditioned on.

Training needs torch; what serves it is `models.serving.text`, on an exported file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.serving.text import MAX_TOKENS, WIDTH


@dataclass(frozen=True)
class TextEncoderSpec:
    """Sizes.

    Attributes:
        vocabulary: pieces of words.
        width: of the hidden states; `heads` divides it.
        layers: transformer layers.
        teacher_width: of the sentence vectors that it is distilled from.
    """

    vocabulary: int = 3072
    width: int = 192
    layers: int = 3
    heads: int = 6
    teacher_width: int = 384


class TextEncoder(nn.Module):
    """Tokens to a sequence and a sentence vector.

    `forward(tokens, mask)`: int64 [B, T], T up to 32, and float32 [B, T], 1 where a token stands. Answers the
    sequence float32 [B, T, 128], 0 where no token stands, and the sentence float32 [B, 128] of length 1.
    """

    def __init__(self, spec: TextEncoderSpec) -> None:
        super().__init__()
        self.spec = spec
        self.embedding = nn.Embedding(spec.vocabulary, spec.width)
        self.position = nn.Parameter(torch.zeros(MAX_TOKENS, spec.width))
        nn.init.normal_(self.embedding.weight, std=0.05)
        nn.init.normal_(self.position, std=0.02)
        self.layers = nn.ModuleList(_Layer(spec.width, spec.heads) for _ in range(spec.layers))
        self.norm = nn.LayerNorm(spec.width)
        self.out = nn.Linear(spec.width, WIDTH)

    def forward(self, tokens_BT: Tensor, mask_BT: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        hidden_BTD = self.embedding(tokens_BT) + self.position[: tokens_BT.shape[1]]
        barred_B11T = (mask_BT[:, None, None, :] - 1.0) * 1e4
        for layer in self.layers:
            hidden_BTD = layer(hidden_BTD, barred_B11T)
        sequence_BTD = self.out(self.norm(hidden_BTD)) * mask_BT[..., None]
        mean_BD = sequence_BTD.sum(1) / mask_BT.sum(1, keepdim=True).clamp(min=1.0)
        return sequence_BTD, functional.normalize(mean_BD, dim=1, eps=1e-6)


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_mixing = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.gathered = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mixing = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )

    def forward(self, hidden_BTD: Tensor, barred_B11T: Tensor) -> Tensor:
        hidden_BTD = hidden_BTD + self.gathered(self._attend(self.before_attention(hidden_BTD), barred_B11T))
        return cast(Tensor, hidden_BTD + self.mixing(self.before_mixing(hidden_BTD)))

    def _attend(self, hidden_BTD: Tensor, barred_B11T: Tensor) -> Tensor:
        # written out, for the exported graph stays the plain one that every engine knows
        batch, length, width = hidden_BTD.shape
        split = self.query_key_value(hidden_BTD).reshape(batch, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        scores = query @ key.transpose(2, 3) * (width // self.heads) ** -0.5 + barred_B11T
        return cast(Tensor, (scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, length, width))


class Distilled(nn.Module):
    """A text encoder with the two heads that only its training needs."""

    def __init__(self, spec: TextEncoderSpec) -> None:
        super().__init__()
        self.encoder = TextEncoder(spec)
        self.to_teacher = nn.Linear(WIDTH, spec.teacher_width)
        self.to_token = nn.Linear(WIDTH, spec.vocabulary)


def distillation_loss(model: Distilled, tokens_BT: Tensor, mask_BT: Tensor, teacher_BE: Tensor) -> Tensor:
    """A scalar: sentence vectors like the teacher's, alike where the teacher's are, and words that stay themselves.

    `teacher_BE` has rows of length 1. The first term is 1 - cosine after a linear map, the second the squared error of
    the cosines of all pairs in the batch (both ways a teacher's geometry is kept), the third the cross entropy of
    reading each token back from its own place, so that a sequence does not become copies of its sentence.
    """
    sequence_BTD, sentence_BD = model.encoder(tokens_BT, mask_BT)
    mapped_BE = functional.normalize(model.to_teacher(sentence_BD), dim=1)
    alike = (1 - (mapped_BE * teacher_BE).sum(1)).mean()
    pairs = functional.mse_loss(sentence_BD @ sentence_BD.T, teacher_BE @ teacher_BE.T)
    held = mask_BT > 0
    words = functional.cross_entropy(model.to_token(sequence_BTD[held]), tokens_BT[held])
    return alike + 10.0 * pairs + 0.05 * words
