"""A network as the plain graph that runtimes of boards take: RGB values in, scores out.

It is traced by `torch.export` and rewritten into operators that all of those runtimes have. What it
computes stays the same: normalization and batch norms are folded, the last upsampling is left to
`swiftseg_label_scores`, and max-unpooling compares by arithmetic.
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.fx import GraphModule, Node

from swiftseg.core import InputSpec

aten = torch.ops.aten

# Times itself four times over, it turns any difference of float32 that matters into more than 1,
# and each factor is a number of float16 too.
_MAGNIFIER = 2.0**15

# Of equal elements of a 2x2 block the first wins: the rank that is the highest among them.
_RANKS = torch.tensor([[4.0, 3.0], [2.0, 1.0]])


@dataclass(frozen=True, eq=False)
class ScoreGraph:
    """A network without its end.

    Attributes:
        module: Maps float32 (1, 3, H, W), RGB in 0..255, to scores (1, C, h, w).
        example: An input of its size.
        align_corners: How the scores are upsampled; None where they have the labels' size.
    """

    module: GraphModule
    example: Tensor
    align_corners: bool | None


class _FromPixels(nn.Module):
    """A network that takes RGB in 0..255, normalized inside."""

    mean: Tensor
    scale: Tensor

    def __init__(self, network: nn.Module, spec: InputSpec) -> None:
        super().__init__()
        self.network = network
        mean, std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (spec.mean, spec.std))
        self.register_buffer("mean", 255 * mean)
        self.register_buffer("scale", 1 / (255 * std))

    def forward(self, image: Tensor) -> Tensor:
        return self.network((image - self.mean) * self.scale)


def score_graph(network: nn.Module, spec: InputSpec) -> ScoreGraph:
    """Trace and rewrite a network; it stays as it is.

    The graph takes frames of the size in `spec` alone.
    """
    example = torch.zeros(1, 3, *spec.size_hw)
    whole = _FromPixels(deepcopy(network).cpu().float(), spec).eval()
    module = torch.export.export(whole, (example,)).module()
    editor = OperatorEditor(module)
    align_corners = _cut_upsampling(editor)
    _drop_what_does_nothing(editor)
    _fold_batch_norms(editor)
    _unpool_by_arithmetic(editor)
    _pool_adaptively(editor)
    _name_strides(editor)
    editor.finish()
    return ScoreGraph(module, example, align_corners)


class OperatorEditor:
    """A traced module whose operators are found by name and exchanged."""

    def __init__(self, module: GraphModule) -> None:
        self.module = module
        self.graph = module.graph
        self._numbers = count()

    def nodes(self, *names: str) -> list[Node]:
        """Return the operators of these names, such as `conv2d`, in the order they run in."""
        return [node for node in self.graph.nodes if _name(node) in names]

    def constant(self, values: Tensor) -> Node:
        """Add a tensor; to be called inside `inserting_before`."""
        name = f"rewritten_{next(self._numbers)}"
        self.module.register_buffer(name, values.detach().clone())
        return self.graph.get_attr(name)

    def call(self, operator: Any, *arguments: Any) -> Node:
        """Add an operator; to be called inside `inserting_before`."""
        return self.graph.call_function(operator, arguments)

    def value(self, node: Any) -> Tensor | None:
        """Return the tensor that a node stands for, None for no node."""
        if node is None:
            return None
        found: Any = self.module
        for part in str(node.target).split("."):
            found = getattr(found, part)
        return cast(Tensor, found)

    def finish(self) -> None:
        """Drop what nobody reads any more and compile the graph."""
        self.graph.eliminate_dead_code()
        self.graph.lint()
        self.module.recompile()


def _name(node: Node) -> str:
    return (
        str(node.target).removeprefix("aten.").split(".")[0] if node.op == "call_function" else ""
    )


def _cut_upsampling(editor: OperatorEditor) -> bool | None:
    """Leave out the upsampling that comes last; return its `align_corners`, None without one."""
    [output] = [node for node in editor.graph.nodes if node.op == "output"]
    logits = output.args[0]
    while not isinstance(logits, Node):
        [logits] = cast(Iterable[Any], logits)
    if _name(logits) != "upsample_bilinear2d":
        return None
    scores, align_corners = logits.args[0], logits.args[2]
    output.replace_input_with(logits, cast(Node, scores))
    return bool(align_corners)


def _drop_what_does_nothing(editor: OperatorEditor) -> None:
    names = "alias", "detach", "detach_", "lift_fresh_copy", "dropout", "feature_dropout"
    for node in editor.nodes(*names):
        node.replace_all_uses_with(cast(Node, node.args[0]))
        editor.graph.erase_node(node)


def _fold_batch_norms(editor: OperatorEditor) -> None:
    """Put batch norms into the convolutions before them, or make them a product and a sum."""
    for norm in editor.nodes("batch_norm"):
        before, *parameters = norm.args[:5]
        weight, bias, mean, variance = (editor.value(node) for node in parameters)
        assert mean is not None
        assert variance is not None
        scale = (variance.double() + cast(float, norm.args[7])).rsqrt()
        scale = scale if weight is None else scale * weight.double()
        shift = (0.0 if bias is None else bias.double()) - mean.double() * scale
        before = cast(Node, before)
        with editor.graph.inserting_before(norm):
            if _name(before) in ("conv2d", "conv_transpose2d") and len(before.users) == 1:
                _scale_convolution(editor, before, scale, shift)
                norm.replace_all_uses_with(before)
                continue
            columns = (values.float().reshape(1, -1, 1, 1) for values in (scale, shift))
            by, plus = (editor.constant(column) for column in columns)
            scaled = editor.call(aten.mul.Tensor, before, by)
            norm.replace_all_uses_with(editor.call(aten.add.Tensor, scaled, plus))


def _scale_convolution(editor: OperatorEditor, node: Node, scale: Tensor, shift: Tensor) -> None:
    source, weight_node, *others = node.args
    weight, bias = editor.value(weight_node), editor.value(others[0] if others else None)
    assert weight is not None
    if _name(node) == "conv2d":  # (out, in / groups, h, w)
        scaled = weight.double() * scale.reshape(-1, 1, 1, 1)
    else:  # (in, out / groups, h, w), the groups one after another
        groups = cast(int, others[4]) if len(others) > 4 else 1
        parts = weight.double().reshape(groups, -1, *weight.shape[1:])
        scaled = (parts * scale.reshape(groups, 1, -1, 1, 1)).reshape(weight.shape)
    shifted = shift if bias is None else shift + bias.double() * scale
    with editor.graph.inserting_before(node):
        parts = editor.constant(scaled.float()), editor.constant(shifted.float())
    node.args = (source, *parts, *others[1:])


def _unpool_by_arithmetic(editor: OperatorEditor) -> None:
    """Replace the comparisons and selections of `swiftseg.layers.unpooling`.

    relu(1 - m (maximum - x)) is 1 where x is its block's maximum and 0 elsewhere, for a large m.
    """
    for shuffle in editor.nodes("pixel_shuffle"):
        select = _back(shuffle, "where")
        equal = _back(cast(Node, select.args[0]), "eq")
        features = cast(Node, select.args[1]).args[0]
        before, maxima = cast(Node, equal.args[0]), equal.args[1]
        while _name(before) == "slice":
            before = cast(Node, before.args[0])
        height, width = before.meta["val"].shape[-2:]
        order = _RANKS.repeat(height // 2, width // 2)[None, None]
        with editor.graph.inserting_before(shuffle):
            call = editor.call
            apart = call(aten.sub.Tensor, _doubled(call, maxima), before)
            for _ in range(4):
                apart = call(aten.mul.Tensor, apart, _MAGNIFIER)
            rank = call(aten.mul.Tensor, _is_zero(call, apart), editor.constant(order))
            best = _doubled(call, call(aten.max_pool2d.default, rank, [2, 2], [2, 2]))
            first = _is_zero(call, call(aten.sub.Tensor, best, rank))
            unpooled = call(aten.mul.Tensor, _doubled(call, features), first)
        shuffle.replace_all_uses_with(unpooled)


def _is_zero(call: Callable[..., Node], value: Node) -> Node:
    """1 where a value that is 0 or at least 1 is 0, else 0."""
    negative = call(aten.mul.Tensor, value, -1.0)
    return call(aten.relu.default, call(aten.add.Tensor, negative, 1.0))


def _doubled(call: Callable[..., Node], value: Any) -> Node:
    return call(aten.upsample_nearest2d.vec, value, None, [2.0, 2.0])


def _pool_adaptively(editor: OperatorEditor) -> None:
    """Replace the two matrix products of Fast-SCNN's pooling, which ncnn gets wrong."""
    for product in editor.nodes("matmul"):
        inner = product.args[0]
        if isinstance(inner, Node) and _name(inner) == "matmul":
            features = cast(Node, inner.args[1])
            bins = product.meta["val"].shape[-1]
            with editor.graph.inserting_before(product):
                pooled = editor.call(aten.adaptive_avg_pool2d.default, features, [bins, bins])
            product.replace_all_uses_with(pooled)


def _name_strides(editor: OperatorEditor) -> None:
    """Give poolings the stride that torch leaves out where it is the size; Core ML asks for it."""
    for pooling in editor.nodes("max_pool2d", "avg_pool2d"):
        if len(pooling.args) == 2:
            pooling.args = (*pooling.args, pooling.args[1])


def _back(node: Node, name: str) -> Node:
    """Go back over first inputs to the operator of that name."""
    while _name(node) != name:
        first: Any = node.args[0]
        node = cast(Node, first[0] if isinstance(first, list | tuple) else first)
    return node


def run(graph: ScoreGraph, image: Tensor) -> Tensor:
    """Return the graph's scores for one image float32 (1, 3, H, W), in torch."""
    with torch.inference_mode():
        found = graph.module(image)
    return found if isinstance(found, Tensor) else found[0]
