"""The model repository: its configurations from the contracts, and its runtime form from the checked-in one.

Run as a script::

    python -m models.export.repository --write                  # rewrite triton_repo/*/config.pbtxt, configs/cpu.pbtxt
    python -m models.export.repository --materialise CACHE      # print the folder of a ready runtime repository

A runtime repository holds `models/` and `backends/`, copies of the checked-in files with the engine files that are
made from installed packages and each model's digest in its configuration; and `code/`, a copy of the modules that
the models import, so that what is served is what the digests name. It is named by what it is made from, written
beside its place and renamed into it, so any number of processes may make it at once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from models.command import told
from models.export.identity import Dependencies, dependencies_of, digest_of, files_under, version_of
from models.serving.engines import precision_here
from transforms.errors import ConfigError
from transforms.inference.contracts import CONTRACTS, ModelContract, TensorSpec

SOURCE = Path(__file__).parents[2] / "triton_repo"
_BACKENDS = "backends"
_CPU = "configs/cpu.pbtxt"
_WEIGHTS = "1/weights"
SEEDS = "seeds.json"  # beside weights: see `models.training.tune_seeds`
_GPU_INSTANCES = 2
_KEEP_SEC = 14 * 24 * 3600.0
_COMPILED = shutil.ignore_patterns("__pycache__")


def gpu_config(contract: ModelContract) -> Any:
    """The configuration of an engine model on a GPU: `1/model.plan` by Triton's TensorRT backend."""
    config = _base_config(contract)
    config.platform = contract.platform
    config.instance_group.add(count=_GPU_INSTANCES, kind="KIND_GPU")
    return _with_parameters(config, {"fixed_batch": str(contract.fixed_batch)})


def cpu_config(contract: ModelContract) -> Any:
    """The configuration of any model on a CPU; engine models name their engine, Python models need none."""
    config = _base_config(contract)
    config.instance_group.add(count=contract.instances, kind="KIND_CPU")
    if not contract.platform:
        config.backend = "python"
        return _with_parameters(config, {})
    config.platform = contract.platform
    parameters = {
        "cpu_engine": contract.cpu_engine,
        "precision": contract.cpu_precision,
        "threads": str(contract.cpu_threads),
        "fixed_batch": str(contract.fixed_batch),
    }
    return _with_parameters(config, parameters)


def config_files(contract: ModelContract) -> dict[str, Any]:
    """A model's configurations by their path under its folder."""
    if contract.platform:
        return {"config.pbtxt": gpu_config(contract), _CPU: cpu_config(contract)}
    return {"config.pbtxt": cpu_config(contract)}


def write_configs(target: Path, contracts: Iterable[ModelContract] = CONTRACTS.values()) -> None:
    """Write every model's configurations under `target`."""
    for contract in contracts:
        for name, config in config_files(contract).items():
            path = target / contract.name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_HEADER + text_format.MessageToString(config))


def read_config(path: Path) -> Any:
    """A `config.pbtxt` as protobuf."""
    return text_format.Parse(path.read_text(), ModelConfig())


def materialise(
    cache: Path, source: Path = SOURCE, models: Sequence[str] | None = None, instance_factor: int = 1
) -> Path:
    """The runtime repository of `source` under `cache`, made if it is not there.

    Args:
        cache: where runtime repositories are kept.
        source: a repository as checked in.
        models: those that are served; None takes all.
        instance_factor: multiplies the instances of each CPU model.

    Raises:
        ConfigError: `source` is no repository, a model is unknown, a package is missing, or `cache` takes no files.
    """
    chosen = _chosen(source, models)
    code = _code_of(source, chosen)
    key = _repository_key(source, chosen, code, instance_factor)
    target = cache / key
    try:
        if not target.is_dir():
            _make_at(target, source, chosen, code, instance_factor)
            _prune(cache)
        os.utime(target)
    except OSError as error:
        raise ConfigError(
            f"no model repository can be kept under {str(cache)!r}: {error}: name a folder that can be written"
            " and has room (XDG_CACHE_HOME, for a job's own server)"
        ) from error
    return target


def _make_at(
    target: Path, source: Path, models: Sequence[str], code: Mapping[str, Dependencies], instance_factor: int
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as making:
        made = Path(making) / target.name
        _make(made, source, models, code, instance_factor)
        _rename(made, target)


def _make(made: Path, source: Path, models: Sequence[str], code: Mapping[str, Dependencies], factor: int) -> None:
    shutil.copytree(_backends_of(source), made / _BACKENDS, ignore=_COMPILED)
    (made / "code").mkdir()
    for model in models:
        for name, path in code[model].files.items():
            if "/" in name:
                (made / "code" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, made / "code" / name)
        _materialise_model(source / model, made / "models" / model, code[model], factor)


def _rename(made: Path, target: Path) -> None:
    try:
        made.rename(target)
    except OSError:  # another process was first; what it made is the same
        if not target.is_dir():
            raise


def _prune(cache: Path) -> None:
    """Remove runtime repositories that nobody asked for in a while, and what killed processes have half made."""
    for path in cache.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process prunes too, or has made what it was making
            if time.time() - path.stat().st_mtime > _KEEP_SEC:
                shutil.rmtree(path, ignore_errors=True)


def _chosen(source: Path, models: Sequence[str] | None) -> list[str]:
    if not source.is_dir():
        raise ConfigError(f"model repository {str(source)!r} does not exist: name it with --triton_repo")
    held = sorted(path.parent.name for path in source.glob("*/config.pbtxt"))
    if not held:
        raise ConfigError(f"{str(source)!r} holds no model: it must contain <model>/config.pbtxt")
    missing = sorted(set(models or ()) - set(held))
    if missing:
        raise ConfigError(f"{str(source)!r} does not hold {', '.join(missing)}; it holds {', '.join(held)}")
    bare = [name for name in held if not has_weights(source, name)]
    asked = sorted(set(models or ()) & set(bare))
    if asked:
        raise ConfigError(
            f"{asked[0]} has no weights under {str(source / asked[0] / _WEIGHTS)!r}: train and export them as"
            " docs/training.md says, or name other painters"
        )
    return sorted(models) if models else [name for name in held if name not in bare]


def has_weights(source: Path, model: str) -> bool:
    """Whether a model of the repository `source` has the trained weights that it needs, if it needs any."""
    needed = model in CONTRACTS and CONTRACTS[model].weights
    return not needed or (source / model / _WEIGHTS / "card.json").is_file()


def _backends_of(source: Path) -> Path:
    own = source / _BACKENDS
    return own if own.is_dir() else SOURCE / _BACKENDS


def _code_of(source: Path, models: Sequence[str]) -> dict[str, Dependencies]:
    """For each model, its own code or, for an engine file, its backend's."""
    engine = _backends_of(source) / "tensorrt" / "model.py"
    own = {model: source / model / "1" / "model.py" for model in models}
    return {model: dependencies_of(path if path.is_file() else engine) for model, path in own.items()}


def _repository_key(source: Path, models: Sequence[str], code: Mapping[str, Dependencies], factor: int) -> str:
    from models.export.onnx import source_file

    parts: list[bytes] = [str(factor).encode(), version_of("onnx").encode(), precision_here("bf16").encode()]
    parts += [version_of(engine).encode() for engine in ("onnxruntime", "openvino")]
    for folder in (*(source / model for model in models), _backends_of(source), Path(__file__).parent):
        parts += [part for path in files_under(folder) for part in (path.name.encode(), path.read_bytes())]
    for model in models:
        parts += code[model].parts()
        parts += [source_file(model).read_bytes()] if _is_engine(source / model) else []
    return digest_of(parts)[:24]


def _is_engine(folder: Path) -> bool:
    return not (folder / "1" / "model.py").is_file()


def _materialise_model(source: Path, target: Path, code: Dependencies, factor: int) -> None:
    shutil.copytree(source, target, ignore=_COMPILED)
    if _is_engine(target):
        _make_engine(target)
    for path in [target / "config.pbtxt", *target.glob("configs/*.pbtxt")]:
        config = _with_parameters(read_config(path), _seeds_of(target))
        digest = model_digest(target, config, code)
        for group in config.instance_group:
            if group.kind == group.KIND_CPU:
                group.count *= factor
        path.write_text(text_format.MessageToString(_with_parameters(config, {"model_digest": digest})))


def _seeds_of(target: Path) -> dict[str, str]:
    """The parameter that hands a painter's tuned seeds to its clients, where its weights have any."""
    path = target / _WEIGHTS / SEEDS
    return {"seeds": json.dumps(json.loads(path.read_text(encoding="utf-8"))["seeds"])} if path.is_file() else {}


def _make_engine(target: Path) -> None:
    from models.export.onnx import GRAPHS

    fixed_batch = int(read_config(target / _CPU).parameters["fixed_batch"].string_value)
    (target / "1").mkdir(exist_ok=True)
    graph = GRAPHS[target.name](fixed_batch)
    (target / "1" / "model.onnx").write_bytes(graph.SerializeToString(deterministic=True))


def model_digest(folder: Path, config: Any, code: Dependencies) -> str:
    """A model's identity: SHA-256 over its configuration, its engine file and engine's version, and its code, hex.

    Instances are left out: they change how many requests run at once, not what they answer.
    """
    bare = ModelConfig()
    bare.CopyFrom(config)
    bare.ClearField("instance_group")
    parts = [bare.SerializeToString(deterministic=True), *code.parts()]
    for path in files_under(folder / _WEIGHTS):
        parts += [path.name.encode(), path.read_bytes()]
    if _is_engine(folder):
        engine = config.parameters["cpu_engine"].string_value if "cpu_engine" in config.parameters else "tensorrt"
        parts += [(folder / "1" / "model.onnx").read_bytes(), engine.encode(), version_of(engine).encode()]
        parts += [precision_here(config.parameters["precision"].string_value).encode()] if engine != "tensorrt" else []
    return digest_of(parts)


_HEADER = "# Made by `python -m models.export.repository --write` from transforms/inference/contracts.py.\n"


def _base_config(contract: ModelContract) -> Any:
    config = ModelConfig(name=contract.name, max_batch_size=contract.max_batch)
    for tensors, specs in ((config.input, contract.inputs), (config.output, contract.outputs)):
        for spec in specs:
            tensors.add(name=spec.name, data_type=_data_type(spec), dims=spec.shape)
    if contract.queue_delay_usec is not None:
        config.dynamic_batching.preferred_batch_size.append(contract.fixed_batch)
        config.dynamic_batching.max_queue_delay_microseconds = contract.queue_delay_usec
    return config


def _data_type(spec: TensorSpec) -> str:
    return "TYPE_STRING" if spec.dtype == "BYTES" else f"TYPE_{spec.dtype}"


def _with_parameters(config: Any, values: Mapping[str, str]) -> Any:
    for name, value in {"model_digest": "", **values}.items():
        config.parameters[name].string_value = value
    return config


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.export.repository", description=__doc__)
    parser.add_argument("--source", type=Path, default=SOURCE, help="the repository as checked in")
    parser.add_argument("--write", action="store_true", help="rewrite its configurations from the contracts")
    parser.add_argument("--materialise", type=Path, metavar="CACHE", help="make its runtime form under CACHE")
    parser.add_argument("--models", default="", help="comma-separated; all where empty")
    parser.add_argument("--instance_factor", type=int, default=1, help="multiplies the instances of CPU models")
    options = parser.parse_args(arguments)
    if options.write:
        write_configs(options.source)
    if options.materialise:
        models = [name for name in options.models.split(",") if name]
        try:
            made = materialise(options.materialise, options.source, models or None, options.instance_factor)
        except ConfigError as error:
            sys.stderr.write(f"{error}\n")
            return 2
        sys.stdout.write(f"{made}\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
