"""Light CPU backbones for mmdet, mmseg and mmpretrain, with their latency next to their accuracy."""
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if sys.platform == 'win32':
    raise SystemExit('error: lcvision runs on Linux and macOS only; on Windows, run it inside WSL.')

from lcvision import compat
from lcvision.version import __version__

if TYPE_CHECKING:
    from lcvision.errors import UserError
    from lcvision.exporting.export import export
    from lcvision.exporting.job import ExportResult
    from lcvision.inference import Predictor
    from lcvision.latency.measure_configs import measure
    from lcvision.training.evaluate import Evaluation, evaluate
    from lcvision.training.train import TrainResult, train

# Imported when they are first asked for: `import lcvision` stays cheap and loads no torch.
_HOMES = {'Evaluation': 'training.evaluate', 'ExportResult': 'exporting.job', 'Predictor': 'inference',
          'TrainResult': 'training.train', 'UserError': 'errors', 'evaluate': 'training.evaluate',
          'export': 'exporting.export', 'measure': 'latency.measure_configs', 'train': 'training.train'}

__all__ = ['Evaluation', 'ExportResult', 'Predictor', 'TrainResult', 'UserError', '__version__', 'evaluate', 'export',
           'measure', 'train']

compat.install()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = globals()[name] = getattr(import_module(f'{__name__}.{_HOMES[name]}'), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
