"""Checks a list of images and labels, one ``path label`` a line, as ImageNet's ``meta/train.txt``."""
from pathlib import Path

from lcvision.errors import UserError


def check_image_list(path: Path, folder: Path, num_classes: int) -> int:
    """Checks every line, and that the files are there.

    Args:
        path: The list.
        folder: What its paths are relative to.
        num_classes: Labels lie below; 0 for any.

    Returns:
        Images listed.

    Raises:
        UserError: The first fault found, with its line.
    """
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'the list of images {path} cannot be read ({error}): restore it') from error
    if not lines:
        raise UserError(f"the list of images {path} is empty: it needs a line 'path label' for each image")
    present: dict[str, set[str]] = {}
    for number, line in enumerate(lines, 1):
        name, _, label = line.strip().rpartition(' ')
        if not name or not label.isdecimal():
            raise UserError(f"{path}, line {number}: {line!r} is not 'path label', the label a whole number")
        if num_classes and int(label) >= num_classes:
            raise UserError(f'{path}, line {number}: the label is {label}, but labels of {num_classes} classes lie in '
                            f'0..{num_classes - 1}')
        parent, _, base = name.rpartition('/')
        if parent not in present:
            where = folder / parent
            present[parent] = {entry.name for entry in where.iterdir()} if where.is_dir() else set()
        if base not in present[parent]:
            raise UserError(f'{path}, line {number}: {folder / name} does not exist: copy it there or remove the line')
    return len(lines)
