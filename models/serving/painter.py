"""A Canvas variant without torch: words, noise, the denoising loop and the decoder behind one call.

painter = load_painter(folder)
candidates = painter(images, known, prompts, seeds)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.export.cards import check_files
from models.filling import GREY, masked
from models.registry import LATENT_CHANNELS, STRIDE, Sampling, prompt_of
from models.sampling import draw_noise, sample
from models.serving.networks import Network, load_network
from models.serving.text import TextEncoder, load_text_encoder
from transforms.records import Size

Bytes = NDArray[np.uint8]
Real = NDArray[np.float32]

ENCODER, DENOISER, DECODER, TEXT = "encoder.onnx", "denoiser.onnx", "decoder.onnx", "text"
ENGINE = "openvino"


@dataclass(frozen=True)
class Painter:
    """A loaded variant; call it with pictures of one size.

    Attributes:
        variant: its name, the first words of its prompts.
        drops: what the second pass of the guidance does without: `text` or `all`.
        keeps: whether what is known is part of the answer, exactly; else it only leads it.
        refers: whether it takes products' own pictures.
        fills: whether it is shown a continuation of what is known where nothing is, as it was in training.
        batch: candidates that the networks always run at once, so that a result does not depend on its mates.
    """

    variant: str
    drops: str
    keeps: bool
    refers: bool
    fills: bool
    sampling: Sampling
    batch: int
    words: TextEncoder
    encoder: Network
    denoiser: Network
    decoder: Network

    def __call__(
        self,
        images: Bytes,
        known: Bytes,
        prompts: Sequence[str],
        seeds: Sequence[int],
        references: Bytes | None = None,
    ) -> Bytes:
        """Paint candidates.

        Args:
            images: uint8 [B, H, W, 3], sides divisible by 16.
            known: uint8 [B, H, W], 255 where `images` count; there they are kept, exactly, by variants that keep.
            prompts: of each.
            seeds: of each; a candidate depends on its own row alone.
            references: for variants that take them, and for no other: uint8 [B, 8, 64, 64, 4], products as
                `transforms.ops.references` fits them; slots that are transparent everywhere are empty.

        Returns:
            uint8 [B, H, W, 3].

        Raises:
            ValueError: sides are not divisible by 16; references are missing, or given to a variant without.
        """
        if self.refers != (references is not None):
            raise ValueError(f"{self.variant} takes {'references' if self.refers else 'no references'}")
        if images.shape[1] % STRIDE or images.shape[2] % STRIDE:
            raise ValueError(f"sides {images.shape[1:3]} are not divisible by {STRIDE}")
        batches = [slice(start, start + self.batch) for start in range(0, len(images), self.batch)]
        shown = [None if references is None else references[one] for one in batches]
        parts = zip(batches, shown, strict=True)
        return np.concatenate([self._paint(images[one], known[one], prompts[one], seeds[one], by) for one, by in parts])

    def coded(self, image: Bytes) -> Bytes:
        """A picture as it comes back from its latents, uint8 [H, W, 3]: what no painted picture is sharper than."""
        images = np.repeat(image[None], self.batch, axis=0)
        inputs = {"latents": self.encoder({"image": images}), "image": images}
        return _levels(self.decoder({**inputs, "known": np.zeros(images.shape[:3], np.float32)}))[0]

    def _paint(
        self, images: Bytes, known: Bytes, prompts: Sequence[str], seeds: Sequence[int], references: Bytes | None
    ) -> Bytes:
        count, rows = len(images), np.arange(self.batch) % len(images)  # a short batch repeats itself
        sure = known == 255
        shown = np.stack([masked(images[row], sure[row], fills=self.fills) for row in range(count)])[rows]
        slots = {} if references is None else {"references": self._slots(references[rows])}
        sure = sure[rows]
        latents = self._sample(shown, sure, [prompts[row] for row in rows], [seeds[row] for row in rows], slots)
        kept = sure & self.keeps
        inputs = {"latents": latents, "image": shown, "known": kept.astype(np.float32)}
        painted = _levels(self.decoder(inputs))
        return np.where(kept[..., None], shown, painted)[:count]

    def _slots(self, references: Bytes) -> Real:
        """Latents of products on grey, nothing where there is none: [B, 8, 64, 64, 4] -> [B, 8, 32, 4, 4]."""
        alpha = references[..., 3:].astype(np.float32) / 255
        laid = np.rint(references[..., :3] * alpha + GREY * (1 - alpha)).astype(np.uint8)
        latents = self.encoder({"image": laid.reshape(-1, *laid.shape[2:])})
        there = alpha.max(axis=(2, 3, 4), keepdims=True) > 0
        return np.where(there, latents.reshape(*laid.shape[:2], *latents.shape[1:]), 0).astype(np.float32)

    def _sample(
        self,
        shown: Bytes,
        sure: NDArray[np.bool_],
        prompts: Sequence[str],
        seeds: Sequence[int],
        slots: dict[str, Real],
    ) -> Real:
        given, cells = self.encoder({"image": shown}), _cells(sure)
        text = self.words([prompt_of(self.variant, prompt) for prompt in prompts]).sequence
        conditions = {"given": given, "known": cells, "text": text, **slots}
        twice = self.sampling.guidance != 1.0
        if twice:
            less = self._dropped(conditions)
            conditions = {name: np.concatenate([whole, less[name]]) for name, whole in conditions.items()}

        def predict(latents: Real, now: float) -> tuple[Real, Real | None]:
            if not twice:
                return self.denoiser({"latents": latents, "time": _times(len(latents), now), **conditions}), None
            both = np.concatenate([latents, latents])
            answer = self.denoiser({"latents": both, "time": _times(len(both), now), **conditions})
            return answer[: len(latents)], answer[len(latents) :]

        noise = np.stack([draw_noise(seed, (LATENT_CHANNELS, *cells.shape[2:])) for seed in seeds])
        return sample(predict, noise, self.sampling).astype(np.float32)

    def _dropped(self, conditions: dict[str, Real]) -> dict[str, Real]:
        """The conditions of the second pass: other words or none, and where it is so trained no pictures."""
        given, cells, text = conditions["given"], conditions["known"], np.zeros_like(conditions["text"])
        if self.sampling.negative:
            text = text + self.words([prompt_of(self.variant, self.sampling.negative)]).sequence
        if self.drops == "all":
            given, cells = np.zeros_like(given), np.zeros_like(cells)
        return {**conditions, "given": given, "known": cells, "text": text}


def _times(count: int, now: float) -> Real:
    return np.full(count, now, np.float32)


def _levels(decoded: Real) -> Bytes:
    """[-1, 1] -> uint8; ValueError where a value is not finite: it would show as black, and nobody would know why."""
    if not np.isfinite(decoded).all():
        raise ValueError("the networks painted values that are not finite: export the variant again")
    return np.clip(np.rint((decoded + 1) * 127.5), 0, 255).astype(np.uint8)


def _cells(sure: NDArray[np.bool_]) -> Real:
    """The share of each cell that is known, in 255ths as in training: [B, H, W] -> [B, 1, H/16, W/16]."""
    count, height, width = sure.shape
    cells = sure.reshape(count, height // STRIDE, STRIDE, width // STRIDE, STRIDE).mean((2, 4))
    return (np.rint(cells * 255) / 255).astype(np.float32)[:, None]


def load_painter(folder: Path, batch: int, engine: str = ENGINE, threads: int = 2) -> Painter:
    """The variant of a folder that `models.export.canvas` wrote.

    Raises:
        ConfigError: a file is missing, or not the one that the card names.
    """
    recipe: dict[str, Any] = check_files(folder)["recipe"]
    return Painter(
        recipe["variant"],
        recipe["drops"],
        recipe.get("keeps", True),
        recipe.get("references", False),
        recipe.get("fills", False),
        Sampling(**recipe["sampling"]),
        batch,
        load_text_encoder(folder / TEXT),
        *(load_network(folder / name, engine, threads) for name in (ENCODER, DENOISER, DECODER)),
    )


def resampled(candidate: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """`candidate` (uint8 [h, w, 3]) at `size`, by Lanczos."""
    large: Any = cv2.resize(candidate, (size.width, size.height), interpolation=cv2.INTER_LANCZOS4)
    return large  # type: ignore[no-any-return]


def laid_over(scene: NDArray[np.uint8], image: NDArray[np.uint8], known: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`scene` with `image` where it is known (255), uint8 [H, W, 3]."""
    return np.where((known == 255)[..., None], image, scene)
