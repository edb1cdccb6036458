"""Every served graph compiles with TensorRT, without a GPU; what does not is refused with the parser's own words."""

import importlib.util

import pytest
from onnx import TensorProto, helper

from models.export import tensorrt
from models.export.tensorrt import Profile, build_plan, graph_names, plan_name, profiles_of, served_graph
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
@pytest.mark.parametrize("name", graph_names())
def test_a_served_graph_compiles_ahead_of_time(name):
    graph = served_graph(name)
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


def untrained(name):
    """The graph of one of our own networks as it is before any training."""
    torch = pytest.importorskip("torch", reason="the extra `models` is not installed")
    from models.export import reward, text_encoder, upscaler
    from models.reward import Reward
    from models.text_encoder import TextEncoder, TextEncoderSpec
    from models.upscaler import Upscaler, UpscalerSpec

    torch.manual_seed(0)
    makers = {
        "reward": lambda: reward.exported(Reward()),
        "text_encoder": lambda: text_encoder.exported(TextEncoder(TextEncoderSpec()).eval()),
        "upscaler": lambda: upscaler.exported(Upscaler(UpscalerSpec()).eval()),
    }
    return makers[name]().SerializeToString()


@needs_builder
@pytest.mark.parametrize("name", ["reward", "text_encoder", "upscaler"])
def test_a_network_of_our_own_compiles_before_it_is_trained(name):
    graph = untrained(name)
    assert len(build_plan(graph, profiles_of(graph), ["SM89"])) > 10_000


def test_an_unknown_graph_is_told_with_those_that_there_are():
    with pytest.raises(ConfigError, match=r"no graph 'crayon'; there are .*segmenter"):
        served_graph("crayon")


def test_inputs_of_variable_size_have_a_profile_and_others_have_none():
    profiles = profiles_of(tiny("Relu"))
    assert profiles == {"x": Profile((1, 4), (4, 4), (8, 4))}
    segmenter = served_graph("segmenter")
    assert segmenter.profiles == {} == profiles_of(segmenter.onnx)
