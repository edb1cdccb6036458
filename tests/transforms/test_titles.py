import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.titles import named_kind

NAMES = {
    "tee": ("tee", "t-shirt", "top", "shorts"),
    "shoe": ("shoe", "bootie", "plimsoll"),
    "table": ("table", "rack", "table top"),
    "lamp": ("lamp", "table lamp"),
    "power": ("battery",),
    "food": ("orange", "coffee", "peach"),
    "kitchen": ("mug", "glass", "wine glass"),
    "wall": ("print", "clock"),
    "sofa": ("sofa",),
}


def kind(*texts):
    place = named_kind(texts, tuple(NAMES.values()))
    return None if place is None else list(NAMES)[place]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Dash tee, front", "tee"),
        ("Team Tees", "tee"),
        ("blue-plimsolls-2", "shoe"),
        ("Running shorts", "tee"),
        ("T-Shirts", "tee"),
        ("Baby booties", "shoe"),
        ("AA batteries", "power"),
        ("Wine glasses", "kitchen"),
    ],
)
def test_a_title_is_read_whatever_its_number_and_spelling(title, name):
    assert kind(title) == name


@pytest.mark.parametrize(
    "title", ["2 year guarantee", "Laptop", "Steering committee", "Lamppost", "Desktop", "Sofabed", ""]
)
def test_a_part_of_a_word_names_nothing(title):
    assert kind(title) is None


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Shoe rack", "table"),
        ("Table lamp", "lamp"),
        ("Table top, oak", "table"),
        ("Coffee table", "table"),
        ("Coffee mug with clock print", "kitchen"),
        ("Tee for the table", "tee"),
        ("Set of 4 mugs", "kitchen"),
        ("Lamp (fits any sofa)", "lamp"),
    ],
)
def test_the_head_of_the_first_phrase_says_what_it_is(title, name):
    assert kind(title) == name


@pytest.mark.parametrize(
    ("title", "name"),
    [("Plimsolls orange", "shoe"), ("Shoe peach", "shoe"), ("Tee clock print", "wall"), ("Lamp clear glass", "lamp")],
)
def test_a_colour_or_material_names_a_product_only_by_itself(title, name):
    assert kind(title) == name
    assert (kind("Oranges"), kind("Art print"), kind("Six glasses")) == ("food", "wall", "kitchen")


def test_a_maker_that_is_also_a_fruit_names_one_only_at_the_end_of_its_phrase():
    assert (kind("Orange Nexus 5"), kind("Orange Nexus tee"), kind("Orange")) == (None, "tee", "food")
    assert (kind("Organic orange, 1 kg"), kind("Oranges from Spain"), kind("Oranges Navel")) == ("food",) * 3


def test_a_colour_in_the_title_gives_way_to_the_category():
    assert kind("Sunset peach", "Tees") == "tee"
    assert kind("Peach", "Groceries") == "food"


def test_the_title_tells_more_than_the_category_and_a_category_is_read_from_its_end():
    assert kind("Tee", "Home > Sofas") == "tee"
    assert kind("Model 7", "Home > Sofas > Lamps") == "lamp"
    assert kind("Model 7", "Home > Sofas > Other") == "sofa"


@given(st.text(max_size=40))
def test_any_text_is_read(text):
    assert kind(text) in {None, *NAMES}
    assert kind(text.upper(), "Sofa") is not None
