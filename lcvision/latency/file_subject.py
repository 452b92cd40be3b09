"""Any ONNX or IR file as a subject, with a photograph as its input, or random numbers where others wrote it."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from lcvision.complexity import Complexity
from lcvision.deploy.engines import Engine, Prepared
from lcvision.deploy.engines.engine import build_prepared
from lcvision.deploy.export.file_metadata import KEY, parse
from lcvision.deploy.load import Load, RequestLoad, ThreadLoad
from lcvision.deploy.sessions import compile_openvino, infer, onnx_session, openvino_properties, shared_core
from lcvision.errors import UserError
from lcvision.image_file import decode_image, in_memory
from lcvision.inference.results import Result
from lcvision.inference.runtime.exported_file import (
    ENGINES,
    choose_engine,
    existing,
    openvino_text,
    plain_errors,
    warn_of_other_cpu,
)
from lcvision.inference.runtime.finish import finish
from lcvision.inference.runtime.preparation import PreparedImage, prepare_image
from lcvision.latency.end_to_end import JpegToResult, photograph
from lcvision.latency.record import UNKNOWN
from lcvision.latency.subject import Subject

_ONNX_TYPES = {'float': np.float32, 'float16': np.float16, 'double': np.float64, 'bool': np.bool_,
               **{name: np.dtype(name).type for name in ('uint8', 'int8', 'int16', 'int32', 'int64')}}
_SUFFIXES = ('.onnx', '.xml')


@dataclass
class FileSubject(Subject):
    """A file to measure.

    Attributes:
        path: The file.
        inputs: Arrays by name.
    """

    has_network: ClassVar[bool] = False
    path: Path = Path()
    inputs: dict[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def complexity(self) -> Complexity:
        """Nothing: a file does not say."""
        return Complexity(0, 0, 0, 0)

    @cached_property
    def subnormals(self) -> int:
        """Not looked for: every runtime flushes them."""
        return 0

    def precisions(self, engine: Engine, asked: Sequence[str]) -> Sequence[str]:
        """Its own, else those asked for; none on an engine that does not run such files."""
        if engine.name not in ENGINES[self.path.suffix]:
            return ()
        return (self.precision,) if self.precision else asked

    def prepare(self, engine: Engine, precision: str, threads: int, hint: str = 'latency') -> Prepared:
        """Opens it on an engine."""
        open_file = _open_onnx if engine.name == 'onnxruntime' else _open_openvino
        found: dict[str, Any] = {}

        def build() -> tuple[Callable[[Any], Any], torch.Tensor]:
            run, found['properties'], found['load'] = open_file(self, precision, threads, hint)
            return run, torch.empty(0)
        return replace(build_prepared(build, f'{engine.title} cannot run'), **found)


def file_subject(path: str | Path, size: tuple[int, int] | None, engines: Sequence[Engine]) -> FileSubject:
    """A file with its input; one of ours has the scope 'e2e', too.

    Args:
        path: .onnx or .xml, not only of ours.
        size: Height and width of a dynamic image; None where it is static.
        engines: Those that will be measured.

    Raises:
        UserError: It is missing or torn, none of the engines runs it, or its input is dynamic and there is no size.
    """
    path = existing(path)
    if path.suffix not in _SUFFIXES:
        raise UserError(f'{path} cannot be measured as a file: give {" or ".join(_SUFFIXES)}, or a config')
    fitting = [engine.name for engine in engines if engine.name in ENGINES[path.suffix]]
    if not fitting:
        raise UserError(f"{path} cannot be run by {', '.join(engine.name for engine in engines)}: give --engine "
                        f"{','.join(ENGINES[path.suffix])} or one of them")
    choose_engine(path, fitting[0])
    found, text = plain_errors(path, 'cannot be read', lambda: (
        _describe_onnx if fitting[0] == 'onnxruntime' else _describe_openvino)(path))
    try:
        metadata = parse(text, path)
    except UserError:
        metadata = {}
    rng = np.random.default_rng(0)
    inputs = {name: _random(rng, path, name, kind, shape, size) for name, (kind, shape) in found.items()}
    precision, surroundings = metadata.get('precision'), None
    if metadata:
        warn_of_other_cpu(path, metadata)
        surroundings = JpegToResult(_FilePipeline(metadata),
                                    photograph(None if metadata['input']['steps'] else _size_of(inputs)))
        x = prepare_image(surroundings.decoded, metadata['input']).x
        if [x.shape] == [one.shape for one in inputs.values()]:
            inputs = dict.fromkeys(inputs, x)
        else:
            surroundings = None
    return FileSubject(str(path), metadata.get('task', UNKNOWN), nn.Identity(), _size_of(inputs), path=path,
                       inputs=inputs, precision=None if precision == 'fp32' else precision, end_to_end=surroundings)


class _FilePipeline:
    """What a predictor of a file does, in the steps of that of a model."""

    def __init__(self, metadata: dict[str, Any]):
        self._metadata, self.steps = metadata, self

    def decode(self, content: bytes) -> np.ndarray:
        return decode_image(in_memory(content), content)

    def sample(self, image: np.ndarray) -> PreparedImage:
        return prepare_image(image, self._metadata['input'])

    def tensor(self, sample: PreparedImage, _: torch.Tensor) -> np.ndarray:
        return sample.x

    def postprocess(self, outputs: Any, sample: PreparedImage) -> Result:
        return finish(outputs, self._metadata, sample)

    def predict(self, image: np.ndarray, network: Callable[[tuple[int, int]], Any]) -> Result:
        sample = self.sample(image)
        return self.postprocess(network(sample.shape).run(self.tensor(sample, torch.empty(0))), sample)


Described = tuple[dict[str, tuple[Any, list[int | None]]], str | None]


def _describe_onnx(path: Path) -> Described:
    session = onnx_session(path, 1)
    inputs = {one.name: (_ONNX_TYPES.get(one.type[len('tensor('):-1]),
                         [side if isinstance(side, int) and side > 0 else None for side in one.shape])
              for one in session.get_inputs()}
    return inputs, session.get_modelmeta().custom_metadata_map.get(KEY)


def _describe_openvino(path: Path) -> Described:
    model = shared_core().read_model(str(path))
    inputs = {port.get_any_name(): (port.get_element_type().to_dtype().type,
                                    [side.get_length() if side.is_static else None
                                     for side in port.get_partial_shape()])
              for port in model.inputs}
    return inputs, openvino_text(model)


def _random(rng: np.random.Generator, path: Path, name: str, kind: Any, shape: list[int | None],
            size: tuple[int, int] | None) -> np.ndarray:
    """Random values of an input whose batch is 1 and whose image is of a size where they are dynamic."""
    if kind is None:
        raise UserError(f'{path}: its input {name} holds no numbers, so that no random ones can be given')
    full: list[int | None] = [1 if place == 0 and side is None else side for place, side in enumerate(shape)]
    if len(full) == 4:
        rows, columns, channels = (1, 2, 3) if full[3] in (1, 3, 4) and full[1] not in (1, 3, 4) else (2, 3, 1)
        full[channels] = full[channels] or 3
        for place, side in zip((rows, columns), size or ()):
            if full[place] not in (None, side):
                raise UserError(f'{path} takes images of {full[rows]}x{full[columns]} alone: leave out --input-size '
                                f'{size and "x".join(map(str, size))}')
            full[place] = side
    if None in full:
        given = 'x'.join('?' if side is None else str(side) for side in shape)
        raise UserError(f'{path}: its input {name} is dynamic ({given}): give a size of images with --input-size HxW'
                        + ('' if len(full) == 4 and size is None else ', or export it with a static shape'))
    sides = [side or 1 for side in full]
    if np.dtype(kind).kind in 'iub':
        return rng.integers(0, 256 if kind is np.uint8 else 2, sides).astype(kind)
    return rng.normal(size=sides).astype(kind)


def _size_of(inputs: dict[str, np.ndarray]) -> tuple[int, int]:
    """Height and width of the first image among the inputs, else the last two sides of the first."""
    shape = next((x.shape for x in inputs.values() if x.ndim == 4), (1, 1, *next(iter(inputs.values())).shape))
    return (shape[1], shape[2]) if shape[3] in (1, 3, 4) and shape[1] not in (1, 3, 4) else (shape[-2], shape[-1])


Opened = tuple[Callable[[Any], Any], dict[str, str] | None, Load | None]


def _open_onnx(subject: FileSubject, precision: str, threads: int, hint: str) -> Opened:
    if hint == 'throughput':
        runs = [_bind_onnx(subject, 1) for _ in range(threads)]
        return runs[0], None, ThreadLoad([partial(run, None) for run in runs])
    return _bind_onnx(subject, threads), None, None


def _bind_onnx(subject: FileSubject, threads: int) -> Callable[[Any], Any]:
    """Runs on an array, of which it returns the outputs by name, or on the subject's own inputs."""
    session = onnx_session(subject.path, threads)
    binding = session.io_binding()
    for name, x in subject.inputs.items():
        binding.bind_cpu_input(name, x)
    for one in session.get_outputs():
        binding.bind_output(one.name)
    source, names = session.get_inputs()[0].name, [one.name for one in session.get_outputs()]

    def run(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            return dict(zip(names, session.run(names, {source: x}), strict=True))
        session.run_with_iobinding(binding)
        return ()
    return run


def _open_openvino(subject: FileSubject, precision: str, threads: int, hint: str) -> Opened:
    model = shared_core().read_model(str(subject.path))
    model.reshape({name: list(x.shape) for name, x in subject.inputs.items()})
    compiled = compile_openvino(model, precision, threads, hint)
    request, other = compiled.create_infer_request(), compiled.create_infer_request()
    for name, x in subject.inputs.items():
        request.get_tensor(name).data[...] = x
    names = [port.get_names() for port in compiled.outputs]

    def run(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            infer(other, threads, x)
            return {name: other.get_output_tensor(place).data for place, alike in enumerate(names) for name in alike}
        infer(request, threads)
        return ()
    load = RequestLoad(compiled, subject.inputs) if hint == 'throughput' else None
    return run, openvino_properties(compiled), load
