"""OpenVINO's CPU plugin."""
import logging
import sys
from functools import cache
from types import ModuleType
from typing import Any

import torch
from torch import nn

from lcvision import environment
from lcvision.deploy.engines.engine import Engine, Outputs, Prepared, build_prepared, register_engine
from lcvision.deploy.onnx_export import export_onnx

_HINTS = {'fp32': 'f32', 'bf16': 'bf16'}
_TELEMETRY = 'openvino_telemetry'
# Recorded of what was compiled: hints are only hints to the plugin, and it may take fewer threads than it is given.
_PROPERTIES = ('INFERENCE_NUM_THREADS', 'NUM_STREAMS', 'INFERENCE_PRECISION_HINT', 'ENABLE_CPU_PINNING',
               'ENABLE_HYPER_THREADING', 'SCHEDULING_CORE_TYPE', 'EXECUTION_DEVICES')
_LOGGER = logging.getLogger('lcvision')


@register_engine
class OpenVINOEngine(Engine):
    """The fused network, exported to ONNX, compiled for latency.

    A graph converted from torch directly is as quick, but the converter rests on TorchScript. Input and outputs share
    torch's memory: nothing is copied.
    """

    name = 'openvino'
    title = 'OpenVINO'
    packages = ('openvino', 'onnx', 'onnxscript')
    extra = 'openvino'
    marker = 'h'
    precisions = ('fp32', 'bf16')

    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Exports and compiles the network for ``threads`` threads."""
        x = example.contiguous()
        prepared = build_prepared(lambda: (_SharedRequest(export_onnx(network, example), x, precision, threads), x),
                                  'OpenVINO cannot run')
        prepared.properties = prepared.run.properties  # type: ignore[attr-defined]
        return prepared


class _SharedRequest:
    def __init__(self, graph: bytes, example: torch.Tensor, precision: str, threads: int):
        self._openvino = import_openvino()
        core = shared_core()
        self.compiled = core.compile_model(core.read_model(graph), 'CPU', {
            'PERFORMANCE_HINT': 'LATENCY',
            'INFERENCE_NUM_THREADS': threads,
            'INFERENCE_PRECISION_HINT': _HINTS[precision],
            'CPU_DENORMALS_OPTIMIZATION': True,
            # The scheduler often wakes two free threads on one core, where they take turns; a single pinned one would
            # wait while somebody else has its core.
            'ENABLE_CPU_PINNING': threads > 1,
            # The hint leaves out the second threads of cores, even where there are fewer cores than threads asked for.
            'ENABLE_HYPER_THREADING': threads > len(environment.cores()),
        })
        self._request = self.compiled.create_infer_request()
        self._alone = threads == 1
        self.properties = {name: str(self.compiled.get_property(name)) for name in _PROPERTIES}
        ran = self.properties['INFERENCE_NUM_THREADS']
        if ran != str(threads):
            _LOGGER.warning(f'OpenVINO runs on {ran} threads here, not on the {threads} asked for')
        self._outputs = tuple(torch.empty(tuple(port.shape)) for port in self.compiled.outputs)
        for index, y in enumerate(self._outputs):
            self._request.set_output_tensor(index, self._shared(y))
        self._bind(example)

    def __call__(self, x: torch.Tensor) -> Outputs:
        if x is not self._bound:
            self._bind(x)
        if self._alone:
            self._request.infer(share_outputs=True)
        else:
            # The plugin's own thread stays on its core; the calling one would be moved there and back every time.
            self._request.start_async()
            self._request.wait()
        return self._outputs

    def _bind(self, x: torch.Tensor) -> None:
        # Both stay alive: the request reads the memory of the second; the first shows whether it is still the same.
        self._bound, self._memory = x, x.contiguous()
        self._request.set_input_tensor(0, self._shared(self._memory))

    def _shared(self, tensor: torch.Tensor) -> object:
        return self._openvino.Tensor(tensor.numpy(), shared_memory=True)


@cache
def shared_core() -> Any:
    """The one Core of this process."""
    # One for the process, never deleted: each sets a signal stack of its own and restores the previous one when it is
    # deleted. With two, the second restores the first's, which is unmapped: the next signal that has a handler
    # (SIGCHLD, once a DataLoader has workers) would kill the process.
    return import_openvino().Core()


def import_openvino() -> ModuleType:
    """Imports OpenVINO without its telemetry, which reports every import to a server."""
    # What is None in sys.modules cannot be imported.
    hidden = _TELEMETRY not in sys.modules
    if hidden:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        import openvino
    finally:
        if hidden:
            del sys.modules[_TELEMETRY]
    return openvino
