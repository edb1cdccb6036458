"""What every training run keeps: checkpoints that can be gone on from, one record a step, averaged weights, curves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from torch import nn


@torch.no_grad()
def average_into(averaged: nn.Module, own: nn.Module, step: int, decay: float) -> None:
    """Move `averaged` towards `own`; `decay` is reached after about as many steps as it spans.

    The exponential average of the weights (Polyak & Juditsky 1992), with the start-up of TensorFlow's.
    """
    keep = min(decay, (step + 1) / (step + 10))
    current = own.state_dict()
    for name, value in averaged.state_dict().items():
        if value.is_floating_point():
            value.lerp_(current[name], 1 - keep)
        else:
            value.copy_(current[name])


def save(held: Mapping[str, Any], path: Path) -> None:
    """Write a checkpoint beside its place and rename it there, so that a cut leaves the old one."""
    beside = path.with_suffix(".writing")
    torch.save(dict(held), beside)
    beside.replace(path)


def load(path: Path) -> dict[str, Any] | None:
    """What `save` kept, or None where there is no checkpoint."""
    return torch.load(path, map_location="cpu", weights_only=True) if path.exists() else None


def restore(state: Any, path: Path, parts: Sequence[str]) -> None:
    """Bring `state`, whose `parts` have a `state_dict`, to the checkpoint at `path`, if there is one."""
    held = load(path)
    if held is not None:
        for name in parts:
            getattr(state, name).load_state_dict(held[name])
        state.step = held["step"]


def keep(state: Any, records: Iterable[Mapping[str, Any]], run: Path, parts: Sequence[str], every: int) -> None:
    """Train by drawing `records`, one a step: each is written down; `state` is saved now and then, and at the end."""
    kept = state.step
    with Records(run / "losses.jsonl", state.step) as file:
        for record in records:
            file.add(record)
            if state.step % every == 0:
                kept = _save_state(state, run, parts)
    if kept != state.step:
        _save_state(state, run, parts)


def _save_state(state: Any, run: Path, parts: Sequence[str]) -> int:
    held = {name: getattr(state, name).state_dict() for name in parts}
    save({**held, "step": state.step}, run / "checkpoint.pt")
    return int(state.step)


class Records:
    """`losses.jsonl` of a run: one JSON object for each step, in their order; a context manager."""

    def __init__(self, path: Path, step: int) -> None:
        """Go on at `step`: records of steps that a killed run took after its last checkpoint are dropped."""
        self._path, self._file = path, None
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            path.write_text("".join(f"{line}\n" for line in lines if json.loads(line)["step"] < step), encoding="utf-8")

    _file: TextIO | None

    def __enter__(self) -> Records:
        self._file = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._file is not None
        self._file.close()

    def add(self, record: Mapping[str, Any]) -> None:
        """Append one record; it is on disk when this returns."""
        assert self._file is not None
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()


def plot(records: Path, target: Path, columns: Sequence[str], label: str) -> None:
    """The curves of a run as a PNG: each column's steps faint, and their running mean.

    Args:
        records: a `losses.jsonl`.
        target: the PNG.
        columns: those of the records that are drawn.
        label: of the vertical axis.
    """
    from matplotlib.figure import Figure

    rows = [json.loads(line) for line in records.read_text(encoding="utf-8").splitlines()]
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for number, column in enumerate(columns):
        steps = np.array([row["step"] for row in rows if column in row])
        values = np.array([row[column] for row in rows if column in row])
        width = max(1, min(100, len(values) // 5))
        smooth = np.convolve(values, np.ones(width) / width, mode="valid")
        axes.plot(steps, values, color=f"C{number}", alpha=0.2, linewidth=0.6)
        axes.plot(steps[width - 1 :], smooth, color=f"C{number}", label=f"{column}, mean of {width} steps")
    axes.set(xlabel="step", ylabel=label, yscale="log")
    axes.legend()
    figure.savefig(target, dpi=120)
