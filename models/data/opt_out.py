"""Who does not want to be trained on: a list of keys, and the proof that a training set holds none of them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from transforms.errors import ConfigError

MEMBERS = "members.jsonl"


@dataclass(frozen=True)
class OptOut:
    """Keys of products and photographs, of advertisers, senders and authors: `advertiser:7`, `sender:7`, `author:Name`.

    `digest` is that of the list's file; None where no list was given.
    """

    keys: frozenset[str] = frozenset()
    digest: str | None = None

    def covers(self, keys: Iterable[str]) -> bool:
        """Whether any of an example's keys is on the list."""
        return not self.keys.isdisjoint(keys)


def read_opt_out(path: Path | None) -> OptOut:
    """A list with one key a line; what follows a `#` is a remark.

    Raises:
        ConfigError: the file cannot be read: a set is never packed without the list that was meant.
    """
    if path is None:
        return OptOut()
    try:
        raw = path.read_bytes()
        lines = [line.split("#", 1)[0].strip() for line in raw.decode().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the opt-out list {str(path)!r} cannot be read: {error}") from error
    return OptOut(frozenset(line for line in lines if line), sha256(raw).hexdigest())


def write_members(members: Iterable[tuple[str, str, Iterable[str]]], folder: Path) -> None:
    """Write (key, split, what it may be opted out by) of every example into a folder of shards."""
    lines = [json.dumps({"key": key, "split": split, "keys": sorted(keys)}) for key, split, keys in members]
    (folder / MEMBERS).write_text("".join(f"{line}\n" for line in lines))


def check_left(folder: Path, opt_out: OptOut) -> int:
    """Prove from the files that a set of shards holds nothing of `opt_out`; how many examples it holds.

    Every example in the tar files has its line in members.jsonl, no line has an example's like twice, and no line names
    a key of the list.

    Raises:
        ConfigError: an example is unknown, missing, or on the list.
    """
    lines = [json.loads(line) for line in (folder / MEMBERS).read_text().splitlines()]
    known = {line["key"] for line in lines}
    held = shard_keys(folder)
    if known != held or len(lines) != len(known):
        raise ConfigError(f"{str(folder)!r}: its shards and {MEMBERS} disagree", remedy="pack the shards again")
    caught = sorted(line["key"] for line in lines if opt_out.covers(line["keys"]))
    if caught:
        raise ConfigError(
            f"{str(folder)!r} holds {len(caught)} examples that are opted out, {caught[0]!r} the first",
            remedy="pack the shards again with this list",
        )
    return len(held)


def shard_keys(folder: Path) -> set[str]:
    """The keys of all examples in the tar files under `folder`, read from the files themselves."""
    found: set[str] = set()
    for path in sorted(folder.glob("*/*.tar")):
        with tarfile.open(path) as tar:
            found.update(name.split(".", 1)[0] for name in tar.getnames())
    return found
