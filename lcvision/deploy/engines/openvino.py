"""OpenVINO's CPU plugin."""
import logging
import sys
import time
from functools import cache
from types import ModuleType
from typing import Any

import torch
from torch import nn

from lcvision import environment
from lcvision.deploy.engines.engine import Engine, EngineError, Outputs, Prepared, first_line, first_ms, register_engine
from lcvision.deploy.onnx_export import export_onnx

_HINTS = {'fp32': 'f32', 'bf16': 'bf16'}
_TELEMETRY = 'openvino_telemetry'
# Of what was compiled, for the record: the plugin takes hints as hints, and fewer threads than it is given.
_PROPERTIES = ('INFERENCE_NUM_THREADS', 'NUM_STREAMS', 'INFERENCE_PRECISION_HINT', 'ENABLE_CPU_PINNING',
               'ENABLE_HYPER_THREADING', 'SCHEDULING_CORE_TYPE', 'EXECUTION_DEVICES')
_LOGGER = logging.getLogger('lcvision')


@register_engine
class OpenVINOEngine(Engine):
    """The fused network, exported to ONNX, compiled for latency.

    The graph that comes straight from torch was measured equally quick, but its converter rests on TorchScript.
    Input and outputs share torch's memory: nothing is copied.
    """

    name = 'openvino'
    title = 'OpenVINO'
    packages = ('openvino', 'onnx', 'onnxscript')
    extra = 'openvino'
    marker = 'h'
    precisions = ('fp32', 'bf16')

    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Exports and compiles the network for ``threads`` threads."""
        start = time.perf_counter()
        x = example.contiguous()
        try:
            run = _SharedRequest(export_onnx(network, example), x, precision, threads)
            compiled = time.perf_counter() - start
            return Prepared(run, x, first_ms(run, x), compile_s=compiled, properties=run.properties())
        except Exception as error:
            raise EngineError(f'OpenVINO cannot run this network: {first_line(error)}') from error


class _SharedRequest:
    def __init__(self, graph: bytes, example: torch.Tensor, precision: str, threads: int):
        self._openvino = import_openvino()
        core = _core()
        self.compiled = core.compile_model(core.read_model(graph), 'CPU', {
            'PERFORMANCE_HINT': 'LATENCY',
            'INFERENCE_NUM_THREADS': threads,
            'INFERENCE_PRECISION_HINT': _HINTS[precision],
            'CPU_DENORMALS_OPTIMIZATION': True,
            # The scheduler likes to wake two free threads on one core, where they take turns; one waits wherever it is
            # pinned while somebody else has the core.
            'ENABLE_CPU_PINNING': threads > 1,
            # The hint leaves the second threads of cores out, even if more threads are asked for than there are cores.
            'ENABLE_HYPER_THREADING': threads > len(environment.cores()),
        })
        self._request = self.compiled.create_infer_request()
        self._alone = threads == 1
        ran = self.compiled.get_property('INFERENCE_NUM_THREADS')
        if ran != threads:
            _LOGGER.warning(f'OpenVINO takes {ran} threads here, not the {threads} asked for')
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
            # The plugin's own thread stays on its core; the one that calls would be sent there and back every time.
            self._request.start_async()
            self._request.wait()
        return self._outputs

    def properties(self) -> dict[str, str]:
        """What the plugin made of the settings."""
        return {name: str(self.compiled.get_property(name)) for name in _PROPERTIES}

    def _bind(self, x: torch.Tensor) -> None:
        # Both are kept: the request reads the memory of the second, and the first tells whether it is still the one.
        self._bound, self._memory = x, x.contiguous()
        self._request.set_input_tensor(0, self._shared(self._memory))

    def _shared(self, tensor: torch.Tensor) -> object:
        return self._openvino.Tensor(tensor.numpy(), shared_memory=True)


@cache
def _core() -> Any:
    # One for the process, never deleted: each gives the thread a signal stack of its own and puts back the one before
    # when it is deleted. Of two, the second puts back the first's, which is unmapped: the next signal with a handler
    # (SIGCHLD, once a DataLoader has workers) then kills the process.
    return import_openvino().Core()


def import_openvino() -> ModuleType:
    """Imports OpenVINO without its reporter, which tells a server of every import; OpenVINO does without it."""
    # What is None in this table cannot be imported.
    hidden = _TELEMETRY not in sys.modules
    if hidden:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        import openvino
    finally:
        if hidden:
            del sys.modules[_TELEMETRY]
    return openvino
