"""The layers of a network that can be computed in another precision, by group, found in its graph."""
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onnx import shape_inference

from lcvision.deploy.export.graph import ExportGraph

_LAYERS = ('Conv', 'Gemm', 'MatMul')
# The first depthwise layers have few channels of very different ranges: in float they cost little and save most.
_FIRST_DEPTHWISE = 8


@dataclass(frozen=True)
class Layer:
    """A layer.

    Attributes:
        op: Name of its node in the graph.
        name: Of the module, where the exporter noted it.
        group: Of layers that are treated alike.
        fixed: Whether its group is sensitive: int8 leaves it in float.
    """

    op: str
    name: str
    group: str
    fixed: bool


class _Wiring:
    """Who makes and who reads each tensor of a graph, and its shape."""

    def __init__(self, model: Any):
        graph = shape_inference.infer_shapes(model).graph
        self.makers = {name: node for node in graph.node for name in node.output}
        self.readers: dict[str, list] = defaultdict(list)
        for node in graph.node:
            for name in node.input:
                self.readers[name].append(node)
        self.shapes = {value.name: [side.dim_value for side in value.type.tensor_type.shape.dim]
                       for value in (*graph.input, *graph.value_info, *graph.output)}

    def upstream(self, names: Sequence[str], through_layers: bool) -> set[str]:
        """Names of the nodes that tensors are made by, up to the nearest layers or to the input."""
        found: set[str] = set()
        open_ = [*names]
        while open_:
            node = self.makers.get(open_.pop())
            if node is not None and node.name not in found:
                found.add(node.name)
                open_ += node.input if through_layers or node.op_type not in _LAYERS else ()
        return found

    def gates(self, node: Any) -> bool:
        """Whether a layer works on a pooled map that a larger one is multiplied by."""
        open_ = [node.output[0]] if self._pooled(node.input[0]) and self._pooled(node.output[0]) else []
        while open_:
            for reader in self.readers[open_.pop()]:
                if self._pooled(reader.output[0]):
                    open_.append(reader.output[0])
                elif reader.op_type == 'Mul':
                    return True
        return False

    def _pooled(self, name: str) -> bool:
        shape = self.shapes.get(name, [])
        return len(shape) == 4 and shape[2:] == [1, 1]


def layers_of(graph: ExportGraph) -> list[Layer]:
    """The layers of a graph's network in the order in which they run."""
    wiring, modules = _Wiring(graph.model), {tensor: module for module, tensor in graph.layers}
    network, last = (wiring.upstream(graph.maps, through) for through in (True, False))
    found: list[Layer] = []
    depthwise = 0
    for node in graph.model.graph.node:
        if node.op_type not in _LAYERS or node.name not in network:
            continue
        module = modules.get(node.output[0], node.name)
        grouped = any(one.name == 'group' and one.i > 1 for one in node.attribute)
        fixed = ('stem' if not found else 'prediction' if node.name in last else
                 'squeeze-and-excitation' if wiring.gates(node) else
                 'first depthwise' if grouped and depthwise < _FIRST_DEPTHWISE else '')
        depthwise += grouped
        shape = wiring.shapes[node.output[0]]
        stride = f' at 1/{round(graph.layout.size[0] / shape[2])}' if len(shape) == 4 else ''
        part = f'{module.split(".")[0]} ' if '.' in module else ''
        group = fixed or f'{part}{"depthwise" if grouped else "dense"}{stride}'
        found.append(Layer(node.name, module, group, bool(fixed)))
    return found
