import pyarrow as pa
import pytest

from transforms.errors import ManifestError
from transforms.manifest import COLUMNS, ColumnMap, bad_cells, check_schema, normalise, product_of

TEXT = pa.string()
PLAIN = pa.schema([("advertiser_id", TEXT), ("product_id", TEXT), ("image_uri", TEXT)])


def _table(**columns: list[object]) -> pa.Table:
    base: dict[str, list[object]] = {"advertiser_id": ["a"], "product_id": ["p"], "image_uri": ["x.jpg"]}
    return pa.table({**base, **columns})


def test_a_minimal_schema_is_accepted() -> None:
    check_schema(PLAIN, ColumnMap(), "m.parquet")


@pytest.mark.parametrize("missing", ["advertiser_id", "product_id", "image_uri"])
def test_a_missing_required_column_is_named_with_the_file(missing: str) -> None:
    schema = pa.schema([field for field in PLAIN if field.name != missing])
    with pytest.raises(ManifestError, match=f"m.parquet.*{missing}") as refused:
        check_schema(schema, ColumnMap(), "m.parquet")
    assert f"--column {missing}=NAME" in refused.value.remedy
    assert ("--advertiser_id" in refused.value.remedy) is (missing == "advertiser_id")


def test_embedded_bytes_are_refused() -> None:
    schema = pa.schema([("advertiser_id", TEXT), ("product_id", TEXT), ("image_uri", pa.binary())])
    with pytest.raises(ManifestError, match="references, never as bytes"):
        check_schema(schema, ColumnMap(), "m.parquet")


def test_an_image_struct_with_bytes_is_refused() -> None:
    image = pa.struct([("bytes", pa.binary()), ("path", TEXT)])
    schema = pa.schema([("advertiser_id", TEXT), ("product_id", TEXT), ("image", image)])
    with pytest.raises(ManifestError, match="never as bytes"):
        check_schema(schema, ColumnMap((("image_uri", "image"),)), "m.parquet")


@pytest.mark.parametrize(
    ("column", "kind", "wanted"),
    [("title", pa.int32(), "string"), ("placements", TEXT, "list<string>"), ("seed", TEXT, "int64")],
)
def test_a_wrong_type_is_named_with_column_type_and_file(column: str, kind: pa.DataType, wanted: str) -> None:
    with pytest.raises(ManifestError, match=f"m.parquet: column '{column}'.*{kind}, expected {wanted}"):
        check_schema(PLAIN.append(pa.field(column, kind)), ColumnMap(), "m.parquet")


@pytest.mark.parametrize("name", ["product_id", "title"])
def test_a_column_that_is_there_twice_is_refused(name: str) -> None:
    names = [*dict.fromkeys(("advertiser_id", "product_id", "image_uri", name)), name]
    with pytest.raises(ManifestError, match=f"m.parquet: column '{name}' .* more than once"):
        check_schema(pa.schema([(each, pa.string()) for each in names]), ColumnMap(), "m.parquet")


def test_feed_names_are_understood() -> None:
    feed = pa.table({"id": [7], "image_link": ["https://x/a.jpg"], "google_product_category": ["Sofas"]})
    columns = ColumnMap(advertiser_id="acme")
    check_schema(feed.schema, columns, "feed.parquet")
    row = normalise(feed, columns).to_pylist()[0]
    assert (row["advertiser_id"], row["product_id"], row["image_uri"]) == ("acme", "7", "https://x/a.jpg")
    assert row["product_category"] == "Sofas"


def test_stated_names_win_over_usual_ones() -> None:
    table = pa.table({"advertiser_id": ["a"], "id": ["wrong"], "sku": ["right"], "image_uri": ["x"]})
    assert normalise(table, ColumnMap((("product_id", "sku"),))).column("product_id").to_pylist() == ["right"]


@pytest.mark.parametrize("names", [(("product", "sku"),), (("product_id", "nowhere"),)])
def test_a_mapping_that_leads_nowhere_is_refused(names: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ManifestError, match="--column"):
        check_schema(PLAIN.append(pa.field("sku", TEXT)), ColumnMap(names), "m.parquet")


def test_normalised_tables_have_all_columns_without_null_texts() -> None:
    table = normalise(_table(title=[None]), ColumnMap())
    assert table.column_names == list(COLUMNS)
    assert table.column("title").to_pylist() == [""]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"product_id": [" "]}, "'product_id' is empty"),
        ({"image_uri": [None]}, "'image_uri' is empty"),
        ({"placements": [["nowhere"]]}, "'nowhere'"),
        ({"features": [["paint"]]}, "'paint'"),
        ({"seed": [-1]}, "'seed' is negative"),
    ],
)
def test_a_bad_row_says_what_is_wrong(columns: dict[str, list[object]], message: str) -> None:
    table = _table(**columns)
    if columns.get("image_uri") == [None]:
        table = table.set_column(2, "image_uri", pa.array([None], TEXT))
    assert message in bad_cells(normalise(table, ColumnMap()), ["pinterest_standard"])[0]


def test_bad_list_items_are_blamed_on_their_own_row() -> None:
    table = pa.table({"advertiser_id": ["a"] * 4, "product_id": ["p"] * 4, "image_uri": ["x"] * 4,
                      "features": [None, [], ["background"], ["outpaint", "paint"]]})  # fmt: skip
    assert list(bad_cells(normalise(table, ColumnMap()), [])) == [3]


def test_a_row_becomes_a_product() -> None:
    row = normalise(_table(title=["Chair"]), ColumnMap()).to_pylist()[0]
    product = product_of(row, "m.parquet", 5)
    assert (product.product_id, product.title, product.row, product.manifest_uri) == ("p", "Chair", 5, "m.parquet")


def _text(*cells: bytes) -> pa.Array:
    return pa.Array.from_buffers(TEXT, len(cells), pa.array(list(cells), pa.binary()).buffers())


def test_a_cell_that_is_not_utf8_costs_its_own_row_at_most() -> None:
    names = pa.ListArray.from_arrays([0, 1, 2], _text(b"pmax_square", b"\xff"))
    base = {"advertiser_id": ["a", "a"], "image_uri": ["x", "y"]}
    ids = normalise(pa.table({**base, "product_id": _text(b"p", b"\xff"), "title": _text(b"\xfft", b"")}), ColumnMap())
    lists = normalise(pa.table({**base, "product_id": ["p", "q"], "placements": names}), ColumnMap())
    assert ids.column("title").to_pylist() == ["\ufffdt", ""]
    assert list(bad_cells(ids, ["pmax_square"])) == list(bad_cells(lists, ["pmax_square"])) == [1]


@pytest.mark.parametrize("kind", [TEXT, pa.int64()])
def test_numbers_of_categories_get_their_names_where_a_list_tells_them(kind: pa.DataType) -> None:
    cells = pa.chunked_array([pa.array(["187"]).cast(kind), pa.array([None, "9"]).cast(kind)])
    ids = {field.name: ["x"] * 3 for field in PLAIN}
    table = pa.table({**ids, "google_product_category": cells})
    check_schema(table.schema, ColumnMap(), "m.parquet")
    bare = normalise(table, ColumnMap()).column("product_category").to_pylist()
    named = normalise(table, ColumnMap(category_names={"187": "Apparel & Accessories > Shoes"}))
    assert bare == ["187", "", "9"]
    assert named.column("product_category").to_pylist() == ["Apparel & Accessories > Shoes", "", "9"]
