import hashlib
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models import Weights, WeightsEnum

from swiftseg.core import SwiftsegError
from swiftseg.layers.backbone_weights import load_backbone
from swiftseg.layers.tensor_file import read_state_dict

# Nothing listens on port 9 of this machine: the download fails at once, with or without a network.
UNREACHABLE = "http://127.0.0.1:9/tiny-0123abcd.pth"


def weights_at(url: str) -> WeightsEnum:
    class TinyWeights(WeightsEnum):
        V1 = Weights(url=url, transforms=nn.Identity, meta={})

    return TinyWeights.V1


def classifier() -> nn.ModuleDict:
    return nn.ModuleDict(
        {"conv": nn.Conv2d(3, 4, 2), "norm": nn.BatchNorm2d(4), "fc": nn.Linear(16, 5)}
    )


def backbone() -> nn.ModuleDict:
    return nn.ModuleDict({"conv": nn.Conv2d(3, 4, 2), "norm": nn.BatchNorm2d(4)})


def saved(tmp_path: Path, state: object, name: str = "local.pth") -> Path:
    torch.save(state, tmp_path / name)
    return tmp_path / name


def test_every_tensor_arrives_under_its_own_name(tmp_path: Path):
    theirs = classifier()
    nn.init.uniform_(theirs["norm"].running_mean)
    ours = backbone()
    load_backbone(ours, weights_at(UNREACHABLE), saved(tmp_path, theirs.state_dict()), head="fc.")
    for name, tensor in ours.state_dict().items():
        assert torch.equal(tensor, theirs.state_dict()[name])


def test_a_linear_layer_fills_a_convolution_by_a_table_of_names(tmp_path: Path):
    theirs = classifier()
    ours = nn.Conv2d(4, 5, 2)
    names = {"weight": "fc.weight", "bias": "fc.bias"}
    path = saved(tmp_path, {k: v for k, v in theirs.state_dict().items() if k.startswith("fc.")})
    load_backbone(ours, weights_at(UNREACHABLE), path, head="fc.", names=names)
    features = torch.rand(1, 4, 2, 2)
    torch.testing.assert_close(ours(features).flatten(1), theirs["fc"](features.flatten(1)))


def test_a_file_without_batch_counters_fits(tmp_path: Path):
    state = classifier().state_dict()
    del state["norm.num_batches_tracked"]
    load_backbone(backbone(), weights_at(UNREACHABLE), saved(tmp_path, state), head="fc.")


def test_what_does_not_fit_is_named_and_nothing_is_filled(tmp_path: Path):
    state = classifier().state_dict()
    state["conv.weight"] = torch.zeros(4, 3, 3, 3)
    del state["norm.bias"]
    state["layer9.weight"] = torch.zeros(1)
    ours = backbone()
    before = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    with pytest.raises(SwiftsegError) as caught:
        load_backbone(ours, weights_at(UNREACHABLE), saved(tmp_path, state), head="fc.")
    for part in (
        "1 tensors have another shape: conv.weight (4, 3, 3, 3), expected (4, 3, 2, 2)",
        "1 tensors are missing: norm.bias (4,)",
        "1 tensors have no home: layer9.weight (1,)",
        "TinyWeights",
        "local.pth",
    ):
        assert part in str(caught.value)
    assert all(torch.equal(before[name], tensor) for name, tensor in ours.state_dict().items())


def test_offline_the_error_says_where_the_file_belongs(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(SwiftsegError) as caught:
        load_backbone(backbone(), weights_at(UNREACHABLE), "imagenet", head="fc.")
    assert str(tmp_path / "hub/checkpoints/tiny-0123abcd.pth") in str(caught.value)
    assert "local copy" in str(caught.value)


def test_a_file_in_the_hub_cache_is_used_without_a_download(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cache = tmp_path / "hub/checkpoints"
    cache.mkdir(parents=True)
    theirs, ours = classifier(), backbone()
    saved(cache, theirs.state_dict(), "tiny-0123abcd.pth")
    load_backbone(ours, weights_at(UNREACHABLE), "imagenet", head="fc.")
    assert torch.equal(ours["conv"].weight, theirs["conv"].weight)


@pytest.mark.parametrize("honest", [True, False])
def test_a_download_is_kept_only_if_its_hash_is_right(tmp_path: Path, monkeypatch, honest: bool):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = saved(tmp_path, classifier().state_dict())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8] if honest else "deadbeef"
    published = path.rename(tmp_path / f"tiny-{digest}.pth")
    cached = tmp_path / "hub/checkpoints" / published.name
    if honest:
        load_backbone(backbone(), weights_at(published.as_uri()), "imagenet", head="fc.")
    else:
        with pytest.raises(SwiftsegError, match="invalid hash value"):
            load_backbone(backbone(), weights_at(published.as_uri()), "imagenet", head="fc.")
    assert cached.exists() == honest


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file"), (b"not weights", "cannot be read"), (b"", "cannot be read")],
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None, message: str):
    path = tmp_path / "broken.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SwiftsegError, match=message) as caught:
        load_backbone(backbone(), weights_at(UNREACHABLE), path, head="fc.")
    assert "broken.pth" in str(caught.value)


def test_a_file_that_would_run_code_is_refused(tmp_path: Path):
    path = saved(tmp_path, nn.Conv2d(3, 4, 2))  # a pickled module, not a state dict
    with pytest.raises(SwiftsegError, match="cannot be read"):
        load_backbone(backbone(), weights_at(UNREACHABLE), path, head="fc.")


def test_a_file_of_another_pickle_protocol_is_read_without_a_word(tmp_path: Path):
    path = tmp_path / "later.pth"
    torch.save({"a": torch.ones(2)}, path, pickle_protocol=3)
    assert read_state_dict(path).keys() == {"a"}


def test_something_else_than_a_state_dict_is_refused(tmp_path: Path):
    path = saved(tmp_path, {"epoch": 3})
    with pytest.raises(SwiftsegError, match="expected a state dict"):
        load_backbone(backbone(), weights_at(UNREACHABLE), path, head="fc.")
