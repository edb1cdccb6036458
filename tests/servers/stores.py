"""Where a test keeps its objects."""

from __future__ import annotations

from typing import NamedTuple

from transforms.storage.store import Store
from transforms.storage.uris import join


class Place(NamedTuple):
    """A store and an empty folder in it."""

    store: Store
    base: str

    def at(self, *segments: str) -> str:
        """The URI of `segments` there."""
        return join(self.base, *segments)
