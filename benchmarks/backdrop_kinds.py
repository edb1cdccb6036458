"""Which photographs count as a product before a studio's ground, and which as a real scene.

    python -m benchmarks.backdrop_kinds --scenes DIR --studios DIR [--count 900]

Prints, for each folder (with all below it), how many pictures one smooth colour field explains, how rough their borders
are, and how many go to the `background` task. `--scenes` holds photographs taken at home, on floors, walls and beds;
`--studios` products on sheets and in light tents. Files with an informative alpha are left out.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from transforms.eligibility import EligibilityLimits
from transforms.inference.fake import FakeClient
from transforms.ops.decode import DecodeLimits, decode
from transforms.ops.seamless import border_texture, is_white
from transforms.records import ProductImage
from transforms.sight import Sight

_LIMIT = EligibilityLimits().max_backdrop_texture
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def main() -> None:
    """Print one block for each folder."""
    arguments = _arguments()
    for name, root in (("scenes", arguments.scenes), ("studios", arguments.studios)):
        judge(name, [Sight(image, FakeClient(), _LIMIT) for image in images(root, arguments.count, arguments.name)])


def judge(name: str, sights: list[Sight]) -> None:
    """How many are plain, and how far from the limit the nearest are."""
    smooth = [sight for sight in sights if sight.backdrop.plain]
    colored = [border_texture(sight.small, sight.backdrop) for sight in smooth if not is_white(sight.backdrop)]
    print(f"\n## {name}: {len(sights)} pictures")
    print(f"  explained by one colour field {len(smooth)}, of these white {len(smooth) - len(colored)}")
    print(f"  go to background {sum(sight.is_plain for sight in sights)}")
    if colored:
        quantiles = " ".join(f"{value:.2f}" for value in np.quantile(colored, (0.0, 0.05, 0.5, 0.95, 1.0)))
        print(f"  texture of the others: least, 5 %, median, 95 %, most: {quantiles} (limit {_LIMIT})")


def images(root: Path, count: int, pattern: str) -> Iterator[ProductImage]:
    """Up to `count` decoded pictures below `root`, in an order of their own."""
    paths = sorted(path for path in root.rglob(pattern) if path.suffix.lower() in _SUFFIXES)
    random.Random(3).shuffle(paths)
    for path in paths[:count]:
        image = decode(path.read_bytes(), DecodeLimits())
        if image.alpha is None:
            yield image


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=Path, required=True)
    parser.add_argument("--studios", type=Path, required=True)
    parser.add_argument("--name", default="*", help="pattern of the files' names")
    parser.add_argument("--count", type=int, default=900, help="pictures of a folder at most")
    return parser.parse_args()


if __name__ == "__main__":
    main()
