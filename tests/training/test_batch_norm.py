import pytest
import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from swiftseg.core import SwiftsegError
from swiftseg.models import create_model
from swiftseg.training.batch_norm import (
    reestimate_batch_norm,
    refuse_single_frames,
    refuse_synchronizing_cpus,
    synchronize_batch_norm,
)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1), nn.BatchNorm2d(2)
    )


def batches() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [3 * torch.randn(4, 3, 8, 8, generator=generator) + 1 for _ in range(5)]


def test_statistics_are_those_of_torchs_own_pass():
    ours, theirs = network(), network()
    reestimate_batch_norm(ours, batches())
    update_bn(batches(), theirs)
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor), name
    assert not ours.training
    assert ours[1].momentum == 0.1


def test_the_average_of_batches_by_hand():
    layer = nn.BatchNorm2d(3)
    reestimate_batch_norm(layer, batches())
    by_batch = [batch.movedim(1, 0).flatten(1) for batch in batches()]
    means = torch.stack([values.mean(1) for values in by_batch]).mean(0)
    variances = torch.stack([values.var(1) for values in by_batch]).mean(0)
    torch.testing.assert_close(layer.running_mean, means)
    torch.testing.assert_close(layer.running_var, variances)


def test_dropout_is_off_and_torchs_random_state_stays():
    with_dropout = nn.Sequential(nn.Dropout(0.9), *network()).train()
    without = network()
    before = torch.get_rng_state()
    reestimate_batch_norm(with_dropout, batches())
    reestimate_batch_norm(without, batches())
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(with_dropout[2].running_var, without[1].running_var)


def test_what_is_frozen_keeps_its_statistics():
    partly = network()
    reestimate_batch_norm(partly, batches(), frozen=[partly[1]])
    assert torch.equal(partly[1].running_mean, torch.zeros(4))
    # What follows sees what a frozen layer gives in evaluation.
    with torch.no_grad():
        seen = [partly.eval()[:4](batch).movedim(1, 0).flatten(1) for batch in batches()]
    torch.testing.assert_close(
        partly[4].running_mean, torch.stack([values.mean(1) for values in seen]).mean(0)
    )


def test_several_gpus_synchronize_and_one_process_need_not():
    converted = synchronize_batch_norm(network(), 2)
    kinds = [type(module) for module in converted if isinstance(module, nn.SyncBatchNorm)]
    assert len(kinds) == 2
    assert converted.state_dict().keys() == network().state_dict().keys()
    plain = network()
    assert synchronize_batch_norm(plain, 1) is plain
    refuse_synchronizing_cpus(2, torch.device("cuda", 0))
    refuse_synchronizing_cpus(1, torch.device("cpu"))
    with pytest.raises(SwiftsegError, match=r"2 processes on cpu; .*sync_batch_norm=false"):
        refuse_synchronizing_cpus(2, torch.device("cpu"))


def test_one_frame_alone_is_refused_where_a_network_pools_it_to_one_pixel():
    with torch.device("meta"):
        fast_scnn = create_model("fast_scnn", num_classes=3)
        enet = create_model("enet", num_classes=3)
    for batch_size, parts in ((1, 1), (2, 2), (5, 4)):
        with pytest.raises(SwiftsegError, match=f"two or more frames.*{2 * parts} or more"):
            refuse_single_frames(fast_scnn, (3, 64, 96), batch_size=batch_size, parts=parts)
    refuse_single_frames(fast_scnn, (3, 64, 96), batch_size=2, parts=1)
    refuse_single_frames(enet, (3, 64, 96), batch_size=1, parts=1)
