"""Furniture libraries of Sweet Home 3D: textured OBJ models of home decor, read from unpacked folders.

A library is the unpacked content of one ``.sh3f`` archive (a zip): a ``PluginFurnitureCatalog.properties`` file beside
the models. Its licence is stated for the library as a whole, and again in the folder of many models; where the two
differ, the model's own file decides (two models of the CC0 library are CC-BY).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CATALOG_NAME = "PluginFurnitureCatalog.properties"
CC0 = "CC0-1.0"
CC_BY = "CC-BY-3.0"

_ENTRY = re.compile(r"^(\w+)#(\d+)=(.*)$")
_ATTRIBUTION = re.compile(r"Attribution 3\.0|Creative Commons Attribution|CC-BY", re.IGNORECASE)
_PUBLIC = re.compile(r"Creative Commons Zero|CC-?0|Public domain", re.IGNORECASE)
_CM_PER_M = 100.0
_UNTURNED = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class FurnitureModel:
    """One model of a library.

    Attributes:
        key: `library/model`, unique and stable; both are names of folders or files.
        name: what the library calls it, in English.
        category: `Office`, `Kitchen` and the like.
        creator: the author, as the library names them.
        licence: `CC0-1.0` or `CC-BY-3.0`.
        path: the OBJ file.
        size_m: width (x), depth (y), height (z) in metres.
        turn: row-major 3x3 rotation to apply in the file's own frame (y up) before use.
    """

    key: str
    name: str
    category: str
    creator: str
    licence: str
    path: Path
    size_m: tuple[float, float, float]
    turn: tuple[float, ...] = _UNTURNED


def read_libraries(root: Path) -> tuple[FurnitureModel, ...]:
    """Return every model under `root`, sorted by key.

    Raises:
        FileNotFoundError: no library lies under `root`.
        ValueError: a library or a model states no licence that we know.
    """
    catalogs = sorted(root.rglob(CATALOG_NAME))
    if not catalogs:
        raise FileNotFoundError(f"no {CATALOG_NAME} under {root}: unpack the .sh3f archives there, a folder each")
    models = [model for catalog in catalogs for model in _read_catalog(catalog)]
    return tuple(sorted(models, key=lambda model: model.key))


def by_name(models: tuple[FurnitureModel, ...]) -> dict[str, FurnitureModel]:
    """Return the models by the last part of their key; the first library that has a name keeps it."""
    named: dict[str, FurnitureModel] = {}
    for model in models:
        named.setdefault(model.key.split("/")[1], model)
    return named


def licence_of_text(text: str) -> str | None:
    """Return the licence that a library's header or a model's licence file grants, None if it names none.

    >>> licence_of_text("Released under\\nCreative Commons Zero (Public Domain)")
    'CC0-1.0'
    >>> licence_of_text("license=Creative Commons Attribution 3.0 license")
    'CC-BY-3.0'
    """
    if _ATTRIBUTION.search(text):
        return CC_BY
    return CC0 if _PUBLIC.search(text) else None


def _read_catalog(catalog: Path) -> Iterator[FurnitureModel]:
    text = catalog.read_text(encoding="latin-1")
    header = text.split("id#1=", 1)[0]
    library_licence = licence_of_text(_without_upstream_note(header))
    for fields in _entries(text):
        yield _model(catalog.parent, fields, library_licence)


def _without_upstream_note(header: str) -> str:
    """Drop the line on how to name authors, which says "Attribution" of what is public domain."""
    return "\n".join(line for line in header.splitlines() if "appreciated but not mandatory" not in line)


def _entries(text: str) -> list[dict[str, str]]:
    entries: dict[int, dict[str, str]] = {}
    for line in text.splitlines():
        match = _ENTRY.match(line.strip())
        if match:
            entries.setdefault(int(match[2]), {})[match[1]] = match[3]
    return [entries[number] for number in sorted(entries)]


def _model(library: Path, fields: dict[str, str], library_licence: str | None) -> FurnitureModel:
    path = library / fields["model"].lstrip("/")
    turn = tuple(float(cell) for cell in fields.get("modelRotation", "").split())
    return FurnitureModel(
        key=f"{library.name}/{path.stem}",
        name=fields["name"],
        category=fields.get("category", ""),
        creator=fields.get("creator", "unknown"),
        licence=_licence_of_model(path.parent, library_licence),
        path=path,
        size_m=_size_m(fields),
        turn=turn or _UNTURNED,
    )


def _size_m(fields: dict[str, str]) -> tuple[float, float, float]:
    width, depth, height = (float(fields[side]) / _CM_PER_M for side in ("width", "depth", "height"))
    return width, depth, height


def _licence_of_model(folder: Path, library_licence: str | None) -> str:
    """Return the licence in the model's own folder, else the library's."""
    for path in sorted(folder.glob("*[lL][iI][cC][eE][nN][sS][eE]*")):
        licence = licence_of_text(path.read_text(encoding="latin-1"))
        if licence:
            return licence
    if library_licence is None:
        raise ValueError(f"{folder}: neither its own files nor its library state a known licence")
    return library_licence
