"""What raters are asked, by task: the heads of arXiv 2603.06453. A yes is a flag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Question(NamedTuple):
    """One head.

    Attributes:
        name: its column.
        text: what a rater reads.
        help: what counts as a yes.
    """

    name: str
    text: str
    help: str


QUESTIONS: Mapping[str, tuple[Question, ...]] = {
    "background": (
        Question("product_defect", "Is the product defective?", "Cut, stretched, recoloured, with parts added or lost"),
        Question(
            "background_defect", "Is the background defective?", "Implausible, floating product, wrong scale, artefacts"
        ),
    ),
    "outpaint": (
        Question("human_present", "Is a person in the picture?", "Any part of a person, also in the original part"),
        Question("plain_background", "Is the background white or one plain colour?", "In the original"),
        Question("band_defect", "Is the added part defective?", "Seams, repeated things, cut objects, artefacts"),
    ),
}
TASKS = tuple(QUESTIONS)
ALL_HEADS = tuple(question.name for questions in QUESTIONS.values() for question in questions)


def heads_of(task: str) -> tuple[str, ...]:
    """Names of a task's heads."""
    return tuple(question.name for question in QUESTIONS[task])
