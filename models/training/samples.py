"""What a network paints of held-out pairs, by the sampler that serves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.autoencoder import Autoencoder, joined
from models.canvas import Canvas
from models.registry import VARIANTS, Sampling
from models.sampling import draw_noise, sample
from models.training.packing import Packed, unit
from models.training.sheets import write_sheet
from models.training.train_autoencoder import to_bytes


@torch.no_grad()
def paint(network: Canvas, batch: dict[str, Tensor], seeds: Sequence[int], sampling: Sampling, variant: str) -> Tensor:
    """Latents [B, 32, h, w] of a batch of conditions, by the sampler that serves."""
    told = {name: batch.get(name) for name in ("given", "known", "text", "references")}
    untold = {**told, "text": torch.zeros_like(batch["text"])}
    if VARIANTS[variant].drops == "all":
        untold |= {name: torch.zeros_like(batch[name]) for name in ("given", "known")}

    def predict(latents: Tensor, now: float) -> tuple[Tensor, Tensor | None]:
        when = torch.full((len(latents),), now)
        once = sampling.guidance == 1.0
        answer = network(latents, when, **told, task=variant)
        return answer, None if once else network(latents, when, **untold, task=variant)

    noise = torch.from_numpy(np.stack([draw_noise(seed, tuple(batch["target"].shape[1:])) for seed in seeds]))
    return sample(predict, noise, sampling)


@torch.no_grad()
def sheet(network: Canvas, autoencoder: Autoencoder, held_out: Packed, target: Path, each: int) -> None:
    """Held-out pairs of each variant as rows of a PNG: given, painted, asked for; the same pairs and seeds always."""
    lines = []
    for file in range(len(held_out.paths)):
        rows = np.arange(min(each, held_out.counts[file]))
        variant = VARIANTS[held_out.variant(file)]
        batch, pixels = held_out.rows(file, rows, np.zeros(len(rows), np.int64)), held_out.pixels(file, rows)
        given, known = unit(pixels["given_pixels"]), torch.from_numpy(pixels["known_pixels"])[:, None].float() / 255
        known = known if variant.keeps else torch.zeros_like(known)
        seeds = [int(row) for row in rows]
        latents = paint(network, batch, seeds, Sampling(guidance=variant.guidance), variant.name)
        painted = joined(autoencoder.decoder(latents, given, known), given, known)
        triples = zip(given, painted, unit(pixels["target_pixels"]), strict=True)
        lines.append([to_bytes(picture) for triple in triples for picture in triple])
    write_sheet(lines, target)
