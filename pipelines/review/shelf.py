"""What the review page's requests stand on: what is served, to whom, and an advertiser's rows and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from flask import abort, g

from pipelines.review.access import Tokens, User
from pipelines.review.decisions import Decisions
from pipelines.review.pages import proof_script
from pipelines.review.pictures import PICTURES, File, Reader, prove
from pipelines.review.runs import Row, Run, slug_of


@dataclass(frozen=True)
class Setting:
    """What is served, and to whom.

    Attributes:
        open_user: who asks without a token; None where every request needs one.
        hosts: names that requests may address; () for any. On loopback it keeps out names that point here.
        https: whether the browser speaks https to a proxy before this server.
        allow: where originals may be read; () trusts the index's references.
    """

    run: Run
    decisions: Decisions
    tokens: Tokens
    open_user: User | None = None
    hosts: tuple[str, ...] = ()
    https: bool = False
    allow: tuple[str, ...] = ()
    by_slug: Mapping[str, str] = field(default_factory=dict)


class Shelf:
    """What requests find: an advertiser's rows by the address's slug, and pictures kept for a while."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.run = setting, setting.run
        self.reader = Reader(setting.run.store, setting.allow)
        self._names = {slug_of(name): name for name in self.run.advertisers}
        self._items = {name: {row["item_id"]: row for row in rows} for name, rows in self.run.advertisers.items()}
        # pictures of one page of the list, and of the creatives that are looked at
        self.picture = lru_cache(maxsize=256)(self._picture)
        self._proven = lru_cache(maxsize=4096)(self._proof)

    def name(self, slug: str) -> str:
        """The advertiser of a slug; 404 where there is none, or where it is another one's: nobody learns which."""
        name = self._names.get(slug)
        if name is None or not user().may_see(name):
            abort(404)
        return name

    def items(self, name: str) -> Mapping[str, Row]:
        """Item id -> row, of one advertiser."""
        return self._items[name]

    def row(self, slug: str, item: str) -> Row:
        """A row of the asker's own; 404 otherwise."""
        row = self.items(self.name(slug)).get(item)
        if row is None:
            abort(404)
        return row

    def decided(self, name: str) -> list[dict[str, Any]]:
        """An advertiser's decisions."""
        return self.setting.decisions.rows(name)

    def _picture(self, name: str, item: str, kind: str) -> File:
        return PICTURES[kind](self._items[name][item], self.reader)

    def proof(self, name: str, item: str) -> str:
        """`proof/<item>.js`; kept for a while, but where a file could not be read: it may be there the next time."""
        try:
            return self._proven(name, item)
        except _Unread as found:
            return found.script

    def _proof(self, name: str, item: str) -> str:
        row = self._items[name][item]
        proof = prove(row, self.reader)
        text = proof_script(row, proof)
        if proof.state == "unread":
            raise _Unread(text)
        return text


class _Unread(Exception):
    """A proof that could not be made now; `script` says so."""

    def __init__(self, script: str) -> None:
        super().__init__(script)
        self.script = script


def user() -> User:
    """Who asks."""
    found: User = g.user
    return found
