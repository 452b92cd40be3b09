"""The kinds of file that a network is exported to.

A format is one file of this folder, found here, or one of somebody else's: a class with :func:`register_format`, in a
module that Python imports or that a config names in ``custom_imports``.
"""
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from lcvision.deploy.export.formats.format import FORMATS, Format, Running, register_format
from lcvision.errors import UserError

__all__ = ['FORMATS', 'Format', 'Running', 'format_of', 'register_format', 'select_formats']

for _module in ('onnx', *sorted(_found.name for _found in iter_modules(__path__))):
    import_module(f'{__name__}.{_module}')


def select_formats(names: list[str]) -> list[Format]:
    """The formats that a request names.

    Raises:
        UserError: There is no such format, or what it needs is not installed.
    """
    for name in names:
        if name not in FORMATS:
            raise UserError(f'there is no format {name!r}: give one or more of {", ".join(FORMATS)}')
        reason = FORMATS[name].missing()
        if reason:
            raise UserError(f'format {name!r} cannot be written here: {reason}')
    if not names:
        raise UserError(f'no format named: give one or more of {", ".join(FORMATS)}')
    return [FORMATS[name] for name in dict.fromkeys(names)]


def format_of(path: str | Path) -> Format:
    """The format of a file, by its ending.

    Raises:
        UserError: None has it.
    """
    for kind in FORMATS.values():
        if Path(path).suffix == kind.suffix:
            return kind
    raise UserError(f'{path} is no exported file: it must end in one of '
                    f'{", ".join(kind.suffix for kind in FORMATS.values())}')
