"""Every reason that the code can give has words that an advertiser understands."""

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import transforms
from pipelines.review.reasons import REASONS
from transforms.errors import CanvasError

ROOT = Path(transforms.__file__).parent
_REFUSALS = {"Skipped": 0, "Rejected": 0}


def raised_reasons() -> set[str]:
    """The reasons of all refusals and error classes, read from the source itself."""
    trees = [ast.parse(path.read_text()) for path in ROOT.rglob("*.py")]
    records = {name: at for tree in trees for name, at in _reason_fields(tree)}
    found = {reason for tree in trees for reason in _literals(tree, {**_REFUSALS, **records})}
    return found | {kind.reason for kind in _all_errors()}


def _reason_fields(tree: ast.Module) -> list[tuple[str, int]]:
    """Records with a field `reason`, whose literals reach a refusal: name, position of the field."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(getattr(base, "id", "") == "NamedTuple" for base in node.bases):
            names = [entry.target.id for entry in node.body if isinstance(entry, ast.AnnAssign)]  # type: ignore[union-attr]
            if "reason" in names:
                found.append((node.name, names.index("reason")))
    return found


def _literals(tree: ast.Module, calls: dict[str, int]) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in calls:
            at = calls[node.func.id]  # type: ignore[union-attr]
            values = [keyword.value for keyword in node.keywords if keyword.arg == "reason"] + node.args[at : at + 1]
            found |= {value.value for value in values if isinstance(value, ast.Constant)}
    return found


def _all_errors() -> set[type[CanvasError]]:
    for module in pkgutil.walk_packages(transforms.__path__, "transforms."):
        importlib.import_module(module.name)
    found, open_ = {CanvasError}, [CanvasError]
    while open_:
        children = open_.pop().__subclasses__()
        found |= set(children)
        open_ += children
    return {kind for kind in found if kind.__module__.startswith("transforms")}


def test_the_search_finds_reasons_of_every_kind() -> None:
    found = raised_reasons()
    assert {"too_small", "pattern", "halo", "bytes", "truncated", "internal"} <= found
    assert len(found) > 55


def test_every_reason_has_words() -> None:
    missing = raised_reasons() - set(REASONS)
    assert not missing


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_words_are_whole_sentences_without_jargon(reason: str) -> None:
    words = REASONS[reason]
    assert words.title and words.title[0].isupper() and not words.title.endswith(".")
    assert words.text.endswith(".") and words.advice.endswith(".")
    text = " ".join(words).lower()
    assert not any(term in text for term in ("mask", "segment", "alpha", "tensor", "triton", "inference", "score"))
