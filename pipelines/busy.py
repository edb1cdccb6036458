"""How busy the inference servers were: the busiest model's compute time over the time that passed."""

from __future__ import annotations

import re
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterable
from http.client import HTTPException
from types import TracebackType
from urllib.parse import urlsplit

from transforms.errors import ServingError
from transforms.loopback import is_loopback

_COMPUTE = re.compile(
    r'^nv_inference_compute_infer_duration_us\{[^}]*model="([^"]+)"[^}]*\} ([0-9.e+]+)$', re.MULTILINE
)


def compute_sec(metrics: str) -> dict[str, float]:
    """Seconds that each model computed, from Triton's Prometheus text.

    >>> compute_sec('nv_inference_compute_infer_duration_us{model="a",version="1"} 2500000')
    {'a': 2.5}
    """
    seconds: defaultdict[str, float] = defaultdict(float)
    for model, microseconds in _COMPUTE.findall(metrics):
        seconds[model] += float(microseconds) / 1e6
    return dict(seconds)


class BusyMeter:
    """Reads the servers' metrics before and after.

    Args:
        urls: of the servers' Prometheus metrics.
        instances: how many requests of a model all servers compute at once.

    Attributes:
        model: the busiest one.
        share: its computed seconds over the seconds that passed, times its instances. None where no server gives
            metrics.
        compute_sec: computed seconds by model.
    """

    def __init__(self, urls: Iterable[str], instances: Callable[[str], int]) -> None:
        self._urls, self._instances = list(urls), instances
        self.share: float | None = None
        self.model = ""
        self.compute_sec: dict[str, float] = {}

    def __enter__(self) -> BusyMeter:
        self._started, self._before = time.monotonic(), self._read()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        after = self._read()
        if self._before is None or after is None:
            return
        wall = time.monotonic() - self._started
        # A restarted server counts from zero again.
        self.compute_sec = {model: max(now - self._before.get(model, 0.0), 0.0) for model, now in after.items()}
        try:
            shares = {name: spent / wall / self._instances(name) for name, spent in self.compute_sec.items() if spent}
        except ServingError:  # the servers went after their last answer: a figure less, and no run spoiled by it
            return
        self.model = max(shares, key=shares.__getitem__, default="")
        self.share = round(shares.get(self.model, 0.0), 4)

    def _read(self) -> dict[str, float] | None:
        total: defaultdict[str, float] = defaultdict(float)
        for url in self._urls:
            try:
                text = _text_at(url)
            except (OSError, HTTPException, ValueError):  # nobody there, no HTTP, no URL
                return None
            for model, spent in compute_sec(text).items():
                total[model] += spent
        return dict(total) if self._urls else None


def _text_at(url: str) -> str:
    # What listens on this machine is not behind the proxy that the environment names for the world outside.
    own = is_loopback(urlsplit(url).hostname or "")
    opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if own else []))
    with opener.open(url, timeout=5) as answer:
        return str(answer.read().decode())
