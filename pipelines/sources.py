"""Which Parquet files a manifest option names, and how they are cut into shards."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from pipelines.scenes.folders import DRY_FOLDER, FOLDER
from transforms.errors import ManifestError, ObjectNotFound
from transforms.manifest import ColumnMap, check_schema
from transforms.plan import NOT_PARQUET, Shard, open_parquet
from transforms.storage.store import Store, StoreConfig, open_store
from transforms.storage.uris import bucket_and_key, plain, scheme_of

# Rows of a shard: enough that the anti-join is one numpy operation, few enough that several workers share a file.
ROWS_PER_SHARD = 250_000
# Where runs write tables below an output.
_TABLES = ("ledger", "runs", FOLDER, DRY_FOLDER)


def manifest_files(manifest: str, config: StoreConfig, output: str = "") -> list[str]:
    """The Parquet files that `manifest` names: one file, a glob, or everything below a folder.

    Args:
        output: the job's; where it lies in the manifest's own folder, the tables that runs write there are no manifest.
            They are one where `manifest` names a folder of theirs, such as a run's dead letters.

    Raises:
        ManifestError: there is none.
    """
    store = open_store(manifest, config)
    if manifest.endswith((".parquet", ".pq")) and store.stat(manifest) is not None:
        found = [manifest]
    else:
        below = [item.uri for item in _listed(store, manifest)]
        found = [uri for uri in below if uri.endswith((".parquet", ".pq")) and not _is_hidden(uri, manifest)]
        found = _without_tables(found, manifest, output)
        if not below and any(sign in manifest for sign in "*?["):
            folder = _folder_before_glob(manifest)
            found = [listed.uri for listed in _listed(store, folder) if globbed(listed.uri, manifest)]
            found = _without_tables(found, folder, output)
        elif not below and _is_file(store, manifest):
            found = [manifest]  # whatever it is called
    if not found:
        raise ManifestError(
            f"--manifest {manifest}: no Parquet file found",
            remedy="check the path and its permissions; in a folder, files named .parquet or .pq count",
        )
    return sorted(found)


def _listed(store: Store, folder: str) -> list:  # type: ignore[type-arg]
    try:
        return list(store.list(folder))
    except ObjectNotFound:
        return []


def _is_file(store: Store, uri: str) -> bool:
    bucket_alone = scheme_of(uri) == "s3" and not bucket_and_key(uri).key
    return not (bucket_alone or uri.endswith("/")) and store.stat(uri) is not None


def _is_hidden(uri: str, folder: str) -> bool:
    """Whether a writer keeps a file below `folder` to itself: not finished yet, or about the others."""
    return any(part.startswith((".", "_")) for part in uri.removeprefix(folder.rstrip("/")).split("/"))


def _without_tables(found: Sequence[str], folder: str, output: str) -> list[str]:
    kept = [f"{_folder(output)}{name}/" for name in _TABLES] if output else []
    kept = [tables for tables in kept if not _folder(folder).startswith(tables)]
    return [uri for uri in found if not plain(uri).startswith(tuple(kept))]


def _folder(uri: str) -> str:
    return f"{plain(uri).rstrip('/')}/"


def globbed(uri: str, pattern: str) -> bool:
    """Whether a glob names `uri`, as a shell would: `*` and `?` stay in one folder, `**` is any number of folders, and
    none of them begins a name with a dot.

    >>> globbed("s3://feeds/tonight/a.parquet", "s3://feeds/tonight/*.parquet")
    True
    >>> globbed("s3://feeds/tonight/old/a.parquet", "s3://feeds/tonight/*.parquet")
    False
    >>> globbed("s3://feeds/tonight/old/a.parquet", "s3://feeds/**/*.parquet")
    True
    """
    return _parts_match(uri.removeprefix("./").split("/"), pattern.removeprefix("./").split("/"))


def _parts_match(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == "**":
        hidden = next((at for at, part in enumerate(parts) if part.startswith(".")), len(parts))
        return any(_parts_match(parts[skip:], patterns[1:]) for skip in range(hidden + 1))
    fits = bool(parts) and fnmatch.fnmatchcase(parts[0], patterns[0])
    fits = fits and (patterns[0].startswith(".") or not parts[0].startswith("."))
    return fits and _parts_match(parts[1:], patterns[1:])


def _folder_before_glob(pattern: str) -> str:
    first = min(pattern.index(sign) for sign in "*?[" if sign in pattern)
    return pattern[:first].rpartition("/")[0] or "."


def cut_shards(files: Sequence[str], columns: ColumnMap, config: StoreConfig, limit: int | None = None) -> list[Shard]:
    """Check every file's schema, and cut the files into shards; `limit` counts rows from the first.

    Raises:
        ManifestError: a schema does not fit; it names column, type and file.
    """
    shards: list[Shard] = []
    left = limit if limit is not None else float("inf")
    for uri in files:
        try:
            parquet = open_parquet(open_store(uri, config), uri)
        except OSError as error:  # a damaged footer, or no permission
            raise ManifestError(f"{uri} cannot be read as Parquet: {error}", remedy=NOT_PARQUET) from error
        check_schema(parquet.schema_arrow, columns, uri)
        groups: list[int] = []
        first = rows = 0
        for group in range(parquet.num_row_groups):
            groups.append(group)
            rows += parquet.metadata.row_group(group).num_rows
            if rows >= ROWS_PER_SHARD or group == parquet.num_row_groups - 1:
                take = int(min(rows, left))
                if take:
                    shards.append(Shard(uri, tuple(groups), first, take))
                left -= take
                first, rows, groups = first + rows, 0, []
    return shards
