"""Decisions: what advertisers and ads ops said of creatives, as a table, and what a plan has to do about it.

A creative is named by advertiser, product, placement and its key, so that a decision follows it into every later run
that carries it. Of decisions on one creative the last one counts; what was undone does not count at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

from transforms.errors import ManifestError, TableError, redact
from transforms.keys import digest_of
from transforms.storage.store import StoreConfig, open_store
from transforms.tables import read_table

ACTIONS = ("accept", "refuse", "flag", "retry", "opt_out", "withdraw", "prune")
VERDICTS: Mapping[str, str] = {"accept": "accepted", "refuse": "refused", "withdraw": "withdrawn"}
REFUSALS = ("product_changed", "ugly_background", "wrong_mood", "other")
# So many are painted after the first that was refused; then a row is left alone: another one would be refused as well.
MAX_ATTEMPTS = 3

_TEXT = pa.string()
DECISION_SCHEMA = pa.schema(
    [
        pa.field("decision_id", pa.int64(), nullable=False),
        pa.field("batch", _TEXT, nullable=False),
        pa.field("decided_at", pa.timestamp("ms", tz="UTC"), nullable=False),
        pa.field("decided_by", _TEXT, nullable=False),
        pa.field("action", _TEXT, nullable=False),
        pa.field("reason", _TEXT),
        pa.field("note", _TEXT),
        pa.field("run_id", _TEXT, nullable=False),
        pa.field("advertiser_id", _TEXT, nullable=False),
        pa.field("product_id", _TEXT),
        pa.field("placement", _TEXT),
        pa.field("feature", _TEXT),
        pa.field("image_uri", _TEXT),
        pa.field("creative_key", _TEXT),
        pa.field("creative_uri", _TEXT),
        pa.field("evidence_uri", _TEXT),
        pa.field("undone_at", pa.timestamp("ms", tz="UTC")),
        pa.field("undone_by", _TEXT),
    ]
)
Row = Mapping[str, Any]


class Slot(NamedTuple):
    """What a decision on one creative is about: this image of a product in this placement."""

    advertiser_id: str
    product_id: str
    placement: str
    image: str


def image_of(uri: str) -> str:
    """An image reference as decisions compare it: without query and fragment, which a signed URL changes every night.

    >>> image_of("https://ann:pw@shop/a.jpg?X-Amz-Signature=abc")
    'https://***@shop/a.jpg'
    """
    plain = redact(uri)
    return plain.split("?")[0].split("#")[0] if plain.startswith(("http://", "https://")) else plain


@dataclass(frozen=True)
class Standing:
    """What counts of one creative's decisions.

    Attributes:
        verdict: `accept`, `refuse`, `withdraw` or None: the last of them.
        retry: another candidate is asked for.
        flags: all flags, in order.
        pruned: its files are deleted.
    """

    verdict: Row | None = None
    retry: bool = False
    flags: tuple[Row, ...] = ()
    pruned: bool = False


def standings(rows: Iterable[Row]) -> dict[tuple[Slot, str], Standing]:
    """(slot, creative key) -> what counts of it; `rows` in the order in which they were decided."""
    found: dict[tuple[Slot, str], Standing] = {}
    for row in rows:
        if row["undone_at"] is not None or row["action"] == "opt_out":
            continue
        key = slot_of(row), row["creative_key"]
        found[key] = _after(found.get(key, Standing()), row)
    return found


def _after(standing: Standing, row: Row) -> Standing:
    verdict, retry, flags, pruned = standing.verdict, standing.retry, standing.flags, standing.pruned
    if row["action"] in VERDICTS:
        # to accept a creative is to want no other one
        verdict, retry = row, retry and row["action"] != "accept"
    elif row["action"] == "retry":
        retry = True
    elif row["action"] == "flag":
        flags = (*flags, row)
    elif row["action"] == "prune":
        pruned = True
    return Standing(verdict, retry, flags, pruned)


def slot_of(row: Row) -> Slot:
    """The slot of a decision or of an index row."""
    ids = (row["advertiser_id"] or "", row["product_id"] or "", row["placement"] or "")
    return Slot(*ids, image_of(row["image_uri"] or ""))


SCENE = "scene"  # what scenes of several products are called where creatives have a feature


def scene_reference(image_uris: Iterable[str], seed: int) -> str:
    """What stands for the image of a scene in decisions: its seed, and its products' images from left to right.

    >>> scene_reference(["https://shop/a.jpg?sig=1"], 7) == scene_reference(["https://shop/a.jpg?sig=2"], 7)
    True
    """
    return f"{SCENE}:{seed}:{digest_of([image_of(uri) for uri in image_uris])}"


def of_scenes(rows: Iterable[Row]) -> list[Row]:
    """The decisions about scenes; their `product_id` is a group."""
    return [row for row in rows if row["feature"] == SCENE or (row["image_uri"] or "").startswith(f"{SCENE}:")]


def opt_outs(rows: Iterable[Row]) -> list[Row]:
    """The opt-outs that count."""
    return [row for row in rows if row["action"] == "opt_out" and row["undone_at"] is None]


class Wish(NamedTuple):
    """What decisions ask of one row in one placement.

    Attributes:
        attempt: how many candidates were refused before; the seed is another one for each.
        blocked: features that are opted out; "*" for all.
        end: the reason to skip the row for, "" to work on it.
    """

    attempt: int = 0
    blocked: tuple[str, ...] = ()
    end: str = ""

    def key(self, row_key: str) -> str:
        """The row's key under this wish: unchanged where nothing is wished, so that nothing is done again."""
        return row_key if self == NO_WISH else digest_of([row_key, *self])

    def seed(self, seed: int) -> int:
        """The attempt's seed in [0, 2**31): the first one is the row's own."""
        return seed if not self.attempt else int(digest_of([seed, self.attempt])[:8], 16) & 0x7FFFFFFF


NO_WISH = Wish()


@dataclass(frozen=True)
class Wishes:
    """All decisions, ready to be asked about a row. Empty ones change nothing.

    Attributes:
        attempts: slot -> creatives that are refused, or whose place another candidate shall take.
        withdrawn: slots whose creative was withdrawn and that no other one shall take.
        blocked: (advertiser, product or "" for all) -> features, "*" for all.
    """

    attempts: Mapping[Slot, int] = field(default_factory=dict)
    withdrawn: frozenset[Slot] = frozenset()
    blocked: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def touches(self, advertiser_id: str, product_id: str) -> bool:
        """Whether any decision may concern a product; cheap, since most rows are not concerned."""
        return (advertiser_id, product_id) in self._products or (advertiser_id, "") in self.blocked

    @property
    def _products(self) -> frozenset[tuple[str, str]]:
        products = self.__dict__.get("_found")
        if products is None:
            slots = {(slot.advertiser_id, slot.product_id) for slot in (*self.attempts, *self.withdrawn)}
            products = frozenset(slots | set(self.blocked))
            object.__setattr__(self, "_found", products)
        return products

    def of(self, slot: Slot, features: tuple[str, ...]) -> Wish:
        """What is wished of a row in a placement.

        Args:
            features: what job and row allow.
        """
        owner = slot.advertiser_id
        blocked = self.blocked.get((owner, ""), frozenset()) | self.blocked.get((owner, slot.product_id), frozenset())
        attempt = self.attempts.get(slot, 0)
        mine = tuple(sorted(name for name in blocked if name == "*" or name in features))
        if "*" in blocked or (features and set(features) <= blocked):
            return Wish(0, mine, "opted_out")
        if slot in self.withdrawn:
            return Wish(attempt, mine, "withdrawn")
        return Wish(attempt, mine, "refused" if attempt > MAX_ATTEMPTS else "")


NO_WISHES = Wishes()


def wishes_of(rows: Iterable[Row]) -> Wishes:
    """What a table of decisions asks of the next run."""
    rows = list(rows)
    attempts: dict[Slot, int] = {}
    withdrawn: set[Slot] = set()
    for (slot, _), standing in standings(rows).items():
        verdict = standing.verdict["action"] if standing.verdict else ""
        if standing.retry or verdict == "refuse" or (standing.pruned and verdict != "withdraw"):
            attempts[slot] = attempts.get(slot, 0) + 1
        elif verdict == "withdraw":
            withdrawn.add(slot)
    blocked: dict[tuple[str, str], frozenset[str]] = {}
    for row in opt_outs(rows):
        owner = (row["advertiser_id"], row["product_id"] or "")
        blocked[owner] = blocked.get(owner, frozenset()) | {row["feature"] or "*"}
    return Wishes(attempts, frozenset(withdrawn), blocked)


def read_decisions(uri: str, config: StoreConfig) -> list[dict[str, Any]]:
    """The rows of a Parquet file of decisions, in the order in which they were decided.

    Raises:
        ManifestError: it is no such file.
        StorageError: it cannot be read.
    """
    data = open_store(uri, config).read(uri).data
    try:
        table = read_table(data, uri)
    except TableError as error:
        raise ManifestError(f"not a Parquet file of decisions: {error}", remedy=_REMEDY) from error
    missing = [name for name in DECISION_SCHEMA.names if name not in table.column_names]
    if missing:
        raise ManifestError(f"{uri} has no column {missing[0]!r}", remedy=_REMEDY)
    return table.select(DECISION_SCHEMA.names).sort_by("decision_id").to_pylist()


_REMEDY = "name a file that `python -m pipelines.review export` wrote"
