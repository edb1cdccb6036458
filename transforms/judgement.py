"""A trained reward's word on painted candidates, beside the cheap scores; asked only where configured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from transforms.errors import ConfigError, Rejected
from transforms.inference.contracts import CONTRACTS
from transforms.inference.interface import InferenceClient
from transforms.ops.ranking import DOUBT_WEIGHT, Ranking
from transforms.records import Pixels


@dataclass(frozen=True)
class JudgementSettings:
    """Whether, and how strictly, the served model `reward` joins in.

    Attributes:
        used: ask it. What it is worth stands in docs/models.md.
        max_product_defect, max_background_defect: probabilities; a best candidate above one of them is rejected.
    """

    used: bool = False
    max_product_defect: float = 0.9
    max_background_defect: float = 0.9

    def __post_init__(self) -> None:
        for name in ("max_product_defect", "max_background_defect"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"judgement: {name} {getattr(self, name)} is not within 0..1")


class Judged(NamedTuple):
    """A candidate's ranking, and the probabilities of a defect of the product and of the background; 0 if not asked."""

    ranking: Ranking
    product: float = 0.0
    background: float = 0.0

    @property
    def reward(self) -> float:
        """The cheap reward, if nothing is wrong."""
        return self.ranking.reward * (1 - self.product) * (1 - self.background)

    @property
    def merit(self) -> float:
        """What judged candidates are chosen by; see `Ranking.merit`."""
        return self.reward - DOUBT_WEIGHT * self.ranking.visible_doubt


def judged(
    client: InferenceClient, image: Pixels, product: Pixels, candidates: Sequence[Pixels], rankings: Sequence[Ranking]
) -> list[Judged]:
    """`rankings` with the reward's word on their candidates, best first; equal ones keep their order.

    Args:
        client: asked for `reward`.
        image, product: as for `rank_candidates`.
        candidates: uint8 [h, w, 3] each, all of one size.
        rankings: of these candidates, in any order.

    Raises:
        ServingError: the reward cannot be asked.
    """
    answers: list[tuple[float, float]] = []
    limit = CONTRACTS["reward"].max_batch
    for start in range(0, len(candidates), limit):
        batch = np.stack(candidates[start : start + limit])
        each = {"IMAGE": image, "PRODUCT": product[..., None]}
        inputs = {name: np.repeat(plane[None], len(batch), axis=0) for name, plane in each.items()}
        outputs = client.infer("reward", {**inputs, "CANDIDATE": batch})
        answers += zip(outputs["PRODUCT_DEFECT"][:, 0], outputs["BACKGROUND_DEFECT"][:, 0], strict=True)
    found = [Judged(ranking, *map(float, answers[ranking.candidate])) for ranking in rankings]
    return sorted(found, key=lambda entry: -entry.merit)


def refuse_defective(best: Judged, settings: JudgementSettings, scores: dict[str, float]) -> None:
    """Reject a candidate that is probably defective.

    Raises:
        Rejected: `likely_defect`, with the worse of the two probabilities.
    """
    for part, value, limit in (
        ("product", best.product, settings.max_product_defect),
        ("background", best.background, settings.max_background_defect),
    ):
        if value > limit:
            raise Rejected(
                "likely_defect", f"the {part} is probably defective", value=value, limit=limit, scores=scores
            )
