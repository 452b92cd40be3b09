"""Milliseconds of exported files beside the model itself."""
from collections.abc import Callable, Sequence

import numpy as np
import torch

from lcvision.deploy.engines import ENGINES
from lcvision.exporting.ladder import FileUnderTest
from lcvision.exporting.original import Case, Original
from lcvision.timing.rounds import Budget, measure_rounds, quietly

_BUDGET = Budget(samples=60, max_seconds=4., warmup_seconds=1.)


def measure_files(original: Original, files: Sequence[FileUnderTest], case: Case, threads: int) -> list[float]:
    """Medians of interleaved runs from the input to the result, batch 1.

    Args:
        original: The model.
        files: Those that passed.
        case: One image.
        threads: Threads of an operator.

    Returns:
        Of the model on the engine 'eager', then of each file.
    """
    size, image = tuple(case.x.shape[2:]), case.one(0)
    finished = any(file.graph.kind == 'end2end' for file in files)

    def work() -> list[float]:
        eager = ENGINES['eager'].prepare(original.network, case.x, precision='fp32', threads=threads)

        def own() -> None:
            maps = eager.run(eager.example)
            if finished:
                original.result(maps, image, size)

        def of(file: FileUnderTest) -> Callable[[], object]:
            run, x = file.load(), case.array(file.graph.layout.uint8)
            # What one kind of file leaves to a predictor counts where the others have it inside.
            return (lambda: run(x)) if not finished or file.graph.kind == 'end2end' else \
                lambda: file.result(run(x), image, 0, size)
        series = measure_rounds([own, *map(of, files)], _BUDGET)
        return [float(np.median(one.samples_ms)) for one in series]
    with torch.inference_mode():
        return quietly(work, threads)
