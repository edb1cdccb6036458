import numpy as np

from transforms.ops.things import find_things, look_along_seams

SHAPE = (240, 360)
NOWHERE = np.zeros(SHAPE, bool)


def room(seed: int = 0) -> np.ndarray:
    """A wall over a striped carpet, both with grain."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    stripes = np.where((columns // 6) % 2, 120, 150)[..., None] * np.ones(3)
    wall = np.broadcast_to(np.array([190.0, 200.0, 205.0]), (*SHAPE, 3))
    pixels = np.where((rows < 150)[..., None], wall, stripes)
    return np.clip(pixels + np.random.default_rng(seed).normal(0, 5, (*SHAPE, 1)), 0, 255).astype(np.uint8)


def with_a_picture(pixels: np.ndarray, left: int = 220) -> np.ndarray:
    shown = pixels.copy()
    shown[40:90, left : left + 50] = (30, 60, 120)
    return shown


def test_walls_and_carpets_are_stuff() -> None:
    assert find_things(room(), NOWHERE).mean() < 0.01


def test_a_picture_on_the_wall_is_a_thing_and_the_wall_around_it_is_not() -> None:
    things = find_things(with_a_picture(room()), NOWHERE)
    assert things[45:85, 225:265].mean() > 0.95
    assert things[:, :190].mean() < 0.01 and things[:, 300:].mean() < 0.01


def test_what_a_thing_encloses_in_its_rows_belongs_to_it() -> None:
    framed = with_a_picture(room())
    framed[50:80, 230:260] = room()[50:80, 230:260]  # a mount in the wall's own colour, inside a dark rim
    things = find_things(framed, NOWHERE)
    assert things[45:85, 225:265].mean() > 0.95
    assert things[:, :190].mean() < 0.01 and things[:, 300:].mean() < 0.01


def test_light_that_falls_off_along_a_wall_makes_no_thing() -> None:
    falloff = np.linspace(1.0, 0.7, SHAPE[1])[None, :, None]
    assert find_things((room() * falloff).astype(np.uint8), NOWHERE).mean() < 0.02


def test_the_product_itself_lends_no_support() -> None:
    pixels = room()
    pixels[60:140, 20:340] = (200, 30, 30)  # a wide product: its row would otherwise call it stuff
    product = NOWHERE.copy()
    product[60:140, 20:340] = True
    pixels[70:100, 342:358] = (200, 30, 30)  # its cushion, left out of the mask
    assert find_things(pixels, product)[75:95, 345:355].mean() > 0.9


def right_of(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A canvas that is to be painted to the right of `frame`: (canvas, product, known)."""
    canvas = np.zeros((SHAPE[0], SHAPE[1] + 100, 3), np.uint8)
    canvas[:, : SHAPE[1]] = frame
    known = np.zeros(canvas.shape[:2], np.uint8)
    known[:, : SHAPE[1]] = 255
    return canvas, np.zeros(known.shape, bool), known


def test_a_free_edge_can_be_carried_on_and_cuts_nothing() -> None:
    along = look_along_seams(*right_of(with_a_picture(room(), 150)))
    assert along.stuff > 0.95 and along.cut < 0.02


def test_a_picture_at_the_edge_is_cut_and_leaves_less_to_carry_on() -> None:
    along = look_along_seams(*right_of(with_a_picture(room(), 310)))
    assert 0.15 < along.cut < 0.4 and along.stuff < 0.85


def test_a_product_along_the_edge_is_nothing_to_carry_on() -> None:
    canvas, product, known = right_of(room())
    product[:, 330 : SHAPE[1]] = True
    assert look_along_seams(canvas, product, known).stuff < 0.3


def test_only_painted_sides_are_asked() -> None:
    known = np.zeros((300, 360), np.uint8)
    known[:240] = 255
    canvas = np.zeros((300, 360, 3), np.uint8)
    canvas[:240] = with_a_picture(room(), 310)
    assert look_along_seams(canvas, np.zeros(known.shape, bool), known) == (1.0, 0.0)
