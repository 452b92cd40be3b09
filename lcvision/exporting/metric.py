"""The metric of a model and of its files, on the same images."""
import copy
import io
import tempfile
import warnings
from contextlib import redirect_stdout
from pathlib import Path

from mmengine.config import Config

from lcvision.exporting.ladder import FileUnderTest
from lcvision.tasks import TASKS, task_of_config
from lcvision.training.evaluate import evaluate, evaluate_file

# Points of the task's metric, all right being 100, that a file may lose or win.
LIMITS = {'fp32': 0.05, 'bf16': 0.2}


def own_metric(config: Config, checkpoint: str | Path, data: str | Path, file: FileUnderTest | None = None) -> float:
    """The first metric of the task, of the model or of one of its files.

    Args:
        config: As the user gave it.
        checkpoint: Of the model.
        data: 'sample' or a folder.
        file: That predicts instead of the model; None for the model.

    Raises:
        UserError: The data cannot be read, or the file cannot take its images.
    """
    config = copy.deepcopy(config)
    config.default_hooks = {**(config.get('default_hooks') or {}), 'latency': None}
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        metrics = (evaluate_file(file.path, data, config=config, trust_code=True, work_dir=folder) if file else
                   evaluate(config, checkpoint, data, work_dir=folder)).metrics
    return float(metrics[task_of_config(config).metric])


def points(difference: float, task: str) -> float:
    """A difference of a task's metric in points of a hundred."""
    return round(difference * 100 / TASKS[task].whole, 6)  # 0.300 - 0.295 is more than 0.005
