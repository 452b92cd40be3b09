"""OpenVINO's IR: an .xml file with a .bin of weights beside it."""
import io
import itertools
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lcvision.deploy.export.file_metadata import KEY, parse
from lcvision.deploy.export.formats.format import Format, Running, register_format
from lcvision.deploy.export.graph import ExportGraph
from lcvision.deploy.export.metadata import flat
from lcvision.deploy.sessions import compile_openvino, import_openvino, shared_core
from lcvision.errors import UserError

# The plugin leaves what has this in float32; without a release that knows it, it is computed like the rest.
_EXACT = '<rt_info><attribute name="precise" version="0" /></rt_info>'


@register_format
class OpenVINOFormat(Format):
    """The ONNX graph converted; float32 inside, and what it is computed in is told by the metadata."""

    name = 'openvino'
    suffix = '.xml'
    beside = ('.bin',)
    packages = ('openvino', 'onnx', 'onnxscript')
    extra = 'openvino'
    precisions = ('fp32', 'bf16', 'int8', 'mixed')

    def convert(self, graph: ExportGraph) -> Any:
        """The graph as OpenVINO's model.

        Raises:
            UserError: It cannot be converted.
        """
        try:
            return import_openvino().convert_model(io.BytesIO(graph.model.SerializeToString()))
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError(f'OpenVINO cannot convert this graph: {reason}; leave it out of --to') from error

    def write(self, graph: ExportGraph, path: Path) -> None:
        """Writes both files, the same bytes for the same graph."""
        model = graph.converted or self.convert(graph)
        model.set_friendly_name(graph.model.graph.name)
        for key in list(model.rt_info):
            del model.rt_info[key]
        for key, value in flat(graph.metadata or {}).items():
            model.set_rt_info(value, [key])
        import_openvino().save_model(model, str(path), compress_to_fp16=False)
        # What has no name in the graph is called by a counter that goes on from one conversion to the next.
        number = itertools.count()
        text = re.sub(r'(<layer id="\d+" name="[A-Z]\w*_)\d+(" type=)',
                      lambda found: f'{found[1]}{next(number)}{found[2]}', path.read_text())
        exact = _fused_with(model, graph.exact)
        path.write_text(re.sub(r'<layer id="\d+" name="([^"]*)" [^>]*>', lambda found: found[0] + (
            _EXACT if found[1] in exact else ''), text) if exact else text)

    def read_metadata(self, path: Path) -> dict[str, Any]:
        """From the file's runtime information."""
        model = self._read(path)
        return parse(model.get_rt_info([KEY]).value if model.has_rt_info([KEY]) else None, path)

    def open(self, path: Path, threads: int, extra: Sequence[str] = ()) -> Running:
        """Compiled for latency, for so many threads."""
        model = self._read(path)
        precision = self.read_metadata(path)['precision']
        there = {name for node in model.get_ordered_ops() for port in node.outputs() for name in port.get_names()}
        own = {name for port in model.outputs for name in port.get_names()}
        for name in extra:
            if name in there - own:
                model.add_outputs(name)
        compiled = compile_openvino(model, precision, threads)
        request = compiled.create_infer_request()
        wanted = {*extra, *own}
        names = [next(name for name in sorted(port.get_names()) if name in wanted) for port in compiled.outputs]

        def run(x: np.ndarray) -> dict[str, np.ndarray]:
            request.infer([x], share_inputs=True)
            return {name: request.get_output_tensor(place).data for place, name in enumerate(names)}
        return run

    def _read(self, path: Path) -> Any:
        try:
            return shared_core().read_model(str(path))
        except Exception as error:
            logging.getLogger('lcvision').debug('%s', error)
            raise UserError(f'{path} is no OpenVINO file that can be read: it needs {path.stem}.bin beside it') \
                from error


def _fused_with(model: Any, layers: frozenset[str]) -> set[str]:
    """Names of these layers and of what the plugin fuses with them: bias and activation behind."""
    found = set()
    for op in model.get_ordered_ops() if layers else ():
        if op.get_friendly_name().removesuffix('/WithoutBiases') in layers:
            while op.get_type_name() != 'Result':
                found.add(op.get_friendly_name())
                readers = [one.get_node() for port in op.outputs() for one in port.get_target_inputs()]
                if len(readers) != 1 or readers[0].get_type_name() in ('Convolution', 'GroupConvolution', 'MatMul'):
                    break
                op = readers[0]
    return found
