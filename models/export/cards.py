"""Cards of shipped weights: what each file is made from, how good it is, and its digest, in `card.json` beside it.

A card's keys: name, purpose, data, licence, recipe, seed, metrics, limits, files (name -> sha256, bytes).
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from transforms.errors import ConfigError

WEIGHTS = Path(__file__).parents[1] / "weights"  # what ships
NAME = "card.json"
KEYS = ("name", "purpose", "data", "licence", "recipe", "seed", "metrics", "limits")


def write_card(folder: Path, card: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Write `files` and their card into `folder`.

    Raises:
        ValueError: the card lacks a key.
    """
    missing = [key for key in KEYS if key not in card]
    if missing:
        raise ValueError(f"a card says {', '.join(KEYS)}; it lacks {', '.join(missing)}")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    digests = {name: {"sha256": sha256(data).hexdigest(), "bytes": len(data)} for name, data in files.items()}
    whole = {**{key: card[key] for key in KEYS}, "files": digests}
    (folder / NAME).write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def add_file(folder: Path, name: str, content: bytes) -> None:
    """Put one more file beside written weights, and on their card.

    Raises:
        ConfigError: `folder` holds no sound weights.
    """
    card = check_files(folder)
    card["files"][name] = {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
    (folder / name).write_bytes(content)
    (folder / NAME).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def deliver(
    args: Namespace, card_of: Callable[[Path, dict[str, Any]], Mapping[str, Any]], files: Mapping[str, bytes]
) -> str:
    """Write the weights of a training run with their card, as every export's command line does.

    Args:
        args: `run`, the run's folder; `out`, the weights'; `metrics`, a JSON file of figures for the card, or None.
        card_of: (run, figures) -> the card.
        files: name -> content; the run's curve, `losses.png`, joins them.

    Returns:
        A line that says what was written: JSON, name -> bytes.
    """
    whole = {**files, "losses.png": (args.run / "losses.png").read_bytes()}
    metrics = json.loads(args.metrics.read_text(encoding="utf-8")) if args.metrics else {}
    write_card(args.out, card_of(args.run, metrics), whole)
    return json.dumps({name: len(content) for name, content in whole.items()}) + "\n"


def check_files(folder: Path) -> dict[str, Any]:
    """The card of `folder`, whose files are those that it names.

    Raises:
        ConfigError: there is no card, a file is missing, or it is another one than the card's.
    """
    path = folder / NAME
    if not path.is_file():
        raise ConfigError(f"weights {str(folder)!r} hold no {NAME}: name a folder that an export wrote")
    card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for name, said in card["files"].items():
        file = folder / name
        if not file.is_file():
            raise ConfigError(f"weights {str(folder)!r} lack {name!r}, which {NAME} names: copy the whole folder")
        if sha256(file.read_bytes()).hexdigest() != said["sha256"]:
            raise ConfigError(f"weights {str(file)!r} are not the file that {NAME} names: export or copy them again")
    return card
