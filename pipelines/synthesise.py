"""Several products in one scene: from a manifest, with their own pixels, or as a pilot, painted anew.

    python -m pipelines.synthesise --manifest M --group_column COLUMN --output DIR      # see pipelines.scenes.command
    python -m pipelines.synthesise --products DIR --prompt "three vases on an oak table" --out DIR [--size 608x416]

The pilot asks the variant `scene_synthesis`.
`--products` holds one to eight cutouts with an alpha channel (PNG or WebP), taken in the order of their names. OUT gets
`<seed>.png` for each candidate, the best judged by nobody. The server is one that runs already (`--triton`), or is
started for it.

The network paints the products anew out of small pictures of them, so **they are altered**: no promise of the job holds
here, nothing enters an index, and a scene is something to look at and no creative.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from pipelines.embedded import EmbeddedServer
from pipelines.flags import listed
from transforms.errors import CanvasError, ConfigError
from transforms.inference.client import TritonClient
from transforms.inference.config import ServingConfig
from transforms.inference.contracts import BUCKETS, CONTRACTS
from transforms.inference.interface import InferenceClient
from transforms.ops.references import MOST, slots_of
from transforms.records import Pixels, Size

MODEL = "canvas_scene_synthesis"
_SUFFIXES = {".png", ".webp"}


def read_products(folder: Path) -> list[Pixels]:
    """The cutouts of a folder by name, uint8 [h, w, 4] each.

    Raises:
        ConfigError: there are none or more than eight, or one cannot be read, has no alpha or shows nothing.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES)
    if not 1 <= len(paths) <= MOST:
        raise ConfigError(f"{str(folder)!r} holds {len(paths)} PNG or WebP files: a scene takes 1 to {MOST} products")
    products = []
    for path in paths:
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if pixels is None or pixels.ndim != 3 or pixels.shape[2] != 4 or pixels.dtype != np.uint8:
            raise ConfigError(f"{str(path)!r} is no picture with an 8-bit alpha channel: cut the product out")
        if not pixels[..., 3].any():
            raise ConfigError(f"{str(path)!r} shows nothing: it is transparent everywhere")
        products.append(np.ascontiguousarray(pixels[..., [2, 1, 0, 3]]))
    return products


def synthesise(
    client: InferenceClient, products: Sequence[Pixels], prompt: str, size: Size, seeds: Sequence[int]
) -> list[Pixels]:
    """A scene for each seed, uint8 [h, w, 3].

    Args:
        client: asked for `canvas_scene_synthesis`.
        products: one to eight cutouts, uint8 [h, w, 4].
        prompt: of the scene.
        size: sides divisible by 16.
        seeds: of the candidates.

    Raises:
        ServingError: the model failed, or the server cannot be reached.
    """
    slots, limit = slots_of(products), CONTRACTS[MODEL].max_batch
    scenes: list[Pixels] = []
    for start in range(0, len(seeds), limit):
        batch = seeds[start : start + limit]
        inputs = {
            "IMAGE": np.zeros((len(batch), *size, 3), np.uint8),
            "REFERENCES": np.repeat(slots[None], len(batch), axis=0),
            "PROMPT": np.array([[prompt]] * len(batch), object),
            "SEED": np.array(batch, np.int64)[:, None],
        }
        scenes += list(client.infer(MODEL, inputs)["CANDIDATE"])
    return scenes


@contextmanager
def _client(endpoints: str, repository: Path | None) -> Iterator[InferenceClient]:
    if endpoints:
        yield TritonClient(ServingConfig(listed(endpoints)))
        return
    with EmbeddedServer(repository, [MODEL], instance_factor=1) as server:
        yield TritonClient(ServingConfig((server.address,)))


def _size(text: str) -> Size:
    try:
        size = Size(*map(int, text.split("x")))
    except (TypeError, ValueError):
        size = Size(0, 0)
    if min(size) < 16 or size.height % 16 or size.width % 16:
        raise ConfigError(f"--size {text!r} is not HEIGHTxWIDTH with sides divisible by 16")
    return size


def main(argv: Sequence[str] | None = None) -> int:
    """The command; without `--products` it makes the scenes of a manifest."""
    argv = sys.argv[1:] if argv is None else argv
    if not any(flag.split("=")[0] == "--products" for flag in argv):
        from pipelines.scenes.command import run

        return run(argv)
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.synthesise",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--products", type=Path, required=True, help="folder of cutouts")
    parser.add_argument("--prompt", required=True, help="the scene in words")
    parser.add_argument("--out", type=Path, required=True, help="folder of the scenes")
    parser.add_argument("--size", default="x".join(map(str, BUCKETS[1])), help="height x width (default %(default)s)")
    parser.add_argument("--count", type=int, default=4, help="candidates (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first one (default %(default)s)")
    parser.add_argument("--triton", default="", help="host:port of running servers; empty: start one")
    parser.add_argument("--triton_repo", type=Path, help="model repository of the started server")
    options = parser.parse_args(argv)
    try:
        products, size = read_products(options.products), _size(options.size)
        seeds = range(options.seed, options.seed + max(1, options.count))
        with _client(options.triton, options.triton_repo) as client:
            scenes = synthesise(client, products, options.prompt, size, seeds)
    except CanvasError as error:
        sys.stderr.write(f"error: {error}\n  remedy: {error.remedy}\n")
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    for seed, scene in zip(seeds, scenes, strict=True):
        cv2.imwrite(str(options.out / f"{seed}.png"), scene[..., ::-1])
    sys.stdout.write(f"{len(scenes)} scenes of {len(products)} products: {options.out}\n")
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)  # Beam warns of optional parts on import; --log_level decides after it
    sys.exit(main())
