"""The commands of the data engine, the trainers and the exports say in words what they cannot do."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models.command import told
from models.data import lifted, pseudo_labels
from transforms.errors import ConfigError

COMMANDS = [
    path
    for path in sorted(Path("models").rglob("*.py"))
    if re.search(r'^if __name__ == "__main__"', path.read_text(), re.M)
]


def test_a_command_ends_with_its_own_code_or_with_words(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> int:
        raise ConfigError("no pictures under 'x'", remedy="name another folder")

    def miss() -> int:
        return len(Path("/none/images.csv").read_text())

    assert told(lambda: 1) == 1 and told(lambda: None) == 0
    assert told(refuse) == told(miss) == 2
    said = capsys.readouterr().err
    assert "error: no pictures under 'x'\n  remedy: name another folder\n" in said
    assert "error: /none/images.csv: No such file or directory\n" in said


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(KeyError):
        told(lambda: {}["defect"])


@pytest.mark.parametrize("path", COMMANDS, ids=str)
def test_every_command_says_what_it_refuses_in_words(path: Path) -> None:
    assert re.search(r"Exit\(told\(main\)\)|exit\(told\(main\)\)|except CanvasError", path.read_text())


@pytest.mark.parametrize("command", [[lifted.main, "--renders"], [pseudo_labels.main, "--photos"]])
def test_a_folder_without_pictures_is_no_success(command: list[Any], tmp_path: Path) -> None:
    main, flag = command
    with pytest.raises(ConfigError, match="none"):
        main([flag, str(tmp_path / "none"), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_a_trainer_without_pictures_says_so(tmp_path: Path) -> None:
    flags = [f"--{name}={tmp_path / 'none'}" for name in ("run", "photos", "cutouts", "rooms")]
    command = [sys.executable, "-m", "models.training.train_autoencoder", *flags]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert "no train pictures under" in ended.stderr
