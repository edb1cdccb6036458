import pytest

from transforms.errors import ConfigError
from transforms.ops.empty_sets import asked_for
from transforms.prompt_table import COLUMNS, FLAT, HUNG, STANDING, shipped, table_of
from transforms.prompts import category_of, prompts_of
from transforms.records import Product

HEAD = ",".join(COLUMNS) + "\n"
LAST = "other,standing,,plain studio\n"


def product(**words):
    return Product("m.parquet", 0, "shop", "1", "a.jpg", **words)


def test_a_row_is_a_kind_of_product():
    table = table_of(
        "\ufeff" + HEAD + 'rugs,flat,"Rug,  area  rug ","plain paper; linen , soft light;"\n' + LAST, "mine"
    )
    (rugs,) = table.categories
    assert (rugs.name, rugs.words, rugs.pose) == ("rugs", ("rug", "area rug"), FLAT)
    assert rugs.prompts == ("plain paper", "linen , soft light")
    assert (table.other.pose, table.other.prompts) == (STANDING, ("plain studio",))


def test_the_shipped_table_has_every_pose_and_something_for_everything():
    assert {category.pose for category in shipped().categories} == {STANDING, HUNG, FLAT}
    assert shipped().other.words == ()


def test_prompts_come_from_the_table_that_is_given():
    table = table_of(HEAD + 'tables,standing,table,"teal paper; bright room, soft light"\n' + LAST, "mine")
    told = prompts_of(product(title="Oak dining table"), table).prompts
    assert told[0] == "teal paper, standing on the floor"
    assert len(told) > 1 and all(asked_for(prompt) for prompt in told[1:])
    assert prompts_of(product(title="Kite"), table).prompts == ("plain studio, standing on the floor",)
    assert prompts_of(product(title="Oak table", prompt="navy"), table).prompts == ("navy, standing on the floor",)


def test_digits_and_apostrophes_in_a_tables_words_keep_no_title_from_being_named():
    table = table_of(HEAD + 'screens,standing,"4K TV, men\'s boot",plain\n' + LAST, "mine")
    for title in ("Smart 4K TV", "Men's boots, black"):
        assert category_of([title], table).name == "screens"
    assert category_of(["Radio"], table).name == "other"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "columns category,pose,words,prompts"),
        ("category,pose,prompts,words\n" + LAST, "columns category,pose,words,prompts"),
        (HEAD, "last row"),
        (HEAD + "a,flat,rug,plain\n", "last row"),
        (HEAD + "a,flat,,plain\n" + LAST, "row 2: only the last row"),
        (HEAD + "a,lying,rug,plain\n" + LAST, "row 2: pose 'lying' is not one of standing, hung, flat"),
        (HEAD + "a,flat,rug,;\n" + LAST, "row 2: there is no prompt"),
        (HEAD + ",flat,rug,plain\n" + LAST, "row 2: the category has no name"),
        (HEAD + "a,flat,rug,plain, soft light\n" + LAST, "row 2: expected 4 cells"),
        (HEAD + "a,flat,rug\n" + LAST, "row 2: expected 4 cells"),
        (HEAD + 'a,flat,rug,"plain\n' + LAST, "no CSV"),
        (HEAD + "a,flat,rug,plain\na,hung,clock,plain\n" + LAST, "row 2: category 'a' is there twice"),
        (HEAD + f"a,flat,rug,{'x' * 501}\n" + LAST, "row 2: a prompt of 501 characters"),
    ],
)
def test_a_table_that_cannot_be_used_names_the_row(text, told):
    with pytest.raises(ConfigError, match="mine") as refused:
        table_of(text, "mine")
    assert told in str(refused.value)
