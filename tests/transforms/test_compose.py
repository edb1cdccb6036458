import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from transforms.compose import ComposeScenes, ComposeSettings, compose_job
from transforms.errors import ConfigError
from transforms.ops.geometry import IDENTITY, LANCZOS
from transforms.placements import Placement
from transforms.records import Box, Cutout, Job, Product, ProductImage, Size, SourceFacts, Transform

PRODUCT = Product("m", 0, "shop", "1", "a.png")
SLOT = Placement("slot", Size(120, 100))


def job(task, transform, seed=3):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (80, 60, 3), dtype=np.uint8)
    mask = np.zeros((80, 60), bool)
    mask[20:70, 15:45] = True
    return Job(
        PRODUCT,
        image=ProductImage(pixels, SourceFacts("d", 1, "png", "RGB")),
        task=task,
        cutout=Cutout(pixels, mask.astype(np.float32), mask, Box(20, 15, 70, 45)),
        placement=SLOT,
        transform=transform,
        background=np.full((*SLOT.size, 3), (10, 200, 30), np.uint8),
    )


def reference(pixels, transform):
    """The source on the canvas, by Pillow alone."""
    canvas = Image.new("RGB", (SLOT.size.width, SLOT.size.height))
    source = Image.fromarray(pixels)
    if source.size != (transform.scaled.width, transform.scaled.height):
        source = source.resize((transform.scaled.width, transform.scaled.height), Image.Resampling.LANCZOS)
    canvas.paste(source, (transform.left, transform.top))
    return np.asarray(canvas)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(30, 160), st.integers(24, 120), st.integers(-40, 60), st.integers(-30, 60), st.sampled_from([0, 1, 2])
)
def test_the_core_equals_the_once_resampled_source_wherever_it_is_laid(height, width, top, left, erosion):
    transform = Transform(height / 80, Size(height, width), top, left, LANCZOS)
    before = job("background", transform)
    done = compose_job(before, settings=ComposeSettings(erosion))
    scene = done.scene
    expected = reference(before.image.pixels, transform)
    assert np.array_equal(scene.pixels[scene.core], expected[scene.core])
    assert not (scene.core & ~scene.mask).any() and np.array_equal(scene.kept, scene.mask)
    assert done.scores["core_share"] == pytest.approx(scene.core.sum() / scene.mask.sum() if scene.mask.any() else 1.0)


def test_the_background_shows_where_the_product_is_not():
    transform = Transform(1.0, Size(80, 60), 20, 20, IDENTITY)
    scene = compose_job(job("background", transform), settings=ComposeSettings()).scene
    outside = np.ones(SLOT.size, bool)
    outside[40:90, 35:65] = False
    assert (scene.pixels[outside] == (10, 200, 30)).all()
    assert scene.core.sum() == 48 * 28


def test_an_extended_scene_keeps_the_whole_frame():
    transform = Transform(1.0, Size(80, 60), 20, 20, IDENTITY)
    before = job("outpaint", transform)
    scene = compose_job(before, settings=ComposeSettings()).scene
    assert np.array_equal(scene.pixels[20:100, 20:80], before.image.pixels)
    assert scene.core.sum() == 80 * 60 and np.array_equal(scene.core, scene.kept)
    assert scene.mask.sum() == 50 * 30
    assert (scene.pixels[~scene.kept] == (10, 200, 30)).all()


def test_nothing_given_is_written_into():
    transform = Transform(1.0, Size(80, 60), 20, 20, IDENTITY)
    for task in ("background", "outpaint"):
        before = job(task, transform)
        source, painted = before.image.pixels.copy(), before.background.copy()
        compose_job(before, settings=ComposeSettings())
        assert np.array_equal(before.image.pixels, source) and np.array_equal(before.background, painted)


def test_the_erosion_is_bounded():
    with pytest.raises(ConfigError):
        ComposeSettings(core_erosion_px=3)
    assert ComposeScenes().step().keywords == {"settings": ComposeSettings()}
