"""Packs shards, composed examples and whole photographs, whichever are named, for `models.training.train_base`.

    python -m models.training.pack_latents --autoencoder DIR --shards DIR --out DIR
    python -m models.training.pack_latents --autoencoder DIR --plain SHARDS --variants background --out DIR
    python -m models.training.pack_latents --autoencoder DIR --cutouts DIR --rooms DIR --photos DIR --out DIR

`--autoencoder` is the `model` folder of a finished autoencoder run. The words are encoded by the text encoder that is
shipped, or by the one under `--text`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.autoencoder import read_autoencoder
from models.command import told
from models.data.examples import SPLITS, Example, Split
from models.data.shards import read_shards
from models.registry import VARIANTS
from models.serving.text import WEIGHTS, load_text_encoder
from models.training.composed import compose_examples
from models.training.packing import Words, pack, write_facts
from models.training.plain_scenes import plain_examples
from models.training.whole_photographs import photograph_examples
from transforms.errors import ConfigError

_HELD_OUT = 24  # one composed example of so many


def _examples(args: argparse.Namespace, split: Split) -> Iterator[Example]:
    """Every source that is named, one after the other."""
    if not (args.shards or args.plain or args.cutouts or args.photos):
        raise ConfigError("name --shards, --photos, or --plain or --cutouts to compose examples")
    if args.shards:
        yield from read_shards(args.shards, split)
    if args.plain:
        yield from plain_examples(args.plain, split, _share(args.plain_count, split), seed=args.seed)
    if args.cutouts:
        count = _share(args.count, split)
        yield from compose_examples(args.cutouts, args.rooms, split, count, seed=args.seed, scale=args.scale)
    if args.photos:
        count, terms = _share(args.photo_count, split), args.photo_licence
        yield from photograph_examples(
            args.photos, split, count, licence=terms, seed=args.seed, scale=args.scale, moving=args.moving
        )


def _share(count: int, split: Split) -> int:
    return count if split == "train" else max(4, count // _HELD_OUT)


def _source(args: argparse.Namespace) -> str:
    named = {
        "shards of rendered scenes and photographs": args.shards,
        "plain scenes of rendered products": args.plain,
        "compositions of cutouts and rooms": args.cutouts,
        f"photographs ({args.photo_licence})": args.photos,
    }
    return ", ".join(source for source, folder in named.items() if folder)


def _words(folder: Path) -> Words:
    encoder = load_text_encoder(folder)

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return encoder(texts).sequence

    return encode


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.training.pack_latents", description=__doc__)
    parser.add_argument("--autoencoder", type=Path, required=True, help="folder of the autoencoder's checkpoint")
    parser.add_argument("--text", type=Path, default=WEIGHTS / "text_encoder", help="folder of the text encoder")
    parser.add_argument("--shards", type=Path, help="folder of models.data.shards")
    parser.add_argument("--plain", type=Path, help="folder of shards: composes plain scenes of their products")
    parser.add_argument("--plain_count", type=int, default=1200, help="of those (default %(default)s)")
    parser.add_argument("--cutouts", type=Path, help="folder of models.data.cutouts: composes examples")
    parser.add_argument("--rooms", type=Path, help="folder of photographs of rooms, for composed examples")
    parser.add_argument("--count", type=int, default=1200, help="composed examples (default %(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="of composed examples' sizes; 2 is creative size")
    parser.add_argument("--photos", type=Path, help="folder of photographs to take as they are: outpaint and the like")
    parser.add_argument("--photo_count", type=int, default=1200, help="of those (default %(default)s)")
    parser.add_argument("--moving", action="store_true", help="give each photograph a frame two seconds later")
    parser.add_argument("--photo_licence", default="unknown", help="of those, for the card (default %(default)s)")
    parser.add_argument("--variants", default=",".join(VARIANTS), help="comma-separated (default %(default)s)")
    filled = ",".join(name for name, variant in VARIANTS.items() if variant.fills)
    parser.add_argument("--filled", default=filled, help="of those, shown no grey (default %(default)s; '' for none)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="of torch (default %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the packed files")
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    autoencoder, card = read_autoencoder(args.autoencoder)
    words, counts = _words(args.text), {}
    names, filled = args.variants.split(","), args.filled.split(",") if args.filled else []
    variants = [replace(VARIANTS[name], fills=name in filled) for name in names]
    for split in SPLITS:
        examples = _examples(args, split)
        counts[split] = pack(examples, autoencoder, words, variants, args.out, split, seed=args.seed)
    write_facts(args.out, {"source": _source(args), "pairs": counts, "autoencoder": card.sha256, "filled": filled})
    sys.stdout.write(json.dumps(counts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
