"""Every served graph compiles with TensorRT, without a GPU; what does not is refused with the parser's own words."""

import importlib.util

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.export import tensorrt
from models.export.tensorrt import Profile, build_plan, plan_name, served_graphs
from transforms.errors import ConfigError

needs_builder = pytest.mark.skipif(
    importlib.util.find_spec("tensorrt_rtx") is None, reason="the extra `gpu` (tensorrt-rtx-cu13) is not installed"
)


def tiny(operator, **attributes):
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"], **attributes)], "tiny", value[:1], value[1:])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("nobody", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


@needs_builder
@pytest.mark.parametrize("name", sorted(served_graphs()))
def test_a_served_graph_compiles_ahead_of_time(name):
    graph = served_graphs()[name]
    assert len(build_plan(graph.onnx, graph.profiles, ["SM89"])) > 10_000


@needs_builder
def test_a_variable_input_needs_its_profile():
    with pytest.raises(ConfigError, match=r"cannot build the graph: .*profile"):
        build_plan(tiny("Relu"), {}, ["SM89"])
    assert build_plan(tiny("Relu"), {"x": Profile((1, 4), (2, 4), (8, 4))}, ["SM89"])


@needs_builder
def test_what_the_parser_does_not_know_is_told():
    with pytest.raises(ConfigError, match=r"cannot parse the graph: .*Shrug"):
        build_plan(tiny("Shrug", domain="nobody"), {}, ["SM89"])


@needs_builder
def test_an_unknown_capability_is_told_with_those_that_are_known():
    with pytest.raises(ConfigError, match=r"no capability 'SM1'; it knows .*SM89"):
        build_plan(tiny("Relu"), {}, ["SM1"])


def test_without_tensorrt_the_error_says_where_to_get_one(monkeypatch):
    monkeypatch.setattr(tensorrt, "_BUILDERS", ("no_such_tensorrt",))
    with pytest.raises(ConfigError, match=r"catalog-canvas\[gpu\]"):
        build_plan(b"")


def test_a_plan_is_named_by_what_it_is_made_from():
    one = plan_name("m", b"graph", "tensorrt 11", ["SM80", "SM89"])
    assert one == plan_name("m", b"graph", "tensorrt 11", ["SM89", "SM80"])
    others = {plan_name("m", b"other", "tensorrt 11", ["SM80"]), plan_name("m", b"graph", "tensorrt 12", ["SM80"])}
    assert len(others | {one, plan_name("m", b"graph", "tensorrt 11", ["SM80"])}) == 4


def test_graphs_of_variable_size_have_profiles_for_it():
    for name, graph in served_graphs().items():
        for tensor in onnx.load_from_string(graph.onnx).graph.input:
            dims = [dim.dim_param or dim.dim_value for dim in tensor.type.tensor_type.shape.dim]
            if any(isinstance(dim, str) for dim in dims):
                least, usual, most = graph.profiles[tensor.name]
                assert (np.array(least) <= usual).all() and (np.array(usual) <= most).all(), name
