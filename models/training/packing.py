"""Latents and words of examples, packed once, so that training reads arrays and nothing else.

OUT/<split>/<variant>-<bucket>.safetensors holds, for N pairs: `target`, `given` float16 [N, 32, h, w], `known` uint8
[N, 1, h, w] (255ths of a cell), `references` float16 [N, 8, 32, 4, 4] for variants that have them, `text` float16
[N, K, 32, 128], the K captions of each. Held-out files hold the pictures as well, to look at: `target_pixels`,
`given_pixels` uint8 [N, H, W, 3], `known_pixels` uint8 [N, H, W].
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.autoencoder import Autoencoder
from models.data.captions import place_captions
from models.data.examples import Example, Split, bucket_size
from models.movement import movement_of, words_of
from models.preconditioning import Moments, correlation
from models.registry import LATENT_CHANNELS, MOST_REFERENCES, REFERENCE_SIDE, STRIDE, VARIANTS, Variant, prompt_of
from models.training.conditions import Conditions, conditions_of, mirrored, shows_products
from transforms.errors import ConfigError

CAPTIONS = 3
CARRIES = ("each", "joint", "nothing")  # see `Recipe`
_MEASURED = 200  # pairs of each file
Words = Callable[[Sequence[str]], NDArray[np.float32]]
Rows = dict[str, list[NDArray[Any]]]


def pack(
    examples: Iterable[Example],
    autoencoder: Autoencoder,
    words: Words,
    variants: Sequence[Variant],
    out: Path,
    split: Split,
    *,
    seed: int = 0,
) -> dict[str, int]:
    """Pack `examples` of one split; how many pairs each file got.

    Args:
        examples: of any buckets.
        autoencoder: whose latents are packed.
        words: texts to float32 [B, 32, 128], as the text encoder's sequences.
        variants: as in `models.registry.VARIANTS`.
        out: folder of the packed files.
        split: theirs.
        seed: of what is drawn: frames, mirrors.
    """
    files: dict[str, Rows] = {}
    for number, example in enumerate(examples):
        for order, variant in enumerate(variants):
            rng = np.random.Generator(np.random.Philox(key=[seed, number * len(VARIANTS) + order]))
            pair = conditions_of(example, variant, rng)
            if pair is not None:
                pair = mirrored(pair) if rng.random() < 0.5 else pair
                rows = _rows(pair, variant, prompts_of(example, pair, variant), autoencoder, words, split)
                held = files.setdefault(f"{variant.name}-{example.bucket}", {})
                for key, row in rows.items():
                    held.setdefault(key, []).append(row)
    for name, held in files.items():
        _write({key: np.stack(rows) for key, rows in held.items()}, out / split / f"{name}.safetensors")
    return {name: len(held["target"]) for name, held in sorted(files.items())}


def prompts_of(example: Example, pair: Conditions, variant: Variant) -> Sequence[str]:
    """What a pair is asked for in: what its pictures say already is no part of it.

    Words are averaged on their way into the network. Beside those of products, that are shown anyway, the colour of a
    wall is lost.
    """
    if variant.target == "later":
        return [words_of(movement_of(pair.given, pair.target))]
    return place_captions(example.words) if shows_products(variant) and example.words else example.captions


@torch.no_grad()
def _rows(
    pair: Conditions,
    variant: Variant,
    captions: Sequence[str],
    autoencoder: Autoencoder,
    words: Words,
    split: Split,
) -> dict[str, NDArray[Any]]:
    latents = autoencoder.encoder(unit(np.stack([pair.target, pair.given])))
    texts = [prompt_of(variant.name, captions[number % len(captions)]) for number in range(CAPTIONS)]
    rows: dict[str, NDArray[Any]] = {
        "target": _half(latents[0]),
        "given": _half(latents[1]),
        "known": cells_of(pair.known)[None],
        "text": words(texts).astype(np.float16),
    }
    if variant.references:
        rows["references"] = _references(pair, autoencoder)
    if split == "held_out":
        known = np.rint(pair.known * 255).astype(np.uint8)
        rows |= {"target_pixels": pair.target, "given_pixels": pair.given, "known_pixels": known}
    return rows


def _references(pair: Conditions, autoencoder: Autoencoder) -> NDArray[np.float16]:
    side = REFERENCE_SIDE // STRIDE
    slots = np.zeros((MOST_REFERENCES, LATENT_CHANNELS, side, side), np.float16)
    slots[: len(pair.references)] = _half(autoencoder.encoder(unit(pair.references)))
    return slots


def unit(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 [B, H, W, 3] -> float32 [B, 3, H, W] in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1


def cells_of(known: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The share of each 16 x 16 cell that is known, in 255ths: [H, W] -> [H/16, W/16]."""
    height, width = known.shape
    cells = known.reshape(height // STRIDE, STRIDE, width // STRIDE, STRIDE).mean((1, 3))
    return np.rint(cells * 255).astype(np.uint8)


def _half(latents: Tensor) -> NDArray[np.float16]:
    halves: NDArray[np.float16] = latents.numpy().astype(np.float16)
    return halves


def _write(arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


class Packed:
    """The packed pairs of one split, for some variants; rows are read when asked for."""

    def __init__(
        self, folders: Sequence[Path], split: Split, variants: Sequence[str], least_side: int, most_side: int
    ) -> None:
        """Open the files of `folders` whose pictures' shorter side is within `least_side`..`most_side`.

        Raises:
            ConfigError: there are none.
        """
        self.paths = [
            path
            for folder in folders
            for path in sorted((folder / split).glob("*.safetensors"))
            if _variant(path) in variants and least_side <= min(bucket_size(_bucket(path))) <= most_side
        ]
        if not self.paths:
            raise ConfigError(
                f"no packed {split} pairs of {', '.join(variants)} with sides {least_side}..{most_side}"
                f" under {', '.join(map(str, folders))}",
                remedy="pack some with python -m models.training.pack_latents",
            )
        self.counts = [_count(path) for path in self.paths]
        shares = [VARIANTS[_variant(path)].share * count for path, count in zip(self.paths, self.counts, strict=True)]
        totals = {_variant(path): 0 for path in self.paths}
        for path, count in zip(self.paths, self.counts, strict=True):
            totals[_variant(path)] += count
        self.shares = np.array([share / totals[_variant(path)] for path, share in zip(self.paths, shares, strict=True)])
        self.shares /= self.shares.sum()

    def batch(self, seed: int, number: int, size: int) -> tuple[str, dict[str, Tensor]]:
        """A variant and batch `number`, pairs of it of one bucket, each with one caption; drawn alike every time."""
        rng = np.random.Generator(np.random.Philox(key=[seed, number]))
        chosen = int(rng.choice(len(self.paths), p=self.shares))
        rows = rng.integers(0, self.counts[chosen], size)
        captions = rng.integers(0, CAPTIONS, size)
        return self.variant(chosen), self.rows(chosen, rows, captions)

    def rows(self, file: int, rows: NDArray[np.int64], captions: NDArray[np.int64]) -> dict[str, Tensor]:
        """Some pairs of a file: target, given, known, text and, where the variant has them, references; float32."""
        from safetensors import safe_open

        with safe_open(self.paths[file], "np") as held:
            names = [name for name in ("target", "given", "known", "text", "references") if name in held.keys()]  # noqa: SIM118
            parts = {name: np.concatenate([held.get_slice(name)[row : row + 1] for row in rows]) for name in names}
        parts["text"] = parts["text"][np.arange(len(rows)), captions]
        batch = {name: torch.from_numpy(part.astype(np.float32)) for name, part in parts.items()}
        batch["known"] /= 255
        return batch

    def moments(self, carries: str) -> Moments:
        """What `models.preconditioning` is fitted to: of each channel of the targets, of the files' first pairs.

        Args:
            carries: whose correlations with what is given, as in `Recipe`.

        Raises:
            ConfigError: `carries` is none of what there is.
        """
        if carries not in CARRIES:
            raise ConfigError(f"carries {carries!r} is none of {', '.join(CARRIES)}")
        rows = [np.arange(min(_MEASURED, count)) for count in self.counts]
        batches = [self.rows(file, row, np.zeros_like(row)) for file, row in enumerate(rows)]
        cells = _cells(batches, "target")
        mean, together = cells.mean(1), {}
        if carries == "joint":
            together = dict.fromkeys(VARIANTS, _together(batches, mean))
        if carries == "each":
            of_task: dict[str, list[dict[str, Tensor]]] = {}
            for file, batch in enumerate(batches):
                of_task.setdefault(self.variant(file), []).append(batch)
            together = {task: _together(own, mean) for task, own in of_task.items()}
        return Moments(mean, cells.std(1), together)

    def pixels(self, file: int, rows: NDArray[np.int64]) -> dict[str, NDArray[np.uint8]]:
        """The pictures of held-out pairs."""
        from safetensors import safe_open

        with safe_open(self.paths[file], "np") as held:
            names = ("target_pixels", "given_pixels", "known_pixels")
            return {name: np.concatenate([held.get_slice(name)[row : row + 1] for row in rows]) for name in names}

    def variant(self, file: int) -> str:
        """The variant of a file's pairs."""
        return _variant(self.paths[file])


def _cells(batches: Sequence[Mapping[str, Tensor]], name: str) -> Tensor:
    """A part of all pairs, place by place: [channels, N]."""
    return torch.cat([batch[name].transpose(0, 1).flatten(1) for batch in batches], 1)


def _together(batches: Sequence[Mapping[str, Tensor]], mean: Tensor) -> Tensor:
    """The correlation of targets, whose mean is `mean`, with what is given, where cells are wholly known: [32]."""
    sure = _cells(batches, "known")[0] == 1
    return correlation(*(_cells(batches, name)[:, sure] - mean[:, None] for name in ("target", "given")))


def _variant(path: Path) -> str:
    return path.stem.rpartition("-")[0]


def _bucket(path: Path) -> str:
    return path.stem.rpartition("-")[2]


def _count(path: Path) -> int:
    from safetensors import safe_open

    with safe_open(path, "np") as held:
        return int(held.get_slice("target").get_shape()[0])


def write_facts(out: Path, facts: Mapping[str, Any]) -> None:
    """Keep what was packed in `OUT/facts.json`: training puts it on its card."""
    (out / "facts.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def read_facts(folders: Sequence[Path]) -> dict[str, Any]:
    """What `write_facts` kept, of all `folders` together; empty where none kept any.

    Raises:
        ConfigError: their latents are of different autoencoders, or they disagree on what is filled.
    """
    paths = [folder / "facts.json" for folder in folders]
    facts = [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]
    if len({json.dumps([one["autoencoder"], sorted(one["filled"])]) for one in facts}) > 1:
        raise ConfigError(
            f"{', '.join(map(str, folders))} were not packed alike: name one autoencoder and one --filled"
        )
    if len(facts) < 2:
        return facts[0] if facts else {}
    sources = list(dict.fromkeys(one["source"] for one in facts))
    return {**facts[0], "source": "; ".join(sources), "pairs": [one["pairs"] for one in facts]}
