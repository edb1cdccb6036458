"""The example catalog's manifest, what to expect of each of its rows, and which render each image file comes from."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from examples import catalog_files as files
from examples.catalog_takes import TAKES
from models.data.furniture import FurnitureModel

MISSING = "garden_bench.jpg"
COLLAGE_OF = ("oak_chair", "teddy_bear", "basketball", "banquet_chair")

IMAGES: dict[str, tuple[str, files.Write]] = {
    "oak_chair.jpg": ("oak_chair", files.as_jpeg),
    "cactus.jpg": ("cactus", files.as_jpeg),
    "scene_sofa.jpg": ("scene_sofa", files.as_jpeg),
    "beige_sofa.jpg": ("beige_sofa", files.as_jpeg),
    "coffee_maker.jpg": ("coffee_maker", files.as_jpeg),
    "white_sofa.jpg": ("white_sofa", files.as_jpeg),
    "scene_osaka_chair.jpg": ("scene_osaka_chair", files.as_jpeg),
    "teddy_bear.jpg": ("teddy_bear", files.as_jpeg),
    "basketball.jpg": ("basketball", files.as_jpeg),
    "orchid.jpg": ("orchid", files.as_jpeg),
    "bentwood_chair.jpg": ("bentwood_chair", files.as_jpeg),
    "banquet_chair.webp": ("banquet_chair", files.as_webp),
    "deck_chair.jpg": ("deck_chair", files.as_signed),
    "electric_guitar.jpg": ("electric_guitar", files.as_jpeg),
    "rocking_horse.jpg": ("rocking_horse", files.as_jpeg),
    "cuckoo_clock.jpg": ("cuckoo_clock", files.as_jpeg),
    "oak_table.jpg": ("oak_table", files.as_jpeg),
    "bar_stool.jpg": ("bar_stool", files.as_jpeg),
    "wood_toy.jpg": ("wood_toy", files.as_jpeg),
    "ankle_boots.jpg": ("ankle_boots", files.as_jpeg),
    "green_armchair.tiff": ("green_armchair", files.as_tiff),
    "fire_extinguisher.gif": ("fire_extinguisher", files.as_palette),
    "briefcase_grey.jpg": ("briefcase", files.as_grey),
    "cupcake_palette.png": ("cupcake", files.as_palette),
    "beer_mug.jpg": ("beer_mug", files.as_jpeg),
    "stool_cut.jpg": ("stool_cut", files.as_jpeg),
    "ankle_boots_sale.jpg": ("ankle_boots", files.as_sale),
    "sweater_person.jpg": ("sweater", files.as_jpeg),
    "planter_rotated.jpg": ("planter", files.as_rotated),
    "desk_lamp_cmyk.jpg": ("desk_lamp", files.as_cmyk),
    "plastic_chair_alpha16.png": ("plastic_chair", files.as_is),
    "umbrella_tiny.jpg": ("umbrella", files.as_tiny),
    "barrel_huge.jpg": ("barrel", files.as_huge),
    "crate_truncated.jpg": ("crate", files.as_truncated),
    "scene_couch.jpg": ("scene_couch", files.as_jpeg),
    "scene_dining.jpg": ("scene_dining", files.as_jpeg),
}


_BRANDS = {"nordhaus": "Nordhaus", "casa-verde": "Casa Verde", "kiosk42": "Kiosk 42"}
_TABLE = Path(__file__).with_name("catalog_rows.csv")
_TEXTS = ("advertiser_id", "product_id", "image_uri", "title", "description", "product_category", "brand")
_LISTS = ("placements", "features")
_EXPECTED = ("product_id", "advertiser_id", "outcome", "reason", "except", "task", "note")
SCHEMA = pa.schema(
    [(name, pa.string()) for name in (*_TEXTS, "color", "prompt")]
    + [(name, pa.list_(pa.string())) for name in _LISTS]
    + [("seed", pa.int64())]
)


def read_rows() -> list[dict[str, str]]:
    """Return the table that manifest and expectations are both made from; an empty cell is null."""
    with _TABLE.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def write_manifest(path: Path) -> None:
    """Write the Parquet manifest; images are named relative to its folder."""
    records = [_record(row) for row in read_rows()]
    pq.write_table(pa.Table.from_pylist(records, schema=SCHEMA), path, compression="zstd")


def _record(row: dict[str, str]) -> dict[str, object]:
    record: dict[str, object] = {name: row.get(name) or None for name in SCHEMA.names}
    record |= {name: row[name].split() or None for name in _LISTS}
    record["image_uri"] = f"images/{row['image']}"
    record["brand"] = _BRANDS[row["advertiser_id"]]
    record["description"] = f"{row['title']} in {row['color']}." if row["color"] else None
    record["seed"] = int(row["seed"]) if row["seed"] else None
    return record


def write_expected(path: Path) -> None:
    """Write what each row should end as."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, _EXPECTED, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(read_rows())


def write_readme(folder: Path, models: Mapping[str, FurnitureModel]) -> None:
    """Write the list of images with the models in them, their authors and licences."""
    lines = [_README, "| image | models (author, licence) |", "|---|---|"]
    lines += [f"| images/{image} | {_credits(take, models)} |" for image, (take, _) in IMAGES.items()]
    lines += [f"| images/collage.jpg | {'; '.join(_credits(take, models) for take in COLLAGE_OF)} |"]
    lines += ["| images/fabric_swatch.jpg | drawn by the script |", "| images/not_an_image.jpg | a line of text |"]
    (folder / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _credits(take: str, models: Mapping[str, FurnitureModel]) -> str:
    named = [f"{models[name].name} ({models[name].creator}, {models[name].licence})" for name in TAKES[take].models()]
    return ", ".join(named) or "a person built from primitives by the script"


_README = """# Example catalog

Product photographs of three made-up shops, rendered by this project (`python -m examples.make_catalog`, Cycles), in
the mix that a real feed has: products on white and plain backdrops, products in rooms, and one of every awkward kind.
`manifest.parquet` is the pipeline's input; `expected.csv` says what each of its rows should end as, and why.
One manifest row names a file that does not exist, on purpose.

The 3D models come from the CC0 part of Sweet Home 3D's furniture library (Blend Swap CC-0, Debian package
sweethome3d-furniture 1.8); each model's own licence file was checked. CC0 asks for no attribution; the authors are
named below with thanks. The renders are CC0 as well.
"""
