"""Batch normalization over several devices, and its statistics over a whole data set."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from swiftseg.core import SwiftsegError
from swiftseg.layers.training_outputs import training_outputs

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def refuse_synchronizing_cpus(num_processes: int, device: torch.device) -> None:
    """Raise SwiftsegError if the processes are several and on CPUs: torch cannot do it there."""
    if num_processes > 1 and device.type != "cuda":
        raise SwiftsegError(
            f"sync_batch_norm needs GPUs, and these are {num_processes} processes on {device.type};"
            " train in one process, or with --set sync_batch_norm=false"
        )


def refuse_single_frames(
    network: nn.Module, image_chw: tuple[int, int, int], *, batch_size: int, parts: int
) -> None:
    """Raise SwiftsegError if batch normalization would see one value a channel in training.

    That is so where one frame is taken at a time and a network pools it to one pixel.

    Args:
        network: Without values, on torch's meta device; it is in train mode afterwards.
        image_chw: Bands and size of the frames in training.
        batch_size: Of a step, over all devices.
        parts: Into how many it is divided: by the devices, and by accumulation on each.
    """
    if batch_size // parts > 1:
        return
    try:
        training_outputs(network.train(), torch.empty(1, *image_chw, device="meta"))
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise SwiftsegError(
            f"batch normalization needs two or more frames at a time, and a batch of {batch_size} "
            f"in {parts} part{'s' * (parts > 1)} leaves one; set batch_size to {2 * parts} or more"
        ) from error


def synchronize_batch_norm(network: nn.Module, num_processes: int) -> nn.Module:
    """Normalize over the batch of all processes; with one there is nothing to do."""
    if num_processes == 1:
        return network
    return nn.SyncBatchNorm.convert_sync_batchnorm(network)


@torch.no_grad()
def reestimate_batch_norm(
    network: nn.Module, batches: Iterable[Tensor], *, frozen: Sequence[nn.Module] = ()
) -> None:
    """Replace running means and variances by their averages over batches.

    As SegNet's release does after training: each batch counts the same and the variance is the
    unbiased one. `torch.optim.swa_utils.update_bn` gives the same for a network without dropout;
    dropout is off here, as it is when the statistics are used.
    """
    kept = {id(part) for module in frozen for part in module.modules()}
    norms = [m for m in network.modules() if isinstance(m, BATCH_NORMS) and id(m) not in kept]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative average
        norm.train()
    for batch in batches:
        network(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()
