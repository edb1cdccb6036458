"""How much of its teacher a distilled text encoder keeps, on sentences that it has not seen.

    python -m benchmarks.text_encoder [--weights models/weights/text_encoder] [--teacher DIR] [--json FILE]

- rank agreement: Spearman's correlation of the cosines of all pairs of sentences, beside MiniLM's;
- ten nearest: the share of MiniLM's ten nearest sentences that are among the encoder's ten nearest;
- colours and surfaces told apart: a sentence with one word is to find, among the sentences of another form that differ
  in that word alone, the one with the same word. Chance is one over the number of words.
Unseen sentences are of another seed; unseen products are those that no training sentence names.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from models.data.sentences import FLOORS, HUES, LIGHTS, MATERIALS, WALLS, write_reserved, write_sentence
from models.serving.text import WEIGHTS, load_text_encoder
from models.training.train_text_encoder import Teacher

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]

_SEED = 1_000_003
_PAIRS = {
    "colour of a wall": (HUES, "a chair before a {} wall, soft light", "{} plaster wall and an oak floor, a chair"),
    "colour of a product": (HUES, "a {} armchair in a living room", "photograph of a comfortable {} chair"),
    "wall": (WALLS, "a lamp before a white {}", "living room with a {} and a lamp"),
    "floor": (FLOORS, "a lamp on {}", "{}, a standing lamp, soft light"),
    "material": (MATERIALS, "a {} vase", "vase made of {}, soft light"),
    "light": (LIGHTS, "a shoe, {}", "{} on a shoe and a plain wall"),
}


def rank_agreement(own: Vectors, teacher: Vectors) -> float:
    """Spearman's correlation of the cosines of all pairs."""
    above = np.triu_indices(len(own), 1)
    return float(spearmanr((own @ own.T)[above], (teacher @ teacher.T)[above]).statistic)


def nearest_agreement(own: Vectors, teacher: Vectors, count: int = 10) -> float:
    """The share of the teacher's `count` nearest that are the encoder's too."""
    near = [_nearest(vectors, count) for vectors in (own, teacher)]
    return float(np.mean([len(set(a) & set(b)) / count for a, b in zip(*near, strict=True)]))


def _nearest(vectors: Vectors, count: int) -> NDArray[np.intp]:
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2.0)
    return np.argsort(-cosines, axis=1, kind="stable")[:, :count]


def told_apart(encode: Encode, words: Sequence[str], first: str, second: str) -> float:
    """The share of `words` whose `first` sentence is nearest to their own `second` one."""
    asked, offered = (encode([form.format(word) for word in words]) for form in (first, second))
    return float((np.argmax(asked @ offered.T, axis=1) == np.arange(len(words))).mean())


def measure(encode: Encode, teacher: Encode, count: int) -> dict[str, float]:
    """Every figure, by name."""
    figures: dict[str, float] = {}
    for name, write in (("unseen sentences", write_sentence), ("unseen products", write_reserved)):
        sentences = list(dict.fromkeys(write(_SEED, number) for number in range(count)))
        own, taught = encode(sentences), teacher(sentences)
        figures[f"rank agreement, {name}"] = rank_agreement(own, taught)
        figures[f"ten nearest, {name}"] = nearest_agreement(own, taught)
    for name, (words, first, second) in _PAIRS.items():
        figures[f"told apart, {name}, of {len(words)}"] = told_apart(encode, words, first, second)
        figures[f"told apart by MiniLM, {name}, of {len(words)}"] = told_apart(teacher, words, first, second)
    return {name: round(value, 4) for name, value in figures.items()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text_encoder", description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS / "text_encoder", help="folder of the weights")
    parser.add_argument("--teacher", type=Path, help="folder of MiniLM; the installed package's where not given")
    parser.add_argument("--count", type=int, default=600, help="unseen sentences of each kind (default %(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    args = parser.parse_args()
    encoder = load_text_encoder(args.weights)
    figures = measure(lambda sentences: encoder(sentences).sentence, Teacher(args.teacher), args.count)
    began = time.process_time()
    encoder(["warm beige plaster wall, soft morning light"] * 50)
    figures["milliseconds of CPU a sentence"] = round((time.process_time() - began) * 20, 2)
    for name, value in figures.items():
        print(f"| {name} | {value} |")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
