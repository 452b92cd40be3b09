"""torch.compile with its default backend: kernels generated in C++, convolutions left to oneDNN."""
import inspect
import os
import shutil
import sys
import time

import torch
from torch import nn

from lcvision.latency.engines.engine import Engine, EngineError, Prepared
from lcvision.latency.fuse import fuse_network


class InductorEngine(Engine):
    """The fused network through ``torch.compile``; it needs a C++ compiler where it runs."""

    name = 'inductor'

    def missing(self) -> str | None:
        """Looks for the compiler that inductor would call."""
        compiler = os.environ.get('CXX') or ('clang++' if sys.platform == 'darwin' else 'g++')
        if shutil.which(compiler):
            return None
        return f'it needs a C++ compiler and {compiler!r} is not on the PATH: install g++, or name yours in CXX'

    def prepare(self, network: nn.Module, example: torch.Tensor, *, precision: str, threads: int) -> Prepared:
        """Compiles for exactly this input size and this number of threads."""
        fused = fuse_network(network, example)
        x = example.contiguous()
        options = {}
        if 'isolate_recompiles' in inspect.signature(torch.compile).parameters:
            # Many networks share the code of one wrapper's forward, and with it one limit of compilations, after
            # which torch would silently run them eagerly.
            options['isolate_recompiles'] = True
        # A graph break would leave pieces of the network to eager Python: the row would not be inductor's.
        run = torch.compile(fused, fullgraph=True, dynamic=False, **options)  # type: ignore[call-overload]
        start = time.perf_counter()
        try:
            run(x)
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise EngineError(f'torch.compile cannot compile this network: {reason}') from error
        compiled = time.perf_counter()
        run(x)
        return Prepared(run, x, (time.perf_counter() - compiled) * 1e3, compile_s=compiled - start)
