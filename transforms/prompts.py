"""The words that a product is painted with when its row brings none: by category, from plain to lifestyle.

The words are the painters' common language: a procedural painter reads colours, light, surface and pose out of them,
a diffusion painter reads them whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from transforms.records import Product
from transforms.rooms import asks_for_any, spot_of

STANDING, HUNG, FLAT = "standing on the floor", "hung on the wall", "flat lay"
_POSES = re.compile(r"\b(standing|hung|hanging|wall-mounted|pendant|flat|flatlay|overhead)\b")


@dataclass(frozen=True)
class Category:
    """A kind of product.

    Attributes:
        name: for the index.
        words: separated by commas, singular; any of them in category or title makes a product one of this kind.
        pose: how it is held, in the words that painters know.
        prompts: from plain to lifestyle.
    """

    name: str
    words: str
    pose: str
    prompts: tuple[str, ...]


_PLAIN = "seamless studio backdrop, soft even light"
_TONES = "two-tone studio set, tabletop with a soft horizon, soft light"
_AIRY = "airy seamless studio backdrop, bright soft light"
_MORNING = "plaster wall, soft morning light through a window"
_ELEGANT = "elegant studio set, soft key light from the side"

# The first category with a matching word wins, so the narrow ones stand before the broad ones.
CATEGORIES: tuple[Category, ...] = (
    Category(
        "wall",
        "clock, mirror, painting, poster, print, frame, tapestry, sconce, wall light, wall lamp, wall art, wall decor, "
        "wall shelf, dartboard, coat rack, towel",
        HUNG,
        ("plain studio wall, soft light", "plaster wall, soft light", _MORNING, "muted wall, warm light"),
    ),
    Category(
        "pendant",
        "chandelier, pendant, pendant lamp, ceiling lamp, ceiling light, ceiling fan",
        HUNG,
        ("plain studio wall, soft light", "plaster wall, soft light", "muted wall, warm evening light", _AIRY),
    ),
    Category(
        "footwear",
        "shoe, boot, bootie, sneaker, sandal, heel, loafer, slipper, trainer, footwear",
        STANDING,
        (_PLAIN, _TONES, _AIRY, _MORNING),
    ),
    Category(
        "bag",
        "bag, handbag, backpack, purse, briefcase, suitcase, luggage, tote, wallet",
        STANDING,
        (_PLAIN, _TONES, _ELEGANT, _MORNING),
    ),
    Category(
        "apparel",
        "shirt, t-shirt, tshirt, dress, skirt, trouser, pant, jean, shorts, hoodie, sweater, jacket, coat, blazer, "
        "outwear, outerwear, top, blouse, polo, longsleeve, undershirt, bodysuit, hat, scarf, glove, sock, belt, "
        "apparel, clothing, clothes, garment, swimwear, underwear",
        FLAT,
        (
            "plain paper, soft light",
            "muted pastel paper, soft light",
            "plaster, soft morning light",
            "linen paper, soft window light",
        ),
    ),
    Category(
        "jewellery",
        "ring, necklace, bracelet, earring, jewellery, jewelry, brooch",
        FLAT,
        ("plain paper, soft light", "muted pastel paper, soft light", "plaster, soft morning light", _ELEGANT),
    ),
    Category(
        "beauty",
        "perfume, cosmetic, lipstick, cream, serum, lotion, shampoo, soap, beauty, fragrance",
        STANDING,
        (_PLAIN, "pastel tabletop, soft light", _ELEGANT, "pastel tabletop, soft morning light"),
    ),
    Category(
        "furniture",
        "chair, armchair, sofa, couch, table, stool, bench, desk, bed, cabinet, shelf, bookcase, wardrobe, dresser, "
        "furniture, ottoman, cupboard, crib",
        STANDING,
        (_PLAIN, _TONES, _MORNING, "plaster wall, warm light, soft horizon"),
    ),
    Category(
        "plant",
        "plant, cactus, orchid, flower, succulent, planter, tree",
        STANDING,
        (_PLAIN, _TONES, _MORNING, _AIRY),
    ),
    Category(
        "kitchen",
        "mixer, coffee, kettle, toaster, pan, pot, cup, mug, glass, bottle, bowl, plate, knife, kitchen, blender, "
        "tableware",
        STANDING,
        (_PLAIN, _TONES, _MORNING, _AIRY),
    ),
    Category(
        "electronics",
        "headphone, speaker, phone, camera, laptop, tablet, television, tv, monitor, electronic",
        STANDING,
        (_PLAIN, _ELEGANT, _TONES, _AIRY),
    ),
)
OTHER = Category("other", "", STANDING, (_PLAIN, _TONES, _AIRY, _MORNING))


class Words(NamedTuple):
    """What one candidate is painted with."""

    category: str
    prompts: tuple[str, ...]


def prompts_of(product: Product) -> Words:
    """The prompts of a product, each with its pose: the row's own, else its category's, from plain to lifestyle.

    >>> prompts_of(Product("m", 0, "a", "1", "u", title="Cuckoo clock")).prompts[0]
    'plain studio wall, soft light, hung on the wall'
    """
    category = category_of((product.title, product.product_category))
    own = product.prompt.strip()
    if asks_for_any(own):
        return Words(category.name, _roomy(own, product, category.pose))
    prompts = (own,) if own else category.prompts
    return Words(category.name, tuple(_posed(prompt, category.pose) for prompt in prompts))


def _roomy(prompt: str, product: Product, pose: str) -> tuple[str, ...]:
    """A prompt that leaves the room open, once for each room that fits the product; as it is where none does."""
    spot = spot_of((product.title, product.product_category, product.description))
    if spot.rooms:
        return tuple(_posed(f"{prompt}, {room}", STANDING) for room in spot.rooms)
    return (_posed(prompt, HUNG if spot.name == "wall" else pose),)


def category_of(texts: Iterable[str]) -> Category:
    """The first category that one of the texts names, the more telling text first; `OTHER` where none does."""
    for text in texts:
        tokens = f" {' '.join(_singular(word) for word in re.findall(r'[a-z]+(?:-[a-z]+)*', text.lower()))} "
        for category in CATEGORIES:
            if any(f" {word} " in tokens for word in filter(None, category.words.split(", "))):
                return category
    return OTHER


def _singular(word: str) -> str:
    if word.endswith(("ss", "us")) or len(word) < 4:
        return word
    for plural, singular in (("shes", "sh"), ("ches", "ch"), ("sses", "ss"), ("shelves", "shelf"), ("s", "")):
        if word.endswith(plural):
            return word[: -len(plural)] + singular
    return word


def _posed(prompt: str, pose: str) -> str:
    return prompt if _POSES.search(prompt.lower()) else f"{prompt}, {pose}"
