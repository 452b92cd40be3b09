"""ONNX Runtime on its own CPU kernels."""
from functools import partial

import numpy as np
import torch
from torch import nn

from lcvision.deploy.engines.engine import Engine, Outputs, Prepared, build_prepared, register_engine
from lcvision.deploy.load import ThreadLoad
from lcvision.deploy.onnx_export import export_onnx
from lcvision.deploy.sessions import onnx_session


@register_engine
class OnnxRuntimeEngine(Engine):
    """The fused network, exported to ONNX, in an inference session with all graph optimisations.

    Inputs and outputs are bound to torch's memory: nothing is copied.
    """

    name = 'onnxruntime'
    title = 'ONNX Runtime'
    packages = ('onnxruntime', 'onnx', 'onnxscript')
    extra = 'onnx'
    marker = 'v'
    hints = ('latency', 'throughput')

    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Exports the network and opens a session with ``threads`` threads inside an operator."""
        x = example.contiguous()
        return build_prepared(lambda: (_BoundSession(export_onnx(network, example), x, threads), x),
                              'ONNX Runtime cannot run')

    def prepare_load(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Opens a session for each thread; their operators stay on it."""
        x, graph = example.contiguous(), export_onnx(network, example)
        prepared = build_prepared(lambda: (_BoundSession(graph, x, 1), x), 'ONNX Runtime cannot run')
        others = [partial(_BoundSession(graph, x, 1), x) for _ in range(threads - 1)]
        prepared.load = ThreadLoad([partial(prepared.run, x), *others])
        return prepared


class _BoundSession:
    def __init__(self, graph: bytes, example: torch.Tensor, threads: int):
        self.session = onnx_session(graph, threads)
        self._binding = self.session.io_binding()
        self._outputs = tuple(torch.empty(tuple(one.shape)) for one in self.session.get_outputs())
        for one, y in zip(self.session.get_outputs(), self._outputs, strict=True):
            self._binding.bind_output(one.name, 'cpu', 0, np.float32, tuple(y.shape), y.data_ptr())
        self._bind(example)

    def __call__(self, x: torch.Tensor) -> Outputs:
        if x is not self._bound:
            self._bind(x)
        self.session.run_with_iobinding(self._binding)
        return self._outputs

    def _bind(self, x: torch.Tensor) -> None:
        # Both stay alive: the session reads the memory of the second; the first shows whether it is still the same.
        self._bound, self._memory = x, x.contiguous()
        name = self.session.get_inputs()[0].name
        self._binding.bind_input(name, 'cpu', 0, np.float32, tuple(x.shape), self._memory.data_ptr())
