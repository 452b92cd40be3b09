"""What puts layers of a graph into int8: NNCF for OpenVINO, ONNX Runtime's own for ONNX."""
import io
import logging
import tempfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest.mock import patch

import numpy as np
import onnx

from lcvision import environment
from lcvision.deploy.export.formats import Running
from lcvision.deploy.export.graph import INPUT, ExportGraph
from lcvision.deploy.sessions import import_openvino, shared_core, without_telemetry
from lcvision.exporting.ladder import FileUnderTest
from lcvision.exporting.layers import layers_of
from lcvision.exporting.original import Case

# Images that rank the groups of layers, and those of them that the error is measured on.
_RANKING, _JUDGED = 32, 8
# Without dot products of four bytes a CPU adds pairs in 16 bits, which overflow: weights of 7 bits do not.
_DOT_PRODUCTS = {'avx512_vnni', 'avx_vnni', 'amx_int8', 'i8mm', 'asimd'}


class Quantiser(ABC):
    """Writes a file with some layers in int8.

    Args:
        file: What is written; its metadata get the record ``int8``.
        encoded: Image files of the training split.
        data: Name of the data, for the record.

    Attributes:
        training: What the weights were trained for int8 with, for the record; empty where they were not.
    """

    tool: ClassVar[str]

    def __init__(self, file: FileUnderTest, encoded: Sequence[bytes], data: str):
        self.file, self.encoded, self.data = file, encoded, data
        self.training: dict[str, Any] = {}
        self.layers = layers_of(file.graph)

    @abstractmethod
    def quantised(self, ops: set[str], encoded: Sequence[bytes], quick: bool = False) -> Any:
        """The graph with these layers in int8 and all else in float, as ``ExportGraph.converted``; a quick one is less
        exact."""

    def count(self, groups: set[str]) -> int:
        """Number of layers in these groups."""
        return sum(layer.group in groups for layer in self.layers)

    def ops(self, groups: set[str]) -> set[str]:
        """Nodes of the layers in these groups."""
        return {layer.op for layer in self.layers if layer.group in groups}

    def sentence(self, groups: set[str]) -> str:
        """What is in float."""
        counts = Counter(layer.group for layer in self.layers if layer.group in groups)
        return f'{sum(counts.values())} of {len(self.layers)} layers are in float: ' + \
            ', '.join(f'{group} ({number})' for group, number in counts.items())

    def write(self, groups: set[str]) -> None:
        """Writes the file with some groups in float."""
        model = self.quantised({layer.op for layer in self.layers} - self.ops(groups), self.encoded)
        record = {'calibration': {'data': self.data, 'split': 'train', 'images': len(self.encoded)},
                  'float_layers': [layer.name for layer in self.layers if layer.group in groups],
                  **this_cpu(), **self.training, self.tool: environment.version_of(self.tool)}
        self.file.metadata = {**(self.file.graph.metadata or {}), 'int8': record}
        self.file.graph = replace(self.file.graph, converted=model, metadata=self.file.metadata)
        self.file.kind.write(self.file.graph, self.file.path)

    def running(self, graph: ExportGraph, extra: Sequence[str] = ()) -> Running:
        """A graph as the file would run it, with some tensors of its inside."""
        kind = self.file.kind
        with tempfile.TemporaryDirectory(dir=self.file.path.parent) as folder:
            path = Path(folder, f'trial{kind.suffix}')
            kind.write(graph, path)
            return kind.open(path, self.file.threads, extra)

    def rank(self, groups: Sequence[str]) -> list[str]:
        """The groups, the one that does most harm in int8 first."""
        cases = [self._case(content) for content in self.encoded[:_JUDGED]]
        right = [np.stack(maps) for maps in zip(*([one.numpy() for one in self.file.original.maps(case.x)]
                                                  for case in cases), strict=True)]
        harm = {}
        for group in groups:
            model = self.quantised(self.ops({group}), self.encoded[:_RANKING], quick=True)
            harm[group] = sum(float(((one - two) ** 2).sum() / (two ** 2).sum().clip(1e-12))
                              for one, two in zip(self._maps(model, cases), right, strict=True))
        return sorted(groups, key=lambda group: -harm[group])

    def _maps(self, model: Any, cases: Sequence[Case]) -> list[np.ndarray]:
        names = self.file.graph.maps
        run = self.running(replace(self.file.graph, converted=model), names)
        found = []
        for case in cases:
            outputs = run(case.array(self.file.graph.layout.uint8))
            found.append([np.array(outputs[name]) for name in names])
        return [np.stack(maps) for maps in zip(*found, strict=True)]

    def _case(self, content: bytes) -> Case:
        original = self.file.original
        return original.case([original.fit(original.pipeline.steps.decode(content))])

    def input(self, content: bytes) -> np.ndarray:
        """An image file as the graph takes it."""
        return self._case(content).array(self.file.graph.layout.uint8)


class NNCFQuantiser(Quantiser):
    """Asymmetric activations, and biases corrected by the full method."""

    tool = 'nncf'

    def __init__(self, file: FileUnderTest, encoded: Sequence[bytes], data: str):
        super().__init__(file, encoded, data)
        self._float = file.kind.convert(file.graph)  # type: ignore[attr-defined]
        self._nncf = import_nncf()

    def quantised(self, ops: set[str], encoded: Sequence[bytes], quick: bool = False) -> Any:
        """OpenVINO's model."""
        nncf, maps = self._nncf, self.file.graph.maps
        if not ops:
            return self._float.clone()
        model = network_of(self._float, maps).clone()
        others = [name for name in (op.get_friendly_name() for op in model.get_ordered_ops())
                  if name.removesuffix('/WithoutBiases') not in ops]
        overflow = nncf.OverflowFix.ENABLE if overflows() else nncf.OverflowFix.DISABLE
        advanced = nncf.AdvancedQuantizationParameters(disable_bias_correction=quick, overflow_fix=overflow)
        core = shared_core()
        # A second Core, once deleted, would end the process at the next signal: see shared_core.
        with redirect_stdout(io.StringIO()), patch.object(import_openvino(), 'Core', lambda: core):
            model = nncf.quantize(model, nncf.Dataset(encoded, self.input), preset=nncf.QuantizationPreset.MIXED,
                                  subset_size=len(encoded), advanced_parameters=advanced, fast_bias_correction=False,
                                  ignored_scope=nncf.IgnoredScope(names=others, validate=False))
        return _joined(self._float.clone(), model, maps)


class QDQQuantiser(Quantiser):
    """Unsigned activations, signed weights with a scale for each channel."""

    tool = 'onnxruntime'

    def quantised(self, ops: set[str], encoded: Sequence[bytes], quick: bool = False) -> onnx.ModelProto:
        """The graph with pairs of QuantizeLinear and DequantizeLinear."""
        from onnxruntime import quantization as tools
        given = onnx.ModelProto()
        given.CopyFrom(self.file.graph.model)
        inputs = iter(encoded)
        reader = SimpleNamespace(get_next=lambda: next(({INPUT: self.input(one)} for one in inputs), None))
        # It warns that it has not optimised the graph before: sessions do that afterwards.
        with tempfile.TemporaryDirectory() as folder, patch.object(logging, 'warning'):
            path = Path(folder, 'quantised.onnx')
            tools.quantize_static(
                given, path, reader, per_channel=True, reduce_range=overflows(), nodes_to_quantize=sorted(ops),
                activation_type=tools.QuantType.QUInt8, weight_type=tools.QuantType.QInt8,
                op_types_to_quantize=sorted({node.op_type for node in given.graph.node if node.name in ops}),
                extra_options={'CalibMovingAverage': True})
            model = onnx.load(path)
        del model.metadata_props[:], model.graph.value_info[:]
        model.producer_name, model.producer_version = 'lcvision', ''
        return model


QUANTISERS: dict[str, Callable[[FileUnderTest, Sequence[bytes], str], Quantiser]] = {
    'openvino': NNCFQuantiser, 'onnx': QDQQuantiser}
"""By the name of the format."""


def this_cpu() -> dict[str, Any]:
    """What decides the results and the speed of a quantised file, for its record."""
    machine = environment.cpu()
    return {'cpu': machine['cpu'], 'flags': machine['flags']}


def overflows() -> bool:
    """Whether sums of 8-bit products overflow on this CPU."""
    return not _DOT_PRODUCTS & set(environment.cpu()['flags'])


def import_nncf() -> Any:
    """Imports NNCF without telemetry and with errors only in its log."""
    with without_telemetry():
        import nncf
    nncf.set_log_level(logging.ERROR)
    return nncf


def network_of(model: Any, maps: Sequence[str]) -> Any:
    """The part of a converted graph that ends in the raw maps: a view of the same nodes."""
    sources = _sources(model)
    return import_openvino().Model([sources[name] for name in maps], model.get_parameters())


def _sources(model: Any) -> dict[str, Any]:
    return {name: port for op in model.get_ordered_ops() for port in op.outputs() for name in port.get_names()}


def _joined(model: Any, network: Any, maps: Sequence[str]) -> Any:
    """A converted graph with its network replaced; the rest reads the raw maps of the new one."""
    sources = _sources(model)
    if set(maps) <= {name for port in model.outputs for name in port.get_names()}:
        return network
    for name, result in zip(maps, network.get_results(), strict=True):
        new = result.input(0).get_source_output()
        for reader in sources[name].get_target_inputs():
            reader.replace_source_output(new)
        new.get_tensor().add_names({name})
    return import_openvino().Model(model.get_results(), network.get_parameters())
