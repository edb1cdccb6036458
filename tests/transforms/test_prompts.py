import pytest

from transforms.ops.papers import read_prompt
from transforms.prompt_table import shipped
from transforms.prompts import category_of, prompts_of
from transforms.records import Product


def product(**words):
    return Product("m.parquet", 0, "shop", "1", "a.jpg", **words)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Cuckoo clock, walnut", "wall"),
        ("Wall Mirrors", "wall"),
        ("Brass chandelier", "pendant"),
        ("Leather ankle boots", "footwear"),
        ("Women's T-Shirts", "apparel"),
        ("Summer dresses", "apparel"),
        ("Linen shorts", "apparel"),
        ("Short shelf", "furniture"),
        ("Bookshelves", "furniture"),
        ("Oak shelves", "furniture"),
        ("Silk scarves", "apparel"),
        ("Set of steak knives", "kitchen"),
        ("Baby booties", "footwear"),
        ("Winchester armchair", "furniture"),
        ("Glass bottle", "kitchen"),
        ("Teddy bear", "toy"),
        ("Model 7", "other"),
        ("Dash tee front", "apparel"),
        ("Neck warmer", "apparel"),
        ("Erika running short", "apparel"),
        ("Racer tank", "apparel"),
        ("Fish tank", "pet"),
        ("Blue plimsolls 2", "footwear"),
        ("Polo shirt", "apparel"),
        ("Men's watch", "watch"),
        ("Watch strap", "jewellery"),
        ("Parrot cushion", "decor"),
        ("Gift card", "print"),
        ("Battle-tested book", "print"),
        ("Table top", "furniture"),
        ("Laptop 15 inch", "electronics"),
        ("Cable ties", "tool"),
        ("Key ring", "utensil"),
        ("Handbag, orange", "bag"),
        ("Granny Smith apples", "food"),
        ("Alarm clock", "decor"),
        ("", "other"),
    ],
)
def test_a_title_names_its_category(title, name):
    assert category_of([title]).name == name


def test_the_title_tells_more_than_the_category_column():
    assert category_of(["Cuckoo clock", "Home > Furniture"]).name == "wall"
    assert category_of(["Model 7", "Home > Furniture > Chairs"]).name == "furniture"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Animals & Pet Supplies", "pet"),
        ("Apparel & Accessories", "apparel"),
        ("Apparel & Accessories > Clothing > Shirts & Tops", "apparel"),
        ("Apparel & Accessories > Jewelry > Watches", "watch"),
        ("Apparel & Accessories > Shoes", "footwear"),
        ("Apparel & Accessories > Handbags, Wallets & Cases", "bag"),
        ("Arts & Entertainment", "art"),
        ("Baby & Toddler", "baby"),
        ("Business & Industrial", "tool"),
        ("Cameras & Optics", "electronics"),
        ("Electronics", "electronics"),
        ("Food, Beverages & Tobacco", "food"),
        ("Furniture", "furniture"),
        ("Hardware > Tools", "tool"),
        ("Health & Beauty > Personal Care", "beauty"),
        ("Home & Garden > Decor > Vases", "decor"),
        ("Home & Garden > Kitchen & Dining > Tableware > Drinkware > Mugs", "kitchen"),
        ("Home & Garden > Linens & Bedding", "textile"),
        ("Luggage & Bags", "bag"),
        ("Media > Books", "print"),
        ("Office Supplies", "office"),
        ("Software", "electronics"),
        ("Sporting Goods", "sport"),
        ("Toys & Games", "toy"),
        ("Vehicles & Parts", "vehicle"),
    ],
)
def test_a_path_of_googles_taxonomy_names_its_category(path, name):
    assert category_of(["Model 7", path]).name == name


def test_every_word_of_the_table_names_the_category_that_it_stands_in():
    for category in shipped().categories:
        assert {category_of([word]).name for word in category.words} == {category.name}


@pytest.mark.parametrize(
    ("title", "category"),
    [
        ("Cotton bath towels, teal", "decor"),
        ("Handheld garment steamer", "decor"),
        ("Apple Cinema 30", "other"),
        ("Palm Treo Pro", "other"),
        ("6 piece non-stick baking set", "kitchen"),
        ("Multigroom kit", "beauty"),
    ],
)
def test_what_shops_sold_under_other_names_is_known(title, category):
    assert category_of([title]).name == category


def test_a_rows_own_prompt_stands_alone_and_gets_its_pose():
    words = prompts_of(product(title="Wall clock", prompt=" deep green backdrop "))
    assert words.prompts == ("deep green backdrop, hung on the wall",)
    assert prompts_of(product(title="Wall clock", prompt="flat lay on linen")).prompts == ("flat lay on linen",)


@pytest.mark.parametrize("own", ["flat-lay on linen", "wall-hung, sage", "free-standing, sage", "navy, hanging"])
def test_a_pose_that_is_spelled_with_a_hyphen_is_one(own):
    assert prompts_of(product(title="Linen dress", prompt=own)).prompts == (own,)


def test_a_word_that_only_begins_like_a_pose_is_none():
    told = prompts_of(product(title="Linen dress", prompt="flat-screen wall")).prompts
    assert told == ("flat-screen wall, flat lay",)


@pytest.mark.parametrize("category", [*shipped().categories, shipped().other], ids=lambda category: category.name)
def test_the_painter_reads_the_same_pose_out_of_every_prompt(category):
    poses = {"standing on the floor": "standing", "hung on the wall": "hung", "flat lay": "flat"}
    title = category.words[0] if category.words else ""
    prompts = prompts_of(product(title=title)).prompts
    assert len(prompts) >= 4
    assert {read_prompt(prompt).pose for prompt in prompts} == {poses[category_of([title]).pose]}
