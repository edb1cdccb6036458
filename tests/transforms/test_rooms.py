import pytest

from transforms.ops.empty_sets import asked_for
from transforms.prompt_table import FLAT, HUNG, STANDING, shipped
from transforms.prompts import prompts_of
from transforms.records import Product
from transforms.rooms import _table, asks_for_any, spot_of

_EITHER_WAY = {"towel rail", "towel rack", "bath mat", "razor", "toothbrush"}  # lie or hang, and stand in a bathroom


def prompts(prompt="bright room, soft light", **words):
    return prompts_of(Product("m.parquet", 0, "shop", "1", "a.jpg", prompt=prompt, **words)).prompts


def test_every_room_of_the_table_is_a_rendered_set_of_its_spot():
    for spot, _ in _table():
        assert spot.name in {"floor", "table", "wall", "none"}
        assert bool(spot.rooms) == (spot.name in {"floor", "table"})
        for room in spot.rooms:
            assert {each.stand for each in asked_for(room)} == {spot.name}


@pytest.mark.parametrize(
    ("texts", "spot"),
    [
        (["Wall sockets"], "wall"),
        (["Pendant lamp"], "wall"),
        (["Wall shelves"], "wall"),
        (["Oak shelves"], "floor"),
        (["Steak knives"], "table"),
        (["Rowboat"], "none"),
        (["Street lamp"], "none"),
        (["Dining table"], "floor"),
        (["Table lamp"], "table"),
        (["Red wine bottle"], "table"),
        (["Model 7", "Furniture > Chairs"], "floor"),
        (["Cuckoo clock", "Home > Furniture"], "wall"),
        (["Carpenter's thing"], "none"),
        (["Dash tee front"], "none"),
        (["Shoe rack"], "floor"),
        (["Desk lamp"], "table"),
        (["Lipstick, orange"], "table"),
    ],
)
def test_a_product_has_its_spot(texts, spot):
    assert spot_of(texts).name == spot


def test_a_description_is_read_only_where_title_and_category_name_nothing():
    assert spot_of(["Model 7", ""], "A copper kettle, at home beside any bed.").name == "table"
    assert spot_of(["Art print"], "Looks well above a sofa").name == "wall"


def test_what_lies_flat_stands_in_no_room_and_what_hangs_hangs():
    for category in shipped().categories:
        spots = {spot_of([word]).name for word in category.words if word not in _EITHER_WAY}
        assert spots <= {FLAT: {"none"}, HUNG: {"wall"}, STANDING: {"floor", "table", "none", "wall"}}[category.pose]


def test_an_open_room_becomes_each_room_that_fits():
    found = prompts(title="Copper kettle")
    assert len(found) == 2
    assert all({each.stand for each in asked_for(prompt)} == {"table"} for prompt in found)


@pytest.mark.parametrize("title", ["Rowboat", "Wall socket", "Model 7"])
def test_what_belongs_in_no_room_gets_the_neutral_studio(title):
    assert not any(asked_for(prompt) for prompt in prompts(title=title))


def test_a_room_that_the_row_names_wins():
    assert prompts("bathroom interior", title="Copper kettle") == ("bathroom interior, standing on the floor",)


def test_prompts_without_a_room_are_left_as_they_are():
    assert not asks_for_any("deep green backdrop") and not asks_for_any("")
    assert prompts("teal paper", title="Armchair") == ("teal paper, standing on the floor",)
