"""TensorRT engines of the served graphs, built ahead of time.

    python -m models.export.tensorrt --out DIR [--models segmenter,...] [--capability SM89]

With the full `tensorrt` (it comes with NVIDIA's containers) this writes the `model.plan` that Triton's TensorRT
backend loads, for the GPU of the machine. With `tensorrt_rtx` (extra `gpu`) it needs no GPU: plans for the capabilities
that are named, of TensorRT-RTX's own runtime. Either way a graph that does not build is told with the parser's words.
An engine's name says what it is made from, so two builds of one graph by one builder for one GPU share a name.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from models.command import told
from transforms.errors import ConfigError

_BUILDERS = ("tensorrt", "tensorrt_rtx")
_WORKSPACE_BYTES = 2 << 30


class Profile(NamedTuple):
    """The shapes of one input that an engine takes: the least, the usual and the most."""

    least: tuple[int, ...]
    usual: tuple[int, ...]
    most: tuple[int, ...]


def find_builder() -> Any:
    """The installed TensorRT, the full one first.

    Raises:
        ConfigError: there is none.
    """
    for name in _BUILDERS:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ConfigError("no TensorRT: pip install 'catalog-canvas[gpu]', or run in NVIDIA's TensorRT or Triton container")


def build_plan(
    graph: bytes,
    profiles: Mapping[str, Profile] | None = None,
    capabilities: Sequence[str] = (),
    timing_cache: Path | None = None,
) -> bytes:
    """The serialised engine of an ONNX graph.

    Precision is the graph's own: networks are strongly typed, so a graph with float16 tensors gets them.

    Args:
        graph: a serialised ONNX model.
        profiles: by input, for inputs of variable shape.
        capabilities: of the GPUs built for (`SM89`), with TensorRT-RTX alone; all that it knows where empty.
        timing_cache: file of measured kernels, read and written, with the full TensorRT alone: a second build by it
            chooses the same kernels.

    Raises:
        ConfigError: no TensorRT, a capability it does not know, or a graph it cannot parse or build.
    """
    trt = find_builder()
    logger = _Errors(trt)
    builder = trt.Builder(logger.sink)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger.sink)
    if not parser.parse(graph):
        told = "; ".join(_told(parser.get_error(number)) for number in range(parser.num_errors))
        raise ConfigError(f"TensorRT {trt.__version__} cannot parse the graph: {told}")
    config = _config(trt, builder, capabilities)
    _add_profiles(builder, config, profiles or {})
    cache = _read_cache(config, timing_cache)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise ConfigError(f"TensorRT {trt.__version__} cannot build the graph: {logger.last}")
    if cache is not None and timing_cache is not None:
        timing_cache.write_bytes(bytes(cache.serialize()))
    return bytes(plan)


def _told(error: Any) -> str:
    return f"node {error.node()} {error.node_name()!r} ({error.node_operator()}): {error.desc()}"


class _Errors:
    """Keeps the builder's last error; everything else it says is left out."""

    def __init__(self, trt: Any) -> None:
        self.last = "no reason given"
        keeper = self

        class Sink(trt.ILogger):  # type: ignore[name-defined]
            def __init__(self) -> None:
                trt.ILogger.__init__(self)

            def log(self, severity: Any, message: str) -> None:
                if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                    keeper.last = message

        self.sink = Sink()


def _config(trt: Any, builder: Any, capabilities: Sequence[str]) -> Any:
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
    if not hasattr(trt, "ComputeCapability"):
        if capabilities:
            raise ConfigError("the full TensorRT builds for this machine's GPU: leave --capability out")
        return config
    known = trt.ComputeCapability.__members__
    unknown = [name for name in capabilities if name not in known]
    if unknown:
        raise ConfigError(f"TensorRT-RTX knows no capability {unknown[0]!r}; it knows {', '.join(sorted(known))}")
    config.num_compute_capabilities = len(capabilities) or 1
    for number, name in enumerate(capabilities or ("SM80",)):
        config.set_compute_capability(known[name], number)
    return config


def _add_profiles(builder: Any, config: Any, profiles: Mapping[str, Profile]) -> None:
    if profiles:
        shapes = builder.create_optimization_profile()
        for name, profile in profiles.items():
            shapes.set_shape(name, *profile)
        config.add_optimization_profile(shapes)


def _read_cache(config: Any, path: Path | None) -> Any:
    if path is None:
        return None
    cache = config.create_timing_cache(path.read_bytes() if path.exists() else b"")
    config.set_timing_cache(cache, ignore_mismatch=False)
    return cache


def plan_name(model: str, graph: bytes, builder: str, capabilities: Sequence[str]) -> str:
    """`<model>-<12 hex>.plan`: of the graph, the builder's name and version, and what it builds for.

    >>> plan_name("segmenter", b"graph", "tensorrt_rtx 1.7", ["SM89"])
    'segmenter-61b82376ea50.plan'
    """
    parts = (graph, builder.encode(), *(name.encode() for name in sorted(capabilities)))
    digest = sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()
    return f"{model}-{digest[:12]}.plan"


class Graph(NamedTuple):
    """A served graph: the serialised ONNX model, and the profiles of its variable inputs."""

    onnx: bytes
    profiles: Mapping[str, Profile]


def graph_names() -> list[str]:
    """The graphs that this project serves, sorted: the contracts' engines, and the weights that lie in the checkout."""
    from models.export.onnx import GRAPHS

    return sorted({*GRAPHS, *_weights()})


def served_graph(name: str) -> Graph:
    """One of `graph_names`.

    Raises:
        ConfigError: there is no such graph.
    """
    from models.export.onnx import GRAPHS
    from transforms.inference.contracts import CONTRACTS

    if name in GRAPHS:
        return Graph(GRAPHS[name](CONTRACTS[name].fixed_batch).SerializeToString(), {})
    weights = _weights()
    if name not in weights:
        raise ConfigError(f"no graph {name!r}; there are {', '.join(graph_names())}")
    content = weights[name].read_bytes()
    return Graph(content, profiles_of(content))


def _weights() -> dict[str, Path]:
    """Files by name: `text_encoder`; or, where a served model has several, `canvas_background.denoiser`."""
    from models.export.cards import WEIGHTS
    from models.export.repository import SOURCE

    found = SOURCE.glob("*/1/weights/**/*.onnx")
    own = {f"{path.relative_to(SOURCE).parts[0]}.{path.stem}": path for path in found}
    return {path.stem: path for path in WEIGHTS.glob("*/*.onnx")} | own


def profiles_of(graph: bytes) -> dict[str, Profile]:
    """Profiles for each input with a named dimension: `batch` 1..8, `height` and `width` 96..768, others 1..64."""
    import onnx

    profiles = {}
    for tensor in onnx.load_from_string(graph).graph.input:
        dims = [dim.dim_param or dim.dim_value for dim in tensor.type.tensor_type.shape.dim]
        if any(isinstance(dim, str) for dim in dims):
            profiles[tensor.name] = Profile(*(tuple(_size(dim, at) for dim in dims) for at in range(3)))
    return profiles


_SIZES = {"batch": (1, 4, 8), "height": (96, 608, 768), "width": (96, 416, 768)}


def _size(dim: int | str, at: int) -> int:
    return dim if isinstance(dim, int) else _SIZES.get(dim, (1, 16, 64))[at]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.export.tensorrt", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the plans")
    parser.add_argument("--models", default="", help="comma-separated; all where empty")
    parser.add_argument("--capability", nargs="*", default=[], help="SM75 ... SM120: with TensorRT-RTX alone")
    parser.add_argument("--timing_cache", type=Path, help="file of measured kernels: with the full TensorRT alone")
    args = parser.parse_args(arguments)
    try:
        for name in [name for name in args.models.split(",") if name] or graph_names():
            _write(args, name, served_graph(name))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _write(args: argparse.Namespace, name: str, graph: Graph) -> None:
    trt, began = find_builder(), time.monotonic()
    plan = build_plan(graph.onnx, graph.profiles, args.capability, args.timing_cache)
    path = args.out / plan_name(name, graph.onnx, f"{trt.__name__} {trt.__version__}", args.capability)
    args.out.mkdir(parents=True, exist_ok=True)
    path.write_bytes(plan)
    sys.stdout.write(f"{path} {len(plan)} bytes {time.monotonic() - began:.1f} s\n")


if __name__ == "__main__":
    sys.exit(told(main))
