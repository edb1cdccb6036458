"""Writes a trained Canvas variant as what is served.

    python -m models.export.canvas --variant background --canvas RUN/model --autoencoder RUN/model --text DIR
    python -m models.export.canvas --variant outpaint --canvas BASE/model --delta RUN/model --autoencoder ...

The second line merges a low-rank delta (`train_base --lora`) into its base; another base is refused.
Without `--out` the files go into `triton_repo/canvas_<variant>/1/weights`, where the server looks for them: encoder,
denoiser and decoder as ONNX with weights in half precision and open sizes, the text encoder, and the card. The
denoising loop is no graph: `models.serving.painter` runs it by the sampler that training uses. Variants that no model
serves by itself go where `--out` says: `super_resolution` into `models/weights/upscaler`, if it is to enlarge.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from models.autoencoder import Autoencoder, Decoder, Encoder, read_autoencoder
from models.canvas import Canvas, read_canvas
from models.checkpoint import Card
from models.command import told
from models.deltas import read_merged
from models.export.cards import NAME, check_files, write_card
from models.export.repository import SOURCE
from models.export.torch_graph import graph_of
from models.registry import (
    LATENT_CHANNELS,
    MOST_REFERENCES,
    REFERENCE_SIDE,
    STRIDE,
    TEXT_TOKENS,
    TEXT_WIDTH,
    VARIANTS,
    Sampling,
    Variant,
)
from models.serving.painter import DECODER, DENOISER, ENCODER, TEXT
from models.serving.text import WEIGHTS
from transforms.errors import ConfigError

_SIDES = {1: "height", 2: "width"}
_CELLS = {2: "rows", 3: "columns"}


class _Encode(nn.Module):
    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, image: Tensor) -> Tensor:
        return self.encoder(_unit(image))


class _Denoise(nn.Module):
    """What a variant is served of a network: its own task."""

    def __init__(self, canvas: Canvas, task: str) -> None:
        super().__init__()
        self.canvas, self.task = canvas, task

    def forward(self, *shown: Tensor) -> Tensor:
        return cast(Tensor, self.canvas(*shown, task=self.task))


class _Decode(nn.Module):
    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, latents: Tensor, image: Tensor, known: Tensor) -> Tensor:
        return self.decoder(latents, _unit(image), known[:, None]).permute(0, 2, 3, 1)


def _unit(image: Tensor) -> Tensor:
    # float first: TensorRT moves no axes of bytes
    return image.float().permute(0, 3, 1, 2) / 127.5 - 1


def export_graphs(canvas: Canvas, autoencoder: Autoencoder, variant: Variant) -> dict[str, bytes]:
    """The three graphs of a variant by file name; inputs as `models.serving.painter` names them.

    `canvas` and `autoencoder` are in evaluation mode.
    """
    # odd grids, so that what halves and doubles sizes is kept in the graph
    image, known = torch.zeros(2, 5 * STRIDE, 7 * STRIDE, 3, dtype=torch.uint8), torch.zeros(2, 5 * STRIDE, 7 * STRIDE)
    latents, cells = torch.zeros(2, LATENT_CHANNELS, 5, 7), torch.zeros(2, 1, 5, 7)
    text, batch = torch.zeros(2, TEXT_TOKENS, TEXT_WIDTH), {0: "batch"}
    grids = dict.fromkeys(("latents", "given", "known"), batch | _CELLS)
    noised = {"latents": latents, "time": torch.zeros(2), "given": latents, "known": cells, "text": text}
    if variant.references:
        noised["references"] = torch.zeros(2, MOST_REFERENCES, LATENT_CHANNELS, *[REFERENCE_SIDE // STRIDE] * 2)
        grids = {**grids, "references": batch}
    pictures = {"latents": latents, "image": image, "known": known}
    open_image = {"image": batch | _SIDES, "known": batch | _SIDES, "latents": batch | _CELLS}
    denoiser = _Denoise(canvas, variant.name).eval()
    graphs = {
        ENCODER: graph_of(_Encode(autoencoder.encoder).eval(), {"image": image}, ["answer"], {"image": batch | _SIDES}),
        DENOISER: graph_of(denoiser, noised, ["answer"], grids | {"time": batch, "text": batch}),
        DECODER: graph_of(_Decode(autoencoder.decoder).eval(), pictures, ["answer"], open_image),
    }
    return {name: graph.SerializeToString(deterministic=True) for name, graph in graphs.items()}


def export(
    canvas: Path,
    autoencoder: Path,
    text: Path,
    variant: Variant,
    sampling: Sampling,
    out: Path,
    delta: Path | None = None,
) -> dict[str, Any]:
    """Write a variant's folder; its card.

    Args:
        canvas, autoencoder: folders of checkpoints.
        text: folder of the text encoder, as `models.export.text_encoder` writes it.
        variant: whose prompts and guidance it serves.
        sampling: how it is sampled.
        out: the folder; made anew.
        delta: folder of a checkpoint that is merged into `canvas`.

    Raises:
        ConfigError: a checkpoint is missing or damaged, or they were not trained for each other.
    """
    network, card = read_merged(canvas, delta) if delta else read_canvas(canvas)
    coder, coder_card = read_autoencoder(autoencoder)
    trained_on = card.data.get("autoencoder")
    if trained_on is not None and trained_on not in (coder_card.sha256, coder_card.data.get("encoder_of")):
        raise ConfigError(f"{str(canvas)!r} was trained on latents of another autoencoder than {str(autoencoder)!r}")
    names = check_files(text)["files"]
    shutil.rmtree(out, ignore_errors=True)
    (out / TEXT).mkdir(parents=True)
    for name in (*names, NAME):
        shutil.copy2(text / name, out / TEXT / name)
    write_card(out, _card(card, coder_card, variant, sampling), export_graphs(network, coder, variant))
    return check_files(out)


def _card(card: Card, coder: Card, variant: Variant, sampling: Sampling) -> dict[str, Any]:
    recipe = {
        "variant": variant.name,
        "drops": variant.drops,
        "keeps": variant.keeps,
        "references": variant.references,
        "fills": variant.name in card.data.get("filled", ()),
        "sampling": asdict(sampling),
    }
    return {
        "name": f"canvas_{variant.name}",
        "purpose": f"paints candidates: {variant.name}",
        "data": {"canvas": dict(card.data), "autoencoder": dict(coder.data)},
        "licence": "Apache-2.0",
        "recipe": {**recipe, "canvas": dict(card.recipe), "autoencoder": dict(coder.recipe)},
        "seed": card.recipe.get("seed", 0),
        "metrics": {**card.metrics, **coder.metrics},
        "limits": "painted pictures are as good as its metrics say and no better: compare before it becomes a default",
    }


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not within 0..1")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.export.canvas", description=__doc__)
    parser.add_argument("--variant", choices=list(VARIANTS), required=True)
    parser.add_argument("--canvas", type=Path, required=True, help="`model` folder of a run of train_base")
    parser.add_argument("--delta", type=Path, help="`model` folder of a run with --lora on that canvas")
    parser.add_argument("--autoencoder", type=Path, required=True, help="`model` folder of a run of train_autoencoder")
    parser.add_argument("--text", type=Path, default=WEIGHTS / "text_encoder", help="folder of the text encoder")
    parser.add_argument("--out", type=Path, help="folder to write (default: the model's own in triton_repo)")
    parser.add_argument("--steps", type=int, default=Sampling.steps, help="of the sampler (default %(default)s)")
    parser.add_argument("--shift", type=float, default=Sampling.shift, help="of the timesteps (default %(default)s)")
    parser.add_argument("--guidance", type=float, help="default: the variant's own")
    parser.add_argument("--temperature", type=_share, default=Sampling.temperature, help="0..1 (default %(default)s)")
    parser.add_argument("--negative", default="", help="what the second pass is told")
    args = parser.parse_args(arguments)
    variant = VARIANTS[args.variant]
    guidance = variant.guidance if args.guidance is None else args.guidance
    sampling = Sampling(args.steps, args.shift, guidance, negative=args.negative, temperature=args.temperature)
    served = SOURCE / f"canvas_{variant.name}"
    out = args.out or served / "1" / "weights"
    try:
        if args.out is None and not served.is_dir():
            raise ConfigError(f"no served model of its own paints {variant.name}: name a folder with --out")
        card = export(args.canvas, args.autoencoder, args.text, variant, sampling, out, args.delta)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    size = sum(said["bytes"] for said in card["files"].values())
    sys.stdout.write(f"{out}: {size / 1e6:.1f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
