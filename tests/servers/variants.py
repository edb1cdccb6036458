"""A Canvas variant with random weights, exported as a trained one is: small, but of the real classes."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from models.registry import VARIANTS, Sampling

WORDS = ("background", ":", "outpaint", "oak", "floor", "plaster", "wall", "soft", "light", "warm")


def write_checkpoints(folder: Path) -> None:
    """`canvas` and `autoencoder` under `folder`, as the trainers write them."""
    import torch

    from models.autoencoder import Autoencoder, AutoencoderSpec
    from models.canvas import Canvas
    from models.checkpoint import write_checkpoint
    from models.registry import SPECS

    torch.manual_seed(0)
    coder = Autoencoder(AutoencoderSpec(widths=(8, 8, 16, 16), depths=(1, 1, 1, 1)))
    canvas = Canvas(SPECS["canvas-rehearsal"])
    for network in (coder, canvas):
        for parameter in network.parameters():  # layers that begin at nothing would hide what they do
            if not parameter.abs().sum():
                torch.nn.init.normal_(parameter, std=0.02)
    for name, network in (("autoencoder", coder), ("canvas", canvas)):
        said = {"spec": asdict(network.spec), "data": {}, "recipe": {"seed": 0}, "metrics": {}}
        write_checkpoint(folder / name, dict(network.state_dict()), kind=name, **said)


def write_text_encoder(folder: Path) -> None:
    """A text encoder that knows `WORDS`."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing

    from models.export.cards import KEYS, write_card
    from models.export.text_encoder import exported
    from models.text_encoder import TextEncoder, TextEncoderSpec

    names = ["[PAD]", "[UNK]", "[CLS]", *WORDS]
    tokenizer = Tokenizer(WordLevel({name: number for number, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 2)])
    torch.manual_seed(0)
    encoder = TextEncoder(TextEncoderSpec(vocabulary=len(names), width=48, layers=1, heads=3)).eval()
    files = {
        "text_encoder.onnx": exported(encoder).SerializeToString(deterministic=True),
        "tokenizer.json": tokenizer.to_str().encode(),
    }
    write_card(folder, dict.fromkeys(KEYS, "of a test"), files)


def write_variant(folder: Path, variant: str, scratch: Path, sampling: Sampling | None = None) -> None:
    """The exported `variant` in `folder`; what variants share is made under `scratch` once, for it takes a while."""
    from models.export.canvas import export

    asked = VARIANTS[variant]
    how = sampling or Sampling(steps=2, guidance=asked.guidance)
    made = scratch / f"exported-{asked.references}"
    if not (scratch / "canvas").is_dir():
        write_checkpoints(scratch)
        write_text_encoder(scratch / "text")
    if not made.is_dir():
        export(scratch / "canvas", scratch / "autoencoder", scratch / "text", asked, how, made)
    shutil.copytree(made, folder)
    card = json.loads((folder / "card.json").read_text())
    card["recipe"] |= {"variant": variant, "drops": asked.drops, "keeps": asked.keeps}
    card["recipe"] |= {"fills": asked.fills, "sampling": asdict(how)}
    (folder / "card.json").write_text(json.dumps(card))
