"""Two real processes on CPUs: what each holds, and that they agree."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from models.training.processes import part, whole, zero_unused  # noqa: E402

STEPS = """
import json
import sys

import torch
from torch.distributed.tensor import DTensor

from models.preconditioning import Moments
from models.training.base_recipe import Recipe
from models.training.base_state import new_state
from models.training.processes import accelerator_of, whole
from models.training.train_base import take_step


class Drawn:
    # batches with references for one process, without for the other
    def of(self, stage):
        return self

    def batch(self, seed, number, size):
        drawn = torch.Generator().manual_seed(number)
        shapes = {"target": (32, 4, 4), "given": (32, 4, 4), "known": (1, 4, 4), "text": (32, 128)}
        shapes |= {"references": (8, 32, 4, 4)} if number % 2 else {}
        parts = {name: torch.rand(size, *shape, generator=drawn) for name, shape in shapes.items()}
        return "scene_synthesis" if number % 2 else "outpaint", parts


def held(tensors):
    return sum((value.to_local() if isinstance(value, DTensor) else value).numel() for value in tensors)


def share(tensors):
    return held(tensors) / sum(value.numel() for value in tensors)


accelerator = accelerator_of(False, sys.argv[1] == "true")
recipe = Recipe(spec="canvas-rehearsal", steps=3, stages="0-320:1:2")
state = new_state(recipe, None, Moments(torch.zeros(32), torch.ones(32), {}), accelerator)
alike = []
for step in range(3):
    take_step(state, recipe, Drawn(), accelerator)
    both = accelerator.gather(torch.cat([value.flatten() for value in whole(state.own.state_dict()).values()])[None])
    alike.append(torch.equal(both[0], both[1]))
moments = [kept[name] for kept in state.optimizer.state_dict()["state"].values() for name in ("exp_avg", "exp_avg_sq")]
shares = [share(list(tensors)) for tensors in (state.own.parameters(), state.average.parameters(), moments)]
if accelerator.is_main_process:
    print(json.dumps({"processes": accelerator.num_processes, "alike": alike, "shares": shares}))
accelerator.end_training()
"""


def two_processes(tmp_path, *arguments):
    script = tmp_path / "steps.py"
    script.write_text(STEPS)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([*launch, script, *arguments], capture_output=True, text=True, timeout=300, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.cluster
def test_data_parallel_processes_hold_the_same_weights_after_every_step(tmp_path):
    told = two_processes(tmp_path, "false")
    assert told == {"processes": 2, "alike": [True] * 3, "shares": [1.0] * 3}


@pytest.mark.cluster
def test_sharded_processes_each_hold_half_of_the_weights_their_average_and_their_moments(tmp_path):
    told = two_processes(tmp_path, "true")
    assert told["processes"] == 2 and told["alike"] == [True] * 3
    assert told["shares"] == pytest.approx([0.5] * 3, abs=0.01)


def test_what_one_process_holds_is_whole_as_it_is():
    held = {"weights": {"a": torch.arange(3.0, requires_grad=True)}, "step": 4}
    assert whole(held)["step"] == 4 and torch.equal(whole(held)["weights"]["a"], torch.arange(3.0))
    assert whole(held, kept=False) == {"weights": {"a": None}, "step": 4}
    assert torch.equal(part(torch.ones(3), held["weights"]["a"]), torch.ones(3))


def test_weights_that_no_batch_used_get_a_gradient_of_nothing():
    network = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1).requires_grad_(False))
    network[0].bias.sum().backward()
    zero_unused(network)
    assert network[0].weight.grad.item() == 0 and network[0].bias.grad.item() == 1 and network[1].bias.grad is None
