"""The database of decisions: many writers, restarts, and files that are none."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from pipelines.report.spend import cost_of_runs, spend_of
from pipelines.review.access import Tokens, User, load_secret
from pipelines.review.commands import main
from pipelines.review.decisions import Decisions, decision_table
from pipelines.review.judge import entry_of
from pipelines.review.prune import prune, unwanted
from pipelines.review.runs import Run
from transforms.decisions import DECISION_SCHEMA
from transforms.errors import ConfigError
from transforms.storage.store import StoreConfig


def test_many_decide_at_once_and_nothing_is_lost(tmp_path: Path, run: Run) -> None:
    entry = entry_of(run.rows[0])
    with ThreadPoolExecutor(8) as pool:
        work = [
            pool.submit(Decisions(tmp_path / "d.sqlite").record, "flag", f"p{n}", "1", [entry] * 5) for n in range(40)
        ]
        batches = {item.result() for item in work}
    rows = Decisions(tmp_path / "d.sqlite").rows()
    assert len(batches) == 40 and len(rows) == 200
    assert [row["decision_id"] for row in rows] == list(range(1, 201))
    assert all(len({row["batch"] for row in rows[at : at + 5]}) == 1 for at in range(0, 200, 5))
    assert decision_table(rows).schema == DECISION_SCHEMA


def test_who_decides_first_at_once_waits_for_the_others(tmp_path: Path, run: Run) -> None:
    entry = entry_of(run.rows[0])
    for number in range(40):
        store, together = Decisions(tmp_path / f"{number}.sqlite"), Barrier(8)

        def decide(store: Decisions = store, together: Barrier = together) -> str:
            together.wait()
            return store.record("flag", "ann", "1", [entry])

        with ThreadPoolExecutor(8) as pool:
            batches = {item.result() for item in [pool.submit(decide) for _ in range(8)]}
        assert {row["batch"] for row in store.rows()} == batches and len(batches) == 8


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "d.sqlite").write_text("not a database, but some text that is long enough to be taken for a header")
    with pytest.raises(ConfigError, match=r"d\.sqlite"):
        Decisions(tmp_path / "d.sqlite").rows()


def test_money_is_counted_over_all_runs_and_verdicts_once_a_creative(run: Run, tmp_path: Path) -> None:
    store = Decisions(tmp_path / "d.sqlite")
    rows = [row for row in run.rows if row["outcome"] == "enhanced"][:3]
    store.record("accept", "ann", "1", [entry_of(row) for row in rows])
    store.record("accept", "ann", "1", [entry_of(rows[0])])
    store.record("refuse", "ann", "1", [entry_of(rows[1])])
    spend = spend_of(cost_of_runs(run.output, StoreConfig()), store.rows())
    assert (spend.cost, spend.accepted, spend.refused) == (1.5, 2, 1)
    assert spend.cost_per_accepted == 0.75 and spend.acceptance_rate == pytest.approx(2 / 3)
    assert spend_of(0.0, store.rows()).cost_per_accepted is None


def test_pruning_refuses_files_outside_of_the_output(run: Run, tmp_path: Path) -> None:
    victim = tmp_path / "creatives" / "precious.jpg"
    victim.parent.mkdir()
    victim.write_bytes(b"x")
    store = Decisions(tmp_path / "d.sqlite")
    for uri in (str(victim), f"{run.output}/creatives/../../{victim.name}"):
        store.record("refuse", "ann", "1", [{**entry_of(run.rows[0]), "creative_uri": uri, "creative_key": uri}])
        with pytest.raises(ConfigError, match="outside"):
            unwanted(store.rows(), run.output, StoreConfig())
    assert main(["prune", run.uri, "--apply", f"--database={tmp_path / 'd.sqlite'}"]) == 2
    assert victim.exists()


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "s.secret"
    secret = load_secret(path)
    assert load_secret(path) == secret and path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="others can read"):
        load_secret(path)
    (tmp_path / "short").touch(0o600)
    with pytest.raises(ConfigError, match="fewer than"):
        load_secret(tmp_path / "short")


def test_who_starts_at_once_gets_one_secret(tmp_path: Path) -> None:
    for number in range(20):
        path, together = tmp_path / str(number), Barrier(8)

        def begin(path: Path = path, together: Barrier = together) -> bytes:
            together.wait()
            return load_secret(path)

        with ThreadPoolExecutor(8) as pool:
            assert len({future.result() for future in [pool.submit(begin) for _ in range(8)]}) == 1
    assert {path.name for path in tmp_path.iterdir()} == {str(number) for number in range(20)}


def test_pruning_leaves_what_another_place_of_the_run_still_shows(run: Run, tmp_path: Path) -> None:
    store, row = Decisions(tmp_path / "d.sqlite"), next(row for row in run.rows if row["outcome"] == "enhanced")
    store.record("refuse", "ann", "1", [entry_of(row)])
    files = {row["creative_uri"], row["evidence_uri"]}
    assert {*unwanted(store.rows(), run.output, StoreConfig(), [row])[0].uris} == files
    twin = {**row, "image_uri": "https://shop/the-same-photo.jpg"}
    assert unwanted(store.rows(), run.output, StoreConfig(), [row, twin]) == []
    store.record("refuse", "ann", "1", [entry_of(twin)])
    assert {
        uri for item in unwanted(store.rows(), run.output, StoreConfig(), [row, twin]) for uri in item.uris
    } == files


def test_what_is_accepted_while_files_are_pruned_stays(run: Run, tmp_path: Path) -> None:
    store, row = Decisions(tmp_path / "d.sqlite"), next(row for row in run.rows if row["outcome"] == "enhanced")
    store.record("refuse", "ann", "1", [entry_of(row)])
    found = unwanted(store.rows(), run.output, StoreConfig(), run.rows)
    store.record("accept", "ann", "1", [entry_of(row)])
    assert len(found) == 1 and prune(found, store, "olga", StoreConfig()) == 0
    assert Path(row["creative_uri"]).exists() and Path(row["evidence_uri"]).exists()
    assert [each["action"] for each in store.rows()] == ["refuse", "accept"]


def test_commands_take_a_run_by_a_relative_path(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database, row = tmp_path / "d.sqlite", next(row for row in run.rows if row["outcome"] == "enhanced")
    Decisions(database).record("refuse", "ann", "1", [entry_of(row)])
    output = Path(run.output)
    for folder, name in (
        (output, "runs/night"),
        (output.parent, f"{output.name}/runs/night"),
        (output, f"../{output.name}/runs/night/"),
    ):
        monkeypatch.chdir(folder)
        assert main(["prune", name, f"--database={database}"]) == 0
        assert str(row["creative_uri"]) in capsys.readouterr().out


def test_exporting_a_run_that_is_not_there_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(tmp_path / "typo/runs/night"), "--to", str(tmp_path / "d.parquet")]) == 2
    assert "remedy" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_whoever_has_no_name_can_still_start(monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 54321")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert main(["export", run.uri, "--to", str(tmp_path / "d.parquet"), f"--database={tmp_path / 'd.sqlite'}"]) == 0


@pytest.mark.parametrize("flags", [["--port=70000"], ["--port=-1"], ["--threads=0"], ["--host=no such host"]])
def test_an_address_that_cannot_be_served_is_named(
    run: Run, tmp_path: Path, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", run.uri, "--port=0", f"--database={tmp_path / 'd.sqlite'}", *flags]) == 2
    assert "remedy" in capsys.readouterr().err


def test_a_token_names_its_user_and_nothing_can_be_changed_in_it() -> None:
    tokens = Tokens(b"k" * 32)
    token = tokens.issue(User("Ann", "acme"), 1)
    assert tokens.read(token) == User("Ann", "acme")
    # the last character of a base64 text has bits that mean nothing
    places = [at for at in range(len(token) - 1) if token[at] != "x"]
    assert not any(tokens.read(token[:at] + "x" + token[at + 1 :]) for at in places)


@pytest.mark.parametrize("flags", [
    ["--advertiser=nobody"], [], ["--ops", "--advertiser=acme"],
    *(["--ops", f"--days={days}"] for days in (0, "inf", "nan", 1e300)),
])  # fmt: skip
def test_tokens_that_make_no_sense_are_not_issued(
    run: Run, tmp_path: Path, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", run.uri, "--name=x", f"--database={tmp_path / 'd.sqlite'}", *flags]) == 2
    assert "remedy" in capsys.readouterr().err
