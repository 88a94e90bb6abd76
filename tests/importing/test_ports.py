"""Every port's logits, computed from its own names, against the network that import builds."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from swiftseg.importing import Imported, import_checkpoint
from swiftseg.models import create_model
from tests.support import fcn_lookalikes as fcn
from tests.support import port_lookalikes as ports

WKENTARO_ORDER = (
    *("fc6", "fc7", "score_fr", "score_pool3", "score_pool4"),
    *("upscore2", "upscore8", "upscore_pool4"),
)
SEGFAST_ORDER = (
    *("score_pool3", "score_pool4", "fc6", "fc7", "score_fr"),
    *("upscore2", "upscore_pool4", "upscore8"),
)


def saved(state: ports.State, path: Path) -> Path:
    torch.save(state, path)
    return path


def built(imported: Imported) -> nn.Module:
    with torch.device("meta"):
        network = create_model(
            imported.description.network,
            num_classes=imported.description.num_classes,
            **imported.description.options,
        )
    network.load_state_dict(imported.weights, assign=True)
    return network.eval()


def image(height: int, width: int) -> Tensor:
    return torch.rand((1, 3, height, width), generator=torch.Generator().manual_seed(1))


def assert_equal_logits(imported: Imported, theirs: Tensor, frame: Tensor) -> None:
    """To 2e-5 of the largest: float32, summed in another order."""
    with torch.no_grad():
        ours = built(imported)(frame)
    assert theirs.std() > 0
    assert (ours - theirs).abs().max() < 2e-5 * theirs.abs().max()


@pytest.mark.parametrize(
    ("network", "make", "logits", "size_hw"),
    [
        ("fast_scnn", ports.tramac_state, ports.tramac_logits, (128, 192)),
        ("segnet", ports.onera_state, ports.onera_logits, (32, 64)),
        ("segfast", ports.segfast_state, ports.segfast_logits, (48, 80)),
        ("segfast", ports.segfast_state, ports.segfast_logits, (34, 46)),  # odd maps inside
        ("shelfnet50", ports.shelfnet_state, ports.shelfnet_logits, (64, 96)),
    ],
)
def test_logits_are_the_ports(
    network: str,
    make: Callable[[int], ports.State],
    logits: Callable[[ports.State, Tensor], Tensor],
    size_hw: tuple[int, int],
    tmp_path: Path,
):
    state = make(5)
    imported = import_checkpoint(saved(state, tmp_path / "port.pth"), network)
    assert imported.description.num_classes == 5
    assert_equal_logits(imported, logits(state, image(*size_hw)), image(*size_hw))


def test_what_only_training_uses_is_left_out_by_name(tmp_path: Path):
    path = saved(ports.shelfnet_state(3), tmp_path / "port.pth")
    left_out = import_checkpoint(path, "shelfnet50").left_out
    layers = {name.rpartition(".")[0] for name in left_out}
    assert layers == {
        "pretrained.fc",
        "head.selayer",
        *("head.decoder.inconv.conv1", "head.decoder.inconv.bn1", "head.decoder.inconv.bn2"),
        *("auxlayer.conv5.0", "auxlayer.conv5.1", "auxlayer.conv5.4"),
    }


@pytest.mark.parametrize(
    ("network", "make"),
    [
        ("segnet", ports.onera_state),
        ("segfast", ports.segfast_state),
        ("shelfnet50", ports.shelfnet_state),
    ],
)
def test_every_tensor_arrives_once_and_bit_for_bit(
    network: str, make: Callable[[int], ports.State], tmp_path: Path
):
    """None of these ports needs a value changed; random tensors are told apart by their bytes."""
    state = make(4)
    imported = import_checkpoint(saved(state, tmp_path / "port.pth"), network)
    used = [
        tensor.numpy().tobytes()
        for name, tensor in state.items()
        if name not in imported.left_out and "num_batches_tracked" not in name
    ]
    arrived = [
        tensor.numpy().tobytes()
        for name, tensor in imported.weights.items()
        if "num_batches_tracked" not in name
    ]
    assert len(set(used)) == len(used)
    assert sorted(map(hash, arrived)) == sorted(map(hash, used))


def test_tramac_names_its_deviations_and_the_biases_that_were_moved(tmp_path: Path):
    path = saved(ports.tramac_state(3), tmp_path / "port.pth")
    imported = import_checkpoint(path, "fast_scnn")
    assert imported.description.options == {"variant": "port"}
    told = " ".join(imported.deviations)
    for word in ("inside separable", "dilated", "pad", "corners"):
        assert word in told
    assert len(imported.bridged) == 2
    assert all("feature_fusion.conv_" in line and "bias" in line for line in imported.bridged)
    assert {name.partition(".")[0] for name in imported.left_out} == {"auxlayer"}


def test_a_tramac_file_without_its_auxiliary_head(tmp_path: Path):
    path = saved(ports.tramac_state(3, aux=False), tmp_path / "port.pth")
    assert import_checkpoint(path, "fast_scnn").left_out == ()


@pytest.mark.parametrize(
    ("port", "scales", "deviations"),
    [
        ("wkentaro", (1.0, 1.0), ["unscaled", "BGR"]),
        ("wkentaro-at-once", (0.0001, 0.01), ["BGR"]),
    ],
)
def test_wkentaro_fcn8s_sees_rgb(
    port: str, scales: tuple[float, float], deviations: list[str], tmp_path: Path
):
    state = fcn.fcn8s_state(3, WKENTARO_ORDER)
    imported = import_checkpoint(saved(state, tmp_path / "port.pth"), "fcn8s", port=port)
    frame = image(20, 36)
    assert_equal_logits(imported, fcn.fcn8s_logits(state, frame.flip(1), scales=scales), frame)
    for word, line in zip(deviations, imported.deviations, strict=True):
        assert word in line


def test_the_fcn8s_of_segfasts_authors(tmp_path: Path):
    state = fcn.fcn8s_state(3, SEGFAST_ORDER)
    names = fcn.SEGFAST_FCN_NAMES
    theirs = fcn.renamed(state, lambda layer: names.get(layer, layer))
    imported = import_checkpoint(saved(theirs, tmp_path / "port.pth"), "fcn8s")
    frame = image(20, 36)
    assert_equal_logits(imported, fcn.fcn8s_logits(state, frame, scales=(0.0001, 0.01)), frame)
    assert imported.deviations == ()
