import numpy as np
import pytest
import torch
from torch import nn

from swiftseg.core import OUTPUT_KINDS, InputSpec, OutputKind, UsageError
from swiftseg.runtimes.base import labels_of, upsampled_of
from swiftseg.runtimes.torch_backend import FrameGraph, TorchBackend
from tests.support.settled_networks import street_spec

INPUT = InputSpec((4, 6), mean=(0.1, 0.2, 0.3), std=(0.5, 1.0, 2.0))


class ChannelsAsClasses(nn.Module):
    """Logits are the normalized channels themselves."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image


def frames(count: int = 2) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 4, 6, 3), dtype=np.uint8)


def backend(output: OutputKind, input_spec: InputSpec = INPUT) -> TorchBackend:
    return TorchBackend(ChannelsAsClasses(), street_spec(3, input_spec, output=output))


def expected_logits(batch: np.ndarray) -> np.ndarray:
    normalized = (batch.astype(np.float64) / 255 - INPUT.mean) / INPUT.std
    return normalized.transpose(0, 3, 1, 2)


@pytest.mark.parametrize("output", OUTPUT_KINDS)
def test_normalization_follows_the_spec(output: OutputKind):
    logits = upsampled_of(backend(output), frames())
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, expected_logits(frames()), atol=1e-6)


def test_labels_logits_and_probabilities():
    logits = expected_logits(frames())
    labels = labels_of(backend("labels"), frames())
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, logits.argmax(axis=1))
    np.testing.assert_allclose(upsampled_of(backend("logits"), frames()), logits, atol=1e-6)
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    with backend("probs").running(frames()) as scores:
        np.testing.assert_allclose(scores.probabilities(), probs, atol=1e-6)


def test_the_first_of_equal_classes_wins():
    gray = np.repeat(frames()[..., :1], 3, axis=-1)
    assert not labels_of(backend("labels", InputSpec((4, 6))), gray).any()


def test_a_run_leaves_the_network_in_eval_mode():
    network = nn.Sequential(ChannelsAsClasses(), nn.Dropout(0.9)).train()
    logits = upsampled_of(TorchBackend(network, street_spec(3, INPUT)), frames())
    np.testing.assert_allclose(logits, expected_logits(frames()), atol=1e-6)
    assert not network.training


def test_frames_may_be_read_only_and_strided():
    batch = frames()[:, ::-1]
    batch.setflags(write=False)
    np.testing.assert_array_equal(
        labels_of(backend("labels"), batch), expected_logits(batch).argmax(axis=1)
    )


def test_frames_of_another_kind_are_refused():
    with pytest.raises(TypeError, match="expected 8-bit RGB, got float32"):
        labels_of(backend("labels"), frames().astype(np.float32))
    with pytest.raises(ValueError, match=r"expected shape \(N, 4, 6, 3\), got \(2, 6, 4, 3\)"):
        labels_of(backend("labels"), frames().reshape(2, 6, 4, 3))


def test_the_normalization_is_no_part_of_the_weights():
    graph = FrameGraph(ChannelsAsClasses(), INPUT, "labels")
    assert not graph.state_dict()


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_reduced_precisions_are_near(precision: str):
    torch.manual_seed(0)
    network, spec = nn.Conv2d(3, 3, 3, padding=1), street_spec(3, INPUT)
    exact = upsampled_of(TorchBackend(network, spec), frames())
    reduced = TorchBackend(network, spec, precision=precision)
    ours = upsampled_of(reduced, frames())
    assert ours.dtype == np.float32
    assert 0 < np.abs(ours - exact).max() < 0.05  # bf16 has 8 bits, of values near 3
    assert labels_of(reduced, frames()).dtype == np.uint8


def test_channels_last_changes_no_label():
    torch.manual_seed(0)
    network, spec = nn.Conv2d(3, 3, 3, padding=1), street_spec(3, INPUT)
    expected = labels_of(TorchBackend(network, spec), frames())
    ours = labels_of(TorchBackend(network, spec, channels_last=True), frames())
    assert network.weight.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(ours, expected)


def test_an_unknown_precision_is_named():
    with pytest.raises(UsageError, match="unknown precision of torch 'bf61'; did you mean bf16"):
        TorchBackend(ChannelsAsClasses(), street_spec(3, INPUT), precision="bf61")
