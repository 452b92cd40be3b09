"""What the folder of a run holds."""
import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lcvision.errors import UserError
from lcvision.latency.record import parse_json
from lcvision.tasks import task_of_metrics
from lcvision.training.newest_run import RECORD

_REPORT, _LATENCY = 'test.json', 'latency.json'


@dataclass
class Run:
    """A run's results.

    Attributes:
        files: Its reports of accuracy and latency.
        config: Name of its config.
        recorded: Name of its data set as the training noted it; None of older runs.
        data: Name of its data set's folder, None where its config does not say.
        metrics: Of its last validation; None where a report has them.
    """

    files: list[Path] = field(default_factory=list)
    config: str = ''
    recorded: str | None = None
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
    record = _recorded(folder / RECORD)
    config = record.get('config') or (configs[-1].name if configs else folder.name)
    run = Run([path for name in (_REPORT, _LATENCY) if (path := folder / name).is_file()], Path(config).stem,
              record.get('data'), _data_root(configs[-1]) if configs else None)
    if not (folder / _REPORT).is_file():
        run.metrics = _last_metrics(folder)
    if not run.files and run.metrics is None:
        raise UserError(f'{folder} holds no run: it has neither {_REPORT} nor {_LATENCY} nor a validation in '
                        '*/vis_data/scalars.json; give the --work-dir of a run of tools/train.py')
    return run


def _recorded(path: Path) -> dict[str, str]:
    try:
        record = parse_json(path.read_bytes())
    except (OSError, ValueError):  # an older run
        return {}
    return {key: value for key, value in record.items() if isinstance(value, str)} if isinstance(record, dict) else {}


def _last_metrics(folder: Path) -> dict | None:
    for log in sorted(folder.glob('*/vis_data/scalars.json'), reverse=True):
        for text in reversed(log.read_bytes().splitlines()):
            try:
                line = parse_json(text)
            except ValueError:  # a run that was killed, or goes on, leaves half a line
                continue
            if isinstance(line, dict) and task_of_metrics(line):
                return line
    return None


def _data_root(config: Path) -> str | None:
    """Reads ``test_dataloader.dataset.data_root`` off the text of a run's config, which is never executed."""
    try:
        body = ast.parse(config.read_bytes()).body
        node: Any = next(item.value for item in body
                         if isinstance(item, ast.Assign) and ast.unparse(item.targets[0]) == 'test_dataloader')
        for key in ('dataset', 'data_root'):
            node = next(word.value for word in node.keywords if word.arg == key)
        return Path(ast.literal_eval(node)).name or None
    except Exception:  # a foreign config, or one of another shape: its data only stay without a name
        return None
