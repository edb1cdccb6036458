"""Prompts and captions by the thousand, written from word lists: what a text encoder of this project must tell apart.

Sentence `n` of a seed is always the same. Some products are `reserved`: only sentences for measuring speak of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from zlib import crc32

import numpy as np

from transforms.ops.papers import COLOURS, PAPERS
from transforms.prompt_table import FLAT, HUNG, STANDING, shipped

Rng = np.random.Generator

_MATERIALS = "oak,walnut,pine,birch,beech,bamboo,rattan,wicker,leather,velvet,linen,cotton,wool,denim,silk,steel,brass,copper,iron,chrome,marble,glass,ceramic,porcelain,plastic,rubber,canvas,suede,bouclé,felt,jute,cork,paper,concrete,stone,terracotta,enamel"  # noqa: E501
_FLOORS = "oak floor,walnut parquet,herringbone parquet,light wood planks,dark wood planks,white tiles,terracotta tiles,checkered tiles,slate tiles,polished concrete,terrazzo,marble floor,beige carpet,grey carpet,woven jute rug,linoleum,painted boards,stone floor,wooden tabletop,marble tabletop,wooden shelf,white shelf,desk,kitchen counter,grass,gravel,sand"  # noqa: E501
_WALLS = "plaster wall,painted wall,brick wall,white brick wall,concrete wall,panelled wall,wainscoting,striped wallpaper,floral wallpaper,tiled wall,stone wall,wood panelling,slatted wall,linen curtain,studio wall,seamless paper,limewash wall,stucco wall,wall with a window,wall with framed prints,bookshelves"  # noqa: E501
_ROOMS = "living room,bedroom,kitchen,dining room,bathroom,hallway,home office,nursery,loft,studio,attic,patio,balcony,garden,terrace,showroom,boutique,cafe,library,workshop"  # noqa: E501
_LIGHTS = "soft even light,soft light,bright soft light,soft morning light,soft morning light through a window,warm evening light,golden hour light,hard sunlight,soft key light from the side,light from the left,light from the right,cool daylight,overcast daylight,candlelight,lamp light,moody low light,dramatic light,backlight,soft window light,warm light,cold light"  # noqa: E501
_STYLES = "minimalist,modern,rustic,scandinavian,industrial,vintage,mid-century,bohemian,classic,elegant,cosy,airy,luxurious,playful,coastal,farmhouse,japanese,art deco,plain,tidy"  # noqa: E501
_CLUTTER = "a plant,two plants,a stack of books,a vase of flowers,a rug,a standing lamp,a basket,a framed picture,a mug,a bowl of fruit,a throw blanket,cushions,a candle,a clock,a mirror,shoes,toys,nothing else"  # noqa: E501
_TONES = "pale,light,deep,dark,muted,dusty,pastel,bright,rich,warm,cool,vivid,soft"
_TITLE = "handmade,set of 2,set of four,large,small,mini,outdoor,indoor,foldable,adjustable,upholstered,women's,men's,kids,waterproof,classic,premium,recycled,lightweight,round,square,oval,tall,low,wide,wall-mounted,portable,electric,solid,woven,quilted,striped,patterned"  # noqa: E501
_MORE = "armchair,rocking chair,bar stool,sideboard,coffee table,side table,console table,nightstand,bunk bed,chest of drawers,floor lamp,table lamp,desk lamp,rug,cushion,curtain,vase,candle holder,basket,teapot,cutting board,frying pan,saucepan,espresso machine,wine glass,carafe,lunch box,watch,sunglasses,umbrella,bicycle,skateboard,tent,guitar,piano,violin,drum,teddy bear,doll,toy car,puzzle,book,notebook,pen,printer,keyboard,mouse,game console,drone,vacuum cleaner,iron,fan,heater,washing machine,dishwasher,refrigerator,oven,microwave,sink,bathtub,shower,toilet,faucet,door,fireplace,aquarium,pet bed,dog leash,ladder,toolbox,drill,hammer,lawn mower,barbecue,hammock,parasol,swing,box,barrel,cart,statue,globe,trophy"  # noqa: E501

MATERIALS, FLOORS, WALLS, ROOMS, LIGHTS = (
    tuple(words.split(",")) for words in (_MATERIALS, _FLOORS, _WALLS, _ROOMS, _LIGHTS)
)
STYLES, CLUTTER, TONES, TITLE = (tuple(words.split(",")) for words in (_STYLES, _CLUTTER, _TONES, _TITLE))
HUES = tuple(sorted(COLOURS))
_POSES = (STANDING, HUNG, FLAT)
_PREFIXES = ("background", "outpaint", "super_resolution", "scene_synthesis", "image_to_motion", "text to image")


@cache
def products() -> tuple[str, ...]:
    """What sentences speak of: what the table of prompts names, and more."""
    named = (word for category in shipped().categories for word in category.words)
    return tuple(dict.fromkeys((*named, *_MORE.split(","))))


@cache
def reserved() -> tuple[str, ...]:
    """The products of which only sentences for measuring speak."""
    return tuple(name for name in products() if name not in ROOMS and crc32(name.encode()) % 10 == 0)


@cache
def _prompts() -> tuple[str, ...]:
    table = shipped()
    return tuple(dict.fromkeys(prompt for category in (*table.categories, table.other) for prompt in category.prompts))


@dataclass(frozen=True)
class Facts:
    """What a sentence may speak of; `place` is a wall or a floor with its colour, `second` another product."""

    product: str
    second: str
    colour: str
    wall_colour: str
    material: str
    wall: str
    floor: str
    room: str
    light: str
    style: str
    clutter: str
    tone: str
    pose: str
    title: str


def draw_facts(rng: Rng, names: Sequence[str]) -> Facts:
    """Independent draws from the lists; products out of `names`."""

    def one(words: Sequence[str]) -> str:
        return words[int(rng.integers(len(words)))]

    hues = HUES if rng.random() < 0.6 else tuple(PAPERS)
    return Facts(
        product=one(names),
        second=one(names),
        colour=one(hues),
        wall_colour=one(hues),
        material=one(MATERIALS),
        wall=one(WALLS),
        floor=one(FLOORS),
        room=one(ROOMS),
        light=one(LIGHTS),
        style=one(STYLES),
        clutter=one(CLUTTER),
        tone=one(TONES),
        pose=one(_POSES),
        title=one(TITLE),
    )


_SENTENCES: tuple[Callable[[Facts], str], ...] = (
    lambda f: f"a {f.colour} {f.product}",
    lambda f: f"{f.product}",
    lambda f: f"{f.title} {f.material} {f.product}, {f.colour}",
    lambda f: f"{f.wall_colour} {f.wall}, {f.light}, {f.pose}",
    lambda f: f"{f.tone} {f.wall_colour} studio backdrop, {f.light}",
    lambda f: f"{f.wall_colour} seamless paper, {f.light}, {f.pose}",
    lambda f: f"{f.floor}, {f.wall_colour} {f.wall}, {f.light}",
    lambda f: f"{f.style} {f.room}, {f.light}",
    lambda f: f"a {f.product} on {f.floor}",
    lambda f: f"a {f.product} before a {f.wall_colour} {f.wall}",
    lambda f: f"a {f.colour} {f.product} before a {f.wall_colour} {f.wall}, on {f.floor}, {f.light}",
    lambda f: f"a {f.colour} {f.material} {f.product} in a {f.style} {f.room} with a {f.wall_colour} {f.wall}",
    lambda f: f"{f.style} {f.room} with {f.floor}, {f.wall_colour} {f.wall} and {f.clutter}, {f.light}",
    lambda f: f"a {f.product} and a {f.second} in a {f.room}",
    lambda f: f"a {f.colour} {f.product} beside a {f.second} on {f.floor}, {f.light}",
    lambda f: f"photograph of a {f.material} {f.product}, {f.tone} {f.wall_colour} background",
    lambda f: f"{f.product} {f.pose}, {f.light}, with {f.clutter}",
    lambda f: f"{f.tone} {f.wall_colour} wall, {f.floor}",
    lambda f: f"the {f.product} stands on {f.floor} in front of {f.wall_colour} {f.wall}; {f.clutter}; {f.light}",
    lambda f: f"{f.wall_colour}",
    lambda f: f"{f.light}",
    lambda f: f"{f.colour} {f.material} {f.product} for {f.room}",
)


def write_sentence(seed: int, number: int, names: Sequence[str] = ()) -> str:
    """Sentence `number` of `seed`, in small letters; `names` are further products."""
    rng = np.random.Generator(np.random.Philox(key=[seed, number]))
    kept = tuple(name for name in (*products(), *names) if name not in reserved())
    return _written(rng, kept)


def write_reserved(seed: int, number: int) -> str:
    """As `write_sentence`, of the reserved products alone."""
    return _written(np.random.Generator(np.random.Philox(key=[seed, number])), reserved())


def _written(rng: Rng, names: Sequence[str]) -> str:
    facts = draw_facts(rng, names)
    if rng.random() < 0.06:
        sentence = f"{_prompts()[int(rng.integers(len(_prompts())))]}, {facts.pose}"
    else:
        sentence = _SENTENCES[int(rng.integers(len(_SENTENCES)))](facts)
    prefix = f"{_PREFIXES[int(rng.integers(len(_PREFIXES)))]}: " if rng.random() < 0.15 else ""
    return (prefix + sentence).lower()
