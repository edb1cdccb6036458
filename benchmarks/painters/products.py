"""Held-out products as the background stage meets them: a shot on white with its exact mask."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from models.data.training_set import read_rgb
from transforms.errors import ConfigError
from transforms.ops.masks import bounding_box
from transforms.ops.matting import estimate_foreground
from transforms.placements import PLACEMENTS
from transforms.records import Cutout, Job, Matte, Pixels, Product, ProductImage, Size, SourceFacts

# Half of pinterest_standard: renders of some 300 to 500 pixels are not stretched to fill it.
PLACEMENT = replace(PLACEMENTS["pinterest_standard"], name="pinterest_half", size=Size(750, 500))
_RGBA = (".png", ".webp")


def products_of(folders: Sequence[Path]) -> list[Path]:
    """One picture a product: `<product>/white.jpg` as `render_products` writes them, or RGBA files; sorted.

    Raises:
        ConfigError: a folder holds neither.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        shots = sorted(p for p in folder.glob("*/white.jpg") if p.parent.suffix != ".partial")
        cutouts = sorted(p for p in folder.glob("*") if p.suffix in _RGBA and not p.stem.endswith(".shadow"))
        if not shots and not cutouts:
            raise ConfigError(
                f"--products {folder} holds no product",
                remedy="give folders of <product>/white.jpg with alpha.png, or of RGBA pictures",
            )
        for path in (*shots, *cutouts):
            found.setdefault(key_of(path), path)
    return [found[key] for key in sorted(found)]


def key_of(path: Path) -> str:
    """The product's name: of its folder, or of its file without number and ending."""
    return path.parent.name if _is_shot(path) else path.name.split(".")[0]


def _is_shot(path: Path) -> bool:
    """Whether it is a picture as `render_products` writes them, with its mask beside it, and no RGBA cutout."""
    return path.suffix == ".jpg"


def title_of(path: Path) -> str:
    """What the product is called, in lower case."""
    about = path.with_name("about.json")
    if _is_shot(path) and about.exists():
        return str(json.loads(about.read_text(encoding="utf-8"))["name"]).lower()
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key_of(path).split("__")[-1])
    return words.replace("_", " ").lower()


def product_job(path: Path, prompt: str, seed: int) -> Job:
    """A segmented job of the background stage; its mask is the file's own, so that painters alone are compared."""
    key, title = key_of(path), title_of(path)
    pixels, alpha, foreground = _shot(path) if _is_shot(path) else _cutout(path)
    mask = alpha > 0.5
    product = Product("", 0, "benchmark", key, str(path), title=title, prompt=prompt, seed=seed_of(key, seed))
    cutout = Cutout(foreground, alpha, mask, bounding_box(mask))
    facts = SourceFacts(key, 0, "png", "RGB")
    return Job(product, image=ProductImage(pixels, facts), task="background", cutout=cutout, placement=PLACEMENT)


def seed_of(key: str, seed: int) -> int:
    """An input's own seed: the same for every painter."""
    return zlib.crc32(f"{seed}:{key}".encode())


def drawn(paths: Sequence[Path], seed: int) -> Iterator[Path]:
    """All of them in a seeded order: a longer run only adds to a shorter one."""
    for number in np.random.default_rng([seed, 23]).permutation(len(paths)):
        yield paths[number]


def _shot(path: Path) -> tuple[Pixels, Matte, Pixels]:
    pixels = read_rgb(path)
    grey = cv2.imread(str(path.with_name("alpha.png")), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise ConfigError(f"{path.with_name('alpha.png')} cannot be read", remedy="render the product again")
    alpha = np.asarray(grey, np.float32) / np.float32(255)
    return pixels, alpha, estimate_foreground(pixels, alpha)


def _cutout(path: Path) -> tuple[Pixels, Matte, Pixels]:
    rgba = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if rgba is None or rgba.ndim != 3 or rgba.shape[2] != 4:
        raise ConfigError(f"{path} is no RGBA picture", remedy="give cutouts with straight alpha")
    foreground = np.ascontiguousarray(rgba[..., 2::-1]).astype(np.uint8)
    alpha = rgba[..., 3].astype(np.float32) / np.float32(255)
    over = foreground * alpha[..., None] + 255 * (1 - alpha[..., None])
    return np.rint(over).astype(np.uint8), alpha, foreground
