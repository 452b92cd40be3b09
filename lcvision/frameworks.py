"""Packages that are optional: mmdet, mmsegmentation and mmpretrain, with what is built on them here, and runtimes."""
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from lcvision.errors import UserError

CONFIGS = '.mim/configs'
"""Where a framework's package has its configs."""
_EXTRAS = {'mmdet': 'det', 'mmseg': 'seg', 'mmpretrain': 'cls'}


def require(framework: str | None, asker: str) -> None:
    """Raises a UserError if a framework that ``asker`` needs, or the mmcv below it, is not installed.

    It is named by its package, as in a config's ``default_scope``; any other name passes.
    """
    missing = [name for name in (framework, 'mmcv') if framework in _EXTRAS and find_spec(str(name)) is None]
    if missing:
        raise UserError(f"{asker} needs {' and '.join(map(str, missing))}, which is not installed: "
                        f"pip install 'lcvision[{_EXTRAS[str(framework)]}]', or 'lcvision[all]' for every framework")


def config_folders() -> list[Path]:
    """The folders of configs that the installed frameworks come with."""
    return [folder for spec in map(find_spec, _EXTRAS) if spec and spec.origin
            and (folder := Path(spec.origin).parent / CONFIGS).is_dir()]


def absent_packages(packages: Iterable[str], extra: str) -> str | None:
    """Which of the packages are absent and what installs them: an extra of ours, or pip alone; None if none is."""
    absent = [name for name in packages if find_spec(name) is None]
    remedy = f"'lcvision[{extra}]'" if extra else ' '.join(absent)
    return f"it needs {' and '.join(absent)}: pip install {remedy}" if absent else None


def import_available(modules: Iterable[str]) -> None:
    """Imports modules, so that they register what they define; one whose framework is not installed is left out."""
    for module in modules:
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            missing = str(error.name).partition('.')[0]
            if missing not in _EXTRAS or find_spec(missing) is not None:
                raise
