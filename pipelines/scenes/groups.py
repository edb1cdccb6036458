"""The rows of a manifest that belong into one scene: read as the job reads them, grouped by a column of theirs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from pipelines.scenes.folders import MOST
from transforms.decisions import NO_WISHES, Wishes, opt_outs, read_decisions, wishes_of
from transforms.errors import GroupError, ManifestError, Skipped
from transforms.ledger import SettledKeys
from transforms.ops.papers import read_prompt
from transforms.plan import PlanConfig, Shard, open_parquet, plan_table, read_shard, with_resolved_uris
from transforms.prompt_table import PromptTable
from transforms.prompts import prompts_of
from transforms.records import Product
from transforms.sources.identities import SourceIdentities
from transforms.storage.store import StoreConfig, open_store
from transforms.storage.uris import folder_of
from transforms.work import Work

_NOTHING_SETTLED = SettledKeys(np.empty(0, np.uint64), np.empty(0, np.uint64))


@dataclass(frozen=True)
class Columns:
    """The columns that scenes need beside the manifest's own.

    Attributes:
        group: rows of one advertiser with the same value make a scene; "" or null: none.
        height: the products' real heights, in one unit within a group, "" for none.
    """

    group: str
    height: str = ""


@dataclass(frozen=True)
class Member:
    """A row of a group: its planned work, whether its source's identity is known before load, its real height."""

    work: Work
    known: bool
    height: float | None = None

    @property
    def product(self) -> Product:
        """The row's product."""
        return self.work.product


@dataclass(frozen=True)
class Group:
    """The rows that make one scene, in the manifest's order.

    Attributes:
        name: the value that they share.
        prompt: the scene in words: the first row's that has one, else the job's, "" for words made from the products.
        table: of prompts by category; None for the shipped one.
    """

    advertiser_id: str
    name: str
    members: tuple[Member, ...]
    prompt: str = ""
    table: PromptTable | None = None

    @property
    def products(self) -> tuple[Product, ...]:
        """The rows' products."""
        return tuple(member.product for member in self.members)

    def placements(self, config: PlanConfig) -> tuple[str, ...]:
        """The placements that all rows ask for; the job's where no row can be read."""
        asked = [set(product.placements) for product in self.products if product.placements]
        return tuple(name for name in config.by_name if all(name in each for each in asked or [set(config.placements)]))

    @property
    def prompts(self) -> tuple[str, ...]:
        """What candidates are painted with, in turn."""
        return prompts_of(replace(self.products[0], prompt=self.prompt), self.table).prompts

    @property
    def pose(self) -> str:
        """How the products are held: `standing`, `hung` or `flat`.

        Raises:
            Skipped: `mixed_poses`, some stand and others do not.
        """
        poses: dict[str, list[str]] = {}
        for product in self.products:
            words = prompts_of(replace(product, prompt=self.prompt), self.table).prompts[0]
            poses.setdefault(read_prompt(words).pose, []).append(product.product_id)
        if len(poses) > 1:
            parts = (f"{pose}: {', '.join(ids)}" for pose, ids in sorted(poses.items()))
            raise Skipped("mixed_poses", f"the products are held in different ways ({'; '.join(parts)})")
        return next(iter(poses))


def check_group(group: Group, placements: Sequence[str]) -> None:
    """Refuse a group that cannot be a scene, before anything is loaded.

    Raises:
        GroupError: more than eight products, or one of them twice.
        Skipped: `no_common_placement`; `mixed_poses`.
    """
    where = f"group {group.name!r} of {group.advertiser_id!r}"
    first: dict[str, Product] = {}
    for product in group.products:
        twin = first.setdefault(product.product_id, product)
        if twin is not product and product.product_id:
            rows = f"{twin.manifest_uri} row {twin.row} and {product.manifest_uri} row {product.row}"
            raise GroupError(f"{where} holds product {product.product_id!r} twice: {rows}")
    if len(group.members) > MOST:
        raise GroupError(f"{where} holds {len(group.members)} products, a scene takes 1 to {MOST}")
    if not placements:
        raise Skipped("no_common_placement", "there is no placement that all rows ask for")
    assert group.pose


def read_groups(
    shards: Sequence[Shard], columns: Columns, config: PlanConfig, prompt: str = ""
) -> tuple[list[Group], list[Product]]:
    """The groups of a manifest, by advertiser and value, and the products of the rows that have none.

    Args:
        shards: of the manifest; see `pipelines.sources.cut_shards`.
        prompt: of groups whose rows have none.

    Raises:
        ManifestError: a height is no positive number.
    """
    found: dict[tuple[str, str], list[Member]] = {}
    loose: list[Product] = []
    wishes = wishes_of(opt_outs(read_decisions(config.decisions, config.store))) if config.decisions else NO_WISHES
    for shard in shards:
        for name, member in _members(shard, columns, config, wishes):
            if name:
                found.setdefault((member.product.advertiser_id, name), []).append(member)
            else:
                loose.append(member.product)
    groups = [replace(_group(*key, members, prompt), table=config.prompts) for key, members in found.items()]
    return groups, loose


def _group(advertiser_id: str, name: str, members: list[Member], prompt: str) -> Group:
    words = next((member.product.prompt for member in members if member.product.prompt), prompt)
    return Group(advertiser_id, name, tuple(members), words)


def check_files(uris: Sequence[str], columns: Columns, config: StoreConfig) -> None:
    """`check_columns` of every file of a manifest."""
    for uri in uris:
        check_columns(open_parquet(open_store(uri, config), uri).schema_arrow, columns, uri)


def check_columns(schema: pa.Schema, columns: Columns, uri: str) -> None:
    """Refuse a file without the columns that make scenes.

    Raises:
        ManifestError: names the option, the column and those that the file has.
    """
    for option, name in (("group_column", columns.group), ("height_column", columns.height)):
        if name and name not in schema.names:
            raise ManifestError(f"{uri}: --{option}: the file has no column {name!r}; it has {', '.join(schema.names)}")
    kind = schema.field(columns.group).type
    if not any(fits(kind) for fits in (_is_text, pa.types.is_integer, pa.types.is_null)):
        raise ManifestError(f"{uri}: --group_column: column {columns.group!r} has type {kind}, expected string")
    kind = schema.field(columns.height).type if columns.height else pa.null()
    if not any(fits(kind) for fits in (pa.types.is_floating, pa.types.is_integer, pa.types.is_null)):
        raise ManifestError(f"{uri}: --height_column: column {columns.height!r} has type {kind}, expected a number")


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _members(shard: Shard, columns: Columns, config: PlanConfig, wishes: Wishes) -> Iterator[tuple[str, Member]]:
    """(group's name, row) of a shard, planned as the job plans them; opt-outs count, other decisions concern creatives
    of single products."""
    store, folder = open_store(shard.manifest_uri, config.store), folder_of(shard.manifest_uri)
    table = with_resolved_uris(read_shard(store, shard, config.columns), folder)
    identities = SourceIdentities(config.sources, config.store).of(
        table.column("image_uri").to_pylist(), base_uri=folder
    )
    works = plan_table(table, shard, identities, _NOTHING_SETTLED, config, wishes).works
    names, heights = _cells(shard, columns, config.store)
    for work in works:
        at = work.product.row - shard.first_row
        yield names[at], Member(work, bool(identities[at]), _height(heights[at], work.product))


def _cells(shard: Shard, columns: Columns, config: StoreConfig) -> tuple[list[str], list[float | None]]:
    parquet = open_parquet(open_store(shard.manifest_uri, config), shard.manifest_uri)
    wanted = [name for name in (columns.group, columns.height) if name]
    table = parquet.read_row_groups(list(shard.row_groups), columns=wanted).slice(0, shard.rows)
    names = [_named(cell) for cell in table.column(columns.group).cast(pa.string()).cast(pa.binary()).to_pylist()]
    heights = table.column(columns.height).cast(pa.float64()).to_pylist() if columns.height else [None] * len(names)
    return names, heights


def _named(cell: bytes | None) -> str:
    """A group's name; bytes that are not UTF-8, which not every writer of Parquet checks, keep two groups apart."""
    return (cell or b"").decode(errors="backslashreplace").strip()


def _height(value: float | None, product: Product) -> float | None:
    if value is None or math.isnan(value):  # other tools' empty cell
        return None
    if not 0 < value < float("inf"):
        raise ManifestError(f"{product.manifest_uri} row {product.row}: the height {value} is no positive number")
    return value
