"""Words to numbers without torch: tokens by the `tokenizers` library, vectors by ONNX Runtime.

encoder = load_text_encoder(WEIGHTS / "text_encoder")
sequence, mask, sentence = encoder(["warm beige plaster wall, soft morning light"])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.export.cards import WEIGHTS, check_files

__all__ = [
    "MAX_TOKENS",
    "WEIGHTS",
    "WIDTH",
    "Encoded",
    "TextEncoder",
    "load_text_encoder",
    "load_tokenizer",
    "to_tokens",
]

MAX_TOKENS = 32
WIDTH = 128


class Encoded(NamedTuple):
    """Sentences as vectors.

    Attributes:
        sequence: float32 [B, 32, 128], one vector a token, 0 behind the last.
        mask: float32 [B, 32], 1 where a token stands.
        sentence: float32 [B, 128], of length 1.
    """

    sequence: NDArray[np.float32]
    mask: NDArray[np.float32]
    sentence: NDArray[np.float32]


@dataclass(frozen=True)
class TextEncoder:
    """A loaded tokenizer and session; call it with sentences. A sentence's answer does not depend on its neighbours."""

    tokenizer: Any
    session: Any

    def __call__(self, sentences: Sequence[str]) -> Encoded:
        """Encode `sentences`, one at a time; longer ones than 32 tokens are cut."""
        tokens, mask = to_tokens(self.tokenizer, sentences)
        answers = [
            self.session.run(None, {"tokens": tokens[[row]], "mask": mask[[row]]}) for row in range(len(sentences))
        ]
        sequence, sentence = (np.concatenate(parts) for parts in zip(*answers, strict=True))
        return Encoded(sequence, mask, sentence)


def to_tokens(tokenizer: Any, sentences: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(tokens int64 [B, 32], mask float32 [B, 32]); the first token is always [CLS], so no row is empty."""
    encoded = tokenizer.encode_batch(list(sentences))
    tokens = np.array([entry.ids for entry in encoded], np.int64).reshape(-1, MAX_TOKENS)
    return tokens, np.array([entry.attention_mask for entry in encoded], np.float32).reshape(-1, MAX_TOKENS)


def load_tokenizer(path: Path) -> Any:
    """The tokenizer of a `tokenizer.json`, cutting and padding to 32 tokens."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding(length=MAX_TOKENS, pad_id=tokenizer.token_to_id("[PAD]"), pad_token="[PAD]")
    return tokenizer


def load_text_encoder(folder: Path = WEIGHTS / "text_encoder", threads: int = 1) -> TextEncoder:
    """The encoder of a folder with text_encoder.onnx, tokenizer.json and card.json.

    Raises:
        ConfigError: a file is missing, or not the one that the card names.
    """
    import onnxruntime

    check_files(folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    path = str(folder / "text_encoder.onnx")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return TextEncoder(load_tokenizer(folder / "tokenizer.json"), session)
