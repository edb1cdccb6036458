"""One process or many: how a run is spread over them, and weights of which each process keeps a part.

Data-parallel processes hold the same weights and average their gradients. Sharded ones (FSDP, Zhao et al. 2023, through
`accelerate`) each keep a part of every weight, of its moments and of its average; a layer is gathered while it is used.
What is kept on disk is whole in every way, so a run may go on with another number of processes, sharded or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import torch
from accelerate import Accelerator, FullyShardedDataParallelPlugin, PartialState
from accelerate.utils import DistributedDataParallelKwargs, DistributedType, InitProcessGroupKwargs
from torch import Tensor
from torch.distributed.fsdp import MixedPrecisionPolicy
from torch.distributed.tensor import DTensor, distribute_tensor

from models.canvas import Canvas

_PATIENCE = timedelta(hours=1)  # the others wait while the main process paints samples


def accelerator_of(bf16: bool, sharded: bool) -> Accelerator:
    """The accelerator of this process: of its GPU, of many under torchrun, or of CPUs where there is no GPU.

    Args:
        bf16: whether layers run in bfloat16.
        sharded: whether processes keep parts; nothing where there is one.
    """
    plugin = _plugin(bf16) if sharded else None
    accelerator = Accelerator(
        mixed_precision="bf16" if bf16 else "no",
        cpu=not torch.accelerator.is_available(),  # unless it is told, processes on CPUs know nothing of each other
        fsdp_plugin=plugin,
        kwargs_handlers=[
            InitProcessGroupKwargs(timeout=_PATIENCE),
            DistributedDataParallelKwargs(find_unused_parameters=True),  # of references, in batches that have none
        ],
    )
    if sharded and accelerator.distributed_type == DistributedType.MULTI_CPU:
        # accelerate shards on GPUs alone; its code runs on CPUs as well, where the recipe can be rehearsed
        PartialState().distributed_type = accelerator.state.distributed_type = DistributedType.FSDP
        accelerator.state.fsdp_plugin = plugin
    return accelerator


def _plugin(bf16: bool) -> FullyShardedDataParallelPlugin:
    # inputs stay as they are: times and noise need float32, autocast does the rest
    kept = MixedPrecisionPolicy(torch.bfloat16, torch.float32, cast_forward_inputs=False) if bf16 else None
    return FullyShardedDataParallelPlugin(
        fsdp_version=2, auto_wrap_policy="transformer_based_wrap", mixed_precision_policy=kept or MixedPrecisionPolicy()
    )


def spread(network: Canvas, optimizer: torch.optim.Optimizer, accelerator: Accelerator) -> tuple[Any, Any]:
    """Network and optimiser as this process trains them: together with the others, or its part of them."""
    sharded = accelerator.distributed_type == DistributedType.FSDP
    if sharded:
        accelerator.state.fsdp_plugin.transformer_cls_names_to_wrap = network.body._no_split_modules
    prepared, stepped = accelerator.prepare(network, optimizer)
    if sharded:
        prepared.set_reduce_scatter_unused_params(True)  # as above: processes must agree on what they exchange
    return prepared, stepped


def zero_unused(network: Any) -> None:
    """Give a gradient of 0 to weights that the step's batches left unused.

    Sharded processes have one anyway; elsewhere the optimiser would pass these weights over, and learn otherwise.
    """
    for parameter in network.parameters():
        if parameter.requires_grad and parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)


def whole(held: Any, kept: bool = True) -> Any:
    """The same tree of dictionaries with whole tensors on the CPU; every process must call it.

    Args:
        held: tensors, some of them parts, by name.
        kept: whether this process wants them; where not, there is None for each tensor.
    """
    if isinstance(held, Mapping):
        return {name: whole(value, kept) for name, value in held.items()}
    if not isinstance(held, Tensor):
        return held
    gathered = held.full_tensor() if isinstance(held, DTensor) else held
    return gathered.detach().cpu() if kept else None


def part(value: Tensor, own: Tensor) -> Tensor:
    """What this process keeps of a whole `value` that takes the place of `own`."""
    if not isinstance(own, DTensor):
        return value
    return distribute_tensor(value, own.device_mesh, own.placements, src_data_rank=None)
