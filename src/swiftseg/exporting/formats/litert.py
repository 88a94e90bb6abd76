"""LiteRT's file; needs the `litert` extra."""

import re
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch.fx import GraphModule

from swiftseg.core import SwiftsegError, needs_extra
from swiftseg.exporting.formats.score_graph import OperatorEditor, ScoreGraph, aten
from swiftseg.runtimes.litert_engine import GRAPH, check_loads

with needs_extra("--format litert", "litert"):
    import litert_torch  # pyright: ignore
    from ai_edge_quantizer import Quantizer  # pyright: ignore
    from ai_edge_quantizer.algorithm_manager import AlgorithmName  # pyright: ignore
    from ai_edge_quantizer.qtyping import TFLOperationName  # pyright: ignore
    from ai_edge_quantizer.recipe_manager import RecipeManager  # pyright: ignore

ALL = TFLOperationName.ALL_SUPPORTED
SIGNATURE = "serving_default"  # the name that the converter gives


def write(
    graph: ScoreGraph, folder: Path, precision: str, images: Sequence[np.ndarray]
) -> tuple[str, str]:
    """Write the file; see `swiftseg.exporting.formats.Write`."""
    module = _without_padding(graph.module)
    try:
        converted = litert_torch.convert(module, (graph.example,))
    except RuntimeError as error:
        lacking = sorted(set(re.findall(r"failed to legalize operation '([^']+)'", str(error))))
        if not lacking:
            raise
        raise SwiftsegError(f"LiteRT's converter refuses {', '.join(lacking)}") from error
    path = folder / GRAPH
    converted.export(str(path))
    if precision != "f32":
        path.write_bytes(_rounded(path.read_bytes(), precision, images))
        check_loads(path)
    return "args_0", "output_0"


def _rounded(model: bytes, precision: str, images: Sequence[np.ndarray]) -> bytes:
    """Store weights in 16 bits, or compute in 8 what LiteRT has in 8; ends stay in float32."""
    recipe: Any = RecipeManager()
    if precision == "fp16":
        recipe.add_weight_only_config(".*", ALL, 16, algorithm_key=AlgorithmName.FLOAT_CASTING)
    else:
        recipe.add_static_config(".*", ALL, activation_num_bits=8, weight_num_bits=8)
        for end in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
            recipe.add_quantization_config(".*", end, None, AlgorithmName.NO_QUANTIZE)
    quantizer: Any = Quantizer(model, recipe.get_quantization_recipe())
    ranges = quantizer.calibrate({SIGNATURE: [{"args_0": image} for image in images]})
    return bytes(quantizer.quantize(ranges).quantized_model)


def _without_padding(module: GraphModule) -> GraphModule:
    """Give padded transposed convolutions no padding, and crop their outputs instead.

    The padding of a transposed convolution is what it leaves out at its borders. LiteRT's converter
    (0.10) knows such convolutions without padding alone.
    """
    editor = OperatorEditor(deepcopy(module))
    for node in editor.nodes("conv_transpose2d"):
        if len(node.args) < 5 or not any(cast(list[int], node.args[4])):
            continue
        source, weight, bias, stride, padding, *others = node.args
        ends = zip(cast(list[int], padding), node.meta["val"].shape[-2:], strict=True)
        with editor.graph.inserting_before(node):
            full = source, weight, bias, stride, [0, 0], [0, 0], *others[1:]
            cropped = editor.call(aten.conv_transpose2d.input, *full)
            for dim, (before, size) in enumerate(ends, start=2):
                cropped = editor.call(aten.slice.Tensor, cropped, dim, before, before + size)
        node.replace_all_uses_with(cropped)
    editor.finish()
    return editor.module
