"""The table of shadows: an untrained network changes nothing, true shadows are told from none."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from variants import write_variant  # noqa: E402

from benchmarks.staging import Tally, _shadowed, by_stager, compare, correlation, main, nothing, procedural  # noqa: E402
from models.data.examples import Example  # noqa: E402
from models.data.shards import write_shards  # noqa: E402
from models.data.stagings import staging_of  # noqa: E402
from models.export.cards import KEYS, write_card  # noqa: E402
from models.export.stager import exported  # noqa: E402
from models.serving.stager import FILE  # noqa: E402
from models.stager import Stager  # noqa: E402
from transforms.errors import ConfigError  # noqa: E402
from transforms.ops.shadows import KeyLight  # noqa: E402

HEIGHT, WIDTH = 304, 208


def example(number=0, **changes):
    """A box whose shadow is the studio's own, on the floor that begins at a third of the height."""
    empty = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    product = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    product[120:240, 70:130] = (120, 60, 40, 255)
    made = Example(
        key=f"drawn-{number}",
        scene=empty,
        coverage=np.ascontiguousarray(product[..., 3]),
        registered=product,
        products=(),
        later=None,
        captions=("a box",),
        source="drawn",
        licence="CC0-1.0",
        authors=(),
        split="held_out",
        bucket=f"{HEIGHT}x{WIDTH}",
        words={"stand": "floor", "floor": "oak floor", "wall": "white wall", "light": "soft light"},
        empty=empty,
        light=KeyLight(0.9, 0.2, 0.2),
    )
    return replace(made, **changes)


def shadowed(made):
    scene = np.rint(_shadowed(staging_of(made), 0.3, wall=True)).astype(np.uint8)
    return replace(made, scene=np.where(made.coverage[..., None] > 0, made.registered[..., :3], scene))


@pytest.fixture(scope="module")
def stager(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stager")
    content = exported(Stager().eval()).SerializeToString(deterministic=True)
    write_card(folder, dict.fromkeys(KEYS, "of a test"), {FILE: content})
    return folder


def test_the_studios_own_shadow_is_found_and_an_untrained_network_is_the_empty_set(stager):
    painters = {"nothing": nothing, "procedural": procedural, "stager": by_stager(stager)}
    found, rows = compare([shadowed(example())], painters)
    assert found["procedural"].changed[0] < 0.6 < 8 < found["nothing"].changed[0]
    assert found["procedural"].correlation[0] > 0.99 and found["nothing"].correlation[0] == 0
    assert found["stager"].changed[0] == pytest.approx(found["nothing"].changed[0], abs=0.01)
    assert found["nothing"].elsewhere[0] < 1.5 and found["nothing"].beside[0] > 4
    assert len(rows) == 1 and len(rows[0]) == 5


def test_a_change_that_goes_the_other_way_correlates_against_the_true_one():
    made = staging_of(shadowed(example()))
    inverse, tally = 2 * made.empty.astype(np.float32) - made.scene, Tally()
    tally.add(inverse, made, 0.5)
    assert tally.correlation[0] < -0.99 and tally.row("inverse").endswith("| -1.00 | 0.50 |\n")
    assert correlation(np.zeros(4, np.float32), np.arange(4, dtype=np.float32)) == 0


def test_scenes_without_an_empty_picture_are_refused():
    with pytest.raises(ConfigError, match="no held-out scene has an empty picture"):
        compare([example(empty=None)], {"nothing": nothing})


def test_the_command_prints_a_row_for_each_painter_and_a_sheet(tmp_path, stager, capsys):
    write_shards([shadowed(example(number)) for number in range(2)], tmp_path / "shards")
    write_variant(tmp_path / "canvas", "staging", tmp_path / "scratch")
    named = {
        "shards": tmp_path / "shards",
        "canvas": tmp_path / "canvas",
        "stager": stager,
        "sheet": tmp_path / "s.png",
    }
    assert main([part for name, value in named.items() for part in (f"--{name}", str(value))]) == 0
    out = capsys.readouterr().out
    assert out.startswith("2 scenes") and out.count("\n| ") == 8 and (tmp_path / "s.png").stat().st_size > 1000
