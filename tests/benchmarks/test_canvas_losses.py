"""Networks side by side on held-out pairs: the same pairs, times and noises, a row a task."""

from dataclasses import asdict

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from benchmarks.canvas_losses import line_of, losses_of, main  # noqa: E402
from models.canvas import Canvas  # noqa: E402
from models.checkpoint import write_checkpoint  # noqa: E402
from models.preconditioning import Moments  # noqa: E402
from models.registry import SPECS  # noqa: E402
from models.training.packing import Packed  # noqa: E402


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Held-out pairs of two tasks: what is given is the answer in one, and nothing but noise in the other."""
    from safetensors.numpy import save_file

    folder = tmp_path_factory.mktemp("packed")
    (folder / "held_out").mkdir()
    drawn = np.random.Generator(np.random.Philox(1))
    for task, count in (("super_resolution", 3), ("image_to_motion", 18)):
        target, other = drawn.standard_normal((2, count, 32, 13, 19), np.float32).astype(np.float16)
        pairs = {"target": target, "given": target if task == "super_resolution" else other}
        pairs |= {
            "known": np.full((count, 1, 13, 19), 255, np.uint8),
            "text": np.zeros((count, 3, 32, 128), np.float16),
        }
        save_file(pairs, folder / "held_out" / f"{task}-208x304.safetensors")
    return folder


def written(folder, carried):
    torch.manual_seed(0)
    network = Canvas(SPECS["canvas-rehearsal"])
    network.preconditioning.fit(Moments(torch.zeros(32), torch.ones(32), carried))
    said = {"spec": asdict(network.spec), "data": {}, "recipe": {}, "metrics": {}}
    write_checkpoint(folder / "model", dict(network.state_dict()), kind="canvas", **said)
    return network.eval()


def test_a_prior_that_is_too_sure_shows_where_it_is_and_nowhere_else(packed, tmp_path, capsys):
    own = {"super_resolution": torch.full((32,), 0.9)}
    written(tmp_path / "own", own)
    written(tmp_path / "joint", own | {"image_to_motion": torch.full((32,), 0.9)})
    folders = [str(tmp_path / name / "model") for name in ("own", "joint")]
    assert main(["--canvas", *folders, "--packed", str(packed), "--draws", "2"]) == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head == "| task | pairs | own | joint | joint less own |"
    sharper, moved = ([part.strip() for part in row.split("|")[1:-1]] for row in rows)
    assert sharper[:2] == ["`super_resolution`", "3"] and sharper[2] == sharper[3]
    assert sharper[4] == "+0.000 (+0.000 to +0.000)"
    assert moved[:2] == ["`image_to_motion`", "18"] and float(moved[3]) > float(moved[2])
    assert float(moved[4].split("(")[1].split()[0]) > 0  # by more than chance


def test_every_pair_counts_once_whatever_batch_it_is_in(packed, tmp_path):
    network = written(tmp_path, {})
    pairs = Packed([packed], "held_out", ("image_to_motion",), 0, 320)
    losses = losses_of([network, network], pairs, 8.0, 1)
    assert losses.shape == (2, 18) and np.array_equal(losses[0], losses[1]) and len(set(losses[0])) == 18
    assert line_of("outpaint", losses).startswith(f"| `outpaint` | 18 | {losses[0].mean():.3f} |")
