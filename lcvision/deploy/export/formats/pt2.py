"""PyTorch's own archive, compiled ahead by AOTInductor."""
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lcvision.deploy.engines.inductor import AOTInductorEngine
from lcvision.deploy.export.file_metadata import KEY, parse
from lcvision.deploy.export.formats.format import Format, Running, register_format
from lcvision.deploy.export.graph import ExportGraph
from lcvision.deploy.network import example_input
from lcvision.errors import UserError


@register_format
class Pt2Format(Format):
    """The raw maps as machine code for this kind of CPU. Loading one runs its code: only load files you trust."""

    name = 'pt2'
    suffix = '.pt2'
    precisions = ('fp32', 'bf16')
    graphs = ('net',)
    dynamic = False
    uint8 = False

    def missing(self) -> str | None:
        """Looks for a compiler, which is needed to write it and not to run it."""
        return AOTInductorEngine().missing()

    def write(self, graph: ExportGraph, path: Path) -> None:
        """Compiles for one size and this number of threads."""
        try:
            with torch.inference_mode():
                AOTInductorEngine().export(graph.network, example_input(graph.layout.size), path, graph.precision)
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError(f'AOTInductor cannot compile this network: {reason}; leave pt2 out of --to') from error
        with zipfile.ZipFile(path, 'a', zipfile.ZIP_STORED) as archive:
            root = archive.namelist()[0].split('/')[0]
            archive.writestr(f'{root}/extra/{KEY}.json', json.dumps(graph.metadata, sort_keys=True))

    def read_metadata(self, path: Path) -> dict[str, Any]:
        """From a file inside the archive."""
        try:
            with zipfile.ZipFile(path) as archive:
                name = next((name for name in archive.namelist() if name.endswith(f'/extra/{KEY}.json')), None)
                text = archive.read(name).decode() if name else None
        except (OSError, zipfile.BadZipFile) as error:
            raise UserError(f'{path} is no .pt2 archive that can be read: its copy may be incomplete') from error
        return parse(text, path)

    def open(self, path: Path, threads: int, extra: Sequence[str] = ()) -> Running:
        """Loads the package; it runs in channels_last."""
        package = torch._inductor.aoti_load_package(str(path))
        names = self.read_metadata(path)['maps']

        def run(x: np.ndarray) -> dict[str, np.ndarray]:
            with torch.inference_mode():
                image = torch.from_numpy(x).contiguous(memory_format=torch.channels_last)
                return {name: y.numpy() for name, y in zip(names, package.loader.run([image]), strict=True)}
        return run
