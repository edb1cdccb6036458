"""Every flag of the job, declared once. A YAML file (`--config`) gives the same names; flags win over it."""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.stores import add_store_options as add_store_options
from transforms.errors import ConfigError
from transforms.placements import PLACEMENTS

_JSON = ("extra_placements", "thresholds")
_NOT_IN_FILES = ("config", "help")
# flags that one would think add up: of one that is given twice the last would win, and say nothing
_ADDABLE = ("column", "allow_source", "triton_header")
_PAIRS = ("column", "triton_header")  # flags that take name=value,name=value; in a file, a mapping


class Arguments(NamedTuple):
    """The job's own flags, and what is left for the Beam runner."""

    job: argparse.Namespace
    beam: list[str]


def build_parser() -> argparse.ArgumentParser:
    """The parser of all flags; `--help` shows unit and default of each."""
    parser = argparse.ArgumentParser(
        prog="run_pipeline.py",
        description="Enhance the product images of a manifest. Flags that are not listed go to the Beam runner.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    for add in (_add_input, _add_result, _add_serving, add_store_options, _add_run):
        add(parser)
    return parser


def _add_input(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("input")
    add = group.add_argument
    add("--manifest", help="Parquet file, glob or folder; a path, file:// or s3://")
    add("--column", default="", help="names that differ: product_id=sku,image_uri=picture; in a file a mapping")
    add("--advertiser_id", default="", help="advertiser of all rows, where the manifest has no such column")
    add(
        "--category_names",
        default="",
        help="list that tells the names of numbered categories, `187 - Apparel & Accessories > Shoes` a line, as "
        "Google publishes its taxonomy; a path, file:// or s3://; empty: numbers say nothing",
    )
    add(
        "--decisions",
        default="",
        help="Parquet file of decisions on earlier creatives, from `python -m pipelines.review export`; a path, "
        "file:// or s3://",
    )
    add("--limit", type=int, help="plan only the first N rows of the manifest")
    add(
        "--allow_source",
        default="",
        help="where images may come from, comma separated: folders, s3://bucket/prefix, https://host[/path]; "
        "empty: the manifest's own folder",
    )
    add("--max_source_bytes", type=int, default=30_000_000, help="bytes of one source image")
    add("--max_source_pixels", type=int, default=64_000_000, help="pixels of one source image")
    add("--fetch_deadline_sec", type=float, default=30.0, help="seconds for one http(s) source in all")


def _add_result(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("result")
    add = group.add_argument
    add("--output", help="folder for creatives, ledger and runs; a path, file:// or s3://")
    add("--features", default="", help="what the job may do, comma separated: background,outpaint; nothing by default")
    add("--placements", default="pinterest_standard", help=f"comma separated, out of {', '.join(PLACEMENTS)}")
    add(
        "--extra_placements",
        default="[]",
        help='JSON list of placements to add: [{"name": "banner", "size": [height, width], "max_bytes": 150000}]',
    )
    add(
        "--prompts",
        default="",
        help="CSV of the prompts by category, for rows that have none; a path, file:// or s3://; empty: the shipped "
        "table, transforms/data/prompts.csv",
    )
    add("--background_painters", default="canvas_staging,studio", help="in order of preference, comma separated")
    add("--outpaint_painters", default="patchmatch", help="in order of preference, comma separated")
    add(
        "--thresholds",
        default="{}",
        help='JSON of thresholds: {"verify": {"max_expansion": 0.02}}; see docs/operations.md',
    )


def _add_serving(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("serving")
    add = group.add_argument
    add("--triton", default="", help="host:port,host:port of running servers (gRPC); empty: start one on this machine")
    add("--triton_metrics", default="", help="Prometheus URLs of those servers, for the busy share, comma separated")
    add(
        "--triton_repo",
        default="",
        help="model repository of the started server, not with --triton; empty: triton_repo/ of this checkout",
    )
    add("--triton_header", default="", help="gRPC headers, name=ENVIRONMENT_VARIABLE, comma separated")
    add("--triton_root_certificates", default="", help="PEM file; given, TLS is used")
    add("--triton_client_key", default="", help="PEM file")
    add("--triton_client_certificate", default="", help="PEM file")
    add("--deadline_sec", type=float, help="seconds for one request; none: each model's own")
    add("--max_in_flight", type=int, default=16, help="requests of one process under way at once")


def _add_run(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("run")
    add = group.add_argument
    add("--config", help="YAML file with these names; flags win over it")
    add("--print_config", action="store_true", help="print the configuration as YAML and stop")
    add("--run_id", default="", help="name of the run; empty: the UTC time of its start")
    add("--dry_run", action="store_true", help="do everything but write creatives and the ledger")
    add("--retry_failed", action="store_true", help="try again what failed for a cause that stays")
    add("--concurrency", type=int, default=8, help="rows under way at once in a process")
    add("--memory_gib", type=float, default=4.0, help="GiB that all rows of a process may hold together")
    add("--max_failed_share", type=float, default=0.5, help="share of failed outcomes above which the run stops")
    add("--min_outcomes", type=int, default=50, help="outcomes before --max_failed_share is looked at")
    add("--price_per_hour", type=float, default=0.0, help="cost of servers and workers, in any currency, for an hour")
    add("--max_cost", type=float, help="stop when the run has cost this much; none: no cap")
    add("--progress", default="auto", choices=("auto", "on", "off"), help="auto: where standard error is a terminal")
    add("--log_level", default="WARNING", choices=("DEBUG", "INFO", "WARNING", "ERROR"), help="of all loggers")
    add("--log_format", default="text", choices=("text", "json"), help="json: one object a line, events of the run too")
    add("--metrics_port", type=int, help="serve Prometheus metrics while the run goes; none: no server")
    add("--metrics_host", default="127.0.0.1", help="address to serve them at")


def parse(argv: Sequence[str], parser: argparse.ArgumentParser | None = None) -> Arguments:
    """Flags, over the YAML file's, over defaults.

    Args:
        parser: of a command that takes more than the job does.

    Raises:
        ConfigError: an unknown name in the file, a flag that neither the job nor Beam knows, `--column` given twice.
    """
    parser = parser or build_parser()
    _refuse_twice(argv)
    first, _ = parser.parse_known_args(argv)
    from_file = _flags_of(Path(first.config), parser) if first.config else []
    job, rest = parser.parse_known_args([*from_file, *argv])
    _refuse_unknown(rest, parser)
    return Arguments(job, rest)


def _refuse_twice(argv: Sequence[str]) -> None:
    given = [flag.split("=")[0] for flag in argv]
    for name in _ADDABLE:
        if given.count(f"--{name}") > 1:
            raise ConfigError(f"--{name} is given twice", remedy=f"name all in one, comma separated: --{name}=A,B")


def _flags_of(path: Path, parser: argparse.ArgumentParser) -> list[str]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"--config {path}: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"--config {path}: expected a mapping of option names to values")
    known = {action.dest: action for action in parser._actions if action.dest not in _NOT_IN_FILES}
    for name in values:
        if name not in known:
            raise ConfigError(f"--config {path}: unknown option {name!r}{_hint(str(name), set(known))}")
    try:
        return [flag for name, value in values.items() for flag in _flag(str(name), value, known[name])]
    except TypeError as error:  # a date, which no JSON has
        raise ConfigError(f"--config {path}: {error}") from error


def _flag(name: str, value: Any, action: argparse.Action) -> list[str]:
    if isinstance(value, bool) and action.choices:  # YAML reads yes, no, on and off as true and false
        words = ("yes", "on") if value else ("no", "off")
        value = next((word for word in words if word in action.choices), value)
    if isinstance(value, bool) and action.nargs != 0:
        raise ConfigError(f"--config: {name}: {value} is no value of it")
    if value is None or value is False:
        return []
    if value is True:
        return [f"--{name}"]
    if isinstance(value, dict) and name in _PAIRS:
        return [f"--{name}={','.join(f'{key}={other}' for key, other in value.items())}"]
    if isinstance(value, dict) or (isinstance(value, list) and name in _JSON):
        return [f"--{name}={json.dumps(value)}"]
    if isinstance(value, list):
        return [f"--{name}={','.join(map(str, value))}"]
    return [f"--{name}={value}"]


def _refuse_unknown(rest: Sequence[str], parser: argparse.ArgumentParser) -> None:
    """Beam drops flags that it does not know, so a misspelt flag would silently do nothing."""
    beam_parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, conflict_handler="resolve")
    for options in _all_subclasses(PipelineOptions):
        if "_add_argparse_args" in vars(options):
            options._add_argparse_args(beam_parser)  # type: ignore[attr-defined]
    _, unknown = beam_parser.parse_known_args(list(rest))
    flags = [flag.split("=")[0].lstrip("-") for flag in unknown if flag.startswith("-")] or unknown
    if flags:
        known = {action.dest for action in parser._actions}
        raise ConfigError(f"unknown option --{flags[0]}{_hint(flags[0], known)}")


def _all_subclasses(kind: type) -> list[type]:
    children: list[type] = kind.__subclasses__()
    return [found for child in children for found in (child, *_all_subclasses(child))]


def _hint(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""
