"""Decides every group of a manifest: what earlier runs decided is taken over, the rest is loaded, painted, proven."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from itertools import product as pairs_of

from pipelines.scenes.earlier import Earlier
from pipelines.scenes.groups import Group, check_group
from pipelines.scenes.make import Cause, SceneEnded, SceneJob, Step, run_scene
from pipelines.scenes.tables import Decided, carried, decided
from transforms.budget import ByteBudget, GroupLease, lease_of
from transforms.decisions import NO_WISH, NO_WISHES, SCENE, Slot, Wish, Wishes, scene_reference
from transforms.errors import CanvasError, GroupError, Refusal
from transforms.keys import content_key, default_seed, digest_of
from transforms.placements import Placement
from transforms.plan import LEFT, PlanConfig
from transforms.records import Job, Product
from transforms.tally import Tally
from transforms.version import results_version
from transforms.work import Ended, run_steps
from transforms.work import Step as RowStep


@dataclass(frozen=True)
class Maker:
    """What a group needs to become scenes.

    Attributes:
        plan: what the job's plan knows; its digest is part of every key.
        seeds: one scene for each; () for one seed made from advertiser and group.
        row_steps: what every product goes through alone: load, eligibility, segment.
        scene_steps: what all go through together; see `steps_of`.
        models: digest of every served model that is asked.
        engine: fingerprint of what computes.
        wishes: what was decided on earlier scenes; see `transforms.decisions.of_scenes`.
    """

    plan: PlanConfig
    seeds: tuple[int, ...]
    row_steps: tuple[RowStep, ...]
    scene_steps: tuple[tuple[str, Step], ...]
    models: Mapping[str, str]
    engine: str
    wishes: Wishes = NO_WISHES


@dataclass(frozen=True)
class Wanted:
    """A scene that a group asks for, and the key under which a re-run finds it before anything is loaded.

    Attributes:
        seed: names the scene; what is painted takes another one for each attempt that was refused.
    """

    placement: Placement | None
    seed: int
    plan_key: str
    wish: Wish = NO_WISH


def scenes_of(group: Group, maker: Maker) -> list[Wanted]:
    """Every placement that all rows ask for, with every seed; one without a placement where there is none."""
    names = group.placements(maker.plan)
    lead = Product("", 0, group.advertiser_id, group.name, "")
    placements: list[Placement | None] = [maker.plan.by_name[name] for name in names]
    rows = [member.product.plan_key for member in group.members]
    own = {"group": group.name, "rows": rows, "heights": _heights(group), "prompt": group.prompt}
    found = []
    for placement, seed in pairs_of(placements or [None], maker.seeds or (default_seed(lead),)):
        key = digest_of({**own, "placement": placement, "seed": seed, "own": bool(maker.seeds)})
        wish = _wish(group, placement, seed, maker.wishes)
        found.append(Wanted(placement, seed, wish.key(key), wish))
    return found


def _wish(group: Group, placement: Placement | None, seed: int, wishes: Wishes) -> Wish:
    if placement is None or not wishes.touches(group.advertiser_id, group.name):
        return NO_WISH
    images = scene_reference((product.image_uri for product in group.products), seed)
    return wishes.of(Slot(group.advertiser_id, group.name, placement.name, images), (SCENE,))


def decide(group: Group, maker: Maker, earlier: Earlier) -> Iterator[Decided]:
    """Every scene of a group: taken over where it is settled, else made."""
    found, left = settled(group, maker, earlier)
    yield from found
    unmade = tuple(Job(product) for product in group.products)
    for wanted in left:
        if wanted.wish.end:
            ended = SceneEnded(_begin(group, unmade, wanted, maker), (Cause("plan", LEFT[wanted.wish.end]),))
            yield decided(group, ended, maker.plan.run_id, wanted.plan_key)
    left = [wanted for wanted in left if not wanted.wish.end]
    if left:
        yield from _made(group, left, maker, earlier)


def settled(group: Group, maker: Maker, earlier: Earlier) -> tuple[list[Decided], list[Wanted]]:
    """What earlier runs decided of a group, and what is left; known before anything is loaded."""
    taken, left = list[Decided](), list[Wanted]()
    known = all(member.known for member in group.members)
    for wanted in scenes_of(group, maker):
        found = earlier.of(plan_key=wanted.plan_key) if known else None
        if found is None:
            left.append(wanted)
        else:
            taken.append(carried(group, *found, maker.plan.run_id, wanted.plan_key))
    return taken, left


def _made(group: Group, left: Sequence[Wanted], maker: Maker, earlier: Earlier) -> Iterator[Decided]:
    refusal = _refusal(group, maker)
    jobs, causes = ((), (refusal,)) if refusal else _products(group, maker.row_steps)
    jobs = jobs or tuple(Job(product) for product in group.products)
    for wanted in left:
        scene = _begin(group, jobs, wanted, maker)
        found = earlier.of(content_key=scene.lead.content_key)
        if found is not None:
            yield carried(group, *found, maker.plan.run_id, wanted.plan_key)
            continue
        ended = SceneEnded(scene, causes) if causes else run_scene(scene, maker.scene_steps)
        yield decided(group, ended, maker.plan.run_id, wanted.plan_key)


def _refusal(group: Group, maker: Maker) -> Cause | None:
    try:
        check_group(group, group.placements(maker.plan))
    except (GroupError, Refusal) as error:
        return Cause("plan", error)
    return None


def _products(group: Group, steps: tuple[RowStep, ...]) -> tuple[tuple[Job, ...], tuple[Cause, ...]]:
    """Every product as far as it came alone, and what ended some; the first that another run may help comes first.

    All are looked at, so that one night says all that is wrong with a group.
    """
    ended = [run_steps(Job(member.product), (*member.work.steps, *steps)) for member in group.members]
    causes = [_cause(each, number) for number, each in enumerate(ended) if each.cause is not None]
    causes.sort(key=lambda cause: not (isinstance(cause.error, CanvasError) and cause.error.retryable))
    return tuple(each.job for each in ended), tuple(causes)


def _cause(ended: Ended, number: int) -> Cause:
    assert ended.cause is not None
    return Cause(ended.stage, ended.cause, number)


def _begin(group: Group, jobs: tuple[Job, ...], wanted: Wanted, maker: Maker) -> SceneJob:
    """The scene that its steps start from, with its content key where every source is loaded."""
    first = group.products[0]
    seed, attempt = wanted.wish.seed(wanted.seed), wanted.wish.attempt
    product = replace(first, product_id=group.name, title="", prompt=group.prompt, seed=seed, attempt=attempt)
    product = replace(product, own_seed=bool(maker.seeds))
    key = _content_key(group, jobs, wanted, maker)
    lead = Job(
        product,
        task="background",
        placement=wanted.placement,
        content_key=key,
        models=maker.models,
        uris={"engine": maker.engine},
    )
    standing = not key or group.pose == "standing"
    own = tuple(replace(job, placement=wanted.placement, models=maker.models) for job in jobs)
    return SceneJob(lead, own, tuple(_heights(group)), group.prompts, wanted.seed, standing)


def _content_key(group: Group, jobs: Sequence[Job], wanted: Wanted, maker: Maker) -> str:
    digests = [job.image.facts.digest for job in jobs if job.image is not None and job.cutout is not None]
    if len(digests) < len(jobs):
        return ""
    return content_key(
        {
            "scene": (group.advertiser_id, group.name),
            "sources": digests,
            "products": [job.product.product_id for job in jobs],
            "words": [(job.product.title, job.product.product_category) for job in jobs],
            "heights": _heights(group),
            "prompts": group.prompts,
            "pose": group.pose,
            "pipeline": results_version(),
            "placement": wanted.placement,
            "config": maker.plan.config_digest,
            "engine": maker.engine,
            "models": maker.models,
            "seed": wanted.wish.seed(wanted.seed),
            **({"attempt": wanted.wish.attempt} if wanted.wish.attempt else {}),
            "own_seed": bool(maker.seeds),
        }
    )


def _heights(group: Group) -> list[float | None]:
    return [member.height for member in group.members]


def decide_all(
    groups: Sequence[Group],
    maker: Maker,
    earlier: Earlier,
    *,
    tally: Tally,
    budget: ByteBudget,
    concurrency: int,
    kept: Callable[[Sequence[Decided]], None],
) -> list[Decided]:
    """Decide all groups, several at once, until the tally says stop; from then on only what is settled is taken over.

    Args:
        kept: is given what was decided of a group as soon as it is; called from one thread.
    """

    def work(group: Group) -> list[Decided]:
        if tally.stop_reason:
            # what is there stays in the tables, and in what is delivered
            return settled(group, maker, earlier)[0]
        with lease_of(budget, GroupLease):
            return list(decide(group, maker, earlier))

    done: list[Decided] = []
    with ThreadPoolExecutor(concurrency, thread_name_prefix="group") as pool:
        try:
            for future in as_completed([pool.submit(work, group) for group in groups]):
                found = future.result()
                if not found:
                    continue
                for each in found:
                    tally.add(each.outcome)
                kept(found)
                done += found
        except BaseException:
            # what cannot be kept would be made for nothing
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return done
