"""Lists the files below a folder."""
from collections.abc import Iterator
from pathlib import Path

from lcvision.errors import UserError


def file_names(folder: Path) -> list[str]:
    """Lists the files at any depth, as mmseg does: symbolic links are followed, hidden files are not seen.

    Args:
        folder: Where to look.

    Returns:
        Their paths below the folder, in order.

    Raises:
        UserError: A folder cannot be read, or links lead round in a circle.
    """
    try:
        return sorted(str(path.relative_to(folder)) for path in _walk(folder, ()))
    except OSError as error:
        raise UserError(f'the folder {error.filename or folder} cannot be read ({error.strerror}): change its '
                        'permissions or remove it') from error


def _walk(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    real = folder.resolve()
    if real in above:
        raise UserError(f'{folder} leads back to {real}, a folder that it lies in: remove this symbolic link')
    for path in folder.iterdir():
        if path.name.startswith('.'):
            continue
        if path.is_dir():
            yield from _walk(path, (*above, real))
        elif path.is_file():
            yield path
