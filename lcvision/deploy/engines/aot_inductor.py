"""AOTInductor: the network compiled ahead into a package that runs without Python between its kernels."""
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

from lcvision.deploy.engines.engine import Engine, EngineError, Outputs, Prepared, first_line, first_ms, register_engine
from lcvision.deploy.engines.inductor import missing_compiler
from lcvision.deploy.engines.inductor_freezing import FROZEN, frozen_network


@register_engine
class AOTInductorEngine(Engine):
    """The frozen network as a ``.pt2`` package; it needs a C++ compiler where it is exported and none where it runs."""

    name = 'aot-inductor'
    title = 'AOTInductor'
    precisions = ('fp32', 'bf16')
    compiles = 1
    traced = 'kernels'
    marker = '^'

    def missing(self) -> str | None:
        """Looks for a compiler, since here the network is exported as well."""
        return missing_compiler()

    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Exports for exactly this input size and number of threads, and loads the package."""
        start = time.perf_counter()
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, 'network.pt2')
                x = export_package(network, example, path, precision)
                run = _Package(path)
            compiled = time.perf_counter() - start
            return Prepared(run, x, first_ms(run, x), compile_s=compiled, layout='channels_last')
        except Exception as error:
            raise EngineError(f'AOTInductor cannot compile this network: {first_line(error)}') from error


class _Package:
    def __init__(self, path: Path):
        model = torch._inductor.aoti_load_package(str(path))
        # Calling the model itself parses its signature every time, half a percent of a small network.
        self._run = model.loader.run

    def __call__(self, x: torch.Tensor) -> Outputs:
        return tuple(self._run([x]))


def export_package(network: nn.Module, example: torch.Tensor, path: Path, precision: str = 'fp32') -> torch.Tensor:
    """Writes the package that :func:`torch._inductor.aoti_load_package` loads.

    Args:
        network: In eval mode and float32; it stays as it is.
        example: (1, 3, H, W) input.
        path: File to write, ending in '.pt2'.
        precision: 'fp32' or 'bf16'.

    Returns:
        The example in the memory layout that the package takes.
    """
    # Tensors made in inference mode, as fused weights would be, cannot be exported.
    with torch.inference_mode(False), torch.no_grad():
        frozen, x = frozen_network(network, example.clone(), precision)
        program = torch.export.export(frozen, (x,), strict=False)
        for attempt, settings in enumerate(FROZEN, 1):
            try:
                torch._inductor.aoti_compile_and_package(program, package_path=str(path), inductor_configs={**settings})
                break
            except Exception:
                if attempt == len(FROZEN):
                    raise
    return x
