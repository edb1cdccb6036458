"""Real inference servers for tests. A pytest plugin.

Fixtures: `triton` (this repository's models) and `troubled_triton` (a repository with models that misbehave, a
bounded queue, and `unsafe_image` at a fixed batch of four), each started once in the session that asks for it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import text_format

from models.export.repository import SOURCE, read_config, write_configs
from pipelines.embedded import EmbeddedServer
from transforms.inference.contracts import CONTRACTS

TROUBLED_MODELS = Path(__file__).parents[1] / "triton_models"
TROUBLED_CONTRACTS = {
    **CONTRACTS,
    "unsafe_image": replace(CONTRACTS["unsafe_image"], max_batch=8, fixed_batch=4),
}


def build_troubled_repository(target: Path) -> Path:
    """The repository of `troubled_triton` as checked-in form under `target`."""
    shutil.copytree(SOURCE / "segmenter", target / "segmenter")
    shutil.copytree(TROUBLED_MODELS, target, dirs_exist_ok=True)
    write_configs(target, [TROUBLED_CONTRACTS[name] for name in ("human_detector", "text_detector", "unsafe_image")])
    path = target / "text_detector" / "config.pbtxt"
    config = read_config(path)
    config.dynamic_batching.default_queue_policy.max_queue_size = 1
    path.write_text(text_format.MessageToString(config))
    return target


@pytest.fixture(scope="session")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server of every model of this repository."""
    with EmbeddedServer(cache=tmp_path_factory.mktemp("runtime")) as server:
        yield server


@pytest.fixture(scope="session")
def troubled_triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server whose models misbehave on demand: see tests/triton_models."""
    repository = build_troubled_repository(tmp_path_factory.mktemp("troubled"))
    with EmbeddedServer(repository, cache=tmp_path_factory.mktemp("runtime"), instance_factor=1) as server:
        yield server
