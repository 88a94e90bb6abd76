"""A file that is not what it says is refused when it is loaded, also where its head is cut."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from swiftseg.core import InputSpec, LabelSet, SwiftsegError
from swiftseg.runtimes import BACKENDS, load_backend
from swiftseg.runtimes.base import labels_of
from swiftseg.runtimes.graph_promises import check_promises
from tests.support.exported import shade_spec, write_shade_model, write_upsampled_model

SIZE_HW = (48, 96)


@pytest.fixture(params=BACKENDS)
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


def rename_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = "image"
    for node in model.graph.node:
        node.input[:] = ["image" if name == "frames" else name for name in node.input]


def float_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT


def fixed_batch(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4


def other_size(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 44


def second_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


def fewer_names(model: onnx.ModelProto) -> None:
    spec = shade_spec(SIZE_HW)
    two = LabelSet(spec.labels.names[:2], spec.labels.palette[:2])
    helper.set_model_props(model, {"swiftseg": replace(spec, labels=two).to_json()})


def another_size_described(model: onnx.ModelProto) -> None:
    spec = replace(shade_spec(SIZE_HW), input=InputSpec((24, 48)))
    helper.set_model_props(model, {"swiftseg": spec.to_json()})


def wide_weights(value: float) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        tensor = next(t for t in model.graph.initializer if t.name == "centers")
        values = numpy_helper.to_array(tensor).copy()
        values.flat[1] = value
        tensor.CopyFrom(numpy_helper.from_array(values, "centers"))

    return change


def cycle(model: onnx.ModelProto) -> None:
    nodes = list(model.graph.node)
    nodes[1].input[0] = "distance"


def branch(model: onnx.ModelProto) -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    constant = helper.make_node("Constant", [], ["x"], value_float=1.0)
    inner = helper.make_graph([constant], "inner", [], [value])
    model.graph.node.append(
        helper.make_node("If", ["scale"], ["y"], then_branch=inner, else_branch=inner)
    )


def external(model: onnx.ModelProto) -> None:
    tensor = next(t for t in model.graph.initializer if t.name == "centers")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")


CHANGES = [
    (rename_input, "got image uint8"),
    (float_input, "got frames float32"),
    (fixed_batch, r"got frames uint8 \(4, 48, 96, 3\)"),
    (other_size, r"got frames uint8 \(N, 44, 96, 3\)"),
    (second_input, "got frames .* and more float32"),
    (fewer_names, r"expected labels .* logits float32 \(N, 2, .* got .*logits float32 \(N, 3, "),
    (another_size_described, r"expected frames uint8 \(N, 24, 48, 3\)"),
    (wide_weights(np.nan), "1 of the 3 values of centers are NaN or infinite"),
    (wide_weights(np.inf), "1 of the 3 values of centers are NaN or infinite"),
    (cycle, "its graph reads distance before it is made"),
    (branch, "a graph within its graph"),
    (external, "centers in another file"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_what_a_file_promises_is_checked_at_load(
    tmp_path: Path, engine: str, change: Callable[[onnx.ModelProto], None], message: str
):
    path = write_upsampled_model(tmp_path / "m.onnx", SIZE_HW)
    model = onnx.load(path, load_external_data=False)
    change(model)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(SwiftsegError, match=rf"m\.onnx: .*{message}"):
        load_backend(path, name=engine)


def test_scores_that_are_not_as_declared_are_refused(tmp_path: Path):
    """The declared shape lies: the graph gives one frame whatever it is asked for."""
    path = write_shade_model(tmp_path / "m.onnx")
    model = onnx.load(path)
    first = helper.make_node("Gather", ["gray", "zero"], ["gray0"], axis=0)
    zero = numpy_helper.from_array(np.array([0], dtype=np.int64), "zero")
    model.graph.initializer.append(zero)
    transpose = next(i for i, n in enumerate(model.graph.node) if n.op_type == "Transpose")
    model.graph.node[transpose].input[0] = "gray0"
    model.graph.node.insert(transpose, first)
    del model.graph.value_info[:]
    path.write_bytes(model.SerializeToString())
    backend = load_backend(path)
    with pytest.raises(SwiftsegError, match=r"scores of 2 frames and 3 named classes"):
        labels_of(backend, np.zeros((2, 12, 16, 3), np.uint8))


@pytest.mark.parametrize(
    ("dtype", "element"), [("uint16", TensorProto.UINT16), ("float32", TensorProto.FLOAT)]
)
def test_frames_of_other_bands_are_taken_as_described(tmp_path: Path, dtype: str, element: int):
    path = write_shade_model(tmp_path / "m.onnx", size_hw=SIZE_HW)
    model = onnx.load(path)
    shown = InputSpec(SIZE_HW, mean=(0.0,) * 5, std=(1.0,) * 5, dtype=dtype)
    spec = replace(shade_spec(SIZE_HW), input=shown)
    with pytest.raises(SwiftsegError, match=rf"expected frames {dtype} \(N, 48, 96, 5\)"):
        check_promises(path, spec)
    tensor = model.graph.input[0].type.tensor_type
    tensor.elem_type, tensor.shape.dim[3].dim_value = element, 5
    onnx.save(model, path)
    check_promises(path, spec)
