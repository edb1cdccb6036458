"""The pipeline's version: part of every key, so a new version makes every creative anew."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

PIPELINE_VERSION = "0.1.0"


@cache
def results_version() -> str:
    """The version, and a digest of the data that the stages decide by (`transforms/data`): the fitted gate, the words.

    Data is fitted anew more often than versions are given out, and decides as much.
    """
    digest = hashlib.blake2b(digest_size=6)
    folder = resources.files("transforms").joinpath("data")
    for part in sorted((each for each in folder.iterdir() if each.is_file()), key=lambda each: each.name):
        digest.update(part.name.encode() + hashlib.blake2b(part.read_bytes()).digest())
    return f"{PIPELINE_VERSION}+{digest.hexdigest()}"
