"""Post-training quantisation to int8 that is measured, and that returns layers to float until little is lost."""
import importlib.util
import io
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any
from unittest.mock import patch

import numpy as np

from lcvision import environment
from lcvision.deploy.sessions import import_openvino, shared_core, without_telemetry
from lcvision.errors import UserError
from lcvision.exporting.ladder import FileUnderTest
from lcvision.exporting.original import Original

CALIBRATION_IMAGES = 300
# Images that rank the groups of layers, and those of them that the error is measured on.
_RANKING, _JUDGED = 32, 8
# The first depthwise layers have few channels of very different ranges: in float they cost little and save most.
_FIRST_DEPTHWISE = 8
_LAYERS = ('Convolution', 'GroupConvolution', 'MatMul')
_INT8_FLAGS = ('avx512_vnni', 'avx_vnni', 'amx_int8', 'i8mm', 'asimd')


@dataclass(frozen=True)
class Layer:
    """A layer that could be quantised.

    Attributes:
        op: Its name in the converted graph.
        name: Of the module, where the exporter noted it.
        group: What it is returned to float with.
        fixed: Whether its group is in float from the beginning.
    """

    op: str
    name: str
    group: str
    fixed: bool


def check_request(formats: Sequence[Any], data: object, dynamic: str | None, max_drop: float) -> None:
    """Refuses a request for int8 before anything is computed.

    Raises:
        UserError: Something that it needs is lacking.
    """
    if max_drop < 0:
        raise UserError(f'--max-drop {max_drop:g} is negative: give the points that may be lost, such as 0.5')
    if not any('int8' in one.precisions for one in formats):
        raise UserError(f"int8 is written for OpenVINO only, not for {', '.join(one.name for one in formats)}: add "
                        'openvino to --to')
    if importlib.util.find_spec('nncf') is None:
        raise UserError("--precision int8 needs nncf: pip install 'lcvision[int8]'")
    if dynamic:
        raise UserError(f'int8 is calibrated for one size and batch: leave out --dynamic {dynamic}')
    if not data:
        raise UserError('--precision int8 needs --data: its training images calibrate, and its validation images show '
                        'what is lost')


def quantise(file: FileUnderTest, encoded: Sequence[bytes], data: str, max_drop: float,
             lost: Callable[[], tuple[float, float]], progress: Callable[[str], object]) -> str:
    """Writes a file in int8, with as many layers in float as the metric demands.

    Where the first try loses too much, the groups of layers follow one by one into float, the most sensitive first; a
    group's sensitivity is the error of the raw maps with nothing but that group in int8.

    Args:
        file: What is written; its metadata get the record ``int8``.
        encoded: Image files of the training split.
        data: Name of the data, for the record.
        max_drop: Points of the metric that may be lost.
        lost: Gives the file's metric, and the points that it loses.
        progress: Told what is going on.

    Returns:
        What is in float, as a sentence.
    """
    trial = _Quantiser(file, encoded)
    groups = {layer.group for layer in trial.layers if layer.fixed}
    everything = {layer.group for layer in trial.layers}
    order: list[str] | None = None
    best: tuple[float, set[str], float] | None = None
    while True:
        progress(f'quantising {file.path.name}, {trial.count(groups)} of {len(trial.layers)} layers in float')
        trial.write(groups, data)
        metric, points = lost()
        progress(f'int8 loses {points:.2f} points, {max_drop:g} may be lost')
        if best is None or points < best[0]:
            best = points, set(groups), metric
        if order is None and points > max_drop:
            progress('ranking the layers')
            order = trial.rank(sorted(everything - groups))
        left = [group for group in order or [] if group not in groups]
        if points <= max_drop or len(left) < 2:
            break
        groups = groups | {left[0]}
    if best[1] != groups:
        trial.write(best[1], data)
    record = file.graph.metadata['int8']  # type: ignore[index]
    record['metric'] = round(best[2], 6)
    file.kind.write(file.graph, file.path)
    return trial.sentence(best[1])


class _Quantiser:
    def __init__(self, file: FileUnderTest, encoded: Sequence[bytes]):
        self.file, self.encoded = file, encoded
        self._float = file.kind.convert(file.graph)  # type: ignore[attr-defined]
        self.layers = layers_of(network_of(self._float, file.graph.maps), file)
        self._tools = import_nncf()

    def count(self, groups: set[str]) -> int:
        """Number of layers in these groups."""
        return sum(layer.group in groups for layer in self.layers)

    def sentence(self, groups: set[str]) -> str:
        """What is in float."""
        counts = Counter(layer.group for layer in self.layers if layer.group in groups)
        return f'{sum(counts.values())} of {len(self.layers)} layers are in float: ' + \
            ', '.join(f'{group} ({number})' for group, number in counts.items())

    def write(self, groups: set[str], data: str) -> None:
        """Writes the file with some groups in float."""
        model = self._quantised({layer.op for layer in self.layers if layer.group not in groups}, self.encoded,
                                fast_bias_correction=False)
        machine = environment.cpu()
        self.file.graph = replace(self.file.graph, converted=_joined(self._float.clone(), model, self.file.graph.maps))
        metadata = {**(self.file.graph.metadata or {}), 'int8': {
            'calibration': {'data': data, 'split': 'train', 'images': len(self.encoded)}, 'preset': 'mixed',
            'float_layers': [layer.name for layer in self.layers if layer.group in groups],
            'cpu': machine['cpu'], 'flags': list(machine['flags']), 'nncf': version('nncf')}}
        self.file.metadata = self.file.graph.metadata = metadata
        self.file.kind.write(self.file.graph, self.file.path)

    def rank(self, groups: Sequence[str]) -> list[str]:
        """The groups, the one that does most harm in int8 first."""
        some = self.encoded[:_RANKING]
        right = self._maps(network_of(self._float, self.file.graph.maps), some[:_JUDGED])
        harm = {}
        for group in groups:
            model = self._quantised({layer.op for layer in self.layers if layer.group == group}, some, quick=True)
            given = self._maps(model, some[:_JUDGED])
            harm[group] = sum(float(((one - two) ** 2).sum() / (two ** 2).sum().clip(1e-12))
                              for one, two in zip(given, right, strict=True))
        return sorted(groups, key=lambda group: -harm[group])

    def _quantised(self, ops: set[str], encoded: Sequence[bytes], quick: bool = False, **options: Any) -> Any:
        """The network with these layers in int8, all else in float."""
        nncf, model = self._tools, network_of(self._float, self.file.graph.maps).clone()
        others = [op.get_friendly_name() for op in model.get_ordered_ops() if op.get_friendly_name() not in ops]
        flags = environment.cpu()['flags']
        # Without dot products of four bytes a CPU adds pairs in 16 bits, which overflow: weights of 7 bits do not.
        overflow = nncf.OverflowFix.DISABLE if set(_INT8_FLAGS) & set(flags) else nncf.OverflowFix.ENABLE
        advanced = nncf.AdvancedQuantizationParameters(disable_bias_correction=quick, overflow_fix=overflow)
        core = shared_core()
        # A second Core, once deleted, would end the process at the next signal: see shared_core.
        with redirect_stdout(io.StringIO()), patch.object(import_openvino(), 'Core', lambda: core):
            return nncf.quantize(model, nncf.Dataset(encoded, self._input), preset=nncf.QuantizationPreset.MIXED,
                                 subset_size=len(encoded), advanced_parameters=advanced,
                                 ignored_scope=nncf.IgnoredScope(names=others, validate=False), **options)

    def _input(self, content: bytes) -> np.ndarray:
        original: Original = self.file.original
        case = original.case([original.fit(original.pipeline.steps.decode(content))])
        return case.array(self.file.graph.layout.uint8)

    def _maps(self, model: Any, encoded: Sequence[bytes]) -> list[np.ndarray]:
        run = shared_core().compile_model(model, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
        found = [run(self._input(content)) for content in encoded]
        return [np.stack([one[index] for one in found]) for index in range(len(model.outputs))]


def import_nncf() -> Any:
    """Imports NNCF without telemetry and with errors only in its log."""
    with without_telemetry():
        import nncf
    nncf.set_log_level(logging.ERROR)
    return nncf


def _sources(model: Any) -> dict[str, Any]:
    return {name: port for op in model.get_ordered_ops() for port in op.outputs() for name in port.get_names()}


def network_of(model: Any, maps: Sequence[str]) -> Any:
    """The part of a converted graph that ends in the raw maps: a view of the same nodes."""
    sources = _sources(model)
    return import_openvino().Model([sources[name] for name in maps], model.get_parameters())


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


def layers_of(network: Any, file: FileUnderTest) -> list[Layer]:
    """The layers of a converted network in the order in which they run, by group."""
    modules = {tensor: module for module, tensor in file.graph.layers}
    ops = [op for op in network.get_ordered_ops() if op.get_type_name() in _LAYERS]
    last = set().union(*(_last_layers(result) for result in network.get_results()))
    found, depthwise = [], 0
    for place, op in enumerate(ops):
        name = op.get_friendly_name()
        module = modules.get(name.removeprefix('node_').removesuffix('/WithoutBiases'), name)
        grouped = op.get_type_name() == 'GroupConvolution'
        fixed = ('stem' if not place else 'prediction' if name in last else 'squeeze-and-excitation' if _gates(op)
                 else 'first depthwise' if grouped and depthwise < _FIRST_DEPTHWISE else '')
        depthwise += grouped
        shape = op.output(0).get_partial_shape()
        stride = f' at 1/{round(file.graph.layout.size[0] / shape[2].get_length())}' if len(shape) == 4 else ''
        part = f'{module.split(".")[0]} ' if '.' in module else ''
        group = fixed or f'{part}{"depthwise" if grouped else "dense"}{stride}'
        found.append(Layer(name, module, group, bool(fixed)))
    return found


def _last_layers(result: Any) -> set[str]:
    """The layers that no other one follows on the way to a result."""
    found, open_, seen = set(), [result], set()
    while open_:
        op = open_.pop()
        if op.get_friendly_name() in seen:
            continue
        seen.add(op.get_friendly_name())
        if op.get_type_name() in _LAYERS:
            found.add(op.get_friendly_name())
        else:
            open_ += [port.get_source_output().get_node() for port in op.inputs()]
    return found


def _gates(op: Any) -> bool:
    """Whether a layer works on a pooled map that a larger one is multiplied by."""
    if not _pooled(op.input(0)) or not _pooled(op.output(0)):
        return False
    open_ = [op]
    while open_:
        for reader in open_.pop().output(0).get_target_inputs():
            after = reader.get_node()
            if _pooled(after.output(0)):
                open_.append(after)
            elif after.get_type_name() == 'Multiply':
                return True
    return False


def _pooled(port: Any) -> bool:
    shape = port.get_partial_shape()
    return len(shape) == 4 and all(side.is_static and side.get_length() == 1 for side in list(shape)[2:])
