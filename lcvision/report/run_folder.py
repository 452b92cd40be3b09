"""What the folder of a run holds."""
import json
from dataclasses import dataclass, field
from pathlib import Path

from lcvision.errors import UserError

_REPORT, _LATENCY = 'test.json', 'latency.json'
_METRICS = ('coco/bbox_mAP', 'mIoU', 'accuracy/top1')


@dataclass
class Run:
    """A run's results.

    Args:
        files: Its reports of accuracy and latency.
        config: Name of its config.
        data: Name of its data set's folder, None where its config does not say.
        metrics: Of its last validation; None where a report has them.
    """

    files: list[Path] = field(default_factory=list)
    config: str = ''
    data: str | None = None
    metrics: dict | None = None


def read_run(folder: Path) -> Run:
    """Looks for ``test.json`` and ``latency.json``, and without the first for the last validation in the logs.

    Args:
        folder: The ``--work-dir`` of a run.

    Raises:
        UserError: It holds none of these.
    """
    configs = sorted(folder.glob('*.py'), key=lambda path: path.stat().st_mtime)
    run = Run([path for name in (_REPORT, _LATENCY) if (path := folder / name).is_file()],
              configs[-1].stem if configs else folder.name, _data(configs[-1]) if configs else None)
    if not (folder / _REPORT).is_file():
        run.metrics = _last_metrics(folder)
    if not run.files and run.metrics is None:
        raise UserError(f'{folder} holds no run: it has neither {_REPORT} nor {_LATENCY} nor a validation in '
                        '*/vis_data/scalars.json; give the --work-dir of a run of tools/train.py')
    return run


def _last_metrics(folder: Path) -> dict | None:
    for log in sorted(folder.glob('*/vis_data/scalars.json'), reverse=True):
        for text in reversed(log.read_text().splitlines()):
            try:
                line = json.loads(text)
            except ValueError:  # a run that was killed, or goes on, leaves half a line
                continue
            if isinstance(line, dict) and any(metric in line for metric in _METRICS):
                return line
    return None


def _data(config: Path) -> str | None:
    from mmengine.config import Config
    try:
        loader = Config.fromfile(config, import_custom_modules=False).get('test_dataloader') or {}
        root = loader['dataset']['data_root']
    except Exception:  # a foreign config, or one of another shape: its data only stay without a name
        return None
    return Path(root).name if root else None
