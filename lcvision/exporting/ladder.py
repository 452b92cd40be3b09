"""The steps of verification from a file that loads to one that finds the same boxes."""
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lcvision.deploy.export.formats import Format, Running
from lcvision.deploy.export.graph import DIVISOR, ExportGraph
from lcvision.deploy.fuse import fuse_network
from lcvision.exporting.comparison import Difference, compare
from lcvision.exporting.original import Case, Original
from lcvision.inference.results import Result
from lcvision.inference.runtime.finish import finish
from lcvision.inference.runtime.preparation import PreparedImage, prepare_image

# Largest difference of a raw map as a share of its largest value; bfloat16 and what has int8 are judged by the metric.
LIMITS = {'fp32': 1e-3, 'bf16': 0.4, 'int8': 10., 'mixed-fp32': 10., 'mixed-bf16': 10.}
BATCHES = (1, 2, 5)


@dataclass
class Verdict:
    """What was found of one file.

    Attributes:
        maps: Largest difference of a raw map, as a share of its largest value.
        results: Largest difference of a score, or share of pixels labelled otherwise.
        compared: Boxes, classes or label maps that were compared.
        failure: The level and what is wrong, a sentence; None where all is right.
    """

    maps: float = 0.
    results: float = 0.
    compared: int = 0
    failure: str | None = None


class Failed(Exception):
    """A level that a file does not pass."""


@dataclass
class FileUnderTest:
    """An exported file.

    Attributes:
        path: The file.
        kind: Its format.
        graph: What was written to it.
        original: The model.
        threads: Threads of an operator.
    """

    path: Path
    kind: Format
    graph: ExportGraph
    original: Original
    threads: int
    metadata: dict[str, Any] = field(default_factory=dict)

    def load(self, extra: Sequence[str] = ()) -> Running:
        """The file as it runs, with some tensors of its inside."""
        return self.kind.open(self.path, self.threads, extra)

    def result(self, outputs: Mapping[str, np.ndarray], image: PreparedImage, index: int,
               padded: Sequence[int]) -> Result:
        """The result of one image of a batch; raw maps are finished as a predictor does."""
        if self.graph.kind != 'net':
            return finish(outputs, self.metadata, image, index)
        maps = [torch.from_numpy(np.array(outputs[name][index:index + 1])) for name in self.graph.maps]
        return self.original.result(maps, image, padded)


def verify(file: FileUnderTest, encoded: Sequence[bytes], images: Sequence[np.ndarray]) -> Verdict:
    """Goes through levels 0 to 3.

    Args:
        file: The file.
        encoded: Image files.
        images: Further images, BGR.
    """
    verdict = Verdict()
    try:
        run = _loads(file)
        decoded = [file.original.pipeline.steps.decode(content) for content in encoded]
        for case in _cases(file, [*decoded, *images]):
            _same_maps(file, run, case, verdict)
            if file.graph.precision == 'fp32':
                _same_results(file, run, case, verdict)
        if file.graph.precision == 'fp32':
            for image in decoded:
                _same_from_pixels(file, run, file.original.fit(image), verdict)
    except Failed as failed:
        verdict.failure = f'{file.path.name}: {failed}'
    return verdict


def _loads(file: FileUnderTest) -> Running:
    """Level 0: it loads, and its inputs and outputs are as its metadata say."""
    layout = file.graph.layout
    try:
        file.metadata = file.kind.read_metadata(file.path)
        run = file.load(file.graph.maps)
        shape = (1, *layout.size, 3) if layout.uint8 else (1, 3, *layout.size)
        outputs = run(np.zeros(shape, np.uint8 if layout.uint8 else np.float32))
    except Exception as error:
        raise Failed(f'level 0, it does not run: {(str(error).strip().splitlines() or [type(error).__name__])[0]}') \
            from error
    missing = [name for name in file.metadata['outputs'] if name not in outputs]
    if missing or file.metadata != file.graph.metadata:
        what = f'output {missing[0]} is not there' if missing else 'its metadata are not those written'
        raise Failed(f'level 0, {what}')
    return run


def _cases(file: FileUnderTest, images: Sequence[np.ndarray]) -> Iterator[Case]:
    original, layout = file.original, file.graph.layout
    for image in images:
        yield original.case([image])
    if layout.dynamic == 'batch':
        for count in BATCHES[1:]:
            yield original.case([images[place % len(images)] for place in range(count)], layout.size)
    if layout.dynamic == 'size':
        height, width = layout.size
        for size in ((height + 2 * DIVISOR, width), (max(height - DIVISOR, 64), max(width - 2 * DIVISOR, 64)),
                     (height, width + DIVISOR)):
            yield original.case(images[:1], size)


def _run(run: Running, x: np.ndarray, level: int) -> Mapping[str, np.ndarray]:
    try:
        return run(x)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise Failed(f'level {level}, it does not take an input of shape {list(x.shape)}: {reason}') from error


def _same_maps(file: FileUnderTest, run: Running, case: Case, verdict: Verdict) -> None:
    """Level 1: raw maps are those of plain torch."""
    outputs = _run(run, case.array(file.graph.layout.uint8), 1)
    for name, expected in zip(file.graph.maps, file.original.maps(case.x), strict=True):
        if name not in outputs:
            continue  # fused away: level 2 sees it
        off = deviation(outputs[name], expected.numpy())
        verdict.maps = max(verdict.maps, off)
        if not off <= LIMITS[file.graph.precision]:
            raise Failed(f'level 1, raw map {name} of an input of shape {list(case.x.shape)} is {off:.2g} of its '
                         f'largest value off ({LIMITS[file.graph.precision]:g} is allowed); the first part that '
                         f'deviates is {first_deviation(file, case)}')


def _same_results(file: FileUnderTest, run: Running, case: Case, verdict: Verdict) -> None:
    """Level 2: results are the model's on the same pixels."""
    outputs, size = _run(run, case.array(file.graph.layout.uint8), 2), case.x.shape[2:]
    outputs = {name: np.array(value) for name, value in outputs.items()}
    for index in range(len(case.x)):
        maps = file.original.maps(case.x[index:index + 1])
        image = case.one(index)
        difference = compare(file.original.result(maps, image, size), file.result(outputs, image, index, size),
                             file.metadata.get('thresholds', {}), partial(file.original.evidence, maps, image, size))
        _note(difference, verdict, f'level 2, of an input of shape {list(case.x.shape)}',
              lambda: f'; the first part that deviates is {first_deviation(file, case)}')


def _same_from_pixels(file: FileUnderTest, run: Running, image: np.ndarray, verdict: Verdict) -> None:
    """Level 3: results are the model's, each with its own preparation, the file's from its metadata."""
    prepared = prepare_image(image, file.metadata['input'])
    padded = prepared.x.shape[1:3] if file.graph.layout.uint8 else prepared.x.shape[2:]
    outputs = _run(run, prepared.x, 3)
    maps = file.original.maps(file.original.case([image]).x)
    difference = compare(file.original.predict(image), file.result(outputs, prepared, 0, padded),
                         file.metadata.get('thresholds', {}), partial(file.original.evidence, maps, prepared, padded))
    _note(difference, verdict, f'level 3, from an image of {image.shape[1]}x{image.shape[0]}', lambda: (
        '; the preparation that its metadata describe deviates: ' + _preparation(file, image, prepared)))


def _note(difference: Difference, verdict: Verdict, where: str, why: Any) -> None:
    verdict.results = max(verdict.results, difference.largest)
    verdict.compared += difference.compared
    if difference.problem:
        raise Failed(f'{where}: {difference.problem}{why()}')


def _preparation(file: FileUnderTest, image: np.ndarray, prepared: PreparedImage) -> str:
    case = file.original.case([image])
    expected = case.array(file.graph.layout.uint8)
    if prepared.x.shape != expected.shape:
        return f'its input has the shape {list(prepared.x.shape)} for {list(expected.shape)}'
    rule = file.metadata['input']
    steps = ', '.join(f"{step['op']} {step.get('interpolation', '')}".strip() for step in rule['steps']) or 'no resize'
    return (f'by {deviation(prepared.x.astype(np.float32), expected.astype(np.float32)):.2g} of the largest value '
            f"({steps}, {rule['colour']}, mean {rule['mean']}, std {rule['std']})")


def deviation(given: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference as a share of the largest value; infinite where the shapes or finiteness differ."""
    if given.shape != expected.shape or not np.isfinite(given).all():
        return float('inf')
    largest = float(np.abs(expected).max(initial=0.)) or 1.
    return float(np.abs(given - expected).max(initial=0.)) / largest


def first_deviation(file: FileUnderTest, case: Case) -> str:
    """Names the first part of a file whose values are not those of the model."""
    layers = dict(file.graph.layers)
    names = ['normalised', *layers.values(), *file.graph.maps, 'cell_boxes',
             *(f'cell_scores_{stride}' for stride in file.metadata.get('strides', []))]
    try:
        outputs = file.load(names)(case.array(file.graph.layout.uint8))
    except Exception:
        return 'unknown: its inside cannot be looked at'
    parts = _parts(file, case)
    for what, name, expected in parts:
        if name in outputs and outputs[name].shape == expected.shape \
                and not deviation(outputs[name], expected) <= LIMITS[file.graph.precision]:
            return what
    return 'what comes after the last of these' if file.graph.kind == 'net' else 'the selection behind the raw maps'


def _parts(file: FileUnderTest, case: Case) -> Iterator[tuple[str, str, np.ndarray]]:
    """Name, tensor and right values of every part, in the order in which they run."""
    yield 'the normalisation', 'normalised', case.x.numpy()
    original, values = file.original, {}
    with torch.inference_mode():
        network = fuse_network(original.network, case.x[:1])

        def keep(name: str, _: Any, __: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor):
                values[name] = output.numpy().copy()  # activations may work in place
        for name, module in network.named_modules():
            module.register_forward_hook(partial(keep, name))
        network(case.x)
    for module, tensor in file.graph.layers:
        if module in values:
            yield f'layer {module}', tensor, values[module]
    maps = original.maps(case.x)
    for name, expected in zip(file.graph.maps, maps, strict=True):
        yield f'raw map {name}', name, expected.numpy()
    head: Any = original.model
    if 'thresholds' in file.metadata:
        from lcvision.models.dense_heads.pico_head import flatten_levels
        head = original.model.bbox_head
        levels = [maps[start:start + len(head.strides)] for start in range(0, len(maps), len(head.strides))]
        with torch.inference_mode():
            boxes = head.decode(flatten_levels(levels[1]), head.priors(levels[0])).numpy()
            if file.metadata['clip']:
                height, width = case.x.shape[2:]
                boxes = boxes.clip(0, np.array((width, height, width, height), np.float32))
            yield 'the decoding of boxes', 'cell_boxes', boxes
            for stride, *level in zip(head.strides, *levels):
                scores = head.scores(*([one] for one in level)).transpose(1, 2)
                yield 'the class scores', f'cell_scores_{stride}', scores.numpy()
