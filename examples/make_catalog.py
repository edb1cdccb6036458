"""Renders the example catalog: product photographs, a manifest, and what to expect of every row.

    python -m examples.make_catalog --furniture DIR --out examples/catalog

`DIR` holds the unpacked furniture libraries of Sweet Home 3D (Debian package sweethome3d-furniture, each `.sh3f`
unzipped into a folder of its own). Needs `bpy==5.0.1` for the renders only; a render that exists is not made again.
"""

from __future__ import annotations

import argparse
import logging
import zlib
from collections.abc import Mapping
from pathlib import Path

from examples import catalog_files as files
from examples.catalog_rows import COLLAGE_OF, IMAGES, MISSING, write_expected, write_manifest, write_readme
from examples.catalog_takes import TAKES
from models.data.furniture import CC0, FurnitureModel, by_name, read_libraries
from models.data.render import render

_LOG = logging.getLogger("make_catalog")


def main() -> None:
    """Render what is missing, then write every file of the catalog anew."""
    args = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    models = by_name(tuple(model for model in read_libraries(args.furniture) if model.licence == CC0))
    (args.out / "images").mkdir(parents=True, exist_ok=True)
    for image, (take, write) in IMAGES.items():
        source = _render(take, models, args.renders, args.seed, args.threads)
        write(source, args.out / "images" / image)
    _write_others(args.out / "images", args.renders)
    write_manifest(args.out / "manifest.parquet")
    write_expected(args.out / "expected.csv")
    write_readme(args.out, models)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--furniture", type=Path, required=True, help="folder of unpacked furniture libraries")
    parser.add_argument("--out", type=Path, default=Path("examples/catalog"), help="the catalog's folder")
    parser.add_argument("--renders", type=Path, default=Path("build/catalog_renders"), help="raw renders, kept")
    parser.add_argument("--seed", type=int, default=0, help="of the renderer's noise")
    parser.add_argument("--threads", type=int, default=2, help="of the renderer")
    return parser.parse_args()


def _render(take: str, models: Mapping[str, FurnitureModel], folder: Path, seed: int, threads: int) -> Path:
    """Return the render of `take`, made now unless it exists; never leaves half a file."""
    done = folder / f"{take}.png"
    if not done.exists():
        partial = folder / f"{take}.partial.png"
        shot = TAKES[take].shot(models, seed + zlib.crc32(take.encode()) % 10_000)
        render(shot, partial, depth=16 if take == "plastic_chair" else 8, threads=threads)
        partial.replace(done)
        _LOG.info("rendered %s", take)
    return done


def _write_others(images: Path, renders: Path) -> None:
    """Write the files that are no single photograph."""
    files.write_collage([renders / f"{take}.png" for take in COLLAGE_OF], images / "collage.jpg")
    files.write_pattern(images / "fabric_swatch.jpg")
    files.write_text(images / "not_an_image.jpg")
    if (images / MISSING).exists():
        raise FileExistsError(f"{images / MISSING}: its manifest row must point at nothing")


if __name__ == "__main__":
    main()
