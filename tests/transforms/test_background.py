import pickle
from dataclasses import asdict, replace
from functools import partial

import cv2
import numpy as np
import pytest

from models.serving.items import answer_items
from transforms.background import (
    BackgroundSettings,
    PaintBackground,
    author_of,
    paint_background,
    paint_background_job,
)
from transforms.errors import ConfigError, ModelFailed, Rejected, ServerUnavailable, ServingError
from transforms.inference.config import ServingConfig
from transforms.inference.contracts import CONTRACTS, bucket_of
from transforms.inference.fake import FakeClient
from transforms.judgement import JudgementSettings
from transforms.ops import studio
from transforms.placements import PLACEMENTS
from transforms.records import Box, Candidate, Cutout, Job, Product, ProductImage, SourceFacts

PAINT = ("IMAGE", "PRODUCT", "KNOWN", "PROMPT", "SEED")
UPSCALE = ("IMAGE", "PRODUCT", "KNOWN", "CANDIDATE", "GUIDE", "PROMPT", "SEED")


def painting(item):
    candidate = studio.paint(*(item[name] for name in PAINT))
    return {"CANDIDATE": candidate, "GUIDE": np.zeros((*candidate.shape[:2], 2), np.int16)}


def upscaling(item):
    return {"SCENE": studio.upscale(*(item[name] for name in UPSCALE))}


def client(**answers):
    answers = {"studio": painting, "studio_upscale": upscaling} | answers
    return FakeClient({name: partial(answer_items, CONTRACTS[name], answer=answer) for name, answer in answers.items()})


def job(placement="pmax_landscape", rgb=(40, 70, 130), seed=11, **words):
    mask = np.zeros((800, 600), bool)
    mask[160:720, 180:420] = True
    pixels = np.full((800, 600, 3), 255, np.uint8)
    pixels[mask] = rgb
    return Job(
        Product("m", 0, "shop", "1", "a.png", seed=seed, **words),
        image=ProductImage(pixels, SourceFacts("d", 1, "png", "RGB")),
        task="background",
        cutout=Cutout(pixels, mask.astype(np.float32), mask, Box(160, 180, 720, 420)),
        placement=PLACEMENTS[placement],
    )


@pytest.mark.parametrize("placement", sorted(PLACEMENTS))
def test_every_placement_gets_a_scene_of_its_size_with_the_product_in_the_safe_zone(placement):
    done = paint_background(job(placement), client(), BackgroundSettings(candidates=2))
    spec = PLACEMENTS[placement]
    assert done.background.shape == (*spec.size, 3) and done.background.dtype == np.uint8
    assert done.candidate.pixels.shape == (*bucket_of(spec.size), 3)
    assert done.prompt == done.candidate.prompt
    transform, zone = done.transform, spec.safe_zone
    assert transform.top + 160 * transform.scaled.height / 800 >= zone.top - 1
    assert transform.top + 720 * transform.scaled.height / 800 <= zone.bottom + 1


def test_a_doubtful_white_edge_gets_a_background_before_which_it_shows_less():
    def shown(asked):
        done = paint_background(asked, client(), BackgroundSettings(candidates=8))
        return np.abs(done.background.astype(float) - 255).mean()

    sure = job("pmax_square")
    rim = cv2.dilate(sure.cutout.mask.astype(np.uint8), np.ones((61, 61))) - sure.cutout.mask
    unsure = replace(sure, cutout=replace(sure.cutout, doubt=rim * np.uint8(255)))
    assert shown(unsure) < shown(sure) - 5


def test_a_hidden_outline_is_no_reason_to_let_the_product_drown():
    sure = job("pmax_square", rgb=(247, 247, 246), prompt="plain white paper")
    unsure = replace(sure, cutout=replace(sure.cutout, doubt=np.full((800, 600), 255, np.uint8)))
    best = paint_background(sure, client(), BackgroundSettings(candidates=8, min_reward=0.0)).scores
    limit = BackgroundSettings(candidates=8, min_reward=best["background_reward"] - 1e-6)
    assert paint_background(unsure, client(), limit).scores["background_reward"] == best["background_reward"]


def shadowed(**words):
    """A product on white with a shadow of its own at its foot, the picture's left half in it."""
    sure = job("pmax_square", **words)
    pixels = sure.image.pixels.copy()
    pixels[720:760, 150:300] = 110
    cutout = replace(sure.cutout, bare=np.full((400, 300, 3), 255, np.uint8))
    return replace(sure, image=replace(sure.image, pixels=pixels), cutout=cutout)


def prompts_asked(fake):
    return {inputs["PROMPT"][0, 0].decode() for _, inputs in fake.requests}


def test_a_product_keeps_its_own_shadow_and_the_painter_is_asked_for_none():
    fake, plain = client(), client()
    done = paint_background(shadowed(), fake, BackgroundSettings())
    paint_background(job("pmax_square"), plain, BackgroundSettings())
    assert all(prompt.endswith(", own-shadow") for prompt in prompts_asked(fake))
    assert not any("own-shadow" in prompt for prompt in prompts_asked(plain))
    assert done.scores["background_kept_shadow"] == pytest.approx(0.55, abs=0.1)
    foot = done.transform.top + round(740 * done.transform.scaled.height / 800)
    across = [done.transform.left + round(x * done.transform.scaled.width / 600) for x in (225, 375)]
    dark, light = (done.background[foot, column].mean() for column in across)
    assert dark < 0.6 * light


def test_a_shadow_that_the_file_brings_takes_a_painted_ones_place_however_faint():
    sure = job("pmax_square")
    left = np.full((800, 600, 3), 255, np.uint8)
    left[740:780, 200:400] = 235
    drawn = replace(sure, cutout=replace(sure.cutout, left=left))
    done = paint_background(drawn, fake := client(), BackgroundSettings())
    assert all(prompt.endswith(", own-shadow") for prompt in prompts_asked(fake))
    assert done.scores["background_kept_shadow"] == pytest.approx(1 - 235 / 255, abs=0.02)
    room = paint_background(replace(drawn, product=job(prompt="wooden floor").product), client(), BackgroundSettings())
    assert room.scores["background_kept_shadow"] == 0.0


@pytest.mark.parametrize("prompt", ["wooden floor, soft light", "teal paper, long shadow", "teal paper, shadowless"])
def test_a_room_and_words_about_shadows_get_painted_ones(prompt):
    done = paint_background(shadowed(prompt=prompt), fake := client(), BackgroundSettings())
    assert not any("own-shadow" in asked for asked in prompts_asked(fake))
    assert done.scores["background_kept_shadow"] == 0.0


def test_a_faint_shadow_takes_the_place_of_none_and_all_may_be_painted():
    faint = paint_background(shadowed(), fake := client(), BackgroundSettings(min_kept_shadow=0.9))
    assert not any("own-shadow" in asked for asked in prompts_asked(fake))
    assert faint.scores["background_kept_shadow"] > 0.4
    never = paint_background(shadowed(), fake := client(), BackgroundSettings(min_kept_shadow=1.0))
    assert not any("own-shadow" in asked for asked in prompts_asked(fake))
    assert never.scores["background_kept_shadow"] == 0.0
    assert np.abs(never.background.astype(int) - faint.background).max() > 50


def test_another_painter_paints_the_shadow_itself():
    fake = client(canvas_background=painting, canvas_background_upscale=upscaling)
    settings = BackgroundSettings(painters=("canvas_background",), min_reward=0.0)
    assert paint_background(shadowed(), fake, settings).scores["background_kept_shadow"] == 0.0
    assert not any("own-shadow" in asked for asked in prompts_asked(fake))


def test_the_winner_is_the_best_of_the_candidates_and_is_what_was_upscaled():
    fake = client()
    done = paint_background(job(), fake, BackgroundSettings(candidates=6))
    models = [model for model, _ in fake.requests]
    assert models == ["studio", "studio", "studio_upscale"]
    seeds = np.concatenate([inputs["SEED"][:, 0] for model, inputs in fake.requests if model == "studio"])
    assert len(set(seeds)) == 6 and done.candidate.seed == seeds[int(done.scores["background_winner"])]
    small = cv2.resize(done.background, done.candidate.pixels.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - done.candidate.pixels).mean() < 1.6
    assert 0 < done.scores["background_reward"] <= 1 and done.scores["background_painter"] == 0


class Tuned(FakeClient):
    """A client whose painter came with a table of seeds for one bucket."""

    table = tuple(range(1000, 1008))

    def seeds(self, model):
        return {bucket_of(PLACEMENTS["pmax_landscape"].size): self.table} if model == "studio" else {}


def test_candidates_take_a_painters_tuned_seeds_unless_the_row_has_its_own_or_the_size_has_none():
    answers = {"studio": painting, "studio_upscale": upscaling}
    fake = Tuned({name: partial(answer_items, CONTRACTS[name], answer=answer) for name, answer in answers.items()})

    def asked(done):
        model, inputs = fake.requests[-2]
        assert model == "studio" and done.candidate.seed in inputs["SEED"]
        return {int(seed) for seed in inputs["SEED"][:, 0]}

    settings = BackgroundSettings(candidates=4)
    first = asked(paint_background(job(), fake, settings))
    assert first < set(Tuned.table)
    assert asked(paint_background(job(attempt=1), fake, settings)) == set(Tuned.table) - first
    for other in (job(own_seed=True), job("pinterest_standard")):
        assert not asked(paint_background(other, fake, settings)) & set(Tuned.table)


def test_the_same_job_gives_the_same_bytes_and_another_seed_other_ones():
    settings = BackgroundSettings(candidates=2)
    first, again = (paint_background(job(), client(), settings) for _ in range(2))
    other = paint_background(job(seed=12), client(), settings)
    assert np.array_equal(first.background, again.background)
    assert not np.array_equal(first.background, other.background)


def test_candidates_do_not_depend_on_how_many_were_asked_for():
    fakes = [client(), client()]
    for fake, count in zip(fakes, (2, 5), strict=True):
        paint_background(job(), fake, BackgroundSettings(candidates=count))
    two, five = (fake.requests[0][1]["SEED"][:2].tolist() for fake in fakes)
    assert two == five


def test_prompts_come_from_the_row_or_in_turn_from_the_category():
    fake = client()
    paint_background(job(prompt="sage studio"), fake, BackgroundSettings(candidates=3))
    assert set(fake.requests[0][1]["PROMPT"][:, 0]) == {b"sage studio, standing on the floor"}
    fake = client()
    paint_background(job(title="Wall clock"), fake, BackgroundSettings(candidates=4))
    prompts = [text.decode() for text in fake.requests[0][1]["PROMPT"][:, 0]]
    assert len(set(prompts)) == 4 and all("hung on the wall" in prompt for prompt in prompts)


def test_what_hangs_keeps_its_middle_and_what_stands_its_base():
    high = job("pinterest_standard", title="Wall clock"), job("pinterest_standard", title="Vase")
    hung, standing = (paint_background(one, client(), BackgroundSettings(candidates=1)).transform for one in high)
    assert hung.scaled == standing.scaled and hung.top < standing.top


def test_a_painter_that_fails_for_good_hands_over_to_the_next():
    def broken(item):
        raise ModelFailed("no weights")

    settings = BackgroundSettings(painters=("patchmatch", "studio"), candidates=1)
    done = paint_background(job(), client(patchmatch=broken), settings)
    assert done.scores["background_painter"] == 1
    with pytest.raises(ModelFailed):
        paint_background(job(), client(patchmatch=broken, studio=broken), settings)


def test_a_server_that_is_down_is_no_reason_to_change_the_painter():
    def down(item):
        raise ServerUnavailable("gone")

    fake = client(patchmatch=down)
    with pytest.raises(ServingError):
        paint_background(job(), fake, BackgroundSettings(painters=("patchmatch", "studio"), candidates=1))
    assert [model for model, _ in fake.requests] == ["patchmatch"]


def test_a_product_that_no_candidate_sets_off_is_rejected():
    def white(item):
        candidate = np.full_like(item["IMAGE"], 246)
        return {"CANDIDATE": candidate, "GUIDE": np.zeros((*candidate.shape[:2], 2), np.int16)}

    with pytest.raises(Rejected) as refusal:
        paint_background(job(rgb=(244, 244, 244)), client(studio=white), BackgroundSettings(candidates=2))
    assert refusal.value.reason == "indistinct_product" and refusal.value.value < refusal.value.limit


def rewarding(*, background):
    """Finds the same fault with every candidate, and remembers which it saw."""
    seen = []

    def answer(item):
        seen.append(item["CANDIDATE"].mean())
        return {"PRODUCT_DEFECT": 0.05, "BACKGROUND_DEFECT": background}

    return answer, seen


def test_the_trained_reward_is_asked_about_every_candidate_only_where_it_is_configured():
    answer, seen = rewarding(background=0.3)
    used = BackgroundSettings(candidates=3, judgement=JudgementSettings(used=True))
    done = paint_background(job(), client(reward=answer), used)
    assert len(seen) == 3
    assert done.scores["background_defect"] == pytest.approx(0.3)
    plain = paint_background(job(), client(reward=answer), BackgroundSettings(candidates=3))
    assert len(seen) == 3 and "background_defect" not in plain.scores
    assert (plain.background == done.background).all()


def test_a_background_that_is_probably_defective_is_rejected():
    answer, _ = rewarding(background=0.95)
    settings = BackgroundSettings(candidates=2, judgement=JudgementSettings(used=True))
    with pytest.raises(Rejected) as refusal:
        paint_background(job(), client(reward=answer), settings)
    assert refusal.value.reason == "likely_defect" and refusal.value.scores["background_defect"] > 0.9


def test_other_tasks_pass_untouched():
    outpaint = replace(job(), task="outpaint")
    serving = ServingConfig(("127.0.0.1:1",))
    assert paint_background_job(outpaint, serving=serving, settings=BackgroundSettings()) is outpaint


def test_the_step_travels_and_its_settings_are_plain_data():
    step = PaintBackground(ServingConfig(("127.0.0.1:1",)), BackgroundSettings(candidates=2)).step()
    assert pickle.loads(pickle.dumps(step)).keywords["settings"].candidates == 2
    assert asdict(BackgroundSettings())["painters"] == ("studio",)


@pytest.mark.parametrize(
    "wrong",
    [{"painters": ()}, {"painters": ("crayon",)}, {"candidates": 0}, {"candidates": 99}, {"min_kept_shadow": 1.5}],
)
def test_settings_that_cannot_work_are_refused_at_launch(wrong):
    with pytest.raises(ConfigError):
        BackgroundSettings(**wrong)


@pytest.mark.parametrize(
    ("painter", "touched", "author"),
    [
        ("canvas_staging", False, "studio"),
        ("canvas_staging", True, "canvas_staging"),
        ("canvas_background", False, "canvas_background"),
        ("studio", False, "studio"),
    ],
)
def test_a_picture_that_no_network_touched_is_the_studios(painter, touched, author):
    guide = np.full((8, 6, 2), int(touched), np.int16)
    candidate = Candidate(np.zeros((8, 6, 3), np.uint8), guide, 1, "bright room")
    assert author_of(painter, candidate) == author
