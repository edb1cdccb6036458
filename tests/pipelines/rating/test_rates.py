import numpy as np
import pytest

from pipelines.rating.rates import design_effect, rates, wilson
from pipelines.rating.units import Answer, Item


def item(number: int, contestant: str = "canvas", task: str = "background", subject: str = "") -> Item:
    return Item(f"i{number}", number, contestant, task, "", "o", "x", subject or f"s{number}", "d")


def answer(number: int, rater: str, product: int = 0, background: int = 0) -> Answer:
    return Answer(f"u{number}", f"i{number}", None, rater, {"product_defect": product, "background_defect": background})


@pytest.mark.parametrize(
    ("clean", "count", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (470, 996, 0.4410, 0.5029),
        (81, 263, 0.2553, 0.3662),  # Newcombe (1998), table I
        (15, 148, 0.0624, 0.1605),
    ],
)
def test_wilsons_interval_is_the_published_one(clean: int, count: int, low: float, high: float) -> None:
    assert wilson(clean / count, count) == pytest.approx((low, high), abs=1e-4)


def test_one_flag_of_either_rater_makes_a_defect_and_single_ratings_do_not_count() -> None:
    items = [item(number) for number in range(5)]
    answers = [
        answer(0, "ann"), answer(0, "ben"),
        answer(1, "ann", product=1), answer(1, "ben"),
        answer(2, "ann"), answer(2, "ben", background=1),
        answer(3, "ann", product=1), answer(3, "ben", background=1),
        answer(4, "ann", product=1),
    ]  # fmt: skip
    found = {(rate.head): rate for rate in rates(items, answers)}
    assert {head: (rate.clean, rate.items) for head, rate in found.items()} == {
        "product_defect": (2, 4),
        "background_defect": (2, 4),
        "overall": (1, 4),
    }
    assert found["overall"].low < 0.25 < found["overall"].high


def test_contestants_and_tasks_are_told_apart() -> None:
    items = [item(0), item(1, "other"), item(2, "canvas", "outpaint")]
    flags = {"human_present": 0, "plain_background": 0, "band_defect": 1}
    answers = [answer(0, "ann"), answer(0, "ben"), answer(1, "ann", product=1), answer(1, "ben")]
    answers += [Answer("u2", "i2", None, rater, flags) for rater in ("ann", "ben")]
    found = {(rate.contestant, rate.task, rate.head): rate.rate for rate in rates(items, answers)}
    assert found["canvas", "background", "overall"] == 1.0
    assert found["other", "background", "overall"] == 0.0
    assert found["canvas", "outpaint", "band_defect"] == 0.0
    assert ("canvas", "outpaint", "product_defect") not in found


def test_outputs_of_one_original_that_fail_together_widen_the_interval() -> None:
    noise = np.random.default_rng(3)
    by_subject = noise.random(100) < 0.6
    values = np.repeat(by_subject, 4).astype(float)
    subjects = [str(at // 4) for at in range(400)]
    assert design_effect(values, subjects) == pytest.approx(4, rel=0.05)
    assert design_effect(values, [str(at) for at in range(400)]) == 1.0
    independent = (noise.random(400) < 0.6).astype(float)
    assert design_effect(independent, subjects) < 1.6
