"""The pages themselves: what templates and scripts are given. Texts from feeds reach a page as JSON or escaped."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader

from pipelines.report.spend import Spend
from pipelines.review.items import (
    DETAILS_PER_FILE,
    HEADLINE_SCORES,
    details_of,
    list_items,
    placements_of,
    reasons_of,
)
from pipelines.review.pictures import Proof
from pipelines.review.runs import Row, Run
from transforms.decisions import VERDICTS, Standing, opt_outs, slot_of, standings

STATES = ("open", "accepted", "refused", "withdrawn", "rejected", "skipped", "failed")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(loader=PackageLoader("pipelines.review"), autoescape=True, trim_blocks=False)


def render(template: str, **values: Any) -> str:
    """A template's page; everything is escaped."""
    return _environment().get_template(template).render(**values)


def asset(name: str) -> bytes:
    """A script, style sheet or icon of the page."""
    return (files("pipelines.review") / "static" / name).read_bytes()


def assets() -> list[str]:
    """The names of all of them."""
    return sorted(item.name for item in (files("pipelines.review") / "static").iterdir() if item.is_file())


def script(call: str, *values: Any) -> str:
    r"""A script that calls `Review.<call>`. The last value is JSON inside a string: it parses fast and runs nothing.

    >>> script("put", "x", {"t": "</script>"})
    'Review.put("x", JSON.parse("{\\"t\\":\\"\\u003c/script>\\"}"));\n'
    """
    *plain, last = values
    text = json.dumps(last, ensure_ascii=False, separators=(",", ":"), default=str)
    return f"Review.{call}({', '.join([*map(_quoted, plain), f'JSON.parse({_quoted(text)})'])});\n"


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    # the first cannot end a script element then, the other two cannot end a line in old engines
    return quoted.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def creative_key(row: Row) -> str:
    """What a decision on this row is filed under: the creative's key, or the plan's where nothing was made."""
    return str(row["content_key"] or row["plan_key"])


def decisions_shown(rows: Sequence[Row], decided: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Item -> what was decided of it, as the page shows it."""
    found = standings(decided)
    if not found:
        return {}
    named = ((row["item_id"], found.get((slot_of(row), creative_key(row)))) for row in rows)
    return {name: standing_shown(standing) for name, standing in named if standing is not None}


def standing_shown(standing: Standing) -> dict[str, Any]:
    """A creative's decisions as the page shows them."""
    verdict = standing.verdict
    shown: dict[str, Any] = {
        "retry": standing.retry,
        "pruned": standing.pruned,
        "flags": [_said(row) for row in standing.flags],
    }
    if verdict is not None:
        shown.update(verdict=VERDICTS[verdict["action"]], reason=verdict["reason"], **_said(verdict))
    return shown


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    at = row["decided_at"].isoformat(timespec="seconds")
    return {"note": row["note"] or "", "by": row["decided_by"], "at": at, "batch": row["batch"]}


def opt_outs_shown(decided: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The opt-outs as the page shows them."""
    return [
        {"product": row["product_id"] or "", "feature": row["feature"] or "", **_said(row)} for row in opt_outs(decided)
    ]


def data_script(run: Run, rows: Sequence[Row], decided: Sequence[Mapping[str, Any]], mode: str) -> str:
    """`data.js`: the list of one advertiser's creatives."""
    return script(
        "load",
        {
            "mode": mode,
            "perFile": DETAILS_PER_FILE,
            "items": list_items(rows, run.placements),
            "reasons": reasons_of(rows),
            "placements": placements_of(rows, run.placements),
            "scores": [{"name": name, "words": words, "more": more} for name, words, more in HEADLINE_SCORES],
            "decisions": decisions_shown(rows, decided),
            "optouts": opt_outs_shown(decided),
        },
    )


def details_script(rows: Sequence[Row], number: int) -> str:
    """`details/<number>.js`: the details of the items of one file."""
    part = rows[number * DETAILS_PER_FILE : (number + 1) * DETAILS_PER_FILE]
    return script("put", "details", {row["item_id"]: details_of(row) for row in part})


def proof_script(row: Row, proof: Proof) -> str:
    """`proof/<item>.js`."""
    return script("put", "proofs", {row["item_id"]: proof._asdict()})


def page(run: Run, advertiser: str, mode: str, **more: Any) -> str:
    """`index.html` of one advertiser."""
    rows = run.advertisers[advertiser]
    return render(
        "review.html.j2",
        mode=mode,
        advertiser=advertiser or "(no advertiser)",
        date=date_of(run),
        count=len(rows),
        placements=len({row["placement"] for row in rows if row["placement"]}),
        **more,
    )


def date_of(run: Run) -> str:
    """The day on which the run's last row was decided, in words."""
    last = max((row["finished_at"] for row in run.rows if row["finished_at"]), default=None)
    return f"{last.day} {last:%B %Y}" if last else run.run_id


def counts_of(rows: Sequence[Row], decided: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many items are in each state."""
    shown = decisions_shown(rows, decided)
    states = (shown.get(row["item_id"], {}).get("verdict") or _open(row["outcome"]) for row in rows)
    return {**dict.fromkeys(STATES, 0), **Counter(states)}


def _open(outcome: str) -> str:
    return "open" if outcome == "enhanced" else outcome


def overview(
    run: Run, mode: str, decided: Sequence[Mapping[str, Any]], hrefs: Mapping[str, str], spend: Spend, **more: Any
) -> str:
    """The page of all advertisers, for ads ops."""
    entries = []
    for name, rows in run.advertisers.items():
        mine = [row for row in decided if row["advertiser_id"] == name]
        entries.append({"name": name, "href": hrefs[name], "counts": counts_of(rows, mine)})
    figures = spend_figures(spend)
    return render(
        "overview.html.j2",
        mode=mode,
        run_id=run.run_id,
        date=date_of(run),
        total=len(run.rows),
        advertisers=entries,
        figures=figures,
        **more,
    )


def spend_figures(spend: Spend) -> list[dict[str, str]]:
    """What was accepted and what it cost, in words."""
    figures = [
        {"words": "accepted in all", "value": f"{spend.accepted:,}"},
        {"words": "refused in all", "value": f"{spend.refused:,}"},
    ]
    if spend.acceptance_rate is not None:
        figures.append({"words": "of those decided are accepted", "value": f"{spend.acceptance_rate:.0%}"})
    if spend.cost:
        figures.append({"words": "spent on all runs", "value": f"{spend.cost:,.2f}"})
    if spend.cost_per_accepted is not None:
        figures.append({"words": "per accepted creative", "value": f"{spend.cost_per_accepted:,.4f}"})
    return figures
