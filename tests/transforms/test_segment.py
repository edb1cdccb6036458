import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest

from transforms.errors import Rejected
from transforms.inference.config import ServingConfig
from transforms.inference.fake import FakeClient
from transforms.looks import look
from transforms.ops.backdrop import describe_backdrop
from transforms.ops.mask_gate import Looks
from transforms.ops.mask_metrics import iou
from transforms.ops.masks import Evidence
from transforms.records import Job, Product, ProductImage, SourceFacts
from transforms.segment import (
    Seen,
    SegmentLimits,
    SegmentProducts,
    cut_out,
    join,
    refine,
    segment,
)

FACTS = SourceFacts("0" * 64, 1, "png", "RGB")
OPEN = SegmentLimits(min_mask_quality=0.0)


def vase(size=(600, 480), back=(255, 255, 255)):
    """(picture, true alpha): an antialiased ellipse with a texture, away from the frame."""
    big = np.zeros((size[0] * 4, size[1] * 4), np.uint8)
    cv2.ellipse(big, (size[1] * 2, size[0] * 2), (size[1] * 1, int(size[0] * 1.3)), 0, 0, 360, 255, -1)
    alpha = cv2.resize(big, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    rng = np.random.Generator(np.random.Philox(4))
    front = np.float64((50, 90, 140)) + rng.normal(0, 6, (*size, 1))
    image = alpha[..., None] * front + (1 - alpha[..., None]) * np.float64(back)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), alpha


def job_of(pixels, alpha=None):
    product = Product("m.parquet", 0, "a", "p", "x.png")
    return Job(product, image=ProductImage(pixels, FACTS, alpha))


def both(answer):
    """A client both of whose networks answer by `answer(inputs)`."""
    return FakeClient({"segmenter": answer, "product_segmenter": answer})


def blind(value=0.0):
    return both(lambda inputs: {"ALPHA": np.full((len(inputs["IMAGE"]), 320, 320, 1), value, "f4")})


def test_a_product_on_white_is_cut_out_at_full_resolution():
    pixels, truth = vase()
    job = segment(job_of(pixels), FakeClient(), OPEN)
    cutout = job.cutout
    assert cutout.alpha.shape == truth.shape and cutout.alpha.dtype == np.float32
    assert cutout.alpha.min() == 0 and cutout.alpha.max() == 1
    assert np.array_equal(cutout.mask, cutout.alpha >= 0.5)
    assert iou(cutout.mask, truth >= 0.5) > 0.99
    assert np.abs(cutout.alpha - truth).mean() < 0.002
    assert np.array_equal(cutout.foreground[cutout.alpha == 1], pixels[cutout.alpha == 1])
    assert abs(cutout.box.top - 106) <= 6 and abs(cutout.box.bottom - 496) <= 6
    assert 0 <= job.scores["segment_mask_quality"] <= 1
    assert cutout.doubt.shape == truth.shape and cutout.doubt.dtype == np.uint8
    inside = (truth > 0.1) & (truth < 0.9)
    assert cutout.doubt[inside].mean() > 8 * cutout.doubt[~inside].mean() > 0  # what is in doubt is the outline


def looks_of(client, model):
    return np.concatenate([inputs["IMAGE"] for name, inputs in client.requests if name == model])


def test_our_network_looks_eight_times_then_at_the_cutout_and_at_what_is_left_and_the_other_network_twice():
    client = FakeClient()
    segment(job_of(vase()[0]), client, OPEN)
    own, other = looks_of(client, "product_segmenter"), looks_of(client, "segmenter")
    assert own.shape == (10, 320, 320, 3)
    assert np.array_equal(own[0], own[1][:, ::-1])
    assert (own[3] != 255).any(axis=-1).mean() > 1.5 * (own[0] != 255).any(axis=-1).mean()
    assert np.array_equal(other, own[[0, 2]])
    box, parts = (own[3] != 255).any(axis=-1), (own[4:8] != 255).any(axis=-1)
    assert parts[0][-100:, -100:].mean() > 0.9 > box[:100, :100].mean()  # the box's corners, its middle in each
    assert np.ptp(own[8][:20], axis=(0, 1)).max() == 0
    assert np.abs(own[8][160, 160] - own[0][160, 160].astype(int)).max() < 20
    assert (own[9] > 240).all()


def test_the_refiner_sees_the_picture_with_its_clues_and_decides_where_nothing_was_sure():
    pixels, _ = vase((512, 410))
    unsure = np.full((512, 410), 0.62, np.float32)
    evidence = Evidence(*(unsure * 0 + dE for dE in (1.5, 0.5, 0.5, 0.0)))
    half = (np.arange(512) < 256).astype(np.float32)[:, None, None]
    client = FakeClient({"mask_refiner": lambda inputs: {"ALPHA": half * inputs["IMAGE"][..., 3:4] / np.float32(255)}})
    refined = refine(Seen(Looks(*[unsure] * 7), pixels, unsure, describe_backdrop(pixels), evidence), client)
    shown = looks_of(client, "mask_refiner")
    assert shown.shape == (1, 512, 512, 8)
    assert np.array_equal(shown[0, :, :410, :3], pixels) and (shown[0, :, :410, 3:5] == 158).all()
    assert (shown[0, :, 410:] == shown[0, :, 409:410]).all()
    assert (refined.probability[:256] > 0.5).all() and not refined.probability[256:].any()
    assert refined.coarse is unsure


def test_the_refiner_is_not_asked_before_a_rough_backdrop():
    pixels, _ = vase()
    rough = pixels + np.random.Generator(np.random.Philox(5)).integers(-60, 1, pixels.shape)
    client = FakeClient()
    cut_out(ProductImage(np.clip(rough, 0, 255).astype(np.uint8), FACTS), client)
    assert "mask_refiner" not in {name for name, _ in client.requests}


def test_a_small_part_of_another_colour_than_the_backdrop_is_no_speck():
    pixels, _ = vase()
    pixels[300:306, 369:399] = (200, 90, 20)  # a handle on a shaft that cannot be told from the backdrop
    pixels[80:82, 20:22] = (200, 90, 20)
    mask = segment(job_of(pixels), FakeClient(), OPEN).cutout.mask
    assert mask[301:305, 371:397].mean() > 0.9
    assert not mask[70:90, 10:30].any()  # dust


@pytest.mark.parametrize(("soft", "stays"), [(14.0, False), (0.6, True)])
def test_a_dark_piece_apart_is_shadow_where_its_rim_is_soft_and_our_network_sees_none(soft, stays):
    pixels, _ = vase((600, 600))
    spot = np.zeros((600, 600), np.float32)
    cv2.ellipse(spot, (520, 480), (46, 26), 0, 0, 360, 1.0, -1)
    spot = cv2.GaussianBlur(spot, (0, 0), soft)
    dark = np.clip(np.rint(pixels * (1 - 0.6 * spot[..., None])), 0, 255).astype(np.uint8)
    colored = lambda images: np.ptp(images.astype(int), axis=-1) > 30  # noqa: E731
    own = lambda inputs: {"ALPHA": colored(inputs["IMAGE"])[..., None].astype(np.float32)}  # noqa: E731
    other = lambda inputs: {"ALPHA": 0.8 * (inputs["IMAGE"].min(-1) < 200)[..., None].astype(np.float32)}  # noqa: E731
    seen_by = FakeClient({"segmenter": other, "product_segmenter": own})
    mask = cut_out(ProductImage(dark, FACTS), seen_by).mask
    assert mask[470:490, 505:535].any() == stays


def bag():
    """(picture, what its handle encloses): a dark bag with a handle, before pure white."""
    pixels = np.full((512, 512, 3), 255, np.uint8)
    cv2.rectangle(pixels, (150, 220), (360, 430), (50, 60, 90), -1)
    cv2.ellipse(pixels, (255, 220), (90, 110), 0, 180, 360, (50, 60, 90), 22)
    inside = np.zeros((512, 512), np.uint8)
    cv2.ellipse(inside, (255, 220), (70, 90), 0, 180, 360, 1, -1)
    return pixels, (inside > 0) & (pixels.min(-1) == 255)


def generous(sure):
    """Networks that are as `sure` of what a bag's handle and its slits enclose as of the bag."""

    def hull(image):
        filled = np.zeros(image.shape[:2], np.float32)
        dark = np.argwhere(image.min(-1) < 128)[:, ::-1].astype(np.int32)
        return cv2.fillConvexPoly(filled, cv2.convexHull(dark), sure) if len(dark) else filled

    return both(lambda inputs: {"ALPHA": np.stack([hull(image) for image in inputs["IMAGE"]])[..., None]})


@pytest.mark.parametrize(("sure", "open_"), [(0.77, True), (0.98, False)])
def test_a_bleached_backdrop_shows_through_a_handle_unless_the_networks_are_sure_of_a_print(sure, open_):
    pixels, inside = bag()
    mask = cut_out(ProductImage(pixels, FACTS), generous(sure)).mask
    assert mask[inside].mean() < 0.05 if open_ else mask[inside].mean() > 0.95
    assert mask[240:420, 160:350].all()


def test_bleached_white_that_the_frame_leads_to_is_no_product_whoever_says_so():
    pixels, _ = bag()
    pixels[310:330, 310:] = 255  # a slit from the side
    client = generous(0.99)
    seen = join(pixels, look(pixels, client))
    merged = seen.looks.merged()
    assert merged[314:326, 320:350].min() > 0.9
    insisting = FakeClient({"mask_refiner": lambda inputs: {"ALPHA": np.ones((1, 512, 512, 1), np.float32)}})
    for one in (seen, refine(seen._replace(probability=merged), insisting)):
        assert not one.probability[314:326, 320:].any()
        assert (one.probability[350:420, 160:350] > 0.5).all()


def test_a_row_of_white_between_a_product_and_its_frame_is_not_cut_out_with_it():
    pixels = np.full((900, 700, 3), 255, np.uint8)
    pixels[400:899, 150:550] = (50, 90, 140)

    def grown(image):
        return cv2.dilate((image.min(-1) < 128).astype(np.float32), np.ones((9, 9)))

    client = both(lambda inputs: {"ALPHA": np.stack([grown(image) for image in inputs["IMAGE"]])[..., None]})
    alpha = cut_out(ProductImage(pixels, FACTS), client).alpha
    assert (alpha[600:898, 200:500] == 1).all()
    assert not (alpha[-1, 200:500] > 0.1).any()


def test_a_product_that_one_network_misses_is_not_trusted():
    nothing = FakeClient({"segmenter": lambda inputs: {"ALPHA": np.zeros((*inputs["IMAGE"].shape[:3], 1), "f4")}})
    doubted, trusted = (segment(job_of(vase()[0]), client, OPEN).scores for client in (nothing, FakeClient()))
    assert doubted["segment_second_agreement"] == 0 < trusted["segment_second_agreement"]
    assert doubted["segment_mask_quality"] < trusted["segment_mask_quality"]


def test_a_files_own_alpha_wins_and_needs_no_network():
    pixels, truth = vase()
    alpha = np.rint(truth * 255).astype(np.uint8)
    client = FakeClient()
    cutout = cut_out(ProductImage(pixels, FACTS, alpha), client)
    assert not client.requests
    assert np.array_equal(cutout.alpha, alpha.astype(np.float32) / np.float32(255))
    assert cutout.scores["mask_quality"] == 1 and cutout.doubt is None


def test_a_shadow_in_a_files_own_alpha_is_no_product():
    pixels, truth = vase()
    soft = np.zeros_like(truth)
    soft[-40:-20, 80:400] = 0.5
    soft = cv2.GaussianBlur(soft, (0, 0), 5) * (truth == 0)
    shaded = np.rint(pixels * (1 - soft[..., None])).astype(np.uint8)
    alpha = np.rint(np.maximum(truth, soft) * 255).astype(np.uint8)
    cutout = cut_out(ProductImage(shaded, FACTS, alpha), FakeClient())
    assert np.array_equal(cutout.mask, truth >= 0.5)
    assert cutout.left is not None and cutout.left.min() < 160


def test_a_picture_without_a_product_is_rejected_with_its_measure():
    with pytest.raises(Rejected) as refusal:
        segment(job_of(np.full((200, 300, 3), 255, np.uint8)), blind(), OPEN)
    assert refusal.value.reason == "no_product"
    assert refusal.value.value == 0 and refusal.value.limit == OPEN.min_product_share


def test_nothing_is_no_product_whatever_the_limit():
    with pytest.raises(Rejected, match="hardly anything") as refusal:
        segment(job_of(np.full((200, 300, 3), 255, np.uint8)), blind(), replace(OPEN, min_product_share=0.0))
    assert refusal.value.reason == "no_product"


def test_a_product_that_fills_the_picture_is_rejected():
    noise = np.random.Generator(np.random.Philox(9)).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    with pytest.raises(Rejected) as refusal:
        segment(job_of(noise), blind(1.0), OPEN)
    assert refusal.value.reason == "no_backdrop"


def test_an_unclear_mask_is_rejected_with_quality_and_limit():
    def scatter(inputs):
        noise = np.random.Generator(np.random.Philox(1)).random((len(inputs["IMAGE"]), 20, 20), dtype=np.float32)
        return {"ALPHA": np.kron(noise, np.ones((16, 16), np.float32))[..., None]}

    room = np.random.Generator(np.random.Philox(2)).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    with pytest.raises(Rejected) as refusal:
        segment(job_of(cv2.GaussianBlur(room, (0, 0), 6)), both(scatter), SegmentLimits())
    assert refusal.value.reason == "unclear_mask"
    assert refusal.value.value < refusal.value.limit == SegmentLimits().min_mask_quality


def test_the_cutout_turns_with_the_picture():
    pixels, _ = vase()
    pixels[150:300, 150:260] = (200, 170, 40)
    straight = cut_out(ProductImage(pixels, FACTS), FakeClient())
    flipped = cut_out(ProductImage(np.ascontiguousarray(pixels[:, ::-1]), FACTS), FakeClient())
    assert np.abs(straight.alpha - flipped.alpha[:, ::-1]).mean() < 0.002


def test_the_same_picture_gives_the_same_cutout():
    pixels, _ = vase(back=(120, 170, 200))
    first, second = (cut_out(ProductImage(pixels, FACTS), FakeClient()) for _ in range(2))
    assert np.array_equal(first.alpha, second.alpha) and np.array_equal(first.foreground, second.foreground)


@pytest.mark.parametrize("size", [(40, 900), (900, 40), (33, 31), (320, 320)])
def test_odd_sizes_pass(size):
    pixels = np.full((*size, 3), 250, np.uint8)
    pixels[size[0] // 3 : size[0] // 2 + 2, size[1] // 3 : size[1] // 2 + 2] = (20, 80, 30)
    cutout = cut_out(ProductImage(pixels, FACTS), FakeClient())
    assert cutout.alpha.shape == size
    assert cutout.mask[size[0] // 3 + 2, size[1] // 3 + 2]


def test_the_step_travels_to_a_worker():
    transform = SegmentProducts(ServingConfig(("127.0.0.1:1",)), SegmentLimits())
    assert transform.name == "segment" and not transform.per_placement
    assert pickle.loads(pickle.dumps(transform.step())).keywords["limits"] == SegmentLimits()
