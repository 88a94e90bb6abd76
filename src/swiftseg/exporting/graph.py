"""Finding and changing parts of an ONNX graph, for what rewrites it before it is written."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from onnx import GraphProto, NodeProto, helper, numpy_helper


class GraphEditor:
    """A graph with its weights, makers and readers looked up by value name.

    The lookups are those of the graph as it was given: make all replacements, then `finish`.
    """

    def __init__(self, graph: GraphProto) -> None:
        self.graph = graph
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._makers = {name: node for node in graph.node for name in node.output}
        self._readers = Counter(chain.from_iterable(node.input for node in graph.node))
        self._readers.update(output.name for output in graph.output)
        self._reader = {name: node for node in graph.node for name in node.input}
        self._shapes = {
            info.name: [dim.dim_value for dim in info.type.tensor_type.shape.dim]
            for info in chain(graph.value_info, graph.input, graph.output)
        }
        self._replacements: dict[str, list[NodeProto]] = {}

    def maker(self, value: str, op_type: str) -> NodeProto | None:
        """Return the node that makes a value, if it is of that type."""
        node = self._makers.get(value)
        return node if node is not None and node.op_type == op_type else None

    def only_reader(self, value: str) -> NodeProto | None:
        """Return the node that reads a value, if there is just that one and it is no output."""
        return self._reader[value] if self._readers[value] == 1 and value in self._reader else None

    def weight(self, value: str) -> np.ndarray | None:
        """Return the array of a value that is a weight."""
        tensor = self._weights.get(value)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def shape(self, value: str) -> list[int]:
        """Return a value's shape; a dimension that is free is 0, and an unknown shape is empty."""
        return self._shapes.get(value, [])

    def nodes(self, op_type: str) -> list[NodeProto]:
        """List the nodes of one type."""
        return [node for node in self.graph.node if node.op_type == op_type]

    def add_weight(self, name: str, array: np.ndarray) -> str:
        """Add a weight under a name that no other value has, and return the name."""
        self.graph.initializer.append(numpy_helper.from_array(array, name))
        return name

    def replace(self, node: NodeProto, substitutes: Sequence[NodeProto]) -> None:
        """Put other nodes, the last of which makes the same value, where a node stands."""
        self._replacements[node.output[0]] = list(substitutes)

    def finish(self) -> None:
        """Do the replacements, and drop what nothing reads any more."""
        kept = [
            self._replacements.get(node.output[0], [node]) if node.output else [node]
            for node in self.graph.node
        ]
        nodes = _needed(list(chain.from_iterable(kept)), [out.name for out in self.graph.output])
        del self.graph.node[:]
        self.graph.node.extend(nodes)
        drop_unused_weights(self.graph)


def drop_unused_weights(graph: GraphProto) -> None:
    """Remove the weights that no node reads."""
    used = set(chain.from_iterable(node.input for node in graph.node))
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)


def attribute(node: NodeProto, name: str, default: Any) -> Any:
    """Return an attribute's value, or `default` where the node does not name it."""
    found = next((item for item in node.attribute if item.name == name), None)
    return default if found is None else helper.get_attribute_value(found)


def _needed(nodes: Sequence[NodeProto], outputs: Iterable[str]) -> list[NodeProto]:
    """Keep, in their order, the nodes that the outputs come from."""
    needed, kept = set(outputs), list[NodeProto]()
    for node in reversed(nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    return kept[::-1]
