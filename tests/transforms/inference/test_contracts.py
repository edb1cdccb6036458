"""The contracts agree with themselves."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.inference.contracts import BUCKETS, CONTRACTS, bucket_of
from transforms.inference.interface import DTYPES
from transforms.records import Size


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_a_contract_is_consistent(name: str) -> None:
    contract = CONTRACTS[name]
    tensors = [*contract.inputs, *contract.outputs]
    assert contract.name == name
    assert all(spec.dtype in DTYPES for spec in tensors)
    assert {spec.like for spec in tensors} - {""} <= {spec.name for spec in tensors}
    assert contract.max_batch % contract.fixed_batch == 0
    assert bool(contract.platform) == bool(contract.cpu_engine)


def test_painters_have_one_signature() -> None:
    for half in ("", "_upscale"):
        contracts = [CONTRACTS[f"{name}{half}"] for name in ("studio", "canvas_staging", "patchmatch")]
        assert len({(contract.inputs, contract.outputs) for contract in contracts}) == 1


@given(st.integers(200, 4000), st.integers(200, 4000))
def test_a_bucket_is_the_nearest_in_ratio(height: int, width: int) -> None:
    def distance(size: Size) -> float:
        return abs(math.log(size.height / size.width) - math.log(height / width))

    assert distance(bucket_of(Size(height, width))) == min(map(distance, BUCKETS))


def test_buckets_are_divisible_by_sixteen_and_alike_in_area() -> None:
    areas = [size.height * size.width for size in BUCKETS]
    assert all(side % 16 == 0 for size in BUCKETS for side in size)
    assert max(areas) / min(areas) < 1.1
