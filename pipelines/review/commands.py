"""The commands of `python -m pipelines.review`."""

from __future__ import annotations

import argparse
import getpass
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TypeAlias

from pipelines.flags import listed
from pipelines.report.spend import cost_of_runs, spend_of
from pipelines.review.access import Tokens, User, is_loopback, load_secret
from pipelines.review.build import BuildOptions, build
from pipelines.review.decisions import Decisions, decision_table
from pipelines.review.prune import prune, unwanted
from pipelines.review.runs import Run, read_run
from pipelines.scenes.folders import FOLDER
from pipelines.stores import add_store_options, store_of
from transforms.errors import CanvasError, ConfigError
from transforms.ledger import PARQUET, parquet_bytes
from transforms.storage.store import StoreConfig, open_store
from transforms.storage.uris import absolute, local_path, scheme_of

_MOST_DAYS = 3660
_Parsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 0 where it was done, 1 where pictures are missing, 2 where it could not be."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.review", description="Review a run; see docs/review.md.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_build, _add_serve, _add_token, _add_export, _add_prune):
        add(commands)
    options = parser.parse_args(argv)
    options.run = absolute(options.run)  # as the job writes it into its tables
    try:
        code: int = options.command(options)
    except CanvasError as error:
        sys.stderr.write(f"error: {error}\n  remedy: {error.remedy}\n")
        return 2
    return code


def _command(
    commands: _Parsers, name: str, words: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=words, description=words, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.set_defaults(command=run)
    parser.add_argument("run", help="OUTPUT/runs/RUN_ID or OUTPUT/scene_runs/RUN_ID; a path, file:// or s3://")
    parser.add_argument("--database", default="", help="file of decisions; empty: OUTPUT/review/decisions.sqlite")
    add_store_options(parser)
    return parser


def _add_build(commands: _Parsers) -> None:
    parser = _command(commands, "build", "write a page for each advertiser as static files", _build)
    parser.add_argument("--out", required=True, help="folder to write to; a path, file:// or s3://")
    parser.add_argument("--advertiser", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--allow_source", default="", help="prefixes and hosts that originals may come from, by comma")
    parser.add_argument("--threads", type=int, default=2, help="pictures made at once")


def _build(options: argparse.Namespace) -> int:
    config = store_of(options)
    run = read_run(options.run, config)
    for name in options.advertiser:
        if name not in run.advertisers:
            raise ConfigError(f"--advertiser {name}: the run has {', '.join(sorted(run.advertisers))}")
    decisions = _decisions(options, run, must_exist=False)
    decided = decisions.rows() if decisions else []
    built = build(
        run,
        options.out,
        config,
        BuildOptions(tuple(options.advertiser), _allow(options), max(options.threads, 1)),
        decided=decided,
        spend=spend_of(cost_of_runs(run.output, config), decided),
        progress=_progress if sys.stderr.isatty() else None,
    )
    first = "index.html" if not options.advertiser else "*/index.html"
    sys.stdout.write(f"{built.pages} pages, {built.pictures} pictures and proofs -> {options.out}/{first}\n")
    if built.missing:
        sys.stdout.write(f"{built.missing} pictures could not be made; the pages show empty frames\n")
    return 1 if built.missing else 0


def _progress(done: int, all_: int) -> None:
    sys.stderr.write(f"\r{done}/{all_} pictures" + ("\n" if done == all_ else ""))


def _me() -> str:
    """Who starts this; a container may run as a number without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def _add_serve(commands: _Parsers) -> None:
    parser = _command(commands, "serve", "serve the pages and keep decisions", _serve)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen at; beyond loopback every visitor needs a token"
    )
    parser.add_argument("--port", type=int, default=8080, help="0 for any free one")
    parser.add_argument(
        "--public_host", default="", help="name that an https proxy before this server answers to; needs tokens"
    )
    parser.add_argument("--name", default=_me(), help="who decides where no token is needed")
    parser.add_argument("--secret", default="", help="file that signs tokens; empty: beside the database")
    parser.add_argument("--allow_source", default="", help="prefixes and hosts that originals may come from, by comma")
    parser.add_argument("--threads", type=int, default=8, help="requests answered at once")


def _serve(options: argparse.Namespace) -> int:
    from waitress import create_server

    from pipelines.review.app import hosts_of, make_app
    from pipelines.review.shelf import Setting

    config = store_of(options)
    run = read_run(options.run, config)
    decisions = _decisions(options, run)
    assert decisions is not None
    is_open = is_loopback(options.host) and not options.public_host
    names = hosts_of(options.host) if is_loopback(options.host) else ()
    hosts = (options.public_host, *names) if options.public_host else names
    setting = Setting(
        run,
        decisions,
        Tokens(load_secret(_secret(options, decisions))),
        User(options.name, None) if is_open else None,
        hosts,
        https=bool(options.public_host),
        allow=_allow(options),
    )
    if not 0 <= options.port <= 65535 or options.threads < 1:
        raise ConfigError(f"--port takes 0 to 65535, --threads 1 and more: got {options.port}, {options.threads}")
    try:
        server = create_server(
            make_app(setting), host=options.host, port=options.port, threads=options.threads, ident=None
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"--host {options.host} --port {options.port}: {error}") from error
    shown = "[::1]" if options.host == "::1" else options.host
    sys.stderr.write(f"review of run {run.run_id}: http://{shown}:{server.effective_port}/\n")
    if not is_open:
        sys.stderr.write("every visitor needs a token: python -m pipelines.review token --help\n")
    sys.stderr.flush()
    # also where whoever started this has SIGINT ignored, as shells do for what runs behind them
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    try:
        server.run()
    finally:
        server.close()
    return 0


def _leave(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise SystemExit(0)


def _add_token(commands: _Parsers) -> None:
    parser = _command(commands, "token", "make a token for an advertiser or for ads ops", _token)
    parser.add_argument("--advertiser", default="", help="whose rows it opens; empty with --ops")
    parser.add_argument("--ops", action="store_true", help="a token for ads ops, that opens all advertisers' rows")
    parser.add_argument("--name", required=True, help="who decides with it, for the record")
    parser.add_argument("--days", type=float, default=30.0, help="how long it is good for")
    parser.add_argument("--secret", default="", help="file that signs tokens; empty: beside the database")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where the page is served")


def _token(options: argparse.Namespace) -> int:
    if bool(options.advertiser) == options.ops:
        raise ConfigError("give either --advertiser NAME or --ops")
    if not 0 < options.days <= _MOST_DAYS:
        raise ConfigError(f"--days must lie within (0, {_MOST_DAYS}], got {options.days}")
    run = read_run(options.run, store_of(options))
    if options.advertiser and options.advertiser not in run.advertisers:
        raise ConfigError(f"--advertiser {options.advertiser}: the run has {', '.join(sorted(run.advertisers))}")
    decisions = _decisions(options, run)
    assert decisions is not None
    tokens = Tokens(load_secret(_secret(options, decisions)))
    token = tokens.issue(User(options.name, options.advertiser or None), options.days)
    sys.stdout.write(f"{options.url.rstrip('/')}/login?token={token}\n")
    return 0


def _add_export(commands: _Parsers) -> None:
    parser = _command(commands, "export", "write all decisions as Parquet, for the next run's --decisions", _export)
    parser.add_argument("--to", required=True, help="file to write; a path, file:// or s3://")


def _export(options: argparse.Namespace) -> int:
    config = store_of(options)
    decisions = _decisions(options, None)
    assert decisions is not None
    _require_run(options.run, config)  # a run that is misspelled has no decisions, and would get a database for them
    rows = decisions.rows()
    open_store(options.to, config).write(options.to, parquet_bytes(decision_table(rows)), content_type=PARQUET)
    sys.stdout.write(f"{len(rows)} decisions -> {options.to}\n")
    return 0


def _add_prune(commands: _Parsers) -> None:
    parser = _command(commands, "prune", "delete the files of refused and withdrawn creatives", _prune)
    parser.add_argument("--apply", action="store_true", help="delete; without it nothing is deleted, only listed")
    parser.add_argument("--name", default=_me(), help="who deletes, for the record")


def _prune(options: argparse.Namespace) -> int:
    config = store_of(options)
    run = read_run(options.run, config)
    decisions = _decisions(options, run)
    assert decisions is not None
    found = unwanted(decisions.rows(), run.output, config, run.rows)
    for item in found:
        sys.stdout.writelines(f"{uri}\n" for uri in item.uris)
    size = sum(item.size for item in found)
    if options.apply:
        prune(found, decisions, options.name, config)
    done = "deleted" if options.apply else "would be deleted; give --apply to delete them"
    sys.stdout.write(f"{len(found)} creatives, {size} bytes {done}\n")
    return 0


def _decisions(options: argparse.Namespace, run: Run | None, *, must_exist: bool = True) -> Decisions | None:
    """The database; beside the output where that is a folder of this machine."""
    output = run.output if run else _output(options.run)
    if options.database:
        return Decisions(Path(options.database))
    if scheme_of(output) == "file":
        return Decisions(local_path(output) / "review" / "decisions.sqlite")
    if not must_exist:
        return None
    raise ConfigError(f"{output} is no local folder: give --database", remedy="name a file on a local disk")


def _require_run(run: str, config: StoreConfig) -> None:
    folder = run.rstrip("/")
    if next(iter(open_store(folder, config).list(f"{folder}/")), None) is None:
        raise ConfigError(f"{run} holds nothing", remedy=f"name a folder OUTPUT/runs/RUN_ID or OUTPUT/{FOLDER}/RUN_ID")


def _output(run: str) -> str:
    folders = ("/runs/", f"/{FOLDER}/")
    output, found, _ = max((run.rstrip("/").rpartition(name) for name in folders), key=lambda parts: len(parts[0]))
    if not found:
        raise ConfigError(f"{run} is not OUTPUT/runs/RUN_ID or OUTPUT/{FOLDER}/RUN_ID")
    return output


def _secret(options: argparse.Namespace, decisions: Decisions) -> Path:
    return Path(options.secret) if options.secret else decisions.path.with_suffix(".secret")


def _allow(options: argparse.Namespace) -> tuple[str, ...]:
    return listed(options.allow_source)
