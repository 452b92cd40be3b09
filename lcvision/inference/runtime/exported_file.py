"""An exported file, opened by the runtime of its format; .onnx and .xml need neither torch nor a framework."""
import importlib.util
import logging
import re
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lcvision import environment
from lcvision.deploy.export.file_metadata import KEY, parse
from lcvision.deploy.load import HINTS
from lcvision.deploy.sessions import compile_openvino, infer, onnx_session, shared_core
from lcvision.errors import UserError

ENGINES = {'.onnx': ('onnxruntime', 'openvino'), '.xml': ('openvino',), '.pt2': ('aot-inductor',)}
"""What runs the files of each ending; the first of them where nothing is asked for."""
_PACKAGES = {'onnxruntime': 'onnxruntime', 'openvino': 'openvino', 'aot-inductor': 'torch'}
# What protobuf can hold, and the most that is read of metadata.
_LARGEST, _LONGEST = 2 ** 31, 2 ** 24
# How protobuf writes the key under which a tensor names the file that holds it.
_EXTERNAL = re.compile(rb'\x0a\x08location\x12')

Run = Callable[[np.ndarray], Mapping[str, np.ndarray]]
Start = Callable[[dict[str, Any], str], Run]


@dataclass(frozen=True)
class ExportedFile:
    """A file that is ready to run.

    Attributes:
        path: The file.
        engine: Name of the engine that runs it.
        metadata: What its export wrote.
        run: Its input, an array as the metadata say -> outputs by name, which the next call may overwrite; opened with
            the hint 'throughput', several threads may call it, each of which has outputs of its own.
    """

    path: Path
    engine: str
    metadata: dict[str, Any]
    run: Run


def is_exported(path: object) -> bool:
    """Whether this is the name of an exported file, by its ending."""
    return isinstance(path, (str, Path)) and Path(path).suffix in ENGINES


def open_exported(path: str | Path, *, threads: int, engine: str = 'best', precision: str | None = None,
                  trust_code: bool = False, hint: str = 'latency') -> ExportedFile:
    """Opens a file that an export has written; the arguments are those of :class:`lcvision.Predictor`.

    Raises:
        UserError: It is missing, torn, without metadata or not to be run so, what runs it is not installed, or it
            holds code and ``trust_code`` is not set.
    """
    path = existing(path)
    engine = choose_engine(path, engine)
    if hint not in HINTS or (hint == 'throughput' and engine == 'aot-inductor'):
        raise UserError(f"hint {hint!r} is not available for {path}: take 'latency'"
                        ", or 'throughput' for an .onnx or .xml file")
    text, start = {'onnxruntime': _read_onnx, 'openvino': _read_openvino, 'aot-inductor': _read_pt2}[engine](
        path, threads, hint)
    metadata = parse(text if text is None or len(text) < _LONGEST else None, path)
    if precision not in (None, metadata['precision']) and engine != 'openvino':
        raise UserError(f"{path} computes in {metadata['precision']}, not in {precision}: leave out the precision, or "
                        'export the file in it')
    if engine == 'aot-inductor' and not trust_code:
        raise UserError(f'{path} holds machine code, which runs when it is loaded: give trust_code=True (--trust-code) '
                        'if you trust its origin, or take an .onnx or .xml file, which is data')
    warn_of_other_cpu(path, metadata)
    run = plain_errors(path, 'cannot be run here', lambda: start(metadata, precision or metadata['precision']))
    if hint == 'throughput':
        run = _first_alone(run)
    return ExportedFile(path, engine, metadata, lambda x: plain_errors(path, 'cannot be run', lambda: run(x)))


def warn_of_other_cpu(path: Path, metadata: Mapping[str, Any]) -> None:
    """Warns where a file was quantised elsewhere: what int8 loses, and what is quickest, depends on the CPU."""
    made = next((metadata[key]['flags'] for key in ('int8', 'mixed') if isinstance(metadata.get(key), dict) and
                 metadata[key].get('flags') is not None), None)
    here = environment.cpu()['flags']
    if made is not None and set(made) != set(here):
        differing = ', '.join(sorted(set(made) ^ set(here)))
        logging.getLogger('lcvision').warning(
            f'{path} was quantised and measured on another kind of CPU (they differ in {differing}): evaluate it here '
            'with tools/test.py')


def _first_alone(run: Run) -> Run:
    """Runs the first call of each thread alone.

    What OpenVINO's Python sets up at its first call holds a lock of C++ while it waits for the interpreter: a second
    thread, which has the interpreter and waits for the lock, would stop both for good.
    """
    alone, own = threading.Lock(), threading.local()

    def guarded(x: np.ndarray) -> Mapping[str, np.ndarray]:
        if hasattr(own, 'ran'):
            return run(x)
        own.ran = True
        with alone:
            return run(x)
    return guarded


def existing(path: str | Path) -> Path:
    """A file of a kind that is known here and not too large, as a path.

    Raises:
        UserError: There is none.
    """
    path = Path(path).expanduser()
    if path.suffix not in ENGINES:
        raise UserError(f'{path} is no exported file: its name must end in {", ".join(ENGINES)}')
    if not path.is_file():
        raise UserError(f'there is no file {path}: give a file that lcvision export wrote')
    for part in (path, path.with_suffix('.bin')) if path.suffix == '.xml' else (path,):
        if not part.is_file():
            raise UserError(f'{path} lacks its weights: {part.name} belongs beside it')
        if part.stat().st_size > _LARGEST:
            raise UserError(f'{part} has {part.stat().st_size:,} bytes, more than the {_LARGEST:,} that are read')
    return path


def choose_engine(path: Path, engine: str) -> str:
    """The engine that runs a file, ``engine`` or the first that its ending has for 'best'.

    Raises:
        UserError: It does not run such files, or is not installed.
    """
    fitting = ENGINES[path.suffix]
    chosen = fitting[0] if engine == 'best' else engine
    if chosen not in fitting:
        raise UserError(f'{path} cannot be run by {engine!r}: {path.suffix} files are for {" and ".join(fitting)}')
    if importlib.util.find_spec(_PACKAGES[chosen]) is None:
        others = [one for one in fitting if importlib.util.find_spec(_PACKAGES[one])]
        instead = f', or take engine {others[0]!r}' if others else ''
        raise UserError(f'{path} needs {_PACKAGES[chosen]}, which is not installed: pip install {_PACKAGES[chosen]}'
                        f'{instead}')
    return chosen


def plain_errors(path: Path, what: str, call: Callable[[], Any]) -> Any:
    """Calls, and turns whatever a runtime raises into a sentence of one line."""
    try:
        return call()
    except UserError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1][:300]
        raise UserError(f'{path} {what}, its copy may be incomplete: {reason}') from error


def _read_onnx(path: Path, threads: int, hint: str) -> tuple[str | None, Start]:
    content = path.read_bytes()
    _refuse_external(path, content)
    # Each thread runs its own image in the one session, whose operators then stay on that thread.
    threads = 1 if hint == 'throughput' else threads
    session = plain_errors(path, 'is no ONNX file that can be read', lambda: onnx_session(content, threads))
    source, names = session.get_inputs()[0].name, [one.name for one in session.get_outputs()]

    def run(x: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(names, session.run(names, {source: x}), strict=True))
    text = plain_errors(path, 'has metadata that cannot be read',
                        lambda: session.get_modelmeta().custom_metadata_map.get(KEY))
    return text, lambda metadata, precision: run


def _read_openvino(path: Path, threads: int, hint: str) -> tuple[str | None, Start]:
    if path.suffix == '.onnx':
        _refuse_external(path, path.read_bytes())
    model = plain_errors(path, 'is no file that OpenVINO can read', lambda: shared_core().read_model(str(path)))

    def start(metadata: dict[str, Any], precision: str) -> Run:
        compiled, own = compile_openvino(model, precision, threads, hint, pinned=False), threading.local()
        names = [sorted(port.get_names()) for port in model.outputs]

        def run(x: np.ndarray) -> dict[str, np.ndarray]:
            if not hasattr(own, 'request'):
                own.request = compiled.create_infer_request()
            request = own.request
            infer(request, 1 if hint == 'throughput' else threads, x)
            return {name: request.get_output_tensor(place).data for place, alike in enumerate(names) for name in alike}
        return run
    return plain_errors(path, 'has metadata that cannot be read', lambda: openvino_text(model)), start


def openvino_text(model: Any) -> str | None:
    """The metadata in a model that OpenVINO read from its own file or from ONNX."""
    places = [KEY], ['framework', KEY]
    return next((model.get_rt_info(place).astype(str) for place in places if model.has_rt_info(place)), None)


def _refuse_external(path: Path, content: bytes) -> None:
    if _EXTERNAL.search(content):
        raise UserError(f'{path} keeps weights in other files, whose names could lead anywhere: export it with all of '
                        'them inside')


def _read_pt2(path: Path, threads: int, hint: str) -> tuple[str | None, Start]:
    def read() -> str | None:
        with zipfile.ZipFile(path) as archive:
            found = [one for one in archive.infolist() if one.filename.endswith(f'/extra/{KEY}.json')]
            return archive.read(found[0]).decode() if found and found[0].file_size < _LONGEST else None
    text = plain_errors(path, 'is no .pt2 archive that can be read', read)
    return text, lambda metadata, precision: _start_pt2(path, metadata['maps'], threads)


def _start_pt2(path: Path, names: list[str], threads: int) -> Run:
    import torch
    package = torch._inductor.aoti_load_package(str(path))

    def run(x: np.ndarray) -> dict[str, np.ndarray]:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            with torch.inference_mode():
                image = torch.from_numpy(x).contiguous(memory_format=torch.channels_last)
                return {name: y.numpy() for name, y in zip(names, package.loader.run([image]), strict=True)}
        finally:
            torch.set_num_threads(before)
    return run
