"""torch's compiler: kernels generated in C++, convolutions left to oneDNN; compiled in place or into a package."""
import contextlib
import inspect
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lcvision.deploy.engines.engine import Engine, Prepared, Run, build_prepared, register_engine
from lcvision.deploy.fuse import linearize_vectors
from lcvision.deploy.precision import deployed_network

_FREEZING: dict = {'freezing': True}
# Matrix products of constant weights are generated with their epilogue instead of called. 'CPP' alone: beside a second
# choice each shape would be compiled and timed by itself, minutes for the same kernels. It has nothing for products of
# two activations: networks with such products are compiled with the second set.
_FROZEN: tuple[dict, ...] = ({**_FREEZING, 'max_autotune_gemm': True, 'max_autotune_gemm_backends': 'CPP'}, _FREEZING)


@register_engine
class InductorEngine(Engine):
    """The fused network through ``torch.compile``; it needs a C++ compiler where it runs."""

    name = 'inductor'
    title = 'Inductor'
    precisions = ('fp32', 'bf16')
    compiles = 3
    traced = 'kernels'
    marker = 's'
    # Of torch._inductor.config, where not the defaults; the later sets for networks that the earlier do not compile.
    settings: tuple[dict, ...] = ({},)

    def missing(self) -> str | None:
        """Looks for the compiler that inductor would call."""
        compiler = os.environ.get('CXX') or ('clang++' if sys.platform == 'darwin' else 'g++')
        if shutil.which(compiler):
            return None
        return f'it needs a C++ compiler and {compiler!r} is not on the PATH: install g++, or name yours in CXX'

    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Compiles for exactly this input size and this number of threads."""
        deployed, x = self.deployed(network, example, precision)
        options = {}
        if 'isolate_recompiles' in inspect.signature(torch.compile).parameters:
            # Many networks share the code of one wrapper's forward, and with it one limit of compilations, after
            # which torch would silently run them eagerly.
            options['isolate_recompiles'] = True

        def build(settings: dict) -> tuple[Run, torch.Tensor]:
            # A graph break would leave pieces of the network to eager Python: the row would not be inductor's.
            run = torch.compile(deployed, fullgraph=True, dynamic=False, **options)  # type: ignore[call-overload]
            # Not as options of torch.compile: the tracer does not see those and makes inputs of frozen weights.
            with torch._inductor.config.patch(settings):
                run(x)
            return run, x
        return build_prepared(lambda: _first_that_compiles(build, self.settings), 'torch.compile cannot compile')

    def deployed(self, network: nn.Module, example: torch.Tensor, precision: str) -> tuple[nn.Module, torch.Tensor]:
        """The network and the input as they are compiled."""
        return deployed_network(network, example, precision), example.contiguous()


@register_engine
class InductorFreezingEngine(InductorEngine):
    """The fused network, channels_last, its weights frozen into the compiled code and packed for oneDNN."""

    name = 'inductor-freezing'
    title = 'Inductor, frozen'
    compiles = 2
    marker = 'D'
    settings = _FROZEN

    def deployed(self, network: nn.Module, example: torch.Tensor, precision: str) -> tuple[nn.Module, torch.Tensor]:
        """Channels_last, in which frozen convolutions compute: the input would be reordered at every inference."""
        network = linearize_vectors(deployed_network(network, example, precision), example)
        return network, example.contiguous(memory_format=torch.channels_last)


@register_engine
class AOTInductorEngine(InductorFreezingEngine):
    """The frozen network as a ``.pt2`` package, which runs without Python between its kernels.

    It needs a C++ compiler where it is exported, as here, and none where it runs.
    """

    name = 'aot-inductor'
    title = 'AOTInductor'
    compiles = 1
    marker = '^'

    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Exports for exactly this input size and number of threads, and loads the package."""
        def build() -> tuple[Run, torch.Tensor]:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, 'network.pt2')
                x = self.export(network, example, path, precision)
                # Calling the model itself parses its signature every time, half a percent of a small network.
                run = torch._inductor.aoti_load_package(str(path)).loader.run
            return lambda x: tuple(run([x])), x
        return build_prepared(build, 'AOTInductor cannot compile', layout='channels_last')

    def export(self, network: nn.Module, example: torch.Tensor, path: Path, precision: str = 'fp32') -> torch.Tensor:
        """Writes a package to the ``path``, a '.pt2'; returns the example in the memory layout that it takes."""
        # Tensors made in inference mode, as fused weights would be, cannot be exported.
        with torch.inference_mode(False), torch.no_grad():
            frozen, x = self.deployed(network, example.clone(), precision)
            program = torch.export.export(frozen, (x,), strict=False)
            _first_that_compiles(lambda settings: torch._inductor.aoti_compile_and_package(
                program, package_path=str(path), inductor_configs={**settings}), self.settings)
        return x


def _first_that_compiles(build: Callable[[dict], Any], choices: tuple[dict, ...]) -> Any:
    for settings in choices[:-1]:
        with contextlib.suppress(Exception):
            return build(settings)
    return build(choices[-1])
