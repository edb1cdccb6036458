from dataclasses import dataclass

import pytest

from transforms.errors import ConfigError
from transforms.settings import overridden


@dataclass(frozen=True)
class Inner:
    share: float = 0.5


@dataclass(frozen=True)
class Outer:
    count: int = 3
    strict: bool = True
    names: tuple[str, ...] = ("a",)
    inner: Inner = Inner()


def test_named_fields_are_replaced_at_any_depth() -> None:
    changed = overridden(Outer(), {"count": 4, "names": ["b", "c"], "inner": {"share": 1}}, "outer")
    assert changed == Outer(4, True, ("b", "c"), Inner(1.0))
    assert isinstance(changed.inner.share, float)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cuont": 1}, "outer.cuont.*did you mean 'count'"),
        ({"count": "many"}, "outer.count"),
        ({"strict": 1}, "outer.strict"),
        ({"count": True}, "outer.count"),
        ({"inner": {"share": "x"}}, "outer.inner.share"),
        ({"inner": {"share": float("nan")}}, "outer.inner.share: nan is not a number"),
        ({"inner": 3}, "outer.inner"),
    ],
)
def test_what_does_not_fit_is_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        overridden(Outer(), values, "outer")
