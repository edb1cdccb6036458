"""What accepted creatives cost: the runs' money over the creatives that their advertisers accepted."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pipelines.scenes.folders import FOLDER
from transforms.decisions import standings
from transforms.errors import TableError
from transforms.storage.store import Store, StoreConfig, open_store

_LOG = logging.getLogger(__name__)


class Spend(NamedTuple):
    """Money and verdicts over all runs of an output folder.

    Attributes:
        cost: of all runs, in the currency of `--price_per_hour`; 0 where no price was given.
        accepted, refused: creatives whose last verdict that is, withdrawn ones apart.
        withdrawn: creatives that were accepted and then withdrawn.
    """

    cost: float = 0.0
    accepted: int = 0
    refused: int = 0
    withdrawn: int = 0

    @property
    def cost_per_accepted(self) -> float | None:
        """Cost over accepted creatives; None where there is no price, or nothing is accepted."""
        return self.cost / self.accepted if self.cost and self.accepted else None

    @property
    def acceptance_rate(self) -> float | None:
        """Accepted over decided creatives; None where nothing is decided."""
        decided = self.accepted + self.refused + self.withdrawn
        return self.accepted / decided if decided else None

    def figures(self) -> dict[str, float | int | None]:
        """The fields and what follows from them, for `report.json`: over all runs of the output."""
        per_accepted, rate = self.cost_per_accepted, self.acceptance_rate
        return {
            **self._asdict(),
            "cost": round(self.cost, 4),
            "cost_per_accepted": None if per_accepted is None else round(per_accepted, 6),
            "acceptance_rate": None if rate is None else round(rate, 4),
        }


NOTHING_SPENT = Spend()
_RUNS = ("runs", FOLDER)


def spend_of(cost: float, decided: Iterable[Mapping[str, Any]]) -> Spend:
    """Money and verdicts from the runs' cost and a table of decisions."""
    verdicts = Counter(found.verdict["action"] for found in standings(decided).values() if found.verdict)
    return Spend(cost, verdicts["accept"], verdicts["refuse"], verdicts["withdraw"])


def cost_of_runs(output: str, config: StoreConfig, *, without: str = "") -> float:
    """What the runs of `output` cost by their reports, those that made scenes among them; runs without a report that
    can be read cost nothing that is known.

    Args:
        without: a run that is left out, as `runs/RUN_ID`.
    """
    store = open_store(output, config)
    found = [item.uri for folder in _RUNS for item in store.list(f"{output}/{folder}")]
    wanted = [uri for uri in found if uri.endswith("/report.json") and uri.split("/")[-3:-1] != without.split("/")]
    return sum(_cost(store, uri) for uri in wanted)


def _cost(store: Store, uri: str) -> float:
    try:
        found = float(read_report(store, uri).get("cost") or 0.0)
    except (TableError, TypeError, ValueError) as error:
        _LOG.warning("%s: its run counts as if it had cost nothing: %s", uri, error)
        return 0.0
    return found if math.isfinite(found) else 0.0


def read_report(store: Store, uri: str) -> dict[str, Any]:
    """A run's `report.json`.

    Raises:
        ObjectNotFound: there is none.
        TableError: it is damaged.
    """
    try:
        found = json.loads(store.read(uri).data)
    except ValueError as error:
        raise TableError(f"{uri} is no JSON: {error}", remedy="restore the file, or delete it") from error
    if not isinstance(found, dict):
        raise TableError(f"{uri} is no report of a run", remedy="restore the file, or delete it")
    return found
