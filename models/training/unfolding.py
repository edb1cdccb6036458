"""A shipped segmenter made trainable again: its ONNX file holds convolutions with the normalisations folded in.

What is folded cannot be taken apart, but a normalisation that changes nothing can be put behind each convolution: it
has the statistics of the convolution's answers on the pictures at hand, and scales and shifts them back.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from models.training.network import Segmenter, new_segmenter
from transforms.errors import ConfigError

Folded = NDArray[np.float32]

_SIDE = 64  # of the empty picture that tells the order of layers


def load_shipped(path: Path, images: Tensor) -> Segmenter:
    """The segmenter of an exported file, as `models.training.train_segmenter` trains it on.

    Args:
        path: an ONNX file of `models.export.segmenter`.
        images: pictures like those that it will be trained on, float32 [B, 3, H, W] in [0, 255].

    Raises:
        ConfigError: the file is not of this network.
    """
    network = new_segmenter().eval()
    folded = list(_folded(onnx.load(path)))
    pairs = list(_convolutions(network))
    if [weight.shape for weight, _ in folded] != [tuple(one.weight.shape) for one, _ in pairs]:
        raise ConfigError(f"{path} is not an exported segmenter of this network: train without --start")
    with torch.no_grad():
        for (weight, bias), (convolution, norm) in zip(folded, pairs, strict=True):
            convolution.weight.copy_(torch.from_numpy(weight))
            shift = torch.from_numpy(bias)
            if norm is None:
                cast(Tensor, convolution.bias).copy_(shift)
            else:
                _pass_through(norm, shift, torch.zeros_like(shift), torch.ones_like(shift))
        _normalize(network, [norm for _, norm in pairs if norm is not None], images)
    return network


def _folded(model: onnx.ModelProto) -> Iterator[tuple[Folded, Folded]]:
    """(weight, bias) of each convolution, in the graph's order; halves are cast to floats in the graph."""
    held = {one.name: numpy_helper.to_array(one).astype(np.float32) for one in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in held:
            held[node.output[0]] = held[node.input[0]]
    for node in model.graph.node:
        if node.op_type == "Conv":
            yield held[node.input[1]], held[node.input[2]]


def _convolutions(network: Segmenter) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """Each convolution with the normalisation behind it, in the order of their calls."""
    called: list[nn.Module] = []
    layers = [one for one in network.modules() if isinstance(one, (nn.Conv2d, nn.BatchNorm2d))]
    hooks = [one.register_forward_hook(lambda layer, *_: called.append(layer)) for one in layers]
    with torch.no_grad():
        network(torch.zeros(1, 3, _SIDE, _SIDE))
    for hook in hooks:
        hook.remove()
    for number, layer in enumerate(called):
        if isinstance(layer, nn.Conv2d):
            after = called[number + 1] if number + 1 < len(called) else None
            yield layer, after if isinstance(after, nn.BatchNorm2d) else None


def _normalize(network: Segmenter, norms: list[nn.BatchNorm2d], images: Tensor) -> None:
    """Give each of `norms` the statistics of what it is given for `images`, and take them back behind it."""
    seen: dict[nn.BatchNorm2d, tuple[Tensor, Tensor]] = {}

    def note(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
        seen[cast(nn.BatchNorm2d, norm)] = (given[0].mean((0, 2, 3)), given[0].var((0, 2, 3), unbiased=False))

    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    network(images)
    for hook in hooks:
        hook.remove()
    for norm in norms:
        _pass_through(norm, norm.bias.detach().clone(), *seen[norm])


def _pass_through(norm: nn.BatchNorm2d, shift: Tensor, mean: Tensor, variance: Tensor) -> None:
    """Make `norm` add `shift` and nothing else, given answers of this `mean` and `variance`."""
    cast(Tensor, norm.running_mean).copy_(mean)
    cast(Tensor, norm.running_var).copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.copy_(shift + mean)
