"""What the folder of a training says to those that come after it."""
import json
from pathlib import Path

from lcvision.errors import UserError
from lcvision.files import write_atomically

RECORD = 'run.json'
_RUNS = Path('work_dirs')


def record_run(folder: str | Path, config: str | Path, data: str | Path) -> None:
    """Notes what a run trains and on what, for reports.

    Args:
        folder: Its ``--work-dir``.
        config: Its config.
        data: Folder of its data set, or 'sample'.
    """
    record = dict(config=Path(config).name, data=Path(data).resolve().name)
    write_atomically(Path(folder, RECORD), (json.dumps(record) + '\n').encode())


def find_run(config: str | None, work_dir: str | None) -> tuple[str, str]:
    """Finds a config and checkpoint in a training's folder, or the newest below ``work_dirs``.

    Args:
        config: Only runs of this config, whose file is then used; None for the newest of all.
        work_dir: Where the training has saved. Without a run in it those below ``work_dirs`` count.

    Returns:
        Paths of the config and of the run's best checkpoint, or of its last if it has no best.

    Raises:
        UserError: There is no run.
    """
    folders = [Path(work_dir)] if work_dir and (Path(work_dir) / 'last_checkpoint').is_file() else _RUNS.glob('*')
    pattern = f'{Path(config).stem}.py' if config else '*.py'
    runs = [path for folder in folders if (path := folder / 'last_checkpoint').is_file()
            and (not config or (folder / pattern).is_file())]
    if not runs:
        what = f'of {config} ' if config else ''
        where = f'{_RUNS}/' + (f' or in {work_dir}' if work_dir else '')
        raise UserError(f'no run {what}under {where}: train first, e.g. `python tools/train.py '
                        f'{config or "configs/detection/picodet_pplcnet_0_5x.py"} --data sample`, name the folder of a '
                        'training elsewhere with --work-dir, or give CONFIG and CHECKPOINT')
    newest = max(runs, key=lambda path: path.stat().st_mtime)
    folder = newest.parent
    best = sorted(folder.glob('best_*.pth'), key=lambda path: path.stat().st_mtime)
    configs = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    if not configs:
        raise UserError(f'{folder} has checkpoints but no config: give CONFIG and CHECKPOINT')
    last = folder / Path(newest.read_text().strip()).name
    return str(configs[-1]), str(best[-1] if best else last)
