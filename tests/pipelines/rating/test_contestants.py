from pathlib import Path

import pytest
from nights import Row, picture, write_run

from pipelines.rating.contestants import Named, entries_of, with_tasks
from transforms.errors import ConfigError, TableError
from transforms.storage.store import StoreConfig

CONFIG = StoreConfig()


def outputs(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        picture(name, 10, staged=True).save(folder / name)
    return folder


def test_a_run_contends_with_its_enhanced_rows_and_their_originals(tmp_path: Path) -> None:
    rows = [Row("a"), Row("a", "meta_stories"), Row("b", outcome="rejected", reason="halo"), Row("c")]
    run = write_run(tmp_path, "night", rows)
    found = entries_of(Named("run", "canvas", str(run)), CONFIG)
    assert [(entry.task, entry.placement) for entry in found] == [
        ("background", "pmax_square"),
        ("background", "meta_stories"),
        ("background", "pmax_square"),
    ]
    assert found[0].original_digest == found[1].original_digest != found[2].original_digest
    only = entries_of(Named("run", "canvas", str(run)), CONFIG, placements=("meta_stories",))
    assert len(only) == 1


def test_a_folder_is_matched_by_rule_and_the_longest_name_wins(tmp_path: Path) -> None:
    originals = outputs(tmp_path / "shots", "sofa.png", "sofa-2.png", "odd[1].png")
    tool = outputs(tmp_path / "tool", "sofa_gen.png", "sofa-2_gen.png", "odd[1]_gen.png", "lamp_gen.png")
    found = entries_of(Named("folder", "tool", str(tool)), CONFIG, originals=str(originals), rule="{original}_*.png")
    named = {Path(entry.output_uri).name: Path(entry.original_uri).name for entry in found}
    assert named == {"sofa_gen.png": "sofa.png", "sofa-2_gen.png": "sofa-2.png", "odd[1]_gen.png": "odd[1].png"}
    loose = entries_of(Named("folder", "tool", str(tool)), CONFIG, originals=str(originals))
    assert {Path(e.output_uri).name: Path(e.original_uri).name for e in loose}["sofa-2_gen.png"] == "sofa-2.png"


def test_a_table_says_what_was_made_from_what(tmp_path: Path) -> None:
    outputs(tmp_path / "shots", "a.png")
    outputs(tmp_path / "made", "x.png")
    (tmp_path / "pairs.csv").write_text("image,original,task,placement\nmade/x.png,shots/a.png,outpaint,meta_stories\n")
    (entry,) = entries_of(Named("csv", "tool", str(tmp_path / "pairs.csv")), CONFIG)
    assert (entry.task, entry.placement, entry.contestant) == ("outpaint", "meta_stories", "tool")
    assert Path(entry.output_uri) == tmp_path / "made" / "x.png"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,from\nx,y\n", "no column original"),
        ("image,original,task\nmade/x.png,made/x.png,video\n", "line 2: task 'video'"),
        ("image,original\nmade/x.png,made/none.png\n", "contestant 'tool'"),
        ("image,original\n", "gives no image to rate"),
    ],
)
def test_a_table_that_cannot_be_used_is_told(text: str, message: str, tmp_path: Path) -> None:
    outputs(tmp_path / "made", "x.png")
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(TableError, match=message):
        entries_of(Named("csv", "tool", str(tmp_path / "pairs.csv")), CONFIG)


def test_a_folder_needs_originals_and_a_rule(tmp_path: Path) -> None:
    tool = outputs(tmp_path / "tool", "a.png")
    with pytest.raises(ConfigError, match="--originals"):
        entries_of(Named("folder", "tool", str(tool)), CONFIG)
    with pytest.raises(ConfigError, match="rule"):
        entries_of(Named("folder", "tool", str(tool)), CONFIG, originals=str(tool), rule="*.png")
    with pytest.raises(TableError, match="holds no index"):
        entries_of(Named("run", "canvas", str(tool)), CONFIG)


def test_a_folders_images_are_asked_what_the_runs_are(tmp_path: Path) -> None:
    scene = Row("a", columns={"task": "outpaint"})
    run = write_run(tmp_path, "night", [scene, Row("b")])
    tool = outputs(tmp_path / "tool", "a.png", "b.png")
    found = entries_of(Named("run", "canvas", str(run)), CONFIG)
    found += entries_of(Named("folder", "tool", str(tool)), CONFIG, originals=str(tmp_path / "shots"))
    assert [entry.task for entry in with_tasks(found)] == ["outpaint", "background"] * 2
    assert [entry.task for entry in with_tasks(found[2:])] == ["background"] * 2
