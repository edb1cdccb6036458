"""The outpaint stage, with the real painter behind the client's interface."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from tritonclient.utils import InferenceServerException

from transforms.errors import ConfigError, ModelFailed, Rejected, ServerUnavailable, Skipped
from transforms.inference.client import translate
from transforms.inference.config import ServingConfig
from transforms.inference.fake import FakeClient
from transforms.ops import patchmatch
from transforms.ops.reference import Placing, differing_pixels
from transforms.outpaint import OutpaintScenes, OutpaintSettings, Ranked, _check_coherence, outpaint, outpaint_job
from transforms.placements import Placement
from transforms.records import Box, Candidate, Cutout, Job, Product, ProductImage, Size, SourceFacts

TALL = Placement("tall", Size(300, 200))
SERVING = ServingConfig(("127.0.0.1:1",))


def paint(inputs):
    answers = [
        patchmatch.paint(image, product[..., 0], known[..., 0], "", int(seed[0]))
        for image, product, known, seed in zip(*(inputs[n] for n in ("IMAGE", "PRODUCT", "KNOWN", "SEED")), strict=True)
    ]
    return {"CANDIDATE": np.stack([a[0] for a in answers]), "GUIDE": np.stack([a[1] for a in answers])}


def upscale(inputs):
    image, product, known, small, guide = (
        inputs[name][0] for name in ("IMAGE", "PRODUCT", "KNOWN", "CANDIDATE", "GUIDE")
    )
    return {"SCENE": patchmatch.upscale(image, product[..., 0], known[..., 0], small, guide, "", 0)[None]}


@pytest.fixture
def client():
    return FakeClient({"patchmatch": paint, "patchmatch_upscale": upscale})


def job(box=(70, 60, 130, 140), task="outpaint"):
    """A blue box on a grey wall with a little grain, 200 x 200."""
    pixels = np.random.Generator(np.random.Philox(key=4)).normal(150, 1, (200, 200, 3))
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    mask = np.zeros((200, 200), bool)
    mask[box[0] : box[2], box[1] : box[3]] = True
    pixels[mask] = (20, 40, 200)
    cutout = Cutout(pixels, mask.astype(np.float32), mask, Box(*box))
    image = ProductImage(pixels, SourceFacts("0" * 64, 1, "png", "RGB"))
    product = Product("m", 0, "a", "p", "i.png", seed=9)
    return Job(product, image, task=task, cutout=cutout, placement=TALL, prompt="")


def test_the_frame_is_kept_and_the_bands_are_scenery(client):
    done = outpaint(job(), client, OutpaintSettings())
    assert done.background.shape == (300, 200, 3) and done.candidate.pixels.shape == (608, 416, 3)
    known = np.zeros((300, 200), bool)
    known[done.transform.top : done.transform.top + done.transform.scaled.height] = True
    placing = Placing(done.transform.kernel, *done.transform.scaled, done.transform.top, done.transform.left)
    assert differing_pixels(done.background, known, done.image.pixels, placing) == 0
    bands = done.background[~known].astype(int)
    assert abs(bands.mean() - 150) < 4 and (bands[:, 2] - bands[:, 0]).max() < 80
    assert {"outpaint_seam", "outpaint_strangeness"} <= set(done.scores)
    assert done.uris["painter"] == "patchmatch"


def test_candidates_come_from_the_products_seed_and_are_asked_in_one_batch(client):
    done = outpaint(job(), client, OutpaintSettings(candidates=3))
    (model, tensors), (second, winner) = client.requests
    assert (model, second) == ("patchmatch", "patchmatch_upscale")
    assert tensors["SEED"].shape == (3, 1) and len(set(tensors["SEED"].ravel())) == 3
    assert winner["SEED"][0, 0] == done.candidate.seed


def test_painters_are_told_the_rows_own_prompt(client):
    plain = job()
    told = replace(plain, product=replace(plain.product, prompt=" oak floor, café "))
    done = outpaint(told, client, OutpaintSettings())
    asked = [prompt.decode() for _, tensors in client.requests for prompt in tensors["PROMPT"].ravel()]
    assert set(asked) == {"oak floor, café"} and done.candidate.prompt == "oak floor, café"


def test_the_same_job_gives_the_same_bytes(client):
    first, second = (outpaint(job(), client, OutpaintSettings()) for _ in range(2))
    assert np.array_equal(first.background, second.background)


def test_a_painter_that_alters_the_kept_frame_is_overruled(client):
    vandal = FakeClient({"patchmatch": paint, "patchmatch_upscale": lambda i: {"SCENE": 255 - upscale(i)["SCENE"]}})
    honest = outpaint(job(), client, OutpaintSettings())
    done = outpaint(job(), vandal, OutpaintSettings())
    rows = slice(done.transform.top, done.transform.top + done.transform.scaled.height)
    assert np.array_equal(done.background[rows], honest.background[rows])


def test_other_tasks_pass_untouched():
    background = job(task="background")
    assert outpaint_job(background, serving=SERVING, settings=OutpaintSettings()) is background


def test_a_frame_full_of_product_has_no_scenery(client):
    with pytest.raises(Rejected) as caught:
        outpaint(job(box=(2, 2, 199, 199)), client, OutpaintSettings(min_scenery=0.2))
    assert caught.value.reason == "no_scenery" and caught.value.value < caught.value.limit == 0.2


def test_a_seam_with_nothing_to_carry_on_has_no_scenery(client):
    crowded = job()
    pixels = crowded.image.pixels.copy()
    for rows in (slice(0, 30), slice(170, 200)):
        pixels[rows, 5:195] = np.random.default_rng(1).integers(0, 255, (5, 10, 3)).repeat(6, 0).repeat(19, 1)
    with pytest.raises(Rejected) as caught:
        outpaint(replace(crowded, image=replace(crowded.image, pixels=pixels)), client, OutpaintSettings())
    assert (caught.value.reason, caught.value.limit) == ("no_scenery", 0.25)


def test_pieces_that_do_not_fit_together_are_rejected_with_what_was_measured(client):
    with pytest.raises(Rejected) as caught:
        outpaint(job(), client, OutpaintSettings(max_incoherence=0.5))
    assert caught.value.reason == "torn_band" and caught.value.value > caught.value.limit == 0.5
    assert caught.value.scores["outpaint_incoherence"] == caught.value.value


def tearing(side):
    """The painter, whose bands above (0) or below (-1) the frame are checkered with pieces of other light."""

    def paint_torn(inputs):
        answer = paint(inputs)
        for pixels, known in zip(answer["CANDIDATE"], inputs["KNOWN"], strict=True):
            if known[side].max() == 0:
                rows = np.flatnonzero((known == 0).all(axis=(1, 2)))
                rows = rows[rows < len(known) // 2] if side == 0 else rows[rows >= len(known) // 2]
                checks = (np.arange(pixels.shape[1]) // 9) % 2 == 0
                pixels[np.ix_(rows, checks)] = 255
        return answer

    return paint_torn


@pytest.mark.parametrize(("side", "top"), [(-1, 100), (0, 0)])
def test_a_frame_leans_to_the_end_where_its_bands_would_be_torn(side, top):
    torn = FakeClient({"patchmatch": tearing(side), "patchmatch_upscale": upscale})
    done = outpaint(job(), torn, OutpaintSettings())
    assert done.transform.top == top and done.scores["outpaint_tears"] < 0.6
    batches = [len(tensors["SEED"]) for model, tensors in torn.requests if model == "patchmatch"]
    assert batches == [2, 1] + [1] * (side == 0)


def test_a_band_that_is_torn_at_every_lean_is_rejected(client):
    with pytest.raises(Rejected) as caught:
        outpaint(job(), client, OutpaintSettings(max_visible_tears=0.01))
    assert caught.value.reason == "torn_band" and caught.value.value > caught.value.limit == 0.01
    assert caught.value.scores["outpaint_visible_tears"] == caught.value.value


def test_the_more_is_painted_the_less_may_be_torn():
    pixels = np.zeros((4, 4, 3), np.uint8)
    narrow = Ranked(Candidate(pixels, pixels, 1, ""), 0.0, 1.0, 1.0, 5.0, torn=1.5, painted=0.1)
    _check_coherence(narrow, OutpaintSettings())
    with pytest.raises(Rejected, match="broken line or a patch") as caught:
        _check_coherence(narrow._replace(painted=0.4), OutpaintSettings())
    assert caught.value.value == pytest.approx(0.6)
    with pytest.raises(Rejected, match="broken line or a patch"):
        _check_coherence(narrow._replace(torn=2.4), OutpaintSettings())


def test_an_image_of_the_placements_ratio_is_skipped(client):
    square = replace(job(), placement=Placement("square", Size(400, 400)))
    with pytest.raises(Skipped) as caught:
        outpaint(square, client, OutpaintSettings())
    assert caught.value.reason == "already_fits"


def lattice_job():
    """A lattice before a wall, up to every edge: scenery between its bars, and nowhere room to copy from."""
    whole = job(box=(0, 0, 200, 200))
    pixels, mask = np.full((200, 200, 3), 150, np.uint8), np.zeros((200, 200), bool)
    for bar in range(4):
        mask[bar::11] = mask[:, bar::11] = True
    pixels[mask] = (20, 40, 200)
    cutout = replace(whole.cutout, foreground=pixels, alpha=mask.astype(np.float32), mask=mask)
    return replace(whole, image=replace(whole.image, pixels=pixels), cutout=cutout)


def paint_as_served(inputs):
    try:
        return paint(inputs)
    except ValueError as error:
        text = f"{type(error).__name__}: {error}"
        raise translate(InferenceServerException(text, "StatusCode.INTERNAL"), "patchmatch") from None


def test_a_product_that_leaves_no_room_to_copy_from_has_no_scenery():
    client = FakeClient({"patchmatch": paint_as_served, "patchmatch_upscale": upscale})
    with pytest.raises(Rejected) as caught:
        outpaint(lattice_job(), client, OutpaintSettings())
    assert (caught.value.reason, caught.value.value, caught.value.limit) == ("no_scenery", 0.0, 0.12)
    done = outpaint(lattice_job(), client, OutpaintSettings(painters=("patchmatch", "studio")))
    assert done.uris["painter"] == "studio"


def refuse(error):
    def respond(inputs):
        raise error

    return respond


def test_the_next_painter_is_asked_where_one_fails_for_good():
    broken = FakeClient({"patchmatch": refuse(ModelFailed("no"))})
    done = outpaint(job(), broken, OutpaintSettings(painters=("patchmatch", "studio")))
    assert done.uris["painter"] == "studio" and done.scores["outpaint_painter"] == 1.0


@pytest.mark.parametrize("error", [ServerUnavailable("down"), ModelFailed("no")])
def test_a_server_that_is_down_and_a_last_painter_that_fails_end_the_job(error):
    painters = ("patchmatch", "studio") if error.retryable else ("patchmatch",)
    with pytest.raises(type(error)):
        outpaint(job(), FakeClient({"patchmatch": refuse(error)}), OutpaintSettings(painters=painters))


@pytest.mark.parametrize(
    "fields", [{"painters": ()}, {"painters": ("nobody",)}, {"candidates": 0}, {"leans": ()}, {"leans": (2.0,)}]
)
def test_settings_that_cannot_run_are_refused(fields):
    with pytest.raises(ConfigError, match="outpaint"):
        OutpaintSettings(**fields)


def test_the_step_is_picklable():
    step = OutpaintScenes(SERVING).step()
    assert pickle.loads(pickle.dumps(step)).keywords["settings"] == OutpaintSettings()
