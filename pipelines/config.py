"""The job's configuration: frozen, validated at launch, digested into every key."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import yaml

from pipelines.finish import Folders
from pipelines.flags import listed
from pipelines.stores import store_of as store_of
from transforms.background import BackgroundSettings
from transforms.category_names import category_names_of
from transforms.compose import ComposeSettings
from transforms.eligibility import EligibilityLimits
from transforms.errors import ConfigError, StorageError, redact
from transforms.inference.config import ServingConfig, Tls
from transforms.keys import digest_of, digests_of
from transforms.manifest import COLUMNS, ColumnMap
from transforms.ops.decode import DecodeLimits
from transforms.ops.encode import EncoderSettings
from transforms.ops.encoded import EncodedLimits
from transforms.outpaint import OutpaintSettings
from transforms.placements import Placement, extend_placements
from transforms.plan import PlanConfig
from transforms.prompt_table import PromptTable, table_of
from transforms.records import TASKS
from transforms.run_work import RunConfig
from transforms.segment import SegmentLimits
from transforms.settings import overridden
from transforms.sources.allow import SourcePolicy, compile_rules
from transforms.storage.store import StoreConfig, open_store
from transforms.storage.uris import absolute, bucket_and_key, local_path, scheme_of
from transforms.tally import StopRules
from transforms.verify import VerifyLimits
from transforms.version import results_version
from transforms.words import WordPolicy, find_unfit

_POSITIVE = (
    *("concurrency", "max_in_flight", "max_source_bytes", "max_source_pixels", "memory_gib"),
    *("fetch_deadline_sec", "deadline_sec", "max_cost"),
)
_MOST_TABLE_BYTES = 1_000_000
# Thresholds that have a flag of their own: stage, name, flag.
_FLAGGED = (
    ("decode", "max_bytes", "max_source_bytes"),
    ("decode", "max_pixels", "max_source_pixels"),
    ("background", "painters", "background_painters"),
    ("outpaint", "painters", "outpaint_painters"),
)
_NOT_NEGATIVE = ("limit", "min_outcomes", "price_per_hour")


@dataclass(frozen=True)
class Thresholds:
    """Everything that decides what is good enough, stage by stage."""

    decode: DecodeLimits = DecodeLimits()
    eligibility: EligibilityLimits = EligibilityLimits()
    segment: SegmentLimits = SegmentLimits()
    background: BackgroundSettings = BackgroundSettings()
    outpaint: OutpaintSettings = OutpaintSettings()
    compose: ComposeSettings = ComposeSettings()
    verify: VerifyLimits = VerifyLimits()
    encoder: EncoderSettings = EncoderSettings()
    encoded: EncodedLimits = EncodedLimits()


@dataclass(frozen=True)
class EnhanceConfig:
    """A job, ready to launch."""

    manifest: str
    output: str
    run_id: str
    features: tuple[str, ...]
    placements: tuple[str, ...]
    table: tuple[Placement, ...]
    thresholds: Thresholds
    columns: ColumnMap
    allow_source: tuple[str, ...]
    store: StoreConfig
    stop: StopRules
    options: argparse.Namespace
    prompts: PromptTable | None = None

    @property
    def config_digest(self) -> str:
        """The digest of what decides a result, placements apart; where the job runs does not count."""
        return digest_of({"thresholds": self.thresholds, "features": self.features})

    @property
    def models(self) -> tuple[str, ...]:
        """The served models that the job asks."""
        painters: tuple[str, ...] = ()
        if "background" in self.features:
            painters += self.thresholds.background.painters
        if "outpaint" in self.features:
            painters += self.thresholds.outpaint.painters
        painted = tuple(name for painter in dict.fromkeys(painters) for name in (painter, f"{painter}_upscale"))
        judges = ("reward",) if "background" in self.features and self.thresholds.background.judgement.used else ()
        detectors = ("unsafe_image", "text_detector", "human_detector")
        return ("segmenter", "product_segmenter", "mask_refiner", *detectors, *painted, *judges)

    @property
    def sources(self) -> SourcePolicy:
        """What rows may refer to."""
        return SourcePolicy(
            self.allow_source, self.options.max_source_bytes, total_deadline_sec=self.options.fetch_deadline_sec
        )

    def plan_config(self, digests: Mapping[str, str]) -> PlanConfig:
        """What the plan needs.

        Args:
            digests: of every served model: another model, or another version of the pipeline, gives another result.
        """
        models = digests_of(self.models, digests)
        configured: dict[str, Any] = {"config": self.config_digest, "models": models, "pipeline": results_version()}
        decides = digest_of({**configured, "prompts": self.prompts} if self.prompts else configured)
        return PlanConfig(
            output=self.output,
            run_id=self.run_id,
            features=self.features,
            placements=self.placements,
            table=self.table,
            config_digest=decides,
            columns=self.columns,
            sources=self.sources,
            retry_failed=self.options.retry_failed,
            store=self.store,
            decisions=self.options.decisions,
            prompts=self.prompts,
        )

    def run_config(self, serving: ServingConfig) -> RunConfig:
        """How works are run."""
        return RunConfig(
            output=self.output,
            run_id=self.run_id,
            ledger_folder=Folders(self.output, self.run_id, self.options.dry_run).ledger,
            table=self.table,
            config_digest=self.config_digest,
            serving=serving,
            models=self.models,
            store=self.store,
            retry_failed=self.options.retry_failed,
            concurrency=self.options.concurrency,
            memory_bytes=int(self.options.memory_gib * 2**30),
            stop=self.stop,
            prompts=self.prompts,
        )


def config_of(options: argparse.Namespace) -> EnhanceConfig:
    """Validate the flags of a job.

    Raises:
        ConfigError: names the option and what it expects.
    """
    for name in ("manifest", "output", "features"):
        if not getattr(options, name):
            raise ConfigError(f"--{name} is required")
    _check_places(options)
    features = _names(options.features, TASKS, "features")
    table = extend_placements(_json(options.extra_placements, list, "extra_placements"))
    _check_numbers(options)
    if not 0 < options.max_failed_share <= 1:
        raise ConfigError(f"--max_failed_share must be within (0, 1], got {options.max_failed_share}")
    if options.max_cost is not None and not options.price_per_hour:
        raise ConfigError("--max_cost needs --price_per_hour")
    if options.triton and options.triton_repo:
        raise ConfigError(
            f"--triton_repo {options.triton_repo!r} would be ignored: the servers of --triton have their own",
            remedy="give one of the two; --triton_repo= undoes a --config file's",
        )
    thresholds, store = thresholds_of(options), store_of(options)
    return EnhanceConfig(
        manifest=absolute(options.manifest),
        output=absolute(options.output).rstrip("/"),
        run_id=options.run_id or new_run_id(),
        features=features,
        placements=_names(options.placements, tuple(table), "placements"),
        table=tuple(table.values()),
        thresholds=thresholds,
        columns=_columns(options, store),
        allow_source=listed(options.allow_source),
        store=store,
        stop=StopRules(options.max_failed_share, options.min_outcomes, options.price_per_hour, options.max_cost),
        options=options,
        prompts=_prompts(options.prompts, thresholds.eligibility.words, store) if options.prompts else None,
    )


def _columns(options: argparse.Namespace, config: StoreConfig) -> ColumnMap:
    """Where the manifest's columns come from, and what its numbered categories are called."""
    pairs, uri = _pairs(options.column, "column", COLUMNS), options.category_names
    told = category_names_of(_text_of(uri, "--category_names", config), f"--category_names {uri}") if uri else {}
    return ColumnMap(pairs, options.advertiser_id.strip(), told)


def _text_of(uri: str, option: str, config: StoreConfig) -> str:
    try:
        return open_store(uri, config).read(uri, limit_bytes=_MOST_TABLE_BYTES).data.decode("utf-8")
    except (StorageError, UnicodeDecodeError) as error:
        raise ConfigError(f"{option} {uri} cannot be read: {error}") from error


def _prompts(uri: str, policy: WordPolicy, config: StoreConfig) -> PromptTable:
    """The job's own table of prompts, held to the policy that rows' prompts are held to."""
    table = table_of(_text_of(uri, "--prompts", config), f"--prompts {uri}")
    for category in (*table.categories, table.other):
        for found in find_unfit([("prompts", prompt) for prompt in category.prompts], policy):
            raise ConfigError(
                f"--prompts {uri}: category {category.name!r}: word {found.position} of a prompt is unfit"
            )
    return table


def _check_places(options: argparse.Namespace) -> None:
    """Refuse addresses that no store has, sources that no rule is made of, and a run that leads out of the output."""
    for name in ("manifest", "output", "decisions"):
        uri = getattr(options, name)
        try:
            if scheme_of(uri) == "s3" or uri[:3].lower() == "s3:":  # with one slash it would be a folder here
                bucket_and_key(uri)
            else:
                local_path(uri)
        except StorageError as error:
            raise ConfigError(f"--{name} {uri}: expected a path, file:// or s3://bucket") from error
    try:
        compile_rules(listed(options.allow_source), "/")
    except StorageError as error:
        raise ConfigError(f"--allow_source: {error}") from error
    run_id = options.run_id
    if run_id in (".", "..") or not run_id.isprintable() or set(run_id) & set("/\\%"):
        raise ConfigError(f"--run_id {run_id!r}: expected the name of one folder")


def _check_numbers(options: argparse.Namespace) -> None:
    """Refuse numbers that would switch a deadline, a cap or a budget off unseen: `nan` is beyond no limit."""
    for name in (*_POSITIVE, *_NOT_NEGATIVE):
        value = getattr(options, name)
        if value is None:
            continue
        least = "positive" if name in _POSITIVE else "zero or positive"
        if not math.isfinite(value) or value < 0 or (value == 0 and name in _POSITIVE):
            raise ConfigError(f"--{name} must be {least} and finite, got {value}")


def thresholds_of(options: argparse.Namespace) -> Thresholds:
    """The thresholds with the job's own put in."""
    stated = _json(options.thresholds, dict, "thresholds")
    thresholds = overridden(Thresholds(), stated, "--thresholds")
    background, outpaint = listed(options.background_painters), listed(options.outpaint_painters)
    found = dataclasses.replace(
        thresholds,
        decode=dataclasses.replace(
            thresholds.decode, max_bytes=options.max_source_bytes, max_pixels=options.max_source_pixels
        ),
        background=dataclasses.replace(thresholds.background, painters=background),
        outpaint=dataclasses.replace(thresholds.outpaint, painters=outpaint),
    )
    for stage, name, flag in _FLAGGED:
        told, meant = (getattr(getattr(each, stage), name) for each in (thresholds, found))
        if name in stated.get(stage, ()) and told != meant:
            raise ConfigError(f"--thresholds.{stage}.{name} is {told!r} and --{flag} {meant!r}: give the flag alone")
    return found


def serving_of(options: argparse.Namespace, endpoints: tuple[str, ...]) -> ServingConfig:
    """How to ask the servers at `endpoints`; header values stay in the environment of the process that asks."""
    tls = None
    files = (options.triton_root_certificates, options.triton_client_key, options.triton_client_certificate)
    if any(files):  # a key alone is a mistake to tell, not a reason to speak in plain text
        tls = Tls(*files)
    return ServingConfig(
        endpoints=endpoints,
        tls=tls,
        headers=tuple(
            (name.lower(), f"env:{variable}") for name, variable in _pairs(options.triton_header, "triton_header")
        ),
        deadline_sec=options.deadline_sec,
        max_in_flight=options.max_in_flight,
    )


def new_run_id() -> str:
    """The UTC time, and four characters that keep two runs of one second apart."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def as_yaml(options: argparse.Namespace) -> str:
    """The options as a file that `--config` takes, thresholds spelled out, credentials in addresses left out."""
    values: dict[str, Any] = _plain(options)
    values.pop("print_config", None)
    values.pop("config", None)
    values["thresholds"] = json.loads(json.dumps(dataclasses.asdict(thresholds_of(options))))
    for stage, name, _ in _FLAGGED:
        del values["thresholds"][stage][name]
    values["extra_placements"] = _json(options.extra_placements, list, "extra_placements")
    return yaml.safe_dump(values, sort_keys=True)


def _names(text: str, known: tuple[str, ...], option: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(listed(text)))
    for name in names:
        if name not in known:
            raise ConfigError(f"--{option}: {name!r} is not one of {', '.join(known)}")
    if not names:
        raise ConfigError(f"--{option} names nothing; it takes {', '.join(known)}")
    return names


def _pairs(text: str, option: str, known: tuple[str, ...] = ()) -> tuple[tuple[str, str], ...]:
    pairs = []
    for part in listed(text):
        name, found, value = part.partition("=")
        if not (found and name.strip() and value.strip()) or (known and name.strip() not in known):
            raise ConfigError(f"--{option}: {part!r} is not name=value" + (f" with a name of {known}" if known else ""))
        pairs.append((name.strip(), value.strip()))
    return tuple(pairs)


def _json(text: str, kind: type, option: str) -> Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"--{option}: not JSON: {error}") from error
    if not isinstance(value, kind):
        raise ConfigError(f"--{option}: expected a JSON {'mapping' if kind is dict else 'list'}")
    return value


def plain_options(config: EnhanceConfig) -> Mapping[str, Any]:
    """The options for the run's own record, without the credentials that an endpoint's URL may hold."""
    return _plain(config.options)


def _plain(options: argparse.Namespace) -> dict[str, Any]:
    stated = {name: value for name, value in vars(options).items() if value not in (None, "")}
    return {name: redact(value) if isinstance(value, str) else value for name, value in stated.items()}
