"""Human evaluation: `python -m pipelines.rating serve|sheets|answers|score|export`."""

from __future__ import annotations

import argparse
import io
import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.flags import listed
from pipelines.rating.contestants import Named, entries_of, with_tasks
from pipelines.rating.export import ratings_table
from pipelines.rating.forms import text_of
from pipelines.rating.pair_sheets import labelled, pair_form, pair_key, pair_sheets, read_choices, seeds_of
from pipelines.rating.score import as_text, score
from pipelines.rating.sheets import SIDE, answer_form, key_table, read_answers, sheets
from pipelines.rating.study import MODES, Study
from pipelines.rating.web import SessionRules, make_app
from pipelines.stores import add_store_options, store_of
from transforms.errors import CanvasError, ConfigError, TableError
from transforms.ledger import PARQUET, parquet_bytes
from transforms.storage.store import StoreConfig, open_store

_LEAST_SIDE, _MOST_SIDE = 16, 4096


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 0 done, 2 bad usage."""
    options = _parser().parse_args(argv)
    try:
        return int(options.command(options))
    except CanvasError as error:
        sys.stderr.write(f"error: {error}\n  remedy: {error.remedy}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines.rating", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _add_serve(commands.add_parser("serve", help="a blind session in the browser"))
    _add_sheets(commands.add_parser("sheets", help="numbered contact sheets, the key kept apart"))
    _add_answers(commands.add_parser("answers", help="read filled forms of sheets into the study"))
    for name, command, text in (
        ("score", _score, "rates, agreement, strengths"),
        ("export", _export, "ratings as training data"),
    ):
        sub = commands.add_parser(name, help=text)
        sub.set_defaults(command=command)
        _add_study(sub)
        sub.add_argument("--out", default="", required=name == "export", help="file to write (JSON; export: Parquet)")
    return parser


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--db", required=True, type=Path, help="the study's file (SQLite), on this machine")
    add_store_options(parser)


def _add_contestants(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("contestants (the same study can be opened again without them)")
    add = group.add_argument
    add("--run", action="append", default=[], metavar="NAME=RUN", help="a finished run, OUTPUT/runs/RUN_ID")
    add("--folder", action="append", default=[], metavar="NAME=FOLDER", help="images of another tool")
    add("--csv", action="append", default=[], metavar="NAME=FILE", help="columns image, original[, task, placement]")
    add("--originals", default="", help="for --folder: where the originals are")
    add("--rule", default="{original}*", help="for --folder: names of its images (default: %(default)s)")
    add("--placements", default="", help="for --run: only these, comma separated")
    add("--sample", type=int, help="originals at most, the same ones for every contestant")
    _add_study(parser)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_serve)
    add = parser.add_argument
    add("--mode", choices=MODES, default="defects", help="defects of each image, or the better of two")
    add("--original_sec", type=float, default=3.0, help="seconds for the original (default: %(default)s)")
    add("--output_sec", type=float, default=3.0, help="seconds for the output (default: %(default)s)")
    add("--host", default="127.0.0.1", help="anything wider than loopback needs a token")
    add("--port", type=int, default=8700, help="0 for any that is free")
    add("--token_env", default="CANVAS_RATING_TOKEN", help="environment variable that holds the session's token")
    _add_contestants(parser)


def _add_sheets(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_sheets)
    parser.add_argument("--mode", choices=MODES, default="defects", help="each image, or the better of A and B")
    parser.add_argument("--seed", type=_seed, default=0, help="pairs: of order and sides (default %(default)s)")
    parser.add_argument("--out", required=True, help="folder for sheet-*.png and answers.csv")
    parser.add_argument("--key", required=True, help="CSV file for whose each number is; outside of --out")
    parser.add_argument("--side", type=_side, default=SIDE, help="pixels a picture is shown at (default %(default)s)")
    _add_contestants(parser)


def _add_answers(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_answers)
    parser.add_argument("forms", nargs="+", help="filled answers.csv files")
    parser.add_argument("--rater", default="", help="who answered, where the column rater is empty")
    _add_study(parser)


def _study(options: argparse.Namespace, config: StoreConfig) -> Study:
    """The study with the contestants that were named."""
    named = [_named(kind, text) for kind in ("run", "folder", "csv") for text in getattr(options, kind)]
    if not named and not options.db.exists():
        raise ConfigError("a new study needs contestants", remedy="name some with --run, --folder or --csv")
    if options.sample is not None and options.sample < 1:
        raise ConfigError(f"--sample must be positive, got {options.sample}")
    placements = listed(options.placements)
    entries = [
        entry
        for each in named
        for entry in entries_of(each, config, originals=options.originals, rule=options.rule, placements=placements)
    ]
    study = Study.open(options.db, options.mode)
    if entries:
        study.add(with_tasks(entries), options.sample)
    if not study.progress("").units:
        raise TableError("no two contestants have an image of one original", remedy="see --originals and --placements")
    return study


def _named(kind: str, text: str) -> Named:
    name, found, uri = text.partition("=")
    if not found or not name.strip() or not uri.strip():
        raise ConfigError(f"--{kind} {text!r}: NAME=PLACE expected")
    return Named(kind, name.strip(), uri.strip())


def _serve(options: argparse.Namespace) -> int:
    import waitress

    config = store_of(options)
    token = os.environ.get(options.token_env, "")
    rules = SessionRules(options.original_sec, options.output_sec, options.host, token)
    study = _study(options, config)
    app = make_app(study, config, rules)
    listening = _listening(options.host, options.port)
    server = waitress.create_server(app, sockets=[listening], threads=8, ident=None)
    host = f"[{options.host}]" if ":" in options.host else options.host
    units = study.progress("").units
    sys.stdout.write(f"{units} to rate at http://{host}:{listening.getsockname()[1]}/ (Ctrl-C ends; --db keeps)\n")
    sys.stdout.flush()
    server.run()
    return 0


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"--port {port}: cannot listen on {host}: {error}") from error


def _sheets(options: argparse.Namespace) -> int:
    config, folder = store_of(options), options.out.rstrip("/")
    if f"{options.key}".startswith(f"{folder}/") or Path(options.key).absolute().is_relative_to(
        Path(folder).absolute()
    ):
        raise ConfigError(f"--key {options.key} lies among the sheets", remedy="keep the key where raters do not look")
    study = _study(options, config)
    if study.mode == "pairs":
        pairs = labelled(study.on_paper(options.seed), options.seed)
        shown, form, key = pair_sheets(pairs, config, options.side), pair_form(pairs), pair_key(pairs)
    else:
        items = study.items()
        shown, form, key = sheets(items, config, options.side), answer_form(items), key_table(items)
    store, count = open_store(folder, config), 0
    for count, sheet in enumerate(shown, 1):
        sink = io.BytesIO()
        sheet.save(sink, "PNG")
        store.write(f"{folder}/sheet-{count:03d}.png", sink.getvalue(), content_type="image/png")
    store.write(f"{folder}/answers.csv", form.encode(), content_type="text/csv")
    open_store(options.key, config).write(options.key, key.encode(), content_type="text/csv")
    what = "pairs" if study.mode == "pairs" else "items"
    sys.stdout.write(f"{study.progress('').units} {what} on {count} sheets -> {folder}; key -> {options.key}\n")
    return 0


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("a seed is 0 or more")
    return value


def _side(text: str) -> int:
    value = int(text)
    if not _LEAST_SIDE <= value <= _MOST_SIDE:
        raise argparse.ArgumentTypeError(f"a side is {_LEAST_SIDE} to {_MOST_SIDE} pixels")
    return value


def _answers(options: argparse.Namespace) -> int:
    config, study = store_of(options), Study.open(options.db)
    for uri in options.forms:
        text = text_of(open_store(uri, config).read(uri).data, uri)
        for rater, (count, refused) in _recorded(study, text, uri, options.rater).items():
            sys.stdout.write(f"{uri}: {count - len(refused)} answers of {rater}\n")
            if refused:
                sys.stdout.write(f"  two others answered already: {', '.join(refused)}\n")
    return 0


def _recorded(study: Study, text: str, uri: str, rater: str) -> dict[str, tuple[int, list[str]]]:
    """By rater how many answers a form has, and the numbers of those that were refused."""
    if study.mode == "defects":
        flags = read_answers(text, study.items(), uri, rater)
        return {who: (len(given), list(map(str, study.record(given, who)))) for who, given in flags.items()}
    pairs = [pair for seed in sorted(seeds_of(text, uri)) for pair in labelled(study.on_paper(seed), seed)]
    labels = {pair.unit.id: pair.label for pair in pairs}
    choices = read_choices(text, pairs, uri, rater)
    return {
        who: (len(given), [labels[unit] for unit in study.record_units(given, who)]) for who, given in choices.items()
    }


def _score(options: argparse.Namespace) -> int:
    found = score(Study.open(options.db))
    if options.out:
        text = json.dumps(found, indent=1)
        open_store(options.out, store_of(options)).write(options.out, text.encode(), content_type="application/json")
    sys.stdout.write(as_text(found))
    return 0


def _export(options: argparse.Namespace) -> int:
    table = ratings_table(Study.open(options.db))
    open_store(options.out, store_of(options)).write(options.out, parquet_bytes(table), content_type=PARQUET)
    sys.stdout.write(f"{len(table)} rated images -> {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
