"""Online experiments: `python -m pipelines.experiments report|power|simulate|coverage`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from pipelines.experiments.coverage import as_text, coverage, peeking, peeking_text
from pipelines.experiments.page import render_page
from pipelines.experiments.power import Plan, detectable_lift, impressions_needed, measured_plan
from pipelines.experiments.report import Rules, report
from pipelines.experiments.sequential import SPENDING
from pipelines.experiments.simulate import PUBLISHED, Market, TrueLifts, as_table
from pipelines.experiments.traffic import Traffic, count, read_traffic
from pipelines.stores import add_store_options, store_of
from transforms.errors import CanvasError, ConfigError
from transforms.ledger import PARQUET, parquet_bytes
from transforms.storage.store import open_store

_MOST_DAILY, _MOST_SPREAD, _MOST_LIFT = 1e9, 5.0, 1e3


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 0 done, 1 a report whose arms did not get the meant traffic, 2 bad usage."""
    options = _parser().parse_args(argv)
    try:
        return int(options.command(options))
    except CanvasError as error:
        sys.stderr.write(f"error: {error}\n  remedy: {error.remedy}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines.experiments", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _add_report(commands.add_parser("report", help="lifts of an experiment as HTML and JSON"))
    _add_power(commands.add_parser("power", help="how much traffic an experiment needs"))
    _add_simulate(commands.add_parser("simulate", help="traffic with known lifts, as the table that report takes"))
    _add_coverage(commands.add_parser("coverage", help="how often intervals cover, over many simulations"))
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--control", default="control", help="name of the control arm (default: %(default)s)")
    parser.add_argument("--treatment", default="treatment", help="name of the other arm (default: %(default)s)")
    parser.add_argument("--alpha", type=float, default=0.05, help="two-sided (default: %(default)s)")
    parser.add_argument("--treated_share", type=float, default=0.5, help="treatment's meant share of the traffic")
    add_store_options(parser)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_report)
    add = parser.add_argument
    add(
        "traffic",
        help="Parquet file or folder: arm, product_id, impressions, clicks, long_clicks[, advertiser_id, day]",
    )
    add("--out", required=True, help="folder for report.html and report.json")
    add("--title", default="Experiment", help="of the page")
    add("--units", default="", help="users or requests given to control,treatment: sharpens the sample-ratio check")
    add("--planned_looks", type=int, default=0, help="days of the whole experiment; 0: as many as the table has")
    add("--spending", choices=tuple(SPENDING), default="obrien_fleming", help="of alpha over the planned looks")
    add("--mixing_sd", type=float, default=0.1, help="lift for which always-valid intervals are tightest")
    _add_data(parser)


def _add_power(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_power)
    add = parser.add_argument
    add("--rate", type=float, help="clicks per impression in the control")
    add("--design_effect", type=float, default=1.0, help="how much variance products add; see docs/experiments.md")
    add("--data", help="an earlier experiment's traffic: measures rate and design effect")
    add("--metric", choices=("ctr", "long_click_rate"), default="ctr", help="with --data")
    add("--lift", type=float, help="the true lift to be seen, 0.05 for +5 %%: tells the impressions")
    add("--impressions", type=float, help="of both arms: tells the smallest lift that is seen")
    add("--power", type=float, default=0.8, help="the chance to see it (default: %(default)s)")
    _add_data(parser)


def _add_market(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    market = Market()
    add("--lifts", default="background", help=f"{', '.join(PUBLISHED)}, or ctr,long_click_rate,click_volume: 0.1,0,0.1")
    add("--products", type=int, default=market.products)
    add("--days", type=int, default=market.days)
    add("--daily_impressions", type=float, default=market.daily_impressions, help="of a product in both arms, mean")
    add("--spread", type=float, default=market.spread, help="sd of the log of products' traffic")
    add("--split", choices=("impressions", "products"), default=market.split, help="what is randomised")
    add("--treated_share", type=float, default=market.treated_share)
    add("--seed", type=int, default=1)


def _add_simulate(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_simulate)
    parser.add_argument("--out", required=True, help="Parquet file to write")
    _add_market(parser)
    add_store_options(parser)


def _add_coverage(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_coverage)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--peek", action="store_true", help="instead: how often rules that look daily see an effect")
    _add_market(parser)


def _market(options: argparse.Namespace) -> tuple[Market, TrueLifts]:
    if options.products < 2 or options.days < 1 or options.seed < 0:
        raise ConfigError("--products takes 2 and more, --days 1 and more, --seed 0 and more")
    if not 0 < options.daily_impressions <= _MOST_DAILY or not 0 <= options.spread <= _MOST_SPREAD:
        raise ConfigError(
            f"--daily_impressions takes more than 0 to {_MOST_DAILY:g}, --spread 0 to {_MOST_SPREAD:g}: "
            f"got {options.daily_impressions}, {options.spread}"
        )
    if not 0 < options.treated_share < 1:
        raise ConfigError(f"--treated_share must lie within (0, 1), got {options.treated_share}")
    names = ("products", "days", "daily_impressions", "spread", "split", "treated_share")
    market, lifts = Market(**{name: getattr(options, name) for name in names}), _lifts(options.lifts)
    if market.long_share * (1 + lifts.long_click_rate) > 1 + lifts.ctr:
        raise ConfigError(f"--lifts {options.lifts}: more long clicks than clicks")
    return market, lifts


def _lifts(text: str) -> TrueLifts:
    if text in PUBLISHED:
        return PUBLISHED[text]
    try:
        lifts = TrueLifts(*(float(part) for part in text.split(",")))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"--lifts {text!r}: {', '.join(PUBLISHED)}, or three numbers such as 0.1,0,0.1") from error
    if not all(-1 < lift <= _MOST_LIFT for lift in lifts):
        raise ConfigError(f"--lifts {text!r}: a lift is above -1 and at most {_MOST_LIFT:g}")
    return lifts


def _traffic(uri: str, options: argparse.Namespace) -> Traffic:
    return count(read_traffic(open_store(uri, store_of(options)), uri), options.control, options.treatment)


def _units(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    try:
        control, treatment = (int(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"--units {text!r}: two whole numbers, control,treatment") from error
    return control, treatment


def _report(options: argparse.Namespace) -> int:
    rules = Rules(
        options.alpha,
        options.treated_share,
        _units(options.units),
        options.planned_looks,
        options.spending,
        options.mixing_sd,
    )
    facts = report(_traffic(options.traffic, options), rules)
    store, folder = open_store(options.out, store_of(options)), options.out.rstrip("/")
    text = json.dumps(facts, indent=1)
    store.write(f"{folder}/report.json", text.encode(), content_type="application/json")
    page = render_page(facts, options.title)
    store.write(f"{folder}/report.html", page.encode(), content_type="text/html; charset=utf-8")
    for lift in facts["lifts"]:
        high = "inf" if lift["high"] is None else f"{lift['high']:+.1%}"
        sys.stdout.write(f"{lift['metric']}: {lift['lift']:+.1%} ({lift['low']:+.1%} to {high})\n")
    if facts["balance"]["suspicious"]:
        sys.stdout.write("the arms did not get the traffic that was meant for them: do not read the lifts\n")
    sys.stdout.write(f"report: {folder}/report.html\n")
    return 1 if facts["balance"]["suspicious"] else 0


def _power(options: argparse.Namespace) -> int:
    if (options.lift is None) == (options.impressions is None):
        raise ConfigError("give either --lift or --impressions")
    if (options.rate is None) == (options.data is None):
        raise ConfigError("give either --rate or --data")
    traffic = _traffic(options.data, options) if options.data else None
    if traffic is not None:
        plan = measured_plan(traffic, options.metric, options.alpha, options.treated_share)
        sys.stdout.write(f"measured: rate {plan.rate:.4%}, design effect {plan.design_effect:.2f}\n")
    else:
        plan = Plan(options.rate, options.design_effect, options.alpha, options.treated_share)
    if options.impressions is not None:
        lift = detectable_lift(plan, options.impressions, options.power)
        sys.stdout.write(f"{options.impressions:,.0f} impressions see a lift of {lift:+.2%} or more\n")
        return 0
    needed = impressions_needed(plan, options.lift, options.power)
    sys.stdout.write(f"a lift of {options.lift:+.2%} needs {needed:,.0f} impressions, both arms together\n")
    if traffic is not None:
        each = traffic.impressions.sum() / len(traffic.products)
        sys.stdout.write(f"at {each:,.0f} impressions a product, as measured: {needed / each:,.0f} products\n")
    return 0


def _simulate(options: argparse.Namespace) -> int:
    table = as_table(*_market(options), options.seed)
    open_store(options.out, store_of(options)).write(options.out, parquet_bytes(table), content_type=PARQUET)
    sys.stdout.write(f"{len(table)} rows -> {options.out}\n")
    return 0


def _coverage(options: argparse.Namespace) -> int:
    market, lifts = _market(options)
    if options.simulations < 1:
        raise ConfigError("--simulations takes 1 and more")
    if options.peek:
        text = peeking_text(peeking(market, lifts, options.simulations, options.seed))
    else:
        text = as_text(coverage(market, lifts, options.simulations, options.seed))
    sys.stdout.write(f"{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
