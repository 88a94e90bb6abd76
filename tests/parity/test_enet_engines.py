"""One ENet in torch, ONNX Runtime, OpenVINO and onnx's own reference evaluator."""

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from swiftseg.core import InputSpec
from swiftseg.exporting.onnx_file import write_onnx
from swiftseg.runtimes import BACKENDS, load_backend
from swiftseg.runtimes.base import labels_of
from swiftseg.runtimes.torch_backend import TorchBackend
from tests.support.settled_networks import settled_enet, street_frames, street_spec

# Float32 against float32: the engines sum up in different orders, which 29 blocks and their
# normalizations amplify to 1e-4 of logits up to about 20. Labels follow: a pixel turns where two
# classes are that close, less than one in ten thousand.
LOGIT_TOLERANCE = 2e-3
EQUAL_LABELS = 0.9995


@pytest.fixture(
    scope="module",
    params=[
        ("labels", (48, 64), "paper"),
        ("labels", (45, 61), "release"),
        ("logits", (48, 64), "release"),
        ("probs", (45, 61), "paper"),
    ],
    ids=str,
)
def in_torch_and_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    output, size_hw, decoder = request.param
    input_spec = InputSpec(size_hw, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
    network = settled_enet(input_spec, decoder=decoder)
    spec = street_spec(5, input_spec, output=output)
    path = tmp_path_factory.mktemp("parity") / "enet.onnx"
    write_onnx(network, spec, path)
    return TorchBackend(network, spec), path


def check_equal(ours: np.ndarray, reference: np.ndarray) -> None:
    assert ours.dtype == reference.dtype
    assert ours.shape == reference.shape
    if ours.dtype == np.uint8:
        assert (ours == reference).mean() >= EQUAL_LABELS
    else:
        np.testing.assert_allclose(ours, reference, atol=LOGIT_TOLERANCE)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", BACKENDS)
def test_engines_answer_as_torch(in_torch_and_file, name: str, count: int):
    reference, path = in_torch_and_file
    batch = street_frames(reference.spec.input.size_hw, count)
    with load_backend(path, name=name).running(batch) as ours, reference.running(batch) as right:
        check_equal(ours.labels(), right.labels())
        check_equal(ours.probabilities(), right.probabilities())
        if reference.spec.output != "probs":
            check_equal(ours.upsampled(), right.upsampled())


def test_the_standards_definition_answers_as_torch(in_torch_and_file):
    reference, path = in_torch_and_file
    batch = street_frames(reference.spec.input.size_hw, 1)
    evaluator = ReferenceEvaluator(str(path))  # slow and in plain numpy
    with reference.running(batch) as right:
        expected = {
            "labels": right.labels(),
            "logits": right.upsampled(),
            "probs": right.probabilities(),
        }
    output = reference.spec.output
    for name in ("labels", "logits") if output == "labels" else (output,):
        check_equal(evaluator.run([name], {"frames": batch})[0], expected[name])


@pytest.mark.parametrize("name", BACKENDS)
def test_frames_of_a_batch_do_not_meet(in_torch_and_file, name: str):
    reference, path = in_torch_and_file
    backend = load_backend(path, name=name)
    batch = street_frames(reference.spec.input.size_hw, 3)
    alone = np.concatenate([labels_of(backend, frame[None]) for frame in batch])
    check_equal(labels_of(backend, batch), alone)
