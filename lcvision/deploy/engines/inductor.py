"""torch.compile with its default backend: kernels generated in C++, convolutions left to oneDNN."""
import inspect
import os
import shutil
import sys
import time

import torch
from torch import nn

from lcvision.deploy.engines.engine import Engine, EngineError, Prepared, first_line, first_ms, register_engine
from lcvision.deploy.precision import deployed_network


def missing_compiler() -> str | None:
    """Looks for the compiler that inductor would call; says what to do where there is none."""
    compiler = os.environ.get('CXX') or ('clang++' if sys.platform == 'darwin' else 'g++')
    if shutil.which(compiler):
        return None
    return f'it needs a C++ compiler and {compiler!r} is not on the PATH: install g++, or name yours in CXX'


@register_engine
class InductorEngine(Engine):
    """The fused network through ``torch.compile``; it needs a C++ compiler where it runs."""

    name = 'inductor'
    title = 'Inductor'
    precisions = ('fp32', 'bf16')
    compiles = 3
    traced = 'kernels'
    marker = 's'
    # Of torch._inductor.config, other than its defaults; the later ones for networks that the earlier do not compile.
    settings: tuple[dict, ...] = ({},)

    def missing(self) -> str | None:
        """Looks for a compiler."""
        return missing_compiler()

    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Compiles for exactly this input size and this number of threads."""
        deployed, x = self.deployed(network, example, precision)
        options = {}
        if 'isolate_recompiles' in inspect.signature(torch.compile).parameters:
            # Many networks share the code of one wrapper's forward, and with it one limit of compilations, after
            # which torch would silently run them eagerly.
            options['isolate_recompiles'] = True
        start = time.perf_counter()
        for attempt, settings in enumerate(self.settings, 1):
            # A graph break would leave pieces of the network to eager Python: the row would not be inductor's.
            run = torch.compile(deployed, fullgraph=True, dynamic=False, **options)  # type: ignore[call-overload]
            try:
                # Not as options of torch.compile: the tracer does not see those and makes inputs of frozen weights.
                with torch._inductor.config.patch(settings):
                    run(x)
                break
            except Exception as error:
                if attempt == len(self.settings):
                    raise EngineError(f'torch.compile cannot compile this network: {first_line(error)}') from error
        compiled = time.perf_counter()
        return Prepared(run, x, first_ms(run, x), compile_s=compiled - start)

    def deployed(self, network: nn.Module, example: torch.Tensor, precision: str) -> tuple[nn.Module, torch.Tensor]:
        """The network and the input as they are compiled."""
        return deployed_network(network, example, precision), example.contiguous()
