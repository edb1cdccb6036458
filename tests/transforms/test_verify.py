"""The verify stage: every check, passed and failed."""

import pickle
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from transforms.errors import ConfigError, Rejected
from transforms.inference.config import ServingConfig
from transforms.inference.fake import FakeClient
from transforms.ops.compositing import core_of
from transforms.ops.geometry import lay, resample
from transforms.placements import Placement
from transforms.records import Cutout, Job, Product, ProductImage, Scene, Size, SourceFacts, Transform
from transforms.verify import VerifyCreatives, VerifyLimits, verify

PLACEMENT = Placement("square", Size(240, 240), safe_margins=(0.1,) * 4)
TRANSFORM = Transform(0.5, Size(200, 200), 20, 20, "lanczos3")
SERVING = ServingConfig(("127.0.0.1:1",))


def source(product=(30, 60, 160)):
    pixels = np.random.Generator(np.random.Philox(key=2)).normal(0, 6, (400, 400, 3))
    pixels[100:300, 100:300] += product
    outside = np.ones((400, 400), bool)
    outside[100:300, 100:300] = False
    pixels[outside] = 250
    return np.clip(pixels, 0, 255).astype(np.uint8)


def laid_mask(transform=TRANSFORM):
    mask = np.zeros((400, 400), np.float32)
    mask[100:300, 100:300] = 1
    small = resample((mask[..., None] * np.full(3, 255)).astype(np.uint8), transform.scaled)[..., 0]
    return lay(small, transform, PLACEMENT.size)[0] > 127


def background_job(backdrop=(170, 150, 120), product=(30, 60, 160)):
    pixels = source(product)
    laid, _ = lay(resample(pixels, TRANSFORM.scaled), TRANSFORM, PLACEMENT.size)
    mask = laid_mask()
    core = core_of(mask, mask.astype(np.float32), 1)
    painted = np.full((240, 240, 3), backdrop, np.uint8)
    scene = Scene(np.where(core[..., None], laid, painted), core, mask, mask)
    return job_with(scene, "background", pixels)


def job_with(scene, task, pixels):
    image = ProductImage(pixels, SourceFacts("0" * 64, 1, "png", "RGB"))
    cutout = Cutout(pixels, np.zeros((400, 400), np.float32), np.zeros((400, 400), bool), (100, 100, 300, 300))
    return Job(
        Product("m", 0, "a", "p", "i.png"), image, task=task, cutout=cutout, placement=PLACEMENT,
        transform=TRANSFORM, scene=scene,
    )  # fmt: skip


def outpaint_job(step=0):
    pixels = np.random.Generator(np.random.Philox(key=5)).normal(140, 5, (400, 400, 3))
    pixels[100:300, 100:300] = (30, 60, 160)
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    laid, known = lay(resample(pixels, TRANSFORM.scaled), TRANSFORM, PLACEMENT.size)
    grain = np.random.Generator(np.random.Philox(key=6)).normal(140 + step, 3, (240, 240, 3)).astype(np.uint8)
    return job_with(Scene(np.where(known[..., None], laid, grain), known, laid_mask(), known), "outpaint", pixels)


def seen(alpha):
    """A client whose segmenter sees `alpha`, bool [320, 320]."""
    return FakeClient({"segmenter": lambda inputs: {"ALPHA": alpha[None, ..., None].astype(np.float32)}})


def rejected(job, client=None, **limits):
    with pytest.raises(Rejected) as caught:
        verify(job, client or FakeClient(), VerifyLimits(**limits))
    assert caught.value.value is not None and caught.value.limit is not None
    return caught.value


def test_a_sound_background_passes_and_leaves_its_scores_and_digest():
    done = verify(background_job(), FakeClient(), VerifyLimits())
    assert done.scores["product_pixels_differing"] == 0 and done.scores["halo"] < 0.1
    assert {"core_share", "thin_share", "contrast", "expansion", "unsafe_output", "product_height"} <= set(done.scores)
    pixels = done.scene.pixels[done.scene.core].tobytes()
    assert done.uris["core_digest"] == sha256(pixels).hexdigest()


def test_a_sound_extension_passes():
    done = verify(outpaint_job(), seen(np.zeros((320, 320), bool)), VerifyLimits())
    assert done.scores["seam_score"] < 1.75 and "halo" not in done.scores
    assert done.scores["painted_share"] == pytest.approx(1 - (200 / 240) ** 2)


def test_one_altered_product_pixel_is_rejected():
    job = background_job()
    pixels = job.scene.pixels.copy()
    pixels[120, 120, 0] ^= 1
    cause = rejected(replace(job, scene=replace(job.scene, pixels=pixels)))
    assert (cause.reason, cause.value, cause.limit) == ("product_altered", 1.0, 0.0)


def test_a_rejected_creative_keeps_every_score_that_a_sound_one_has():
    sound = verify(background_job(), FakeClient(), VerifyLimits())
    cause = rejected(background_job(backdrop=(250, 250, 250), product=(247, 249, 250)), max_halo=0.0)
    assert set(cause.scores) >= set(sound.scores) - {"core_share", "thin_share", "painted_share"}
    assert cause.scores["unsafe_output"] == 0.0 or cause.scores["unsafe_output"] > 0.0
    assert pickle.loads(pickle.dumps(cause)).scores == cause.scores


def test_a_core_beyond_the_product_is_rejected():
    job = background_job()
    core = job.scene.core.copy()
    core[30, 30] = True
    laid, _ = lay(resample(job.image.pixels, TRANSFORM.scaled), TRANSFORM, PLACEMENT.size)
    pixels = np.where(core[..., None], laid, job.scene.pixels)
    assert rejected(replace(job, scene=replace(job.scene, core=core, pixels=pixels))).reason == "product_altered"


def test_a_core_that_leaves_much_unproven_is_rejected():
    job = background_job()
    core = job.scene.core.copy()
    core[:100] = False
    cause = rejected(replace(job, scene=replace(job.scene, core=core)))
    assert cause.reason == "core_too_small" and cause.value < cause.limit == 0.9


def test_a_thin_product_of_which_nothing_is_proven_is_rejected():
    job = background_job()
    mask = job.scene.mask.copy()
    mask[:, 100:] = False  # 30 px are left, too thin for a share of their own
    scene = replace(job.scene, core=np.zeros_like(mask), mask=mask, kept=mask)
    cause = rejected(replace(job, scene=scene))
    assert (cause.reason, cause.value, cause.limit) == ("core_too_small", 0.0, 1.0)


def test_a_product_outside_the_safe_zone_is_rejected():
    job = replace(background_job(), placement=replace(PLACEMENT, safe_margins=(0.4, 0.1, 0.1, 0.1)))
    assert rejected(job).reason == "outside_safe_zone"


def test_a_product_that_is_lost_is_rejected():
    assert rejected(background_job(), min_height=0.9).reason == "product_too_small"


def test_a_visible_seam_is_rejected():
    assert rejected(outpaint_job(step=25), seen(np.zeros((320, 320), bool))).reason in ("seam_visible", "seam_color")


def test_a_seam_of_colour_alone_is_rejected():
    cause = rejected(outpaint_job(step=100), seen(np.zeros((320, 320), bool)), max_seam_score=99, max_seam_window=99)
    assert cause.reason == "seam_color" and cause.value > cause.limit


def test_a_white_rim_is_rejected():
    job = background_job(backdrop=(60, 40, 40))
    pixels = job.scene.pixels.copy()
    pixels[64:176, 64:176] = 250
    pixels[job.scene.core] = job.scene.pixels[job.scene.core]
    assert rejected(replace(job, scene=replace(job.scene, pixels=pixels))).reason == "halo"


def test_a_product_like_its_background_is_rejected():
    assert rejected(background_job(backdrop=(30, 60, 160))).reason == "indistinct_product"


def test_a_second_product_is_rejected():
    alpha = np.zeros((320, 320), bool)
    alpha[90:225, 90:225] = alpha[10:80, 10:300] = True
    cause = rejected(background_job(), seen(alpha))
    assert cause.reason == "product_expanded" and cause.value > 0.35


def test_things_in_the_kept_frame_are_no_expansion_but_painted_ones_are():
    kept, painted = np.zeros((320, 320), bool), np.zeros((320, 320), bool)
    kept[40:280, 40:280] = True
    painted[:24] = True
    verify(outpaint_job(), seen(kept), VerifyLimits())
    assert rejected(outpaint_job(), seen(painted)).reason == "product_expanded"


def test_an_unsafe_creative_is_rejected():
    unsafe = FakeClient({"unsafe_image": lambda inputs: {"SCORE": np.full((1, 1), 0.95, np.float32)}})
    assert rejected(background_job(), unsafe).reason == "unsafe_output"


@pytest.mark.parametrize(
    "fields",
    [
        {"min_core_share": 1.2},
        {"max_halo": -0.1},
        {"max_expansion": -1},
        {"max_strangeness": -1.0},
        {"max_seam_score": float("nan")},
    ],
)
def test_limits_out_of_range_are_refused(fields):
    with pytest.raises(ConfigError, match="verify"):
        VerifyLimits(**fields)


def test_the_step_is_picklable():
    assert pickle.loads(pickle.dumps(VerifyCreatives(SERVING).step())).keywords["limits"] == VerifyLimits()
