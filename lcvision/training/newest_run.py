"""What the folder of a training tells other tools."""
import json
from pathlib import Path

from lcvision.errors import UserError
from lcvision.files import write_atomically

RECORD = 'run.json'
_RUNS = Path('work_dirs')


def record_run(folder: str | Path, config: str | Path, data: str | Path) -> None:
    """Notes in a run's folder its config and its data, a folder or 'sample', for reports."""
    record = dict(config=Path(config).name, data=Path(data).resolve().name)
    write_atomically(Path(folder, RECORD), (json.dumps(record) + '\n').encode())


def find_run(config: str | None, work_dir: str | None) -> tuple[str, str]:
    """Finds the config and the best checkpoint, else the last, of the run in ``work_dir``, else the newest of all.

    Args:
        config: Only runs of this config count; None for any. A UserError if there is none.
        work_dir: Where the training was saved; without a run in it those below ``work_dirs`` count.
    """
    folders = [Path(work_dir)] if work_dir and Path(work_dir, 'last_checkpoint').is_file() else _RUNS.glob('*')
    pattern = f'{Path(config).stem}.py' if config else '*.py'
    runs = [path for folder in folders if (path := folder / 'last_checkpoint').is_file()
            and (not config or (folder / pattern).is_file())]
    if not runs:
        what = f'of {config} ' if config else ''
        where = f'{_RUNS}/' + (f' or in {work_dir}' if work_dir else '')
        raise UserError(f'no run {what}under {where}: train first, e.g. `lcvision train '
                        f'{config or "picodet_pplcnet_0_5x"} --data sample`, name the folder of a training elsewhere '
                        'with --work-dir, or give CONFIG and CHECKPOINT')
    newest = max(runs, key=_changed)
    folder = newest.parent
    configs, best = sorted(folder.glob(pattern), key=_changed), sorted(folder.glob('best_*.pth'), key=_changed)
    if not configs:
        raise UserError(f'{folder} has checkpoints but no config: give CONFIG and CHECKPOINT')
    return str(configs[-1]), str(best[-1] if best else folder / Path(newest.read_text().strip()).name)


def _changed(path: Path) -> float:
    return path.stat().st_mtime
