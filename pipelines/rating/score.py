"""What a study found: no-defect rates, agreement, strengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.rating.agreement import agreements
from pipelines.rating.rates import flags_by_head, rates
from pipelines.rating.strengths import Choice, strengths
from pipelines.rating.study import RATERS, Study
from pipelines.rating.wins import win_rates


def score(study: Study) -> dict[str, Any]:
    """Everything as plain values.

    Raises:
        TableError: a study of pairs has nothing compared yet.
    """
    items, answers = study.items(), study.answers()
    raters: dict[str, int] = {}
    for given in answers:
        raters[given.rater] = raters.get(given.rater, 0) + 1
    progress = study.progress("")
    result: dict[str, Any] = {
        "mode": study.mode,
        "units": progress.units,
        "complete": progress.done,
        "raters_each": RATERS,
        "raters": dict(sorted(raters.items())),
    }
    if study.mode == "pairs":
        choices = choices_of(study)
        return {
            **result,
            "left_share": left_share(study),
            "strengths": [each._asdict() for each in strengths(choices)],
            "wins": [each._asdict() for each in win_rates(choices)],
            "agreement": [each._asdict() for each in agreements({"better": _outcomes(study)})],
        }
    return {
        **result,
        "rates": [found._asdict() for found in rates(items, answers)],
        "agreement": [found._asdict() for found in agreements(flags_by_head(answers))],
    }


def choices_of(study: Study) -> list[Choice]:
    """The choices of a study of pairs."""
    items = {item.id: item for item in study.items()}
    found = []
    for given in study.answers():
        assert given.second is not None
        first, second = items[given.first], items[given.second]
        share = {first.id: 1.0, second.id: 0.0}.get(str(given.answer["choice"]), 0.5)
        found.append(Choice(first.contestant, second.contestant, share, first.original_digest))
    return found


def left_share(study: Study) -> float | None:
    """How often the left one won where one won: far from a half, raters follow the side. None where nothing won."""
    won = [given for given in study.answers() if given.answer["choice"] != "tie"]
    left = [
        given.answer["choice"] == (given.answer.get("left") or study.left_of(given.unit, given.rater)) for given in won
    ]
    return sum(left) / len(left) if left else None


def _outcomes(study: Study) -> dict[str, dict[str, int]]:
    """By pair and rater: 0 where its first was better, 1 where its second was, 2 for no difference."""
    found: dict[str, dict[str, int]] = {}
    for given in study.answers():
        won = {given.first: 0, given.second: 1}.get(given.answer["choice"], 2)
        found.setdefault(given.unit, {})[given.rater] = won
    return found


def as_text(found: dict[str, Any]) -> str:
    """Markdown tables."""
    raters = ", ".join(f"{name} {count}" for name, count in found["raters"].items()) or "none"
    lines = [f"{found['complete']} of {found['units']} complete; answers by rater: {raters}", ""]
    if found["mode"] == "pairs":
        if found["left_share"] is not None:
            lines += [f"the left one won {found['left_share']:.0%} of the decided comparisons", ""]
        lines += [*_pairs(found), "", *_agreement(found["agreement"])]
        return "\n".join(lines) + "\n"
    lines += _table(
        ["contestant", "task", "head", "items", "no defect", "95 % interval"],
        [
            [
                row["contestant"],
                row["task"],
                row["head"],
                str(row["items"]),
                f"{row['rate']:.1%}",
                f"{row['low']:.1%} to {row['high']:.1%}",
            ]
            for row in found["rates"]
        ],
    )
    lines += ["", *_agreement(found["agreement"])]
    return "\n".join(lines) + "\n"


def _pairs(found: dict[str, Any]) -> list[str]:
    wins = {row["contestant"]: row for row in found["wins"]}
    rows = []
    for row in found["strengths"]:
        won = wins[row["contestant"]]
        rows.append(
            [
                row["contestant"],
                str(row["comparisons"]),
                f"{row['wins']:g}",
                f"{won['rate']:.0%} ({won['low']:.0%} to {won['high']:.0%})",
                f"{row['strength']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f})",
                f"{row['chance']:.0%}",
            ]
        )
    return _table(["contestant", "comparisons", "wins", "win rate", "strength", "beats the mean"], rows)


def _agreement(rows: Sequence[dict[str, Any]]) -> list[str]:
    def kappa(row: dict[str, Any]) -> str:
        if row["kappa"] is None:
            return "not defined"
        interval = f" ({row['low']:.2f} to {row['high']:.2f})" if row["low"] is not None else ""
        return f"{row['kappa']:.2f}{interval}"

    return _table(
        ["head", "raters", "items", "agreed", "kappa"],
        [
            [
                row["head"],
                " + ".join(row["raters"]) or "all (Fleiss)",
                str(row["items"]),
                f"{row['agreed']:.0%}",
                kappa(row),
            ]
            for row in rows
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
