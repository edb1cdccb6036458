"""A process has one OpenVINO core, and signals reach it however many networks have come and gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import models
from models.serving.cores import core

WEIGHTS = Path(models.__file__).parent / "weights" / "upscaler" / "upscaler.onnx"
SCRIPT = """
import gc, os, pathlib, signal, sys
import numpy as np
from models.serving.networks import load_network

def answer(network):
    return network({"IMAGE": np.zeros((1, 96, 96, 3), np.uint8)})

networks = [load_network(pathlib.Path(sys.argv[1]), "openvino", 1) for _ in range(3)]
for network in networks:
    answer(network)
del network
while networks:
    del networks[0]
    gc.collect()
signal.signal(signal.SIGTERM, lambda *_: print("heard"))
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_there_is_one_core() -> None:
    assert core() is core()


def test_a_signal_finds_its_stack_after_networks_have_gone_in_the_order_they_came() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    # the kernel runs Python's handlers on the stack that faulthandler, or the plugin, has named
    command = [sys.executable, "-X", "faulthandler", "-c", SCRIPT, str(WEIGHTS)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "heard\n"
