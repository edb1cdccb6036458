"""Checkpoints of the real diffusers classes, tiny and random: each family paints under one signature."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from checkpoints import MAKERS, save_tiny

from models.pretrained import FAMILIES, Asked, PretrainedPainter, load_painter, read_index
from transforms.errors import ConfigError

pytestmark = pytest.mark.filterwarnings("ignore")  # diffusers and transformers warn of each other


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("checkpoints")
    return {name: save_tiny(name, root / name) for name in MAKERS}


def asked(**changes):
    image = np.random.default_rng(0).integers(0, 256, (64, 48, 3)).astype(np.uint8)
    mask = np.zeros((64, 48), np.uint8)
    mask[:, 24:] = 255
    return Asked(**{"image": image, "mask": mask, "prompt": "oak floor, soft light", "steps": 2, **changes})


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_a_family_paints_where_it_is_asked_to_and_keeps_the_rest(folders, name):
    painter, ask = load_painter(str(folders[name])), asked()
    both = painter.paint(ask, (8, 7))
    assert both.shape == (2, 64, 48, 3) and both.dtype == np.uint8
    assert (both[:, :, :24] == ask.image[:, :24]).all()
    assert (both[0, :, 24:] != both[1, :, 24:]).any()
    assert (painter.paint(ask, (7,))[0] == both[1]).all()
    other = painter.paint(asked(prompt="zzz"), (7,))[0]
    assert (other != both[1]).any()


@pytest.mark.parametrize("name", ["kontext", "sdxl", "sd"])
def test_a_negative_prompt_counts_where_the_family_knows_one(folders, name):
    painter = load_painter(str(folders[name]))
    plain = painter.paint(asked(guidance=4.0), (7,))
    assert (painter.paint(asked(guidance=4.0, negative_prompt="blur, noise"), (7,)) != plain).any()


def test_what_a_family_cannot_do_is_refused_with_its_name(folders):
    fill = load_painter(str(folders["fill"]))
    with pytest.raises(ValueError, match=r"FLUX\.1 Fill takes no negative prompt"):
        fill.paint(asked(negative_prompt="blur"), (7,))
    with pytest.raises(ValueError, match=r"divisible by 16, not 64x40"):
        fill.paint(asked(image=np.zeros((64, 40, 3), np.uint8), mask=np.zeros((64, 40), np.uint8)), (7,))
    with pytest.raises(ValueError, match="differ in size"):
        fill.paint(asked(mask=np.zeros((32, 48), np.uint8)), (7,))


def test_a_checkpoint_that_is_none_is_refused_with_what_it_is(tmp_path, folders):
    with pytest.raises(ConfigError, match=r"holds no model_index\.json"):
        load_painter(str(tmp_path))
    with pytest.raises(ConfigError, match="neither a folder nor a hub id"):
        load_painter(str(tmp_path / "absent"))
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "WanPipeline"}))
    with pytest.raises(ConfigError, match=r"is a WanPipeline; known: .*FluxFillPipeline"):
        load_painter(str(tmp_path))
    with pytest.raises(ConfigError, match="dtype 'int3'"):
        load_painter(str(folders["sd"]), dtype="int3")


def test_a_checkpoint_whose_weights_are_gone_is_refused(tmp_path):
    folder = save_tiny("sd", tmp_path / "sd")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ConfigError, match="does not load as StableDiffusionInpaintPipeline"):
        load_painter(str(folder))


def test_every_family_is_known_by_the_name_its_checkpoints_bear(folders):
    names = {read_index(str(folder))["_class_name"] for folder in folders.values()}
    assert names == {
        "FluxKontextPipeline",
        "FluxFillPipeline",
        "StableDiffusionXLInpaintPipeline",
        "StableDiffusionInpaintPipeline",
    }
    assert names <= FAMILIES.keys()


def test_a_checkpoint_that_overflows_is_refused_and_not_painted_black():
    class Overflowing:
        def __call__(self, **_):
            return SimpleNamespace(images=np.full((1, 64, 48, 3), np.nan, np.float32))

    painter = PretrainedPainter(next(iter(FAMILIES.values())), Overflowing())
    with pytest.raises(ValueError, match="not finite"):
        painter.paint(asked(), (1,))
