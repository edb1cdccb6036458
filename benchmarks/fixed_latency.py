"""A model repository whose every model takes the same time: what the pipeline costs apart from its models.

Same names and contracts as `triton_repo/`; the answers are those of `transforms.inference.fake`, given after a sleep,
so a model's instance is busy without using a CPU. Served like any other repository::

    python benchmarks/fixed_latency.py OUT --latency_msec 100 --instances 4
    python run_pipeline.py --triton_repo OUT ...
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from models.export.repository import write_configs
from transforms.inference.contracts import CONTRACTS

_MODEL = '''"""Sleeps, then answers as the fake client does."""

import time

import triton_python_backend_utils as pb_utils

from transforms.inference.contracts import CONTRACTS
from transforms.inference.fake import RESPONDERS

LATENCY_SEC = {latency_sec!r}


class TritonPythonModel:
    """Takes a fixed time for each request."""

    def initialize(self, args):
        """Find the model's contract and its answers."""
        self.contract = CONTRACTS[args["model_name"]]
        self.respond = RESPONDERS[self.contract.name]

    def execute(self, requests):
        """One response for each request, each after its own sleep."""
        return [self.answer(request) for request in requests]

    def answer(self, request):
        """Sleep for what is left of the fixed time once the answer is there."""
        started = time.monotonic()
        names = [spec.name for spec in self.contract.inputs]
        inputs = {{name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in names}}
        outputs = [pb_utils.Tensor(name, tensor) for name, tensor in self.respond(inputs).items()]
        time.sleep(max(0.0, LATENCY_SEC - (time.monotonic() - started)))
        return pb_utils.InferenceResponse(outputs)
'''


def build_repository(target: Path, latency_msec: float, instances: int = 1) -> Path:
    """Write the repository under `target` and return it.

    Args:
        target: created where missing.
        latency_msec: what each request takes inside its model.
        instances: of each model.
    """
    contracts = [replace(contract, platform="", instances=instances) for contract in CONTRACTS.values()]
    write_configs(target, contracts)
    for contract in contracts:
        path = target / contract.name / "1" / "model.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_MODEL.format(latency_sec=latency_msec / 1000))
    return target


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path)
    parser.add_argument("--latency_msec", type=float, default=100.0, help="of every request (default %(default)s)")
    parser.add_argument("--instances", type=int, default=1, help="of every model (default %(default)s)")
    options = parser.parse_args()
    print(build_repository(options.target, options.latency_msec, options.instances))


if __name__ == "__main__":
    main()
