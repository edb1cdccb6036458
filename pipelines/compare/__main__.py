"""Run over run: `python -m pipelines.compare RUN_A RUN_B [--html OUT]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from pipelines.compare.alerts import AlertLimits
from pipelines.compare.compare import compare
from pipelines.compare.plots import nightly_drift, outcome_shares
from pipelines.compare.runs import read_run
from pipelines.stores import add_store_options, store_of
from transforms.errors import CanvasError, ConfigError
from transforms.storage.store import open_store


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 0 for a quiet night, 1 for an alert, 2 for bad usage."""
    options = _parser().parse_args(argv)
    try:
        return _compare(options)
    except CanvasError as error:
        sys.stderr.write(f"error: {error}\n  remedy: {error.remedy}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    limits = AlertLimits()
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.compare",
        description="Compare the last run with the one before it, and with all before it for drift. "
        "Exit code 0: quiet, 1: alert, 2: bad usage.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add(
        "runs",
        nargs="+",
        metavar="RUN",
        help="OUTPUT/runs/RUN_ID, or OUTPUT/scene_runs/RUN_ID; two and more, the earliest first",
    )
    add("--html", default="", help="page to write")
    add("--json", default="", help="file to write the same figures to")
    add("--max_images", type=int, default=400, help="changed creatives to look at")
    add("--max_lost_share", type=float, default=limits.max_lost_share, help="alert: net share of products that lose")
    add(
        "--max_failed_rise",
        type=float,
        default=limits.max_failed_rise,
        help="alert: rise of the share of products that fail",
    )
    add("--max_gone_share", type=float, default=limits.max_gone_share, help="alert: share of products that are gone")
    add("--max_psi", type=float, default=limits.max_psi, help="alert: population stability index of a column")
    add("--alpha", type=float, default=limits.alpha, help="alert: and a test this sure, over all columns together")
    add("--max_image_difference", type=float, help="alert: mean CIEDE2000 of a creative; none by default")
    add_store_options(parser)
    return parser


def _compare(options: argparse.Namespace) -> int:
    if len(options.runs) < 2:
        raise ConfigError("one run alone", remedy="name two runs and more, the earliest first")
    if options.max_images < 0:
        raise ConfigError(f"--max_images must not be negative, got {options.max_images}")
    limits = AlertLimits(
        options.max_lost_share,
        options.max_failed_rise,
        options.max_psi,
        options.alpha,
        options.max_image_difference,
        options.max_gone_share,
    )
    config = store_of(options)
    facts = compare([read_run(uri, config) for uri in options.runs], limits, config, options.max_images)
    if options.json:
        text = json.dumps(_finite({name: value for name, value in facts.items() if name != "images"}), indent=1)
        open_store(options.json, config).write(options.json, text.encode(), content_type="application/json")
    if options.html:
        page = render_page(facts, limits).encode()
        open_store(options.html, config).write(options.html, page, content_type="text/html; charset=utf-8")
    sys.stdout.write(as_text(facts))
    return 1 if facts["alerts"] else 0


def render_page(facts: dict[str, Any], limits: AlertLimits) -> str:
    """One page, nothing loaded from elsewhere."""
    environment = Environment(loader=PackageLoader("pipelines"), autoescape=select_autoescape(default=True))
    return environment.get_template("compare.html.j2").render(
        facts=facts,
        outcomes_plot=outcome_shares(facts["runs"]),
        nights_plot=nightly_drift(facts["nights"], limits.max_psi),
    )


def as_text(facts: dict[str, Any]) -> str:
    """What a scheduler's log should hold."""
    *_, before, after = facts["runs"]
    lines = [
        f"{before['run_id']} -> {after['run_id']}: {facts['in_both']} in both, {facts['new']} new, {facts['gone']} gone"
    ]
    for outcome in ("enhanced", "skipped", "rejected", "failed"):
        lines.append(f"  {outcome}: {before[outcome]:.1%} -> {after[outcome]:.1%}")
    lines += [f"  {each['rows']} x {each['before']} -> {each['after']}" for each in facts["moved"][:5]]
    lines.append(f"  creatives changed: {facts['creatives_changed']}")
    lines += [f"ALERT: {text}" for text in facts["alerts"]] or ["quiet"]
    return "\n".join(lines) + "\n"


def _finite(value: Any) -> Any:
    """JSON has no infinity."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value


if __name__ == "__main__":
    sys.exit(main())
