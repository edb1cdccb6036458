"""Any Arrow table is either refused with our error or read: nothing else leaves the manifest's functions."""

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transforms.errors import ManifestError
from transforms.keys import row_keys
from transforms.ledger import SettledKeys
from transforms.manifest import ALIASES, COLUMNS, REQUIRED, ColumnMap, bad_cells, check_schema, normalise
from transforms.placements import PLACEMENTS
from transforms.plan import PlanConfig, Shard, plan_table, with_resolved_uris

TEXT = (
    st.none()
    | st.text(max_size=12)
    | st.sampled_from(["s3://b/k.jpg", "https://h/x", "../../etc/passwd", "\x00", "file://"])
)
NAMES = st.none() | st.lists(st.none() | st.sampled_from([*PLACEMENTS, "background", "outpaint", "", "x"]), max_size=4)
VALUES = st.one_of(
    st.tuples(st.just(pa.string()), TEXT),
    st.tuples(st.just(pa.large_string()), TEXT),
    st.tuples(st.just(pa.dictionary(pa.int32(), pa.string())), TEXT),
    st.tuples(st.just(pa.int64()), st.none() | st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(pa.uint8()), st.none() | st.integers(0, 255)),
    st.tuples(st.just(pa.float64()), st.none() | st.floats()),
    st.tuples(st.just(pa.binary()), st.none() | st.binary(max_size=8)),
    st.tuples(st.just(pa.bool_()), st.none() | st.booleans()),
    st.tuples(st.just(pa.null()), st.none()),
    st.tuples(st.just(pa.list_(pa.string())), NAMES),
    st.tuples(st.just(pa.large_list(pa.string())), NAMES),
    st.tuples(st.just(pa.list_(pa.int64())), st.none() | st.lists(st.integers(0, 9), max_size=2)),
)
ANY_NAME = st.sampled_from([*COLUMNS, *(alias for names in ALIASES.values() for alias in names), "other"])
TABLE = tuple(PLACEMENTS.values())
CONFIG = PlanConfig("out", "night", ("background",), ("pmax_square",), TABLE, "c")


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """A table of random columns; the required ones are there more often than not."""
    rows = draw(st.integers(0, 4))
    names = set(draw(st.lists(ANY_NAME, max_size=6))) | (set(REQUIRED) if draw(st.booleans()) else set())
    columns = {}
    for name in sorted(names):
        plain = name in REQUIRED and draw(st.booleans())
        kind, _ = (pa.string(), None) if plain else draw(VALUES)
        same = VALUES.filter(lambda pair, kind=kind: pair[0] == kind).map(lambda pair: pair[1])
        columns[name] = pa.array([draw(TEXT if plain else same) for _ in range(rows)], kind)
    return pa.table(columns)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(tables())
def test_a_table_is_refused_at_launch_or_every_row_is_planned(table: pa.Table) -> None:
    try:
        check_schema(table.schema, ColumnMap(), "m.parquet")
    except ManifestError:
        return
    normal = with_resolved_uris(normalise(table, ColumnMap()), "/feed")
    assert normal.column_names == list(COLUMNS)
    wrong = bad_cells(normal, list(PLACEMENTS))
    identities = ["e"] * len(normal)
    assert len(set(row_keys(normal, identities, "c"))) <= len(normal)
    nothing = SettledKeys(*(pa.array([], pa.uint64()).to_numpy() for _ in range(2)))
    planned = plan_table(normal, Shard("m.parquet", (0,), 0, len(normal)), identities, nothing, CONFIG)
    rows = {work.product.row for work in planned.works}
    assert rows == set(range(len(normal)))
    assert {work.product.row for work in planned.works if not work.product.placements} == set(wrong)
