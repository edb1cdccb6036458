"""Checkpoints that can be handed on: `weights.safetensors` beside `card.json`, which says what they are.

The card's digest is that of the weights' file; weights that do not agree with their card are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from transforms.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS, CARD = "weights.safetensors", "card.json"


@dataclass(frozen=True)
class Card:
    """What weights are, and where they come from.

    Attributes:
        kind: of network, a name of `models.registry`.
        spec: the sizes that the network is built with.
        data: what it was trained on: counts, sources, licence.
        recipe: of the training, with its seed.
        metrics: measured on held-out data.
        sha256: of the weights' file, hex.
    """

    kind: str
    spec: Mapping[str, Any]
    data: Mapping[str, Any]
    recipe: Mapping[str, Any]
    metrics: Mapping[str, float]
    sha256: str


class Checkpoint(NamedTuple):
    """A card, and the weights by name."""

    card: Card
    tensors: dict[str, Tensor]


def write_checkpoint(
    folder: Path,
    tensors: Mapping[str, Tensor],
    *,
    kind: str,
    spec: Mapping[str, Any],
    data: Mapping[str, Any],
    recipe: Mapping[str, Any],
    metrics: Mapping[str, float],
) -> Card:
    """Write weights and their card into `folder`, the card last."""
    from safetensors.torch import save

    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    card = Card(kind, spec, data, recipe, metrics, sha256(content).hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).unlink(missing_ok=True)
    (folder / WEIGHTS).write_bytes(content)
    (folder / CARD).write_text(json.dumps(asdict(card), indent=1) + "\n", encoding="utf-8")
    return card


def read_checkpoint(folder: Path, kind: str | None = None) -> Checkpoint:
    """What `write_checkpoint` wrote.

    Args:
        folder: of the checkpoint.
        kind: that it must have; None takes any.

    Raises:
        ConfigError: there is no checkpoint, it is of another kind, or its weights are not those of its card.
    """
    from safetensors.torch import load

    card = read_card(folder)
    if kind is not None and card.kind != kind:
        raise ConfigError(f"{str(folder)!r} holds weights of kind {card.kind!r}, asked was {kind!r}")
    return Checkpoint(card, load(read_weights(folder / WEIGHTS, card.sha256)))


def read_card(folder: Path) -> Card:
    """The card in `folder`; ConfigError where there is none that can be read."""
    path = folder / CARD
    try:
        return Card(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ConfigError(f"no checkpoint in {str(folder)!r}: {CARD} is missing") from error
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{str(path)!r} is no card of a checkpoint: {error}") from error


def read_weights(path: Path, digest: str) -> bytes:
    """A weights' file whose SHA-256 is `digest`; ConfigError where it is missing or another one."""
    if not path.is_file():
        raise ConfigError(f"weights {str(path)!r} are missing: copy them beside their card, or train anew")
    content = path.read_bytes()
    found = sha256(content).hexdigest()
    if found != digest:
        raise ConfigError(
            f"weights {str(path)!r} have digest {found[:12]}, their card says {digest[:12]}",
            remedy="copy weights and card together from where they were written, or train anew",
        )
    return content
