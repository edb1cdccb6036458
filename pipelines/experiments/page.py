"""`report.html`: one file, nothing loaded from elsewhere."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from pipelines.experiments.plots import TITLES, forest, over_days
from pipelines.experiments.report import first_crossing


def render_page(facts: dict[str, Any], title: str) -> str:
    """The page of an experiment's report (see `report.report`)."""
    environment = Environment(loader=PackageLoader("pipelines"), autoescape=select_autoescape(default=True))
    confidence = 1 - facts["rules"]["alpha"]
    return environment.get_template("experiment.html.j2").render(
        title=title,
        facts=facts,
        titles=TITLES,
        confidence=confidence,
        forest=forest(facts["lifts"], confidence),
        days={metric: over_days(looks, TITLES[metric]) for metric, looks in facts["looks"].items()},
        crossings={
            metric: [first_crossing(looks, rule) for rule in ("crossed_boundary", "crossed_always")]
            for metric, looks in facts["looks"].items()
        },
        final=facts["days"] >= facts["planned_looks"],
    )
