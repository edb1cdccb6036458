"""Deleting what nobody wants: the files of refused and withdrawn creatives. Decisions about them stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pipelines.review.decisions import Decisions
from pipelines.review.pages import creative_key
from pipelines.scenes.folders import MOST
from transforms.decisions import Slot, Standing, slot_of, standings
from transforms.errors import ConfigError
from transforms.storage.store import StoreConfig, open_store
from transforms.storage.uris import local_path, scheme_of

_TOGETHER = 200  # deleted after one look at the decisions: looking anew for each would take hours for many
_FOLDERS = ("creatives", "evidence", "scenes", "scene_evidence")


class Unwanted(NamedTuple):
    """A creative that may go.

    Attributes:
        decision: the refusal or withdrawal.
        size: bytes of creative and evidence that are still there.
        uris: those files.
    """

    decision: Mapping[str, Any]
    size: int
    uris: tuple[str, ...]


def unwanted(
    decided: Iterable[Mapping[str, Any]], output: str, config: StoreConfig, carried: Iterable[Mapping[str, Any]] = ()
) -> list[Unwanted]:
    """The refused and withdrawn creatives of `output` whose files are still there.

    Args:
        carried: the rows of a run. What one of them shows and nobody refused there stays: one creative may stand in
            several places, as where a photo has two references.

    Raises:
        ConfigError: a decision names a file outside of `output`.
    """
    found = []
    rows = standings(decided)
    kept = {uri for standing in rows.values() if not _is_unwanted(standing) for uri in _uris(standing.verdict or {})}
    shown = (row for row in carried if row["outcome"] == "enhanced")
    kept |= {uri for row in shown if not _is_unwanted(rows.get(_place(row), Standing())) for uri in _uris(row)}
    for standing in rows.values():
        if standing.verdict is None or not _is_unwanted(standing) or standing.pruned:
            continue
        uris = [uri for uri in _uris(standing.verdict) if uri not in kept]
        _check_inside(uris, output)
        sizes = [(uri, open_store(uri, config).stat(uri)) for uri in uris]
        there = [(uri, stat.size) for uri, stat in sizes if stat is not None]
        if there:
            found.append(Unwanted(standing.verdict, sum(size for _, size in there), tuple(uri for uri, _ in there)))
    return found


def _is_unwanted(standing: Standing) -> bool:
    return standing.verdict is not None and standing.verdict["action"] in ("refuse", "withdraw")


def _place(row: Mapping[str, Any]) -> tuple[Slot, str]:
    return slot_of(row), creative_key(row)


def _uris(row: Mapping[str, Any]) -> list[str]:
    found = [str(row[name]) for name in ("creative_uri", "evidence_uri") if row.get(name)]
    # a scene has evidence for each product, and its decision names the first one's
    stems = [uri.removesuffix(".0.png") for uri in found if _is_of_scene(uri)]
    return found + [f"{stem}.{at}.png" for stem in stems for at in range(1, MOST)]


def _is_of_scene(uri: str) -> bool:
    return "/scene_evidence/" in uri and uri.endswith(".0.png")


def _check_inside(uris: Sequence[str], output: str) -> None:
    """A database may come from elsewhere; what it names must be this output's own creatives, scenes and evidence."""
    folders = tuple(f"{_plain(output)}/{name}/" for name in _FOLDERS)
    for uri in uris:
        if not _plain(uri).startswith(folders) or "/../" in _plain(uri):
            raise ConfigError(
                f"{uri} lies outside of {output}", remedy="name the output folder that the decisions are about"
            )


def _plain(uri: str) -> str:
    """A path without its scheme, detours and links; other URIs as they are."""
    return str(local_path(uri).resolve()) if scheme_of(uri) == "file" else uri


def prune(found: Sequence[Unwanted], decisions: Decisions, who: str, config: StoreConfig) -> int:
    """Delete the files, creative before evidence, note it with the decisions, and return the bytes that were freed.

    What was decided otherwise since `found` was made stays.
    """
    columns = ("advertiser_id", "product_id", "placement", "feature", "image_uri", "creative_key", "creative_uri")
    freed = 0
    for start in range(0, len(found), _TOGETHER):
        for item in _still_unwanted(found[start : start + _TOGETHER], decisions):
            for uri in item.uris:
                open_store(uri, config).delete(uri)
            entry = {name: item.decision[name] for name in columns}
            decisions.record("prune", who, item.decision["run_id"], [entry])
            freed += item.size
    return freed


def _still_unwanted(found: Sequence[Unwanted], decisions: Decisions) -> list[Unwanted]:
    now = standings(decisions.rows())
    wanted = {uri for each in now.values() if not _is_unwanted(each) for uri in _uris(each.verdict or {})}
    mine = (now.get((slot_of(item.decision), item.decision["creative_key"]), Standing()) for item in found)
    return [
        item
        for item, standing in zip(found, mine, strict=True)
        if _is_unwanted(standing) and wanted.isdisjoint(item.uris)
    ]
