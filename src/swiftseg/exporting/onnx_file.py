"""Writing a network as an ONNX graph from frames to outputs, its description inside."""

from collections.abc import Iterable
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path

import onnx
import torch
from torch import nn

from swiftseg.core import ModelSpec
from swiftseg.exporting.rewrites import REWRITES, rewrite_graph
from swiftseg.runtimes import METADATA_KEY
from swiftseg.runtimes.base import INPUT_NAME
from swiftseg.runtimes.model_file import sealed
from swiftseg.runtimes.torch_backend import FrameGraph

OPSET = 18  # the exporter's own; any other is reached by converting


def write_onnx(
    network: nn.Module, spec: ModelSpec, path: Path, *, rewrites: Iterable[str] = tuple(REWRITES)
) -> None:
    """Write one file that holds graph, weights and `spec`; the network stays as it is.

    Input `frames` uint8 (N, H, W, 3), N free, H and W those of the spec. Outputs by `spec.output`:
    `labels` uint8 (N, H, W) and `logits` float32 (N, C, H, W), or `logits` or `probs` alone.
    Dropout is gone, and the graph is rewritten into what the engines run fast.

    Args:
        network: Maps float32 (N, 3, H, W) to logits (N, C, H, W).
        spec: Describes it.
        path: Where the file goes; what stands there is overwritten.
        rewrites: Names of `swiftseg.exporting.rewrites.REWRITES`.
    """
    graph = FrameGraph(deepcopy(network).cpu().float(), spec.input, spec.output).eval()
    model = _trace(graph, spec)
    rewrite_graph(model, rewrites)
    _drop_traces_of_origin(model)
    onnx.helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    onnx.checker.check_model(model, full_check=True)
    save_onnx(model, path)


def save_onnx(model: onnx.ModelProto, path: Path) -> None:
    """Write a model with the digest of its bytes inside; see `runtimes.model_file.check_digest`."""
    path.write_bytes(sealed(model.SerializeToString()))


def rewrite_spec(path: Path, spec: ModelSpec) -> None:
    """Replace what a file says of itself; its graph and weights stay as they are."""
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    save_onnx(model, path)


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that decide what a file holds."""
    return {name: version(name) for name in ("swiftseg", "torch", "onnx")}


def _trace(graph: FrameGraph, spec: ModelSpec) -> onnx.ModelProto:
    # Two frames: a batch of one would be taken for a constant.
    shape = (2, *spec.input.size_hw, spec.input.bands)
    frames = torch.zeros(shape, dtype=getattr(torch, spec.input.dtype))
    program = torch.onnx.export(
        graph,
        (frames,),
        dynamo=True,
        verbose=False,
        input_names=[INPUT_NAME],
        output_names=["labels", "logits"] if spec.output == "labels" else [spec.output],
        dynamic_shapes=({0: "N"},),
        opset_version=OPSET,
    )
    assert program is not None  # None is what the older exporter gives
    return program.model_proto


def _drop_traces_of_origin(model: onnx.ModelProto) -> None:
    """Remove stack traces and source paths, a quarter of the bytes of a small network."""
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for part in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        part.ClearField("metadata_props")
