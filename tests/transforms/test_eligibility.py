import dataclasses
import json
import pickle
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from transforms.eligibility import CheckEligibility, EligibilityLimits, check
from transforms.errors import Skipped
from transforms.inference.config import ServingConfig
from transforms.inference.fake import FakeClient
from transforms.inference.interface import Tensors
from transforms.records import TASKS, Job, Pixels, Product, ProductImage, SourceFacts
from transforms.words import WordPolicy

LIMITS = EligibilityLimits()
ROW = Product("manifest.parquet", 0, "nordhaus", "chair", "chair.jpg", title="Oak chair", features=TASKS)


def job_of(pixels: Pixels, alpha: Pixels | None = None, **row: Any) -> Job:
    image = ProductImage(pixels, SourceFacts("0" * 64, 1000, "jpeg", "RGB"), alpha)
    return Job(dataclasses.replace(ROW, **row), image=image)


def on_white(center: tuple[int, int] = (250, 260), side: int = 500) -> Pixels:
    pixels = np.full((side, side, 3), 252, np.uint8)
    cv2.ellipse(pixels, center, (90, 150), 0, 0, 360, (60, 90, 160), -1)
    cv2.circle(pixels, (center[0] + 20, center[1] - 40), 30, (200, 180, 40), -1)
    return pixels


def in_scene(center: tuple[int, int] = (250, 260)) -> Pixels:
    """A chequered product in a room of soft colours."""
    coarse = np.random.Generator(np.random.Philox(5)).integers(40, 216, (5, 5, 3), dtype=np.uint8)
    pixels = np.asarray(cv2.resize(coarse, (500, 500), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    cv2.ellipse(pixels, center, (70, 110), 0, 0, 360, (250, 250, 250), -1)
    return pixels


def answering(model: str, **outputs: float) -> FakeClient:
    def respond(inputs: Tensors) -> dict[str, Any]:
        return {name: np.full((1, 1), value, np.float32) for name, value in outputs.items()}

    return FakeClient({model: respond})


def seeing(mask: Callable[[], Any]) -> FakeClient:
    """A segmenter that answers the given map, [320, 320]."""
    return FakeClient({"segmenter": lambda inputs: {"ALPHA": mask().astype(np.float32)[None, ..., None]}})


def disc(center: tuple[int, int] = (160, 160), radius: int = 60) -> Any:
    return cv2.circle(np.zeros((320, 320), np.uint8), center, radius, 1, -1)


def refused(job: Job, client: FakeClient | None = None, limits: EligibilityLimits = LIMITS) -> Skipped:
    with pytest.raises(Skipped) as caught:
        check(job, client or seeing(disc), limits)
    return caught.value


def test_a_product_on_white_goes_to_the_background_task_with_its_measures() -> None:
    job = check(job_of(on_white()), FakeClient(), LIMITS)
    assert job.task == "background"
    assert {"panels", "sameness", "blur", "human_score", "unsafe_score", "text_share"} <= set(job.scores)
    assert job.scores["frame_contact"] == 0.0


def test_a_scene_goes_to_the_outpaint_task() -> None:
    assert check(job_of(in_scene()), seeing(disc), LIMITS).task == "outpaint"


def test_the_calm_wall_and_floor_of_a_room_are_a_scene() -> None:
    generator = np.random.Generator(np.random.Philox(2))
    plaster = cv2.GaussianBlur(generator.normal(0, 40, (500, 500)).astype(np.float32), (0, 0), 4)
    wall = np.array((214, 205, 190), np.float32) + plaster[..., None]
    cv2.ellipse(wall, (250, 260), (70, 110), 0, 0, 360, (90, 50, 40), -1)
    assert check(job_of(np.clip(wall, 0, 255).astype(np.uint8)), seeing(disc), LIMITS).task == "outpaint"


def test_a_coloured_sweep_with_falloff_is_a_plain_backdrop() -> None:
    sweep = np.linspace((190, 205, 214), (150, 163, 170), 500)[:, None] * np.ones((1, 500, 1))
    pixels = sweep.astype(np.uint8)
    cv2.ellipse(pixels, (250, 260), (70, 110), 0, 0, 360, (90, 50, 40), -1)
    assert check(job_of(pixels), seeing(disc), LIMITS).task == "background"


def test_a_cut_out_file_goes_to_the_background_task_whatever_its_colours_say() -> None:
    alpha = disc() * np.uint8(255)
    pixels = np.asarray(cv2.resize(in_scene(), (320, 320)), dtype=np.uint8)
    assert check(job_of(pixels, alpha), FakeClient(), LIMITS).task == "background"
    opaque = np.full((320, 320), 255, np.uint8)
    assert check(job_of(pixels, opaque), seeing(disc), LIMITS).task == "outpaint"


def test_a_veil_over_the_whole_picture_cuts_nothing_out() -> None:
    veil = np.full((320, 320), 200, np.uint8)
    pixels = np.asarray(cv2.resize(in_scene(), (320, 320)), dtype=np.uint8)
    assert check(job_of(pixels, veil), seeing(disc), LIMITS).task == "outpaint"


def test_a_task_that_the_row_does_not_allow_ends_it() -> None:
    assert refused(job_of(on_white(), features=("outpaint",))).reason == "task_not_allowed"


def test_a_task_that_the_job_does_not_allow_ends_it() -> None:
    end = refused(job_of(in_scene(), features=("background",)))
    assert (end.reason, end.detail) == ("task_not_allowed", "a real scene wants outpaint; allowed here: background")


@pytest.mark.parametrize("picture", [on_white, in_scene])
def test_a_row_that_asks_only_for_what_the_job_does_not_do_ends(picture: Callable[[], Pixels]) -> None:
    end = refused(job_of(picture(), features=()))
    assert (end.reason, end.detail.rpartition(": ")[2]) == ("task_not_allowed", "none that the job allows")


def test_a_small_source_is_skipped_with_its_side_and_the_limit() -> None:
    end = refused(job_of(on_white()[:, :280]))
    assert (end.reason, end.value, end.limit) == ("too_small", 280.0, 300.0)


@pytest.mark.parametrize("field", ["prompt", "title", "description"])
def test_unfit_words_are_skipped_without_being_repeated(field: str) -> None:
    end = refused(job_of(on_white(), **{field: "a fucking chair"}))
    assert (end.reason, end.value) == ("unfit_words", 1.0)
    assert end.detail == f"unfit: word 2 of the {field}"


def test_the_word_policy_is_part_of_the_limits() -> None:
    limits = dataclasses.replace(LIMITS, words=WordPolicy(extra=("oak chair",)))
    assert refused(job_of(on_white()), limits=limits).reason == "unfit_words"


def test_a_collage_is_skipped() -> None:
    tile = np.asarray(cv2.resize(on_white(), (300, 300)), dtype=np.uint8)
    end = refused(job_of(np.tile(tile, (2, 2, 1))))
    assert (end.reason, end.value, end.limit) == ("collage", 4.0, 1.0)


def test_a_tiling_is_skipped_as_a_pattern() -> None:
    tile = np.asarray(cv2.resize(in_scene(), (150, 150)), dtype=np.uint8)
    limits = dataclasses.replace(LIMITS, max_panels=100)
    assert refused(job_of(np.tile(tile, (3, 3, 1))), limits=limits).reason == "pattern"


def test_a_blurred_picture_is_skipped() -> None:
    pixels = np.asarray(cv2.GaussianBlur(on_white(), (0, 0), 9), dtype=np.uint8)
    assert refused(job_of(pixels)).reason == "blurred"


def test_a_human_is_skipped_with_the_detectors_score() -> None:
    end = refused(job_of(on_white()), answering("human_detector", SCORE=0.97))
    assert (end.reason, end.limit) == ("human", LIMITS.max_human_score)
    assert end.value == pytest.approx(0.97)


def test_an_unsafe_image_is_skipped() -> None:
    assert refused(job_of(on_white()), answering("unsafe_image", SCORE=0.95)).reason == "unsafe_image"


def test_an_empty_sweep_holds_no_product() -> None:
    sweep = np.broadcast_to(np.linspace(255, 235, 500)[:, None, None], (500, 500, 3)).astype(np.uint8)
    end = refused(job_of(sweep), seeing(lambda: np.zeros((320, 320))))
    assert (end.reason, end.value) == ("no_product", 0.0)


def test_the_network_finds_a_product_of_the_backdrops_own_colour() -> None:
    assert check(job_of(np.full((500, 500, 3), 253, np.uint8)), seeing(disc), LIMITS).task == "background"


def test_a_scene_without_a_product_is_skipped() -> None:
    assert refused(job_of(in_scene()), seeing(lambda: np.zeros((320, 320)))).reason == "no_product"


def test_a_product_cut_by_the_frame_is_skipped() -> None:
    end = refused(job_of(on_white((250, 60))), FakeClient())
    assert end.reason == "cut_by_frame"
    assert end.value is not None and end.value > 0.1


def test_a_round_product_that_was_cropped_at_its_outline_is_whole() -> None:
    pixels = on_white((250, 152))
    assert check(job_of(pixels), FakeClient(), LIMITS).scores["frame_contact"] == 0.0
    assert refused(job_of(on_white((250, 140))), FakeClient()).reason == "cut_by_frame"


def test_a_dim_light_tent_with_a_cameras_grain_is_a_plain_backdrop() -> None:
    noise = np.random.Generator(np.random.Philox(4)).normal(0, 1, (500, 500)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 2.0)
    tent = np.linspace(232, 205, 500)[:, None, None] + (1.8 * noise / noise.std())[..., None] * np.ones(3)
    cv2.ellipse(tent, (250, 260), (70, 110), 0, 0, 360, (90, 50, 40), -1)
    assert check(job_of(np.clip(tent, 0, 255).astype(np.uint8)), seeing(disc), LIMITS).task == "background"


def test_colour_at_the_frame_that_the_network_does_not_take_for_product_is_no_cut() -> None:
    assert check(job_of(on_white((250, 60))), seeing(disc), LIMITS).scores["frame_contact"] == 0.0


def test_a_scene_whose_coarse_mask_touches_the_frame_is_skipped() -> None:
    assert refused(job_of(in_scene()), seeing(lambda: disc((160, 10), 80))).reason == "cut_by_frame"


def test_a_banner_that_reaches_the_frame_is_text_and_no_cut() -> None:
    client = answering("text_detector", COVERAGE=0.04, BOXES=1.0)
    assert refused(job_of(on_white((250, 60))), client).reason == "text_overlay"


def test_a_network_that_cannot_tell_product_from_room_accuses_nobody() -> None:
    job = check(job_of(in_scene()), seeing(lambda: 0.6 * disc((160, 10), 80) + 0.95 * disc((160, 200), 40)), LIMITS)
    assert job.scores["frame_contact"] == 0.0


def test_a_network_that_is_sure_along_half_a_side_accuses_whatever_else_it_half_sees() -> None:
    half_seen = 0.6 * (np.arange(320) < 200)[:, None] * np.ones((1, 320))
    client = seeing(lambda: np.maximum(half_seen, 0.95 * disc((160, 10), 80)))
    end = refused(job_of(in_scene()), client)
    assert end.reason == "cut_by_frame" and end.value is not None and end.value > 0.4
    client = seeing(lambda: np.maximum(half_seen, 0.95 * disc((160, 10), 40)))
    assert check(job_of(in_scene()), client, LIMITS).scores["frame_contact"] == 0.0


def test_a_cut_out_file_may_touch_its_frame() -> None:
    alpha = np.zeros((400, 400), np.uint8)
    alpha[:, 50:350] = 255
    assert check(job_of(np.full((400, 400, 3), 90, np.uint8), alpha), FakeClient(), LIMITS).task == "background"


def test_a_cut_out_file_that_its_own_frame_cuts_is_skipped() -> None:
    alpha = np.zeros((400, 600), np.uint8)
    alpha[:, 150:450] = 255
    end = refused(job_of(np.full((400, 600, 3), 90, np.uint8), alpha), FakeClient())
    assert (end.reason, end.value) == ("cut_by_frame", pytest.approx(0.5))


def test_text_beside_the_product_is_an_overlay() -> None:
    end = refused(job_of(on_white()), answering("text_detector", COVERAGE=0.04, BOXES=1.0))
    assert (end.reason, end.detail) == ("text_overlay", "text stands beside the product")


def test_text_that_goes_when_the_product_is_painted_over_is_a_print() -> None:
    client = FakeClient({"text_detector": text_where_dark})
    job = check(job_of(on_white()), client, LIMITS)
    assert job.scores["text_share"] == pytest.approx(0.05)
    assert job.scores["text_share_around"] == 0.0


def two_discs(side: int, share: float = 1.0) -> Pixels:
    """A pair of discs, the second's area `share` of the first's."""
    mask = np.zeros((side, side), np.uint8)
    cv2.circle(mask, (side // 4, side // 2), side // 6, 1, -1)
    return np.asarray(cv2.circle(mask, (3 * side // 4, side // 2), round(side / 6 * share**0.5), 1, -1))


def pair_on_white() -> Pixels:
    return np.where(two_discs(500)[..., None] > 0, np.uint8((60, 90, 160)), np.uint8(252))


def test_text_on_either_of_a_pair_of_shoes_is_a_print() -> None:
    client = FakeClient({"text_detector": text_where_dark, "segmenter": answer_of(two_discs(320))})
    assert check(job_of(pair_on_white()), client, LIMITS).scores["text_share_around"] == 0.0


def test_text_on_a_part_that_is_small_beside_the_product_stands_beside_it() -> None:
    client = FakeClient({"text_detector": text_where_dark, "segmenter": answer_of(two_discs(320, 0.3))})
    assert refused(job_of(pair_on_white()), client).detail == "text stands beside the product"


def test_a_cut_out_files_alpha_says_what_the_text_is_on() -> None:
    pixels, alpha = pair_on_white(), two_discs(500) * np.uint8(255)
    client = FakeClient({"text_detector": text_where_dark})
    assert check(job_of(pixels, alpha), client, LIMITS).scores["text_share_around"] == 0.0
    assert "segmenter" not in [model for model, _ in client.requests]
    alone = two_discs(500, 0.3) * np.uint8(255)
    assert refused(job_of(pixels, alone), client).reason == "text_overlay"


def answer_of(mask: Pixels) -> Callable[[Tensors], dict[str, Any]]:
    return lambda inputs: {"ALPHA": mask.astype(np.float32)[None, ..., None]}


def test_a_page_of_text_is_skipped_wherever_the_text_stands() -> None:
    end = refused(job_of(on_white()), answering("text_detector", COVERAGE=0.5, BOXES=9.0))
    assert end.detail == "text covers the picture"


def text_where_dark(inputs: Tensors) -> dict[str, Any]:
    coverage = 0.05 if inputs["IMAGE"].min() < 100 else 0.0
    return {"COVERAGE": np.full((1, 1), coverage, np.float32), "BOXES": np.ones((1, 1), np.float32)}


def test_served_detectors_are_asked_last_and_only_while_the_picture_is_fit() -> None:
    client = answering("human_detector", SCORE=0.9)
    refused(job_of(on_white()), client)
    assert [model for model, _ in client.requests] == ["human_detector"]
    refused(job_of(on_white()[:200, :200]), silent := FakeClient())
    assert silent.requests == []


def test_reasons_come_in_the_documented_order() -> None:
    """A row with every fault: each fault mended uncovers the next."""
    broken = FakeClient(
        {model: lambda inputs: {"SCORE": np.ones((1, 1), np.float32)} for model in ("human_detector", "unsafe_image")}
    )
    tiles = np.tile(np.asarray(cv2.resize(on_white(), (100, 100)), dtype=np.uint8), (2, 2, 1))
    job, reasons = job_of(tiles, title="shit", features=("outpaint",)), []
    reasons.append(refused(job, broken).reason)
    job = dataclasses.replace(job, product=dataclasses.replace(job.product, title="chair"))
    reasons.append(refused(job, broken).reason)
    reasons.append(refused(job, broken, dataclasses.replace(LIMITS, min_side_px=100)).reason)
    job = dataclasses.replace(job, product=dataclasses.replace(job.product, features=TASKS))
    loose = dataclasses.replace(LIMITS, min_side_px=100)
    reasons.append(refused(job, broken, loose).reason)
    loose = dataclasses.replace(loose, max_panels=4)
    reasons.append(refused(job, broken, loose).reason)
    loose = dataclasses.replace(loose, max_sameness=1.0, max_repetition=1.1)
    reasons.append(refused(job, broken, loose).reason)
    reasons.append(refused(job, broken, dataclasses.replace(loose, max_human_score=1.0)).reason)
    assert reasons == [
        "unfit_words",
        "too_small",
        "task_not_allowed",
        "collage",
        "pattern",
        "human",
        "unsafe_image",
    ]


def test_limits_are_plain_data_and_the_step_can_be_shipped() -> None:
    assert json.loads(json.dumps(dataclasses.asdict(LIMITS)))["words"]["listed"] is True
    stage = CheckEligibility(ServingConfig(("localhost:1",)), LIMITS)
    step = pickle.loads(pickle.dumps(stage.step()))
    assert (stage.name, stage.per_placement) == ("eligibility", False)
    with pytest.raises(Skipped, match="280 x 500"):
        step(job_of(on_white()[:, :280]))


def test_a_job_without_an_image_is_a_defect_and_no_skip() -> None:
    with pytest.raises(ValueError, match="loaded image"):
        check(Job(ROW), FakeClient(), LIMITS)
