"""ONNX Runtime and OpenVINO as they are run here, without torch."""
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from lcvision import environment

_HINTS = {'fp32': 'f32', 'int8': 'f32', 'mixed-fp32': 'f32', 'mixed-bf16': 'bf16'}  # of what is left in float
_TELEMETRY = 'openvino_telemetry'
# Recorded of what was compiled: hints are only hints to the plugin, and it may take fewer threads than it is given.
_PROPERTIES = ('INFERENCE_NUM_THREADS', 'NUM_STREAMS', 'INFERENCE_PRECISION_HINT', 'ENABLE_CPU_PINNING',
               'ENABLE_HYPER_THREADING', 'SCHEDULING_CORE_TYPE', 'EXECUTION_DEVICES')
_SETTINGS = {
    'session.set_denormal_as_zero': '1',
    # Workers that spin after a run would take the cores from whichever engine is measured next.
    'session.force_spinning_stop': '1',
}


def onnx_session(graph: bytes | str | Path, threads: int) -> Any:
    """A session of ONNX Runtime with all graph optimisations, and so many threads inside an operator."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4  # what is wrong comes as an exception
    for name, value in _SETTINGS.items():
        options.add_session_config_entry(name, value)
    given = graph if isinstance(graph, bytes) else os.fspath(graph)
    return onnxruntime.InferenceSession(given, options, providers=['CPUExecutionProvider'])


def compile_openvino(model: Any, precision: str, threads: int, hint: str = 'latency', pinned: bool = True) -> Any:
    """A model of :func:`shared_core`, compiled for 'latency' or 'throughput' on so many threads.

    Streams of the latter are ``pinned`` to cores, unless what surrounds them has work for the same cores.
    """
    properties = {'PERFORMANCE_HINT': hint.upper(), 'INFERENCE_NUM_THREADS': threads,
                  'INFERENCE_PRECISION_HINT': _HINTS.get(precision, precision), 'CPU_DENORMALS_OPTIMIZATION': True}
    if hint == 'latency':
        # The scheduler often wakes two free threads on one core, where they take turns; a single pinned one would
        # wait while somebody else has its core.
        properties['ENABLE_CPU_PINNING'] = threads > 1
        # The hint leaves out the second threads of cores, even where there are fewer cores than threads asked for.
        properties['ENABLE_HYPER_THREADING'] = threads > len(environment.cores())
    elif not pinned:
        properties['ENABLE_CPU_PINNING'] = False
    return shared_core().compile_model(model, 'CPU', properties)


def infer(request: Any, threads: int, x: Any = None) -> None:
    """Runs a request once, whose model was compiled for so many threads, on an array or on what it holds."""
    inputs = None if x is None else [x]
    if threads == 1:
        request.infer(inputs, share_inputs=True, share_outputs=True)
    else:
        # The plugin's own thread stays on its core; the calling one would be moved there and back every time.
        request.start_async(inputs, share_inputs=True)
        request.wait()


def openvino_properties(compiled: Any) -> dict[str, str]:
    """What the plugin made of the hints, for the record."""
    return {name: str(compiled.get_property(name)) for name in _PROPERTIES}


@cache
def shared_core() -> Any:
    """The one Core of this process."""
    # One for the process, never deleted: each sets a signal stack of its own and restores the previous one when it is
    # deleted. With two, the second restores the first's, which is unmapped: the next signal that has a handler
    # (SIGCHLD, once a DataLoader has workers) would kill the process.
    return import_openvino().Core()


def import_openvino() -> ModuleType:
    """Imports OpenVINO without its telemetry, which reports every import to a server."""
    with without_telemetry():
        import openvino
    return openvino


@contextmanager
def without_telemetry() -> Iterator[None]:
    """Keeps what is imported meanwhile from finding OpenVINO's telemetry."""
    # What is None in sys.modules cannot be imported.
    hidden = _TELEMETRY not in sys.modules
    if hidden:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules[_TELEMETRY]
