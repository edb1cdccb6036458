"""Variants as low-rank deltas on one base (LoRA, Hu et al. 2021), by `peft`.

A delta's checkpoint holds the small matrices alone, as `peft` names them; its card names the base that they belong to
by digest. Merged into that base they are a whole network of the same classes again, which is what is exported.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from torch import Tensor, nn

from models.canvas import Canvas, read_canvas
from models.checkpoint import Card, read_checkpoint
from transforms.errors import ConfigError

KIND = "canvas_delta"


def add_delta(network: Canvas, rank: int) -> None:
    """Give every linear layer and convolution a delta of `rank` that begins at nothing, and freeze everything else.

    What is drawn comes from torch's own generator.

    Raises:
        ConfigError: `rank` is not positive.
    """
    from peft import inject_adapter_in_model

    if rank < 1:
        raise ConfigError(f"rank {rank} of a delta is not positive")
    inject_adapter_in_model(_config(network, rank), network)


def delta_of(network: Canvas) -> dict[str, Tensor]:
    """The matrices of the delta that `add_delta` gave, by name."""
    from peft import get_peft_model_state_dict

    return dict(get_peft_model_state_dict(network))


def read_merged(base: Path, delta: Path) -> tuple[Canvas, Card]:
    """The base of one checkpoint with the delta of another in its weights, ready to answer, and the delta's card.

    Raises:
        ConfigError: one of them is missing or damaged, or the delta was trained on another base.
    """
    from peft import set_peft_model_state_dict
    from peft.tuners.lora import LoraModel

    network, below = read_canvas(base)
    card, tensors = read_checkpoint(delta, KIND)
    own = str(card.data["base"])
    if own != below.sha256:
        raise ConfigError(
            f"the delta {str(delta)!r} belongs to the base {own[:12]}, {str(base)!r} is {below.sha256[:12]}",
            remedy="name the base that the delta was trained on",
        )
    tuned: Any = LoraModel(network, {"default": _config(network, card.recipe["lora"])}, "default")
    set_peft_model_state_dict(tuned.model, tensors)
    merged = cast(Canvas, tuned.merge_and_unload())
    return merged.requires_grad_(True).eval(), card


def _config(network: Canvas, rank: int) -> Any:
    from peft import LoraConfig

    layers = [name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    return LoraConfig(r=rank, lora_alpha=rank, target_modules=layers)
