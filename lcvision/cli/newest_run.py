"""Where the newest training is, for the tools that come after it."""
from contextlib import suppress
from pathlib import Path

from lcvision.errors import UserError

_RUNS = Path('work_dirs')
# Names the folder of the last training that was told to save elsewhere.
_ELSEWHERE = _RUNS / 'newest_elsewhere'


def remember_run(work_dir: str | Path) -> None:
    """Lets :func:`find_run` find a training that saves outside ``work_dirs``.

    Args:
        work_dir: Its folder.
    """
    folder = Path(work_dir).resolve()
    if folder.parent != _RUNS.resolve():
        with suppress(OSError):  # convenience alone: this folder may belong to somebody else
            _RUNS.mkdir(exist_ok=True)
            _ELSEWHERE.write_text(f'{folder}\n')


def find_run(config: str | None, work_dir: str | None = None) -> tuple[str, str]:
    """Finds a config and checkpoint below ``work_dirs``, or where the last training elsewhere has saved.

    Args:
        config: Only runs of this config, whose file is then used; None for the newest of all.
        work_dir: Its run, if it holds one.

    Returns:
        Paths of the config and of the run's best checkpoint, or of its last if it has no best.

    Raises:
        UserError: There is no run.
    """
    folders = [Path(work_dir)] if work_dir else []
    if not folders or not (folders[0] / 'last_checkpoint').is_file():
        folders = [path for path in _RUNS.glob('*') if path.is_dir()]
        with suppress(OSError):
            folders.append(Path(_ELSEWHERE.read_text().strip()))
    runs = [path for folder in folders if (path := folder / 'last_checkpoint').is_file()
            and (not config or (folder / Path(config).name).is_file())]
    if not runs:
        what = f'of {config} ' if config else ''
        raise UserError(f'no run {what}under {_RUNS}/: train first, e.g. `python tools/train.py '
                        f'{config or "configs/detection/picodet_pplcnet_0_5x.py"} --data sample`, or give CONFIG and '
                        'CHECKPOINT')
    newest = max(runs, key=lambda path: path.stat().st_mtime)
    folder = newest.parent
    best = sorted(folder.glob('best_*.pth'), key=lambda path: path.stat().st_mtime)
    configs = sorted(folder.glob(Path(config).name if config else '*.py'), key=lambda path: path.stat().st_mtime)
    if not configs:
        raise UserError(f'{folder} has checkpoints but no config: give CONFIG and CHECKPOINT')
    last = folder / Path(newest.read_text().strip()).name
    return str(configs[-1]), str(best[-1] if best else last)
