"""Weights travel with a card that knows them."""

import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

from models.checkpoint import CARD, WEIGHTS, read_checkpoint, write_checkpoint  # noqa: E402
from transforms.errors import ConfigError  # noqa: E402


@pytest.fixture
def folder(tmp_path):
    tensors = {"a": torch.arange(6.0).view(2, 3), "b": torch.tensor(3)}
    said = {"spec": {"width": 2}, "data": {"licence": "CC0"}, "recipe": {"seed": 4}, "metrics": {"psnr_db": 30.5}}
    write_checkpoint(tmp_path / "model", tensors, kind="autoencoder", **said)
    return tmp_path / "model"


def test_a_checkpoint_comes_back_as_it_was_written(folder):
    card, tensors = read_checkpoint(folder, "autoencoder")
    assert card.recipe == {"seed": 4} and card.metrics["psnr_db"] == 30.5
    assert torch.equal(tensors["a"], torch.arange(6.0).view(2, 3)) and int(tensors["b"]) == 3


def test_weights_that_are_not_those_of_their_card_are_refused(folder):
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(ConfigError, match="their card says"):
        read_checkpoint(folder)


@pytest.mark.parametrize(("name", "told"), [(CARD, "card.json is missing"), (WEIGHTS, "are missing")])
def test_half_a_checkpoint_is_none(folder, name, told):
    (folder / name).unlink()
    with pytest.raises(ConfigError, match=told):
        read_checkpoint(folder)


def test_a_card_that_cannot_be_read_and_another_kind_are_refused(folder):
    with pytest.raises(ConfigError, match="asked was 'canvas'"):
        read_checkpoint(folder, "canvas")
    (folder / CARD).write_text('{"kind": "autoencoder"}')
    with pytest.raises(ConfigError, match="no card of a checkpoint"):
        read_checkpoint(folder)
