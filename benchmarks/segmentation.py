"""How good are the masks? Network alone against the whole stage; `fit_mask_gate` asks whether the gate knows it.

    python -m benchmarks.segmentation --renders DIR --street DIR --rows rows.jsonl [--composed DIR]

`--renders` holds <product>/{white,plain,scene}.jpg and alpha.png (see `render_products`), `--street` a checkout of
clothing-co-parsing with photos/ and annotations/pixel-level/ (reading its .mat files needs scipy): every sixth
photograph is measured, and with `--composed` as many others, for fitting only. `--composed` holds cutouts of
`models.data.cutouts` of products that no network was trained on, that are composed before drawn backdrops. Every
picture's figures go to `--rows`, which `fit_mask_gate` reads; a picture that is there already is not measured again.
`--candidate` names a file of `models.export.segmenter`, whose one look is measured beside the served
networks' first ones. With none of these folders the tables of all `--rows` are printed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha1
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.local_models import local_client
from models.data.compositions import compose
from models.data.cutouts import read_layers
from transforms.errors import Rejected
from transforms.inference.interface import InferenceClient
from transforms.looks import look
from transforms.ops.human import open_session
from transforms.ops.mask_metrics import boundary_iou, iou, mean_absolute_error, s_measure
from transforms.ops.masks import resized
from transforms.records import Cutout, Matte, Pixels, Size
from transforms.segment import SegmentLimits, check_cutout, finish, join, refine

GOOD_IOU = 0.9
_SIDE = 320  # pixels of what a candidate is sent
_COMPOSING, _COMPOSED_SIDE = 9, 384  # seed and pixels of composed pictures
_METRICS = ("iou", "mae", "boundary_iou", "s_measure")


class Sample(NamedTuple):
    """A picture with its true matte, read when needed. `group` decides the split: one product, one side."""

    key: str
    group: str
    backdrop: str
    read: Callable[[], tuple[Pixels, Matte]]
    split: str = ""


def main() -> None:
    """Measure what is not measured yet, then print the tables."""
    args = _arguments()
    samples = [*rendered(args.renders), *street(args.street, args.street_step)]
    if args.composed:
        more = street(args.street, args.street_step, start=args.street_step // 2)
        samples += [*composed(args.composed, args.compositions), *(one._replace(split="tuning") for one in more)]
    candidate = open_session(args.candidate.read_bytes()) if args.candidate else None
    rows = measured(samples, args.rows, local_client(), candidate)
    keys = {sample.key for sample in samples} or {row["key"] for row in rows}
    print_tables([row for row in rows if row["key"] in keys])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--renders", type=Path, help="folder of rendered products")
    parser.add_argument("--street", type=Path, help="checkout of clothing-co-parsing")
    parser.add_argument("--street-step", type=int, default=6, help="take every n-th street photograph")
    parser.add_argument("--composed", type=Path, help="cutouts of products that no network saw")
    parser.add_argument("--compositions", type=int, default=90, help="pictures composed of them (default %(default)s)")
    parser.add_argument("--candidate", type=Path, help="an exported network that might take the served one's place")
    parser.add_argument("--rows", type=Path, required=True, help="JSON lines, one a picture; appended to")
    return parser.parse_args()


def rendered(folder: Path | None) -> Iterator[Sample]:
    """The rendered products under `folder`."""
    finished = [path for path in folder.glob("*/alpha.png") if path.parent.suffix != ".partial"] if folder else []
    for alpha in sorted(finished):
        for backdrop in ("white", "plain", "scene"):
            picture = alpha.with_name(f"{backdrop}.jpg")
            if picture.exists():
                name = alpha.parent.name
                yield Sample(f"{name}/{backdrop}", name, backdrop, lambda a=alpha, p=picture: read_render(p, a))  # type: ignore[misc]


def street(folder: Path | None, step: int, start: int = 0) -> Iterator[Sample]:
    """Every `step`-th annotated street photograph under `folder`, from number `start`."""
    annotations = sorted((folder / "annotations" / "pixel-level").glob("*.mat")) if folder else []
    for mat in annotations[start::step]:
        photo = folder / "photos" / f"{mat.stem}.jpg"  # type: ignore[operator]
        yield Sample(f"street/{mat.stem}", mat.stem, "street", lambda m=mat, p=photo: _read_street(p, m))  # type: ignore[misc]


def composed(folder: Path, count: int) -> Iterator[Sample]:
    """`count` pictures of the cutouts under `folder`."""
    paths = sorted(folder.glob("*.webp"))
    for number in range(count):
        path = paths[number % len(paths)]
        yield Sample(
            f"composed/{number}",
            path.name.split(".")[0],
            "composed",
            lambda p=path, n=number: _compose(p, n),  # type: ignore[misc]
        )


def _compose(path: Path, number: int) -> tuple[Pixels, Matte]:
    rng = np.random.Generator(np.random.Philox(key=[_COMPOSING, number]))
    sample = compose(rng, read_layers(path), _COMPOSED_SIDE, [])
    return sample.pixels, sample.alpha


def measured(
    samples: Iterable[Sample], path: Path, client: InferenceClient, candidate: Any = None
) -> list[dict[str, Any]]:
    """The rows of `path`, after those of `samples` that it lacks were measured and appended."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    known = {row["key"] for row in rows}
    with path.open("a", encoding="utf-8") as file:
        for sample in samples:
            if sample.key not in known:
                pixels, truth = sample.read()
                row = measure(sample, pixels, truth, client)
                rows.append(row | ({"candidate": _figures(_look_of(candidate, pixels), truth)} if candidate else {}))
                file.write(json.dumps(rows[-1]) + "\n")
                file.flush()
    return rows


def measure(sample: Sample, pixels: Pixels, truth: Matte, client: InferenceClient) -> dict[str, Any]:
    """One picture's figures: each network's first look alone, the whole stage, and the gate's measures."""
    looks = look(pixels, client)
    cutout = finish(pixels, refine(join(pixels, looks), client), client)
    own, other = (resized(seen, Size(*pixels.shape[:2])) for seen in (looks.full, looks.other))
    return {
        "key": sample.key,
        "group": sample.group,
        "backdrop": sample.backdrop,
        "split": sample.split or split_of(sample.group),
        "u2netp": _figures(other, truth),
        "network": _figures(own, truth),
        "stage": _figures(cutout.alpha, truth),
        "shapeless": _is_shapeless(cutout),
        "measures": {name: value for name, value in cutout.scores.items() if name != "mask_quality"},
    }


def _is_shapeless(cutout: Cutout) -> bool:
    """True where the stage refuses a cutout whatever its quality: too little, too much, or in pieces."""
    try:
        check_cutout(cutout, SegmentLimits(min_mask_quality=0.0), pasted=True)
    except Rejected:
        return True
    return False


def _look_of(session: Any, pixels: Pixels) -> Matte:
    """One look of an exported network at the whole picture, float32 [H, W]."""
    small = cv2.resize(pixels, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    answer = session.run(None, {"images": np.ascontiguousarray(small.transpose(2, 0, 1)[None])})[0][0, 0]
    return resized(answer, Size(*pixels.shape[:2]))


def split_of(group: str) -> str:
    """`tuning` or `held_out`, half and half by the name's digest."""
    return "tuning" if sha1(group.encode()).digest()[0] % 2 else "held_out"


def _figures(alpha: Matte, truth: Matte) -> dict[str, float]:
    mask, real = alpha >= 0.5, truth >= 0.5
    figures = (iou(mask, real), mean_absolute_error(alpha, truth), boundary_iou(mask, real, width_share=0.005))
    return dict(zip(_METRICS, (*figures, s_measure(np.clip(alpha, 0, 1), real)), strict=True))


def read_render(picture: Path, alpha: Path) -> tuple[Pixels, Matte]:
    truth = cv2.imread(str(alpha), cv2.IMREAD_UNCHANGED)
    truth = truth[..., -1] if truth.ndim == 3 else truth
    return _read_rgb(picture), truth.astype(np.float32) / np.float32(np.iinfo(truth.dtype).max)


def _read_street(photo: Path, mat: Path) -> tuple[Pixels, Matte]:
    from scipy.io import loadmat

    labels: NDArray[np.uint8] = loadmat(mat)["groundtruth"]
    return _read_rgb(photo), (labels > 0).astype(np.float32)


def _read_rgb(path: Path) -> Pixels:
    return np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1])


def print_tables(rows: list[dict[str, Any]]) -> None:
    """The first table of docs/segmentation.md, as Markdown."""
    print("| backdrop | pictures | by | IoU | MAE | boundary IoU | S-measure | IoU < 0.9 |")
    print("|---|---|---|---|---|---|---|---|")
    for backdrop in ("white", "plain", "scene", "street", "composed"):
        chosen = [row for row in rows if row["backdrop"] == backdrop]
        for by in [name for name in ("u2netp", "network", "candidate", "stage") if chosen and name in chosen[0]]:
            means = [float(np.mean([row[by][name] for row in chosen])) for name in _METRICS]
            poor = float(np.mean([row[by]["iou"] < GOOD_IOU for row in chosen]))
            cells = " | ".join(
                f"{mean:.3f}" if name != "mae" else f"{mean:.4f}" for name, mean in zip(_METRICS, means, strict=True)
            )
            print(f"| {backdrop} | {len(chosen)} | {by} | {cells} | {poor:.0%} |")


if __name__ == "__main__":
    main()
