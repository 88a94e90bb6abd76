"""What is done to a traced graph so that the engines run it faster; the answers stay."""

from collections.abc import Callable, Iterable, Mapping

import onnx
from onnx import ModelProto

from swiftseg.exporting.activations import rewrite_prelus
from swiftseg.exporting.batch_norm import fold_batch_norms
from swiftseg.exporting.normalization import merge_normalization
from swiftseg.exporting.resizing import rewrite_resizes
from swiftseg.exporting.transposed_conv import merge_depthwise_transposed
from swiftseg.exporting.unpooling import rewrite_unpooling
from swiftseg.exporting.zero_channels import rewrite_zero_channels

# In the order in which they are done. Each was kept since it is faster in ONNX Runtime and no
# slower elsewhere by more than noise: benchmarks/graph_rewrites.py measures them one by one.
REWRITES: Mapping[str, Callable[[ModelProto], None]] = {
    "batch_norm": fold_batch_norms,
    "normalization": merge_normalization,
    "transposed_conv": merge_depthwise_transposed,
    "unpooling": rewrite_unpooling,
    "prelu": rewrite_prelus,
    "zero_channels": rewrite_zero_channels,
    "resize": rewrite_resizes,
}


def rewrite_graph(model: ModelProto, names: Iterable[str] = tuple(REWRITES)) -> None:
    """Do the named rewrites in place, in the order of `REWRITES`."""
    wanted = set(names)
    for name, rewrite in REWRITES.items():
        if name in wanted:
            model.CopyFrom(onnx.shape_inference.infer_shapes(model))
            rewrite(model)
