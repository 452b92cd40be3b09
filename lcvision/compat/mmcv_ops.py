"""Stand-in for mmcv's compiled module `mmcv._ext` where mmcv-lite has none.

Serves mmcv-lite 2.1.0, which installs without a compiler but cannot import `mmcv.ops`. Where full mmcv is installed its
own `_ext` is found first and this file is never reached. Delete it when mmcv publishes wheels for the torch versions of
setup.cfg, or when mmdet, mmseg and mmpretrain import without `mmcv._ext`.
"""
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

from lcvision.errors import UserError

_EXT = 'mmcv._ext'


def install() -> None:
    """Offers the stand-in to the import system, behind every other finder."""
    if not any(isinstance(finder, StandIn) for finder in sys.meta_path):
        sys.meta_path.append(StandIn())


class StandIn(MetaPathFinder, Loader):
    """Finds `mmcv._ext`, and nothing else, if no other finder does; it has nms and refuses other ops clearly."""

    def find_spec(self, fullname: str, path: Sequence[str] | None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        """The stand-in's spec for `mmcv._ext`, None for any other name."""
        return ModuleSpec(_EXT, self, origin=__name__) if fullname == _EXT else None

    def exec_module(self, module: ModuleType) -> None:
        from lcvision.compat import nms_kernels  # not at the top: `import lcvision` must not load torch
        # mmcv's environment report, which every runner logs, calls the two that name compilers.
        module.__dict__.update(nms=nms_kernels.nms, get_compiler_version=lambda: 'n/a',
                               get_compiling_cuda_version=lambda: 'not available', __getattr__=_missing_op)


def _missing_op(name: str) -> Callable[..., NoReturn]:
    """Answers for every op without a kernel: mmcv looks all of them up at import, most models call none."""
    if name.startswith('__'):
        raise AttributeError(f'module {_EXT!r} has no attribute {name!r}')

    def op(*args: Any, **kwargs: Any) -> NoReturn:
        raise UserError(f'the op {name!r} needs the compiled mmcv, and this environment has mmcv-lite, which brings '
                        'only nms through lcvision: uninstall mmcv-lite and install full mmcv '
                        '(pip install "lcvision[full]"), or choose a model without this op')

    op.__name__ = op.__qualname__ = name
    return op
