"""How well the eligibility checks tell fit pictures from unfit ones, on real photographs.

    python -m benchmarks.eligibility --people DIR --garments DIR [--rooms DIR] [--furniture DIR] [--objects DIR]
        [--catalog DIR]

`--people` is clothing-co-parsing, `--garments` clothing-dataset; only their held-out fifth judges the human detector.
`--furniture` is Sweet Home 3D's unpacked libraries. `--objects` is Caltech-101: the categories that nothing was fitted
on, and its faces, judge the detector once more. `--catalog` is any folder of product pictures: what the
stage says of each is printed. The models run in this process, single-threaded. Needs the serving extra.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.fit_human_head import area_under_curve, garment_matte
from benchmarks.human_samples import Sources, fitted, garment_paths, held_out, read, samples, some
from benchmarks.local_models import local_client
from transforms.eligibility import EligibilityLimits, check
from transforms.errors import Skipped
from transforms.inference.interface import InferenceClient
from transforms.ops.collage import count_panels
from transforms.ops.human import HumanDetector
from transforms.ops.pattern import find_pattern
from transforms.ops.sharpness import blur
from transforms.records import TASKS, Job, Pixels, Product, ProductImage, SourceFacts
from transforms.sight import Sight

LIMITS = EligibilityLimits()
OFFERS = ("SALE -50%", "FREE SHIPPING", "New Season", "BUY 1 GET 1")


def main() -> None:
    """Print every section that the given folders allow."""
    arguments = _arguments()
    cv2.setNumThreads(1)
    human = HumanDetector()
    client = local_client(human)
    judge_human(
        human, Sources(arguments.people, arguments.garments, arguments.rooms, arguments.furniture), arguments.each
    )
    if arguments.objects:
        judge_strangers(human, arguments.objects, arguments.each // 4)
    garments = [path for path in garment_paths(arguments.garments, arguments.each) if held_out(path)]
    judge_local(garments[:120])
    judge_text(client, garments[:40])
    judge_stage(client, garments[:60], "garments at home")
    time_checks(client, garments[:15])
    if arguments.catalog:
        judge_catalog(client, arguments.catalog)


def judge_human(detector: HumanDetector, sources: Sources, each: int) -> None:
    """The detector as served (five views) on the held-out fifth."""
    scores: dict[str, list[float]] = defaultdict(list)
    human: dict[str, bool] = {}
    for sample in samples(sources, garment_matte(), each=each, seed=11):
        if sample.held_out:
            scores[sample.kind].append(detector(sample.pixels))
            human[sample.kind] = sample.human
    _print_detector("human detector, held-out fifth", scores, human)


def judge_strangers(detector: HumanDetector, root: Path, each: int) -> None:
    """Caltech-101: faces against objects and animals. Some of its objects are held or worn by people."""
    scores: dict[str, list[float]] = defaultdict(list)
    folders = sorted(path for path in root.rglob("*") if path.is_dir() and any(path.glob("*.jpg")))
    human = {}
    for folder in folders:
        if folder.name != "BACKGROUND_Google" and not fitted(folder.name):
            kind = folder.name if folder.name.startswith("Faces") else "objects and animals"
            human[kind] = kind != "objects and animals"
            for path in some(sorted(folder.glob("*.jpg")), each if human[kind] else 6):
                scores[kind].append(detector(read(path)))
    _print_detector("human detector, Caltech-101, categories that nothing was fitted on", scores, human)


def _print_detector(title: str, scores: dict[str, list[float]], human: dict[str, bool]) -> None:
    values = np.concatenate([scores[kind] for kind in scores])
    truth = np.concatenate([np.full(len(scores[kind]), human[kind]) for kind in scores])
    at_five = float(np.quantile(values[~truth], 0.95))
    print(f"\n## {title}: {truth.sum()} with, {(~truth).sum()} without")
    print(f"AUC {area_under_curve(values, truth):.4f}")
    print(f"recall at 5 % false positives {np.mean(values[truth] > at_five):.3f} (limit {at_five:.3f})")
    for kind in sorted(scores, key=lambda kind: (not human[kind], kind)):
        share = np.mean(np.asarray(scores[kind]) > LIMITS.max_human_score)
        print(f"  {kind:30} {'with   ' if human[kind] else 'without'} {len(scores[kind]):4} called human {share:.3f}")


def judge_local(paths: list[Path]) -> None:
    """Collage, pattern and blur: untouched photographs against ones made unfit."""
    pictures = [read(path) for path in paths]
    print("\n## local checks: share called unfit")
    for name, made in _unfit(pictures):
        panels = np.mean([count_panels(pixels) > LIMITS.max_panels for pixels in made])
        found = [find_pattern(pixels) for pixels in made]
        pattern = np.mean([p.sameness > LIMITS.max_sameness or p.repetition > LIMITS.max_repetition for p in found])
        blurred = np.mean([blur(pixels) > LIMITS.max_blur for pixels in made])
        print(f"  {name:34} {len(made):4} collage {panels:.3f} pattern {pattern:.3f} blurred {blurred:.3f}")


def _unfit(pictures: list[Pixels]) -> Iterator[tuple[str, list[Pixels]]]:
    yield "untouched", pictures
    squares = [_squeezed(pixels, 300) for pixels in pictures]
    gutter = np.full((300, 6, 3), 255, np.uint8)
    pairs = list(zip(squares[::2], squares[1::2], strict=False))
    yield "two with a gutter", [np.hstack([a, gutter, b]) for a, b in pairs]
    yield "two side by side, no gutter", [np.hstack(pair) for pair in pairs]
    yield "two above each other, no gutter", [np.vstack(pair) for pair in pairs]
    yield "tiled 3 x 3", [np.tile(_squeezed(pixels, 150), (3, 3, 1)) for pixels in pictures]
    yield "cloth (centre fifth of a garment)", [_centre(pixels) for pixels in pictures]
    for sigma in (2, 3, 5):
        yield f"blurred, sigma {sigma} px", [cv2.GaussianBlur(pixels, (0, 0), sigma) for pixels in pictures]
    yield "enlarged 5 x", [cv2.resize(_squeezed(p, 160), (800, 800), interpolation=cv2.INTER_CUBIC) for p in pictures]


def judge_text(client: InferenceClient, paths: list[Path]) -> None:
    """Offers written across garments against the same garments, prints and labels included."""
    called: dict[str, list[bool]] = defaultdict(list)
    for number, path in enumerate(paths):
        pixels = read(path)
        for name, picture in (("untouched", pixels), ("with an offer", _offer(pixels, number))):
            sight = Sight(_image(picture), client, LIMITS.max_backdrop_texture)
            around = sight.text_share_around(LIMITS.max_text_share_around)
            called[name].append(around > LIMITS.max_text_share_around or sight.text_share > LIMITS.max_text_share)
            called[f"{name}: any text"].append(sight.text_share > LIMITS.max_text_share_around)
    print("\n## text overlay: share called unfit (any text: without asking where it stands)")
    for name, values in called.items():
        print(f"  {name:30} {len(values):4} {np.mean(values):.3f}")


def judge_stage(client: InferenceClient, paths: list[Path], title: str) -> None:
    """What the whole stage says."""
    ends = Counter(_verdict(client, path)[0] for path in paths)
    print(f"\n## the stage on {len(paths)} {title}")
    for reason, count in ends.most_common():
        print(f"  {reason:24} {count}")


def judge_catalog(client: InferenceClient, root: Path) -> None:
    """What the whole stage says of each picture of a folder."""
    print(f"\n## the stage on {root.name}")
    for path in sorted(path for path in root.rglob("*") if path.suffix.lower() in (".jpg", ".png", ".webp")):
        if cv2.imread(str(path)) is not None:
            reason, detail = _verdict(client, path)
            print(f"  {path.name:34} {reason:16} {detail}")


def _verdict(client: InferenceClient, path: Path) -> tuple[str, str]:
    pixels = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    job = Job(Product("", 0, "", "", path.name, features=TASKS), image=_image(pixels))
    try:
        done = check(job, client, LIMITS)
    except Skipped as end:
        return end.reason, f"{end.detail}: {end.value} against {end.limit}"
    return done.task, " ".join(f"{name} {value:.3f}" for name, value in done.scores.items())


def time_checks(client: InferenceClient, paths: list[Path]) -> None:
    """CPU milliseconds of each measure at 1200 px."""
    names = ("backdrop", "panels", "pattern", "blur", "human_score", "unsafe_score", "coarse", "colored", "text_share")
    spent: dict[str, list[float]] = defaultdict(list)
    for path in paths:
        sight = Sight(_image(_enlarged(read(path), 1200)), client, LIMITS.max_backdrop_texture)
        for name in names:
            started = time.process_time()
            getattr(sight, name)
            spent[name].append((time.process_time() - started) * 1000)
    print("\n## CPU ms of a measure, median and worst, 1200 px")
    for name, values in spent.items():
        print(f"  {name:14} {np.median(values):6.0f} {max(values):6.0f}")


def _offer(pixels: Pixels, number: int) -> Pixels:
    """`pixels` with an offer in one of three faces, at the top or the bottom."""
    face = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)[number % 3]
    color = ((255, 0, 0), (255, 255, 255), (20, 20, 20))[number // 2 % 3]
    height, width = pixels.shape[:2]
    at = (int(width * 0.06), int(height * (0.1 if number % 2 else 0.95)))
    scale = width / 400 * (0.7 + number % 3 * 0.3)
    return cv2.putText(pixels.copy(), OFFERS[number % 4], at, face, scale, color, 2, cv2.LINE_AA)


def _image(pixels: Pixels) -> ProductImage:
    return ProductImage(pixels, SourceFacts("", 0, "jpeg", "RGB"))


def _squeezed(pixels: Pixels, side: int) -> Pixels:
    return cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)


def _enlarged(pixels: Pixels, side: int) -> Pixels:
    scale = side / max(pixels.shape[:2])
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def _centre(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    return pixels[int(height * 0.4) : int(height * 0.6), int(width * 0.4) : int(width * 0.6)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, required=True, help="clothing-co-parsing: photos/ and annotations/")
    parser.add_argument("--garments", type=Path, required=True, help="clothing-dataset: images/ and images.csv")
    parser.add_argument("--rooms", type=Path, help="interiors without people, *.jpg")
    parser.add_argument("--furniture", type=Path, help="unpacked Sweet Home 3D libraries (.sh3f), a folder each")
    parser.add_argument("--objects", type=Path, help="Caltech-101, a folder a category")
    parser.add_argument("--catalog", type=Path, help="product pictures to list the verdicts of")
    parser.add_argument("--each", type=int, default=400, help="source pictures of a set at most")
    return parser.parse_args()


if __name__ == "__main__":
    main()
