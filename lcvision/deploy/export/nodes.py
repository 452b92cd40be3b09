"""Nodes written behind those of an exported network."""
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

Value = str | int | float | Sequence[int] | np.ndarray


class Nodes:
    """Appends nodes to a graph; each call returns the name of its output.

    Args:
        graph: It is changed.
        prefix: Of the names that are made up.
        home: The graph that holds the constants; None for ``graph``, else that around it.
    """

    def __init__(self, graph: onnx.GraphProto, prefix: str = 'tail', home: onnx.GraphProto | None = None):
        self.graph = graph
        self._home = graph if home is None else home
        self._prefix = prefix
        self._made = 0

    def __call__(self, kind: str, *inputs: Value, name: str = '', at: int | None = None, **attributes: Any) -> str:
        """Adds a node.

        Args:
            kind: Operator.
            inputs: Names; numbers, whole ones as int64, and arrays become constants; '' is none.
            name: Of the output; one is made up otherwise.
            at: Place among the nodes; None for the end.
            attributes: Of the operator.
        """
        return self.several(kind, 1, *inputs, name=name, at=at, **attributes)[0]

    def several(self, kind: str, count: int, *inputs: Value, name: str = '', at: int | None = None,
                **attributes: Any) -> list[str]:
        """Adds a node of several outputs, whose names are returned; see :meth:`__call__`."""
        names = [name or self._name() for _ in range(count)]
        node = helper.make_node(kind, [self._value(value) for value in inputs], names, name=f'{names[0]}_node',
                                **attributes)
        self.graph.node.insert(len(self.graph.node) if at is None else at, node)
        return names

    def choice(self, condition: str, then: Callable[['Nodes'], str], otherwise: str, dtype: int) -> str:
        """What ``then`` makes where a condition holds, else a tensor as it is.

        Args:
            condition: Name of one boolean.
            then: Adds nodes to a branch and names their output.
            otherwise: Name of a tensor.
            dtype: onnx's number of the type of both.
        """
        branches = []
        for make in (then, lambda nodes: nodes('Identity', otherwise)):
            graph = onnx.GraphProto(name=self._name())
            output = make(Nodes(graph, graph.name, self._home))
            graph.output.append(helper.make_tensor_value_info(output, dtype, None))
            branches.append(graph)
        return self('If', condition, then_branch=branches[0], else_branch=branches[1])

    def _name(self) -> str:
        self._made += 1
        return f'{self._prefix}_{self._made}'

    def _value(self, value: Value) -> str:
        if isinstance(value, str):
            return value
        if not isinstance(value, np.ndarray):
            value = np.array(value, np.float32 if isinstance(value, float) else np.int64)
        name = f'{self._name()}_constant'
        self._home.initializer.append(numpy_helper.from_array(value, name))
        return name
