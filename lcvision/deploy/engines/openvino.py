"""OpenVINO's CPU plugin."""
import logging

import torch
from torch import nn

from lcvision.deploy.engines.engine import Engine, Outputs, Prepared, build_prepared, register_engine
from lcvision.deploy.load import RequestLoad
from lcvision.deploy.onnx_export import export_onnx
from lcvision.deploy.sessions import compile_openvino, import_openvino, infer, openvino_properties, shared_core

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
    hints = ('latency', 'throughput')

    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Exports and compiles the network for ``threads`` threads."""
        return self._prepare(network, example.contiguous(), precision, threads, 'latency')

    def prepare_load(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Exports the network and compiles it for throughput; OpenVINO chooses how many images run at a time."""
        x = example.contiguous()
        prepared = self._prepare(network, x, precision, threads, 'throughput')
        compiled = prepared.run.compiled  # type: ignore[attr-defined]
        prepared.load = RequestLoad(compiled, {compiled.inputs[0].get_any_name(): x.numpy()})
        return prepared

    @staticmethod
    def _prepare(network: nn.Module, x: torch.Tensor, precision: str, threads: int, hint: str) -> Prepared:
        prepared = build_prepared(lambda: (_SharedRequest(export_onnx(network, x), x, precision, threads, hint), x),
                                  'OpenVINO cannot run')
        prepared.properties = prepared.run.properties  # type: ignore[attr-defined]
        return prepared


class _SharedRequest:
    def __init__(self, graph: bytes, example: torch.Tensor, precision: str, threads: int, hint: str):
        self._openvino = import_openvino()
        self.compiled = compile_openvino(shared_core().read_model(graph), precision, threads, hint)
        self._request = self.compiled.create_infer_request()
        self._threads = threads
        self.properties = openvino_properties(self.compiled)
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
        infer(self._request, self._threads)
        return self._outputs

    def _bind(self, x: torch.Tensor) -> None:
        # Both stay alive: the request reads the memory of the second; the first shows whether it is still the same.
        self._bound, self._memory = x, x.contiguous()
        self._request.set_input_tensor(0, self._shared(self._memory))

    def _shared(self, tensor: torch.Tensor) -> object:
        return self._openvino.Tensor(tensor.numpy(), shared_memory=True)
