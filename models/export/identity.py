"""What a served model is made of, so that its identity changes exactly when its answers may."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from sys import stdlib_module_names
from threading import Lock

PROJECT_ROOT = Path(__file__).absolute().parents[2]
_PROJECT = ("transforms", "models", "pipelines")
_DATA = ("transforms/data", "models/weights")
# CPython 3.11 counts the depth of syntax trees for all threads together: two parsers at once fail by chance.
_PARSING = Lock()


def digest_of(parts: Iterable[bytes]) -> str:
    """SHA-256 over `parts`, hex; each part's own digest is hashed, so that their borders count."""
    whole = sha256()
    for part in parts:
        whole.update(sha256(part).digest())
    return whole.hexdigest()


def files_under(folder: Path) -> list[Path]:
    """Every file below `folder` but compiled ones, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


@dataclass(frozen=True)
class Dependencies:
    """What a script's answers depend on.

    Attributes:
        files: the script, every module of this project that it imports at any depth, and the data files of this
            project that those name; by their path relative to the project's root, the script under its name alone.
        packages: `name==version` of the packages that those import, sorted.
    """

    files: Mapping[str, Path]
    packages: tuple[str, ...]

    def parts(self) -> list[bytes]:
        """Everything as bytes, for a digest."""
        named = [part for name, path in sorted(self.files.items()) for part in (name.encode(), path.read_bytes())]
        return [*named, *(package.encode() for package in self.packages)]


def dependencies_of(script: Path) -> Dependencies:
    """The dependencies of one Python file of the project, found by reading it, not by running it."""
    files, packages = {script.name: script}, set()
    waiting, sources = [script], list[str]()
    while waiting:
        sources.append(waiting.pop().read_text())
        for module in _imports(sources[-1]):
            root = module.partition(".")[0]
            if root in _PROJECT:
                fresh = {name: path for name, path in _module_files(module).items() if name not in files}
                files.update(fresh)
                waiting += fresh.values()
            elif root not in stdlib_module_names:
                packages.add(f"{root}=={version_of(root)}")
    return Dependencies({**files, **_data_named_in(sources)}, tuple(sorted(packages)))


@cache
def version_of(package: str) -> str:
    """The version of the distribution that an import name or a distribution name belongs to; "" where none does."""
    names = [package, *_distributions().get(package, [])]
    for name in names:
        try:
            return metadata.version(name)
        except (metadata.PackageNotFoundError, ValueError):
            continue
    return ""


@cache
def _distributions() -> dict[str, list[str]]:
    return {module: sorted(set(names)) for module, names in metadata.packages_distributions().items()}


def _imports(source: str) -> set[str]:
    """Every module that `source` imports, wherever the import stands; `from a import b` counts as a and a.b."""
    found: set[str] = set()
    with _PARSING:
        waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif not _is_for_types_only(node):
            waiting += ast.iter_child_nodes(node)
    return found


def _is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _module_files(module: str) -> dict[str, Path]:
    """A module's file and those of the packages around it; nothing where `module` names no module."""
    try:
        found = find_spec(module)
    except ModuleNotFoundError:  # `from a import b` where b is no module
        return {}
    if found is None or found.origin is None:
        return {}
    path = Path(found.origin)
    around = [parent / "__init__.py" for parent in path.parents[: module.count(".") + 1]]
    return {str(one.relative_to(PROJECT_ROOT)): one for one in (path, *around) if one.is_file()}


def _data_named_in(sources: Iterable[str]) -> dict[str, Path]:
    """The data files that `sources` name; of a name that several folders have (card.json), those beside another one."""
    whole = "\n".join(sources)
    files = [path for folder in _DATA for path in files_under(PROJECT_ROOT / folder) if path.suffix != ".py"]
    counts = Counter(path.name for path in files)
    named = [path for path in files if path.name in whole]
    meant = {path.parent for path in named if counts[path.name] == 1}
    found = [path for path in named if counts[path.name] == 1 or path.parent in meant]
    return {str(path.relative_to(PROJECT_ROOT)): path for path in found}
