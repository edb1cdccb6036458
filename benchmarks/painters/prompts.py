"""What backgrounds are asked for: a colour and a surface, or a room and what the product stands on in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.data.interiors import PAINTS, STONES, WOODS, YARNS
from transforms.ops.color_difference import lab_of
from transforms.rooms import spot_of


class Asked(NamedTuple):
    """A prompt and what can be measured of it.

    Attributes:
        words: the prompt.
        colour: sRGB "#rrggbb" of the backdrop, or of the floor or the table where a room is asked for.
        rough: whether the surface is a rough one.
        room: whether it asks for a room.
    """

    words: str
    colour: str
    rough: bool = False
    room: bool = False

    @property
    def lab(self) -> NDArray[np.float64]:
        """The colour in Lab, [3]."""
        rgb = np.array([[int(self.colour[at : at + 2], 16) for at in (1, 3, 5)]], np.uint8)
        return lab_of(rgb)[0]


# Words that the studio's stock and the captions of the data engine both know, far enough apart to be told by eye.
COLOURS = (
    "sage green",
    "navy blue",
    "blush pink",
    "terracotta",
    "mustard",
    "teal",
    "lilac",
    "charcoal",
    "cream",
    "brown",
)
SURFACES = (("seamless paper backdrop", False), ("plaster wall", True), ("concrete wall", True))
LIGHT = "soft light"
# By the phrases of `transforms/data/rooms.csv`. The studio's names for rendered sets are in the words; what else is
# there is for painters that read whole prompts.
ROOMS = {
    **dict.fromkeys(("living room", "wooden floor"), ("on an oak floor, living room interior", WOODS["oak"])),
    "industrial loft": ("on a concrete floor, industrial loft with a brick wall", STONES["grey"]),
    **dict.fromkeys(("bedroom", "carpet"), ("on a beige carpet, bedroom interior", YARNS["beige"])),
    "terrace": ("on a wooden deck, outdoor terrace", WOODS["oak"]),
    "bathroom": ("on a tiled floor, bathroom interior", STONES["light grey"]),
    "marble table": ("on a marble table, bright room", STONES["white"]),
    "oak table": ("on an oak table, dining room interior", WOODS["oak"]),
    "linen tablecloth": ("on a linen tablecloth, breakfast table", YARNS["cream"]),
    "desk": ("on a walnut desk, office interior", WOODS["walnut"]),
}


def plain_prompt(number: int, seed: int) -> Asked:
    """The colour and surface of the input with that number: each colour, surface as often as any other."""
    order = np.random.default_rng([seed, 21]).permutation(len(COLOURS) * len(SURFACES))
    turn = int(order[number % len(order)])
    colour, (surface, rough) = COLOURS[turn % len(COLOURS)], SURFACES[turn // len(COLOURS)]
    return Asked(f"{colour} {surface}, {LIGHT}", PAINTS[colour], rough)


def room_prompt(title: str, number: int, seed: int) -> Asked:
    """A room that the product belongs in, by its title as in a job; where none fits, `plain_prompt`'s words."""
    rooms = spot_of((title,)).rooms
    if not rooms:
        return plain_prompt(number, seed)
    words, colour = ROOMS[rooms[int(np.random.default_rng([seed, 22, number]).integers(len(rooms)))]]
    return Asked(words, colour, room=True)
