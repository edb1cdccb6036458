import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from nights import Row, picture, write_run

from pipelines.compare.__main__ import main
from pipelines.compare.changes import moved, score_moves, transitions
from pipelines.compare.images import difference
from pipelines.compare.runs import map_values, pair, read_run
from transforms.errors import TableError
from transforms.index import index_table
from transforms.storage.store import StoreConfig

CONFIG = StoreConfig()


def night(count: int, seed: int, shift: float = 0.0, *, lost: int = 0, hue: int = 20) -> list[Row]:
    """`count` products in two placements; the first `lost` are rejected; scores are shifted by `shift` sd."""
    noise = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        halo = float(noise.normal(0.2 + 0.05 * shift, 0.05))
        for placement in ("pmax_square", "meta_stories"):
            scores = {"halo": halo, "contrast": float(noise.normal(30, 5)), "product_pixels_differing": 0.0}
            if number < lost:
                rows.append(Row(f"p{number:03d}", placement, "rejected", "halo", scores=scores))
            else:
                rows.append(Row(f"p{number:03d}", placement, hue=hue, scores=scores))
    return rows


def test_a_run_against_itself_is_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path, "monday", night(25, 1), side=48)
    assert main([str(run), str(run)]) == 0
    told = capsys.readouterr().out
    assert "50 in both, 0 new, 0 gone" in told
    assert "creatives changed: 0" in told
    assert told.endswith("quiet\n")


def test_an_ordinary_night_of_other_noise_is_quiet(tmp_path: Path) -> None:
    one = write_run(tmp_path, "monday", night(60, 1), side=32)
    other = write_run(tmp_path, "tuesday", night(60, 2, lost=1), side=32)
    assert main([str(one), str(other)]) == 0


def test_what_changed_is_told_and_alerts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = write_run(tmp_path, "monday", night(60, 1), side=48)
    changed = night(60, 2, shift=3.0, lost=12, hue=160)
    other = write_run(tmp_path, "tuesday", [*changed[:-2], Row("new-one", scores={"halo": 0.2})], side=48)
    page, figures = tmp_path / "compare.html", tmp_path / "compare.json"
    assert main([str(one), str(other), "--html", str(page), "--json", str(figures)]) == 1
    told = capsys.readouterr().out
    assert "118 in both, 1 new, 2 gone" in told
    assert "24 x enhanced -> rejected: halo" in told
    assert "ALERT: 12 of 59 products lost creatives" in told
    assert "ALERT: score halo drifts" in told
    assert "contrast drifts" not in told
    facts = json.loads(figures.read_text())
    assert facts["transitions"]["enhanced"] == {"enhanced": 94, "skipped": 0, "rejected": 24, "failed": 0}
    assert facts["creatives_changed"] == 94
    assert facts["scores"][0]["name"] == "halo"
    html = page.read_text()
    assert html.count("data:image/jpeg") == 48
    assert 'src="http' not in html


def test_the_images_that_changed_most_come_first(tmp_path: Path) -> None:
    one = write_run(tmp_path, "monday", [Row(f"p{n}", hue=20) for n in range(6)])
    other = write_run(tmp_path, "tuesday", [Row(f"p{n}", hue=20 + (120 if n == 3 else n)) for n in range(6)])
    figures = tmp_path / "c.html"
    assert main([str(one), str(other), "--html", str(figures), "--max_image_difference", "12"]) == 1
    captions = figures.read_text().split("<figcaption>")[1:]
    assert "acme/p3" in captions[0]
    assert float(captions[0].split(" ")[0]) > 3 * float(captions[1].split(" ")[0])


def test_a_night_without_most_of_the_catalog_alerts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full = write_run(tmp_path, "monday", night(30, 1), side=32)
    for name, left in (("half", 15), ("few", 12), ("nothing", 0)):
        run = write_run(tmp_path, name, night(30, 1)[: 2 * left], side=32)
        assert main([str(full), str(run)]) == (0 if left == 15 else 1)
        told = capsys.readouterr().out
        assert (f"ALERT: {30 - left} of 30 products are gone" in told) == (left < 15)
    assert main([str(full), str(run), "--max_gone_share=1"]) == 0


def test_differing_product_pixels_always_alert(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = write_run(tmp_path, "monday", [Row("p", scores={"product_pixels_differing": 0.0})])
    other = write_run(tmp_path, "tuesday", [Row("p", scores={"product_pixels_differing": 2.0})])
    assert main([str(one), str(other), "--max_psi", "99", "--max_lost_share", "1"]) == 1
    assert "1 creatives have product pixels that differ" in capsys.readouterr().out


def test_failures_of_many_products_alert_and_of_a_few_do_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = night(40, 1)
    one = write_run(tmp_path, "monday", rows, side=32)

    def with_failures(name: str, count: int) -> Path:
        failed = [Row(row.product, row.placement, "failed", "deadline_exceeded") for row in rows[: 2 * count]]
        return write_run(tmp_path, name, [*failed, *rows[2 * count :]], side=32)

    lenient = ["--max_lost_share", "1"]
    assert main([str(one), str(with_failures("tuesday", 3)), *lenient]) == 0
    assert main([str(one), str(with_failures("wednesday", 10)), *lenient]) == 1
    assert "ALERT: 10 of 40 products failed, before 0 of 40" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["{}"], "one run alone"),
        (["{}", "{}x"], "holds no index"),
        (["{}", "{}", "--alpha", "2"], "--alpha must lie within"),
        (["{}", "{}", "--max_images", "-1"], "--max_images"),
    ],
)
def test_bad_usage_ends_with_2(
    argv: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path, "monday", [Row("p")])
    assert main([part.format(run) for part in argv]) == 2
    assert message in capsys.readouterr().err


def test_repeated_rows_and_rows_without_placement_are_paired_in_order(tmp_path: Path) -> None:
    rows = [Row("p"), Row("p", outcome="rejected", reason="halo"), Row("q", None, "failed", "bad_row")]
    one, other = (read_run(str(write_run(tmp_path, name, rows)), CONFIG).index for name in ("a", "b"))
    pairing = pair(one, other)
    assert (len(pairing.before), len(pairing.gone), len(pairing.new)) == (3, 0, 0)
    assert not moved(one, other, pairing)
    assert transitions(one, other, pairing)["rejected"]["rejected"] == 1


def test_an_empty_run_compares(tmp_path: Path) -> None:
    empty = write_run(tmp_path, "a", [])
    other = write_run(tmp_path, "b", [Row("p")])
    assert main([str(empty), str(other)]) == 0
    assert main([str(other), str(empty)]) == 1


def test_score_changes_are_those_of_pairs(tmp_path: Path) -> None:
    one = index_table([])
    assert map_values(one, "scores") == {}
    rows = night(30, 1)
    moved_rows = [Row(r.product, r.placement, scores={**r.scores, "halo": r.scores["halo"] + 0.01}) for r in rows]
    before, after = (
        read_run(str(write_run(tmp_path, name, made, side=32)), CONFIG).index
        for name, made in (("a", rows), ("b", moved_rows))
    )
    found = {move.name: move for move in score_moves(before, after, pair(before, after))}
    assert found["halo"].change == pytest.approx(0.01)
    assert found["halo"].p_value < 1e-5
    assert found["contrast"].p_value == 1.0


def test_map_columns_of_slices_are_read_rightly(tmp_path: Path) -> None:
    table = read_run(str(write_run(tmp_path, "a", night(5, 1), side=32)), CONFIG).index
    whole, part = map_values(table, "scores")["halo"][1], map_values(table.slice(3, 4), "scores")["halo"]
    assert part[1].tolist() == whole[3:7].tolist()
    assert part[0].tolist() == [0, 1, 2, 3]
    joined = pa.concat_tables([table.slice(0, 3), table.slice(3)])
    assert map_values(joined, "scores")["halo"][1].tolist() == whole.tolist()


def test_the_image_difference_is_nothing_for_the_same_and_grows_with_the_change() -> None:
    one = picture("p", 20, staged=True)
    near, far = picture("p", 28, staged=True), picture("p", 120, staged=True)
    assert difference(one, one) == 0
    assert 0 < difference(one, near) < difference(one, far)
    assert difference(one, far) == pytest.approx(difference(far, one))
    assert difference(one, one.resize((200, 90))) == float("inf")


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="nowhere"):
        read_run(str(tmp_path / "nowhere"), CONFIG)


def test_several_nights_are_drawn_against_the_first(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, f"night-{n}", night(40, n, shift=0.8 * n), side=32) for n in range(4)]
    page, figures = tmp_path / "c.html", tmp_path / "c.json"
    assert main([*map(str, runs), "--html", str(page), "--json", str(figures)]) == 1
    nights = json.loads(figures.read_text())["nights"]["score halo"]
    assert list(nights) == ["night-1", "night-2", "night-3"]
    assert nights["night-1"] < nights["night-2"] < nights["night-3"]
    assert page.read_text().count("<svg") == 2


@pytest.mark.parametrize("flags", [["--max_psi=nan"], ["--max_psi=-1"], ["--max_image_difference=nan"]])
def test_limits_that_would_let_everything_pass_are_refused(
    flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a").mkdir()
    assert main([str(tmp_path / "a"), str(tmp_path / "a"), *flags]) == 2
    assert flags[0].split("=")[0] in capsys.readouterr().err
