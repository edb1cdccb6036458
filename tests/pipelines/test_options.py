import re
from pathlib import Path

import pytest

from pipelines.config import as_yaml, config_of, plain_options, serving_of
from pipelines.launch import serving
from pipelines.options import build_parser, parse
from transforms.errors import ConfigError


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("features: [background, outpaint]\nconcurrency: 3\nlimit: 7\n")
    job = parse([f"--config={file}", "--concurrency=5"]).job
    assert (job.features, job.concurrency, job.limit, job.placements) == (
        "background,outpaint",
        5,
        7,
        "pinterest_standard",
    )


def test_the_file_takes_nested_values(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("thresholds: {verify: {max_expansion: 0.1}}\nextra_placements: [{name: b, size: [90, 728]}]\n")
    job = parse([f"--config={file}"]).job
    assert job.thresholds == '{"verify": {"max_expansion": 0.1}}'
    assert job.extra_placements == '[{"name": "b", "size": [90, 728]}]'


def test_names_that_differ_may_be_a_mapping_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("column: {product_id: sku, image_uri: picture}\n")
    config = config_of(parse([f"--config={file}", "--manifest=m", "--output=o", "--features=background"]).job)
    assert config.columns.names == (("product_id", "sku"), ("image_uri", "picture"))


def test_a_repository_that_the_named_servers_would_never_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("{manifest: m, output: o, features: background, triton_repo: models}\n")
    flags = [f"--config={file}", "--triton=gpu-1:8001"]
    with pytest.raises(ConfigError, match="--triton_repo 'models' would be ignored") as raised:
        config_of(parse(flags).job)
    assert "--triton_repo=" in raised.value.remedy
    assert config_of(parse([*flags, "--triton_repo="]).job).options.triton == "gpu-1:8001"


def test_spaces_after_commas_do_not_count() -> None:
    flags = [
        "--manifest=m",
        "--output=o",
        "--features=background, outpaint",
        "--background_painters=canvas_staging, studio",
    ]
    config = config_of(parse([*flags, "--allow_source=/x, s3://y", "--triton=gpu-1:8001, gpu-2:8001"]).job)
    assert config.thresholds.background.painters == ("canvas_staging", "studio")
    assert config.allow_source == ("/x", "s3://y")
    with serving(config, "unused") as (asked, _):
        assert asked.endpoints == ("gpu-1:8001", "gpu-2:8001")


@pytest.mark.parametrize(
    ("text", "option", "value"),
    [
        ("conditional_writes: yes", "conditional_writes", "yes"),
        ("conditional_writes: no", "conditional_writes", "no"),
        ("progress: off", "progress", "off"),
        ("progress: on", "progress", "on"),
        ("dry_run: yes", "dry_run", True),
        ("dry_run: no", "dry_run", False),
    ],
)
def test_words_that_yaml_takes_for_truth_values_are_what_they_say(
    tmp_path: Path, text: str, option: str, value: object
) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(f"{text}\n")
    assert getattr(parse([f"--config={file}"]).job, option) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"prompts: \xff\n", "codec"),
        (b"concurrency: yes\n", "concurrency"),
        (b"limit: no\n", "limit"),
        (b"config: other.yaml\n", "unknown option 'config'"),
        (b"help: yes\n", "unknown option 'help'"),
        (b"thresholds: {verify: {max_expansion: 2026-01-01}}\n", "date"),
    ],
)
def test_a_file_that_says_what_no_option_takes_is_refused(tmp_path: Path, text: bytes, told: str) -> None:
    file = tmp_path / "job.yaml"
    file.write_bytes(text)
    with pytest.raises(ConfigError, match=told):
        parse([f"--config={file}"])


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--manifest=gs://feeds/tonight", "--manifest gs://feeds/tonight"),
        ("--output=gs://creatives", "--output gs://creatives"),
        ("--output=s3:/creatives", "--output s3:/creatives"),
        ("--output=s3://", "--output s3://"),
        ("--output=file://host/x", "--output file://host/x"),
        ("--decisions=ftp://x/d.parquet", "--decisions ftp://x/d.parquet"),
        ("--allow_source=ftp://host/x", "--allow_source ftp://host/x"),
        ("--allow_source=/ok,file://host/x", "--allow_source"),
        ("--allow_source=https://user@host", "--allow_source https://"),
        ("--s3_endpoint=localhost:9000", "--s3_endpoint localhost:9000"),
        ("--run_id=../night", "--run_id '../night'"),
        ("--run_id=..", "--run_id '..'"),
        ("--run_id=a\nb", "--run_id"),
    ],
)
def test_places_that_no_job_can_use_are_refused_at_launch(flag: str, told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        config_of(parse(["--manifest=m", "--output=o", "--features=background", flag]).job)


@pytest.mark.parametrize(
    "flag",
    [
        "--output=s3://b/a b%/",
        "--output=file:///o%20p",
        "--run_id=2026-11-26T02:00 night",
        "--allow_source=https://*,/a",
    ],
)
def test_odd_places_that_can_be_used_are_taken(flag: str) -> None:
    config_of(parse(["--manifest=m", "--output=o", "--features=background", flag]).job)


@pytest.mark.parametrize(
    ("thresholds", "flag"),
    [
        ('{"background": {"painters": ["studio"]}}', "background_painters"),
        ('{"outpaint": {"painters": ["studio"]}}', "outpaint_painters"),
        ('{"decode": {"max_bytes": 5}}', "max_source_bytes"),
        ('{"decode": {"max_pixels": 5}}', "max_source_pixels"),
    ],
)
def test_a_threshold_that_its_own_flag_would_undo_is_refused(thresholds: str, flag: str) -> None:
    with pytest.raises(ConfigError, match=f"--{flag}"):
        config_of(parse([*REQUIRED, f"--thresholds={thresholds}"]).job)


def test_a_printed_configuration_is_one(tmp_path: Path) -> None:
    flags = [*REQUIRED, "--column=title=name", '--extra_placements=[{"name": "b", "size": [90, 728]}]', "--dry_run"]
    for given in (REQUIRED, flags):
        file, job = tmp_path / "job.yaml", parse(given).job
        file.write_text(as_yaml(job))
        again = parse([f"--config={file}"]).job
        assert as_yaml(again) == as_yaml(job)
        assert config_of(again).config_digest == config_of(job).config_digest


def test_a_printed_configuration_may_be_changed_by_flags(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(as_yaml(parse([*REQUIRED, "--max_source_bytes=5"]).job))
    again = config_of(parse([f"--config={file}"]).job)
    assert (again.thresholds.decode.max_bytes, again.sources.max_bytes) == (5, 5)
    changed = config_of(parse([f"--config={file}", "--max_source_bytes=7", "--background_painters=studio"]).job)
    assert (changed.thresholds.decode.max_bytes, changed.thresholds.background.painters) == (7, ("studio",))


def test_an_advertiser_of_blanks_is_none() -> None:
    assert config_of(parse([*REQUIRED, "--advertiser_id= "]).job).columns.advertiser_id == ""


def test_placements_that_are_no_json_are_refused_where_the_configuration_is_printed() -> None:
    with pytest.raises(ConfigError, match="extra_placements"):
        as_yaml(parse(["--extra_placements={"]).job)


TABLE = "category,pose,words,prompts\nvases,standing,vase,{}\nother,standing,,plain\n"
REQUIRED = ["--manifest=m", "--output=o", "--features=background"]


def test_a_table_of_prompts_is_part_of_the_plan_and_not_of_the_thresholds(tmp_path: Path) -> None:
    tables = {name: tmp_path / f"{name}.csv" for name in ("navy", "sage")}
    for name, path in tables.items():
        path.write_text(TABLE.format(name))
    shipped, navy, sage = (
        config_of(parse([*REQUIRED, *flags]).job)
        for flags in ([], [f"--prompts={tables['navy']}"], [f"--prompts={tables['sage']}"])
    )
    assert navy.prompts is not None and navy.prompts.categories[0].prompts == ("navy",)
    assert len({config.plan_config({}).config_digest for config in (shipped, navy, sage)}) == 3
    assert len({config.config_digest for config in (shipped, navy, sage)}) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read"),
        (b"category,pose\xff", "cannot be read"),
        (b"category\n", "expected the columns"),
        (TABLE.format("navy; a fucking red").encode(), "category 'vases': word 2 of a prompt is unfit"),
    ],
)
def test_a_table_of_prompts_that_cannot_be_used_is_refused_at_launch(
    tmp_path: Path, text: bytes | None, told: str
) -> None:
    if text is not None:
        (tmp_path / "p.csv").write_bytes(text)
    with pytest.raises(ConfigError, match=told):
        config_of(parse([*REQUIRED, f"--prompts={tmp_path / 'p.csv'}"]).job)


def test_names_of_numbered_categories_are_read_at_launch(tmp_path: Path) -> None:
    path = tmp_path / "taxonomy.txt"
    path.write_text("187 - Apparel & Accessories > Shoes\n")
    columns = config_of(parse([*REQUIRED, f"--category_names={path}"]).job).columns
    assert columns.category_names == {"187": "Apparel & Accessories > Shoes"}
    path.write_text("shoes\n")
    with pytest.raises(ConfigError, match=f"--category_names {path} line 1"):
        config_of(parse([*REQUIRED, f"--category_names={path}"]).job)
    with pytest.raises(ConfigError, match="--category_names nowhere"):
        config_of(parse([*REQUIRED, "--category_names=nowhere.txt"]).job)


def test_an_unknown_name_in_the_file_is_refused_with_a_hint(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("placement: pmax_square\n")
    with pytest.raises(ConfigError, match=r"'placement'; did you mean 'placements'"):
        parse([f"--config={file}"])


def test_a_flag_that_one_would_think_adds_up_is_refused_when_it_is_given_twice() -> None:
    with pytest.raises(ConfigError, match="--column is given twice") as refusal:
        parse(["--column=product_id=sku", "--column", "image_uri=picture"])
    assert "--column=A,B" in refusal.value.remedy
    assert parse(["--placements=a", "--placements=b"]).job.placements == "b"  # the last wins, as everywhere


@pytest.mark.parametrize("text", ["- a\n", "a: [", "42"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match="--config"):
        parse([f"--config={file}"])


def test_a_misspelt_flag_is_refused_and_beams_flags_pass() -> None:
    with pytest.raises(ConfigError, match=r"--placments; did you mean 'placements'"):
        parse(["--placments=pmax_square"])
    assert parse(["--runner=FnApiRunner"]).beam == ["--runner=FnApiRunner"]


def test_no_feature_is_on_by_default() -> None:
    assert parse([]).job.features == ""


def test_every_flag_is_explained() -> None:
    assert all(action.help for action in build_parser()._actions)


def test_credentials_in_an_endpoints_url_do_not_reach_the_runs_record() -> None:
    flags = [
        "--manifest=m",
        "--output=o",
        "--features=background",
        "--triton_metrics=http://ann:hunter2@gpu:8002/metrics",
    ]
    recorded = plain_options(config_of(parse(flags).job))
    assert recorded["triton_metrics"] == "http://***@gpu:8002/metrics"
    assert "hunter2" not in as_yaml(parse(flags).job)


def test_a_client_key_without_its_certificate_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN PRIVATE KEY-----")
    options = parse([f"--triton_client_key={key}"]).job
    with pytest.raises(ConfigError, match="come together"):
        serving_of(options, ("gpu-1:8001",))


def test_endpoints_may_stand_apart() -> None:
    flags = ["--manifest=m", "--output=o", "--features=background", "--triton=gpu-1:8001, gpu-2:8001,"]
    with serving(config_of(parse(flags).job), "runs/night") as (ask, _):
        assert ask.endpoints == ("gpu-1:8001", "gpu-2:8001")


@pytest.mark.parametrize(
    "flag",
    [
        *("--limit=-1", "--min_outcomes=-1", "--price_per_hour=-2", "--price_per_hour=nan"),
        *("--max_cost=nan", "--max_cost=-1", "--memory_gib=nan", "--memory_gib=inf", "--concurrency=0"),
        *("--deadline_sec=nan", "--deadline_sec=0", "--fetch_deadline_sec=nan", "--fetch_deadline_sec=-1"),
    ],
)
def test_a_number_that_would_switch_a_limit_off_is_refused(flag: str) -> None:
    required = ["--manifest=m", "--output=o", "--features=background", "--price_per_hour=1"]
    with pytest.raises(ConfigError, match=flag.partition("=")[0]):
        config_of(parse([*required, flag]).job)


def test_zero_is_a_limit_a_price_and_a_count() -> None:
    zeros = ["--limit=0", "--min_outcomes=0", "--price_per_hour=0"]
    config = config_of(parse(["--manifest=m", "--output=o", "--features=background", *zeros]).job)
    assert (config.options.limit, config.stop.min_outcomes, config.stop.price_per_hour) == (0, 0, 0.0)
