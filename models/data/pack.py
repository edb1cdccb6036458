"""A training set from rendered scenes and photographs: curated, captioned, sharded, with its card.

    python -m models.data.pack --scenes DIR --photos DIR --opt_out FILE --out SHARDS

SHARDS must not exist: a set is always made whole and anew, so what is opted out is gone from the next one. Beside the
shards lie members.jsonl (every example, and what it may be opted out by), card.json and card.md. At the end the files
are read again to prove that nothing of the opt-out list is in them; `--check SHARDS --opt_out FILE` proves it at any
time.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from models.data.curation import Curator, NearDuplicates, count_faults, overlay_check, unsafe_check
from models.data.data_card import Tally, card_of, write_card
from models.data.examples import Example
from models.data.opt_out import OptOut, check_left, read_opt_out, write_members
from models.data.pairs import Pair, read_pairs
from models.data.shards import write_shards
from transforms.errors import CanvasError, ConfigError


@dataclass
class Packing:
    """One run: pairs pass through `kept`, and what it saw of them stays."""

    curator: Curator
    opt_out: OptOut
    tally: Tally = field(default_factory=Tally)
    faults: list[str] = field(default_factory=list)
    matched: set[str] = field(default_factory=set)
    members: list[tuple[str, str, frozenset[str]]] = field(default_factory=list)
    duplicates: NearDuplicates = field(default_factory=NearDuplicates)

    def kept(self, pairs: Iterator[Pair]) -> Iterator[Example]:
        """The examples that may be trained on, in their order."""
        for pair in pairs:
            fault = self.fault_of(pair)
            if fault is not None:
                self.faults.append(fault)
                continue
            self.tally.add(pair.example)
            self.members.append((pair.example.key, pair.example.split, pair.keys))
            yield pair.example

    def fault_of(self, pair: Pair) -> str | None:
        """Why a pair is left out, None where it stays."""
        self.matched |= self.opt_out.keys & pair.keys
        if self.opt_out.covers(pair.keys):
            return "opted_out"
        fault = self.curator.fault_of(pair.example)
        if fault is None and self.duplicates.seen(pair.example.scene):
            return "near_duplicate"
        return fault

    def products(self) -> dict[str, int]:
        """How many different keys each split shows.

        Raises:
            ConfigError: a product or a sender is in both.
        """
        shown: dict[str, set[str]] = {"train": set(), "held_out": set()}
        for key, split, keys in self.members:
            shown[split] |= {each for each in keys if each != key and not each.startswith("author:")}
        both = shown["train"] & shown["held_out"]
        if both:
            raise ConfigError(
                f"{len(both)} products are in train and in held_out, {min(both)!r} the first",
                remedy="draw the pairs again with one version of the project",
            )
        return {split: len(keys) for split, keys in shown.items()}


def pack(pairs: Iterator[Pair], out: Path, curator: Curator, opt_out: OptOut) -> dict[str, Any]:
    """Write the set to `out`; its card.

    Raises:
        ConfigError: `out` is there already, no pair is fit, or a product is in both splits.
    """
    if out.exists():
        raise ConfigError(f"{str(out)!r} is there already", remedy="name a new folder, or remove the old shards")
    packing = Packing(curator, opt_out)
    new = out.with_name(f"{out.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    write_shards(packing.kept(pairs), new)
    if not packing.members:
        raise ConfigError(f"no pair is fit: {count_faults(packing.faults)}", remedy="make more pairs")
    write_members(packing.members, new)
    card = card_of(packing.tally, packing.products(), count_faults(packing.faults), opt_out, sorted(packing.matched))
    write_card(card, new)
    check_left(new, opt_out)
    new.rename(out)
    return card


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.data.pack", description=__doc__)
    parser.add_argument("--scenes", type=Path, help="folder of models.data.scenes")
    parser.add_argument("--photos", type=Path, help="folder of models.data.photographs")
    parser.add_argument("--opt_out", type=Path, help="list of keys that may not be trained on, one a line")
    parser.add_argument("--out", type=Path, help="folder of the shards, to be made")
    parser.add_argument("--check", type=Path, help="folder of shards to prove free of the opt-out list, nothing else")
    parser.add_argument("--no_safety", action="store_true", help="leave out the unsafe-image network")
    parser.add_argument("--text", action="store_true", help="look for text overlays in photographs: a second each")
    args = parser.parse_args(arguments)
    try:
        return _run(args)
    except CanvasError as error:
        sys.stderr.write(f"{error}\n  remedy: {error.remedy}\n")
        return 2


def _run(args: argparse.Namespace) -> int:
    opt_out = read_opt_out(args.opt_out)
    if args.check is not None:
        sys.stdout.write(f"{check_left(args.check, opt_out)} examples, none of them opted out\n")
        return 0
    folders = [folder for folder in (args.scenes, args.photos) if folder is not None]
    if args.out is None or not folders:
        raise ConfigError("--out, and --scenes or --photos, are needed", remedy="see --help")
    curator = Curator(
        unsafe=None if args.no_safety or args.photos is None else unsafe_check(),
        overlaid=overlay_check() if args.text and args.photos is not None else None,
    )
    card = pack(chain.from_iterable(read_pairs(folder) for folder in folders), args.out, curator, opt_out)
    sys.stdout.write(f"{card['examples']} examples; left out: {card['left_out'] or 'none'}\n")
    sys.stdout.write("".join(f"  {name}: {count}\n" for name, count in card["by_bucket"].items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
