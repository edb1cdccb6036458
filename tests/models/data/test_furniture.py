from __future__ import annotations

from pathlib import Path

import pytest

from models.data.furniture import CATALOG_NAME, CC0, CC_BY, by_name, licence_of_text, read_libraries

HEADER = """# Attribution to model author will be appreciated but not mandatory.
id=SweetHome3D#Test
license={licence}
"""
ENTRY = """id#{n}=Test#{name}
name#{n}=A {name}
category#{n}=Office
model#{n}=/models/{name}/{name}.obj
width#{n}=50
depth#{n}=60.5
height#{n}=100
creator#{n}=Jane Doe
"""


def write_library(root: Path, licence: str, names: list[str], extra: str = "") -> Path:
    text = HEADER.format(licence=licence) + "\n".join(ENTRY.format(n=i + 1, name=name) for i, name in enumerate(names))
    root.mkdir(parents=True)
    (root / CATALOG_NAME).write_text(text + extra, encoding="latin-1")
    for name in names:
        (root / "models" / name).mkdir(parents=True)
    return root


def test_a_model_carries_its_author_licence_and_size_in_metres(tmp_path: Path) -> None:
    write_library(tmp_path / "free", "Public domain", ["chair"])
    (model,) = read_libraries(tmp_path)
    assert (model.key, model.name, model.creator, model.licence) == ("free/chair", "A chair", "Jane Doe", CC0)
    assert model.size_m == pytest.approx((0.5, 0.605, 1.0))
    assert model.path == tmp_path / "free" / "models" / "chair" / "chair.obj"


def test_a_models_own_licence_file_overrules_its_library(tmp_path: Path) -> None:
    library = write_library(tmp_path / "free", "Public domain", ["sofa", "stool"])
    (library / "models" / "sofa" / "89509 - LICENSE.html").write_text("<b>Creative Commons Attribution 3.0</b>")
    licences = {name: model.licence for name, model in by_name(read_libraries(tmp_path)).items()}
    assert licences == {"sofa": CC_BY, "stool": CC0}


def test_models_come_sorted_by_key_whatever_the_files_order(tmp_path: Path) -> None:
    write_library(tmp_path / "b", "Public domain", ["zebra", "apple"])
    write_library(tmp_path / "a", "Public domain", ["pear"])
    assert [model.key for model in read_libraries(tmp_path)] == ["a/pear", "b/apple", "b/zebra"]


def test_a_model_turned_in_its_file_says_so(tmp_path: Path) -> None:
    write_library(tmp_path / "free", "Public domain", ["chair"], "modelRotation#1=0 0 1 -1 0 0 0 -1 0\n")
    assert read_libraries(tmp_path)[0].turn == (0, 0, 1, -1, 0, 0, 0, -1, 0)


def test_a_library_without_a_known_licence_is_refused(tmp_path: Path) -> None:
    write_library(tmp_path / "odd", "ask me", ["chair"])
    with pytest.raises(ValueError, match="known licence"):
        read_libraries(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=CATALOG_NAME):
        read_libraries(tmp_path)


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("Released under\nCreative Commons Zero (Public Domain)", CC0),
        ("# under CC-0 Creative Commons Zero", CC0),
        ("license=Creative Commons Attribution 3.0 Unported license", CC_BY),
        ("This blend: Creative Commons Attribution 3.0; see also Creative Commons Zero", CC_BY),
        ("all rights reserved", None),
    ],
)
def test_a_licence_is_read_from_its_text(text: str, licence: str | None) -> None:
    assert licence_of_text(text) == licence
