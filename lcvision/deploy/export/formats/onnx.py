"""ONNX, run by ONNX Runtime."""
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lcvision.deploy.export.file_metadata import KEY, parse
from lcvision.deploy.export.formats.format import Format, Running, register_format
from lcvision.deploy.export.graph import ExportGraph
from lcvision.deploy.export.metadata import flat
from lcvision.deploy.sessions import onnx_session
from lcvision.errors import UserError


@register_format
class OnnxFormat(Format):
    """The graph itself, with its weights in the same file."""

    name = 'onnx'
    suffix = '.onnx'
    packages = ('onnx', 'onnxscript', 'onnxruntime')
    extra = 'onnx'
    precisions = ('fp32', 'int8')

    def write(self, graph: ExportGraph, path: Path) -> None:
        """Writes the same bytes for the same graph."""
        import onnx
        model = onnx.ModelProto()
        model.CopyFrom(graph.converted or graph.model)
        for key, value in flat(graph.metadata or {}).items():
            model.metadata_props.add(key=key, value=value)
        self.save(model, path)

    def save(self, model: Any, path: Path) -> None:
        """Writes a model."""
        path.write_bytes(model.SerializeToString(deterministic=True))

    def load(self, path: Path) -> Any:
        """Reads a model."""
        import onnx
        return onnx.load_from_string(path.read_bytes())

    def read_metadata(self, path: Path) -> dict[str, Any]:
        """From the file's properties."""
        try:
            model = self.load(path)
        except Exception as error:
            raise UserError(f'{path} is no ONNX file that can be read: its copy may be incomplete') from error
        return parse({entry.key: entry.value for entry in model.metadata_props}.get(KEY), path)

    def open(self, path: Path, threads: int, extra: Sequence[str] = ()) -> Running:
        """A session with all graph optimisations, and so many threads inside an operator."""
        import onnx
        model = self.load(path)
        onnx.checker.check_model(model, full_check=True)
        made = {name for node in model.graph.node for name in node.output} - {one.name for one in model.graph.output}
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in extra if name in made)
        session = onnx_session(model.SerializeToString(), threads)
        source, names = session.get_inputs()[0].name, [one.name for one in session.get_outputs()]

        def run(x: np.ndarray) -> dict[str, np.ndarray]:
            return dict(zip(names, session.run(names, {source: x}), strict=True))
        return run
