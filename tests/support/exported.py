"""A tiny exported model that tells classes by brightness; it keeps the graph contract."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from swiftseg.core import InputSpec, LabelSet, ModelSpec, OutputKind

SHADES = LabelSet(
    names=("dark", "dim", "bright"),
    palette=((10, 20, 30), (200, 100, 0), (250, 250, 120)),
    ignore_index=255,
)


def shade_labels(image: np.ndarray) -> np.ndarray:
    """What the model must answer, in numpy: the nearest shade center, first among equals."""
    brightness = image.astype(np.float64).mean(axis=-1) / 255 * len(SHADES)
    centers = np.arange(len(SHADES)) + 0.5
    return np.abs(brightness[..., None] - centers).argmin(axis=-1).astype(np.uint8)


def shade_spec(size_hw: tuple[int, int] = (12, 16), output: OutputKind = "labels") -> ModelSpec:
    return ModelSpec(
        name="shades",
        network="shades",
        labels=SHADES,
        input=InputSpec(size_hw=size_hw),
        output=output,
        training_data="nothing: three shades by hand",
        metrics={"val/mean_iou": 0.5},
    )


def write_shade_model(
    path: Path,
    *,
    size_hw: tuple[int, int] = (12, 16),
    output: OutputKind = "labels",
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Writes the model; `metadata` replaces the entry that names the spec."""
    spec = shade_spec(size_hw, output)
    model = onnx.shape_inference.infer_shapes(
        helper.make_model(
            _graph(size_hw, output), opset_imports=[helper.make_opsetid("", 20)], ir_version=10
        )
    )
    helper.set_model_props(model, dict(metadata or {"swiftseg": spec.to_json()}))
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def write_upsampled_model(
    path: Path, size_hw: tuple[int, int], *, align_corners: bool = False, mode: str = "linear"
) -> Path:
    """Writes a shade model whose logits are made at a quarter of the size."""
    model = onnx.load(write_shade_model(path, size_hw=size_hw))
    graph = model.graph
    scales = helper.make_tensor("scales", TensorProto.FLOAT, [4], [1.0, 1.0, 4.0, 4.0])
    graph.initializer.append(scales)
    neg = next(node for node in graph.node if "logits" in node.output)
    neg.output[0] = "fine"
    at = list(graph.node).index(neg) + 1
    pool = helper.make_node(
        "AveragePool", ["fine"], ["coarse"], kernel_shape=[4, 4], strides=[4, 4]
    )
    resize = helper.make_node(
        "Resize",
        ["coarse", "", "scales"],
        ["logits"],
        mode=mode,
        coordinate_transformation_mode="align_corners" if align_corners else "half_pixel",
    )
    graph.node.insert(at, pool)
    graph.node.insert(at + 1, resize)
    model = onnx.shape_inference.infer_shapes(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return path


def _graph(size_hw: tuple[int, int], output: OutputKind) -> onnx.GraphProto:
    num_classes = len(SHADES)
    centers = np.arange(num_classes, dtype=np.float32).reshape(1, -1, 1, 1) + 0.5
    constants = {
        "channel_axis": np.array([3], dtype=np.int64),
        "scale": np.array(num_classes / 255, dtype=np.float32),
        "centers": centers,
    }
    nodes = [
        helper.make_node("Cast", ["frames"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float", "channel_axis"], ["gray"], keepdims=1),
        helper.make_node("Transpose", ["gray"], ["plane"], perm=[0, 3, 1, 2]),
        helper.make_node("Mul", ["plane", "scale"], ["brightness"]),
        helper.make_node("Sub", ["brightness", "centers"], ["offset"]),
        helper.make_node("Abs", ["offset"], ["distance"]),
        helper.make_node("Neg", ["distance"], ["logits"]),
    ]
    planes = ["N", num_classes, *size_hw]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, planes)]
    if output == "labels":
        nodes.append(helper.make_node("ArgMax", ["logits"], ["index"], axis=1, keepdims=0))
        nodes.append(helper.make_node("Cast", ["index"], ["labels"], to=TensorProto.UINT8))
        labels = helper.make_tensor_value_info("labels", TensorProto.UINT8, ["N", *size_hw])
        outputs.insert(0, labels)
    if output == "probs":
        nodes.append(helper.make_node("Softmax", ["logits"], ["probs"], axis=1))
        outputs = [helper.make_tensor_value_info("probs", TensorProto.FLOAT, planes)]
    frames = helper.make_tensor_value_info("frames", TensorProto.UINT8, ["N", *size_hw, 3])
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    return helper.make_graph(nodes, "shades", [frames], outputs, initializers)
