"""A checkpoint is named to the server by a card that changes with its files; what is none is refused."""

import json

import pytest

pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from models.export.pretrained import CARD, digest_of_files, main


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "repository" / "pretrained" / "1").mkdir(parents=True)
    return tmp_path / "repository"


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "checkpoint"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "FluxFillPipeline"}))
    (folder / "unet" / "weights.safetensors").write_bytes(b"weights")
    return folder


def test_the_card_says_what_is_served_and_how(repository, checkpoint, capsys):
    options = ["--device", "cpu", "--dtype", "float32", "--steps", "4", "--repository", str(repository)]
    assert main(["--checkpoint", str(checkpoint), *options]) == 0
    card = json.loads((repository / CARD).read_text())
    assert capsys.readouterr().out.strip() == str(repository / CARD)
    assert (card["family"], card["checkpoint"], card["steps"]) == ("FLUX.1 Fill", str(checkpoint), 4)


def test_the_digest_changes_with_any_file(checkpoint):
    before = digest_of_files(checkpoint)
    assert before == digest_of_files(checkpoint)
    (checkpoint / "unet" / "weights.safetensors").write_bytes(b"other weights")
    assert digest_of_files(checkpoint) != before


def test_what_is_no_checkpoint_or_no_repository_is_told(repository, checkpoint, tmp_path, capsys):
    assert main(["--checkpoint", str(tmp_path), "--repository", str(repository)]) == 2
    assert "holds no model_index.json" in capsys.readouterr().err
    assert main(["--checkpoint", str(checkpoint), "--repository", str(tmp_path)]) == 2
    assert "holds no model 'pretrained'" in capsys.readouterr().err
