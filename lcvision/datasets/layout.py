"""What the layouts of data share: a split, the files of a folder, and the choice among several places."""
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine.logging import print_log

from lcvision.errors import UserError
from lcvision.text import listing

# Without splits every fifth image is held out.
_HELD_OUT = 5


@dataclass(frozen=True)
class Split:
    """One split of a data set.

    Attributes:
        place, classes: File or folder that it is read from, for messages; class names in the order of the labels.
        num_images: Images in it, without those that the training drops.
        dataset: Entries of the config of a dataset on it, all but the pipeline.
    """

    place: Path
    classes: tuple[str, ...]
    num_images: int
    dataset: dict


def first_of(candidates: Sequence[Path], what: str, why: str) -> Path:
    """Takes the first place for ``what``; if there are several, the log says so and ``why`` it comes first."""
    if len(candidates) > 1:
        print_log(f'{what}: {candidates[0]} is taken, not {listing(candidates[1:])} ({why})', logger='current')
    return candidates[0]


def first_twice(values: Iterable) -> object | None:
    """The first value that occurs more than once, None if there is none."""
    return next((value for value, count in Counter(values).items() if count > 1), None)


def part_of(items: Sequence, part: str | None) -> list:
    """Every fifth item, or the last of fewer, for 'val', the others for 'train', all for None."""
    held_out = range(min(_HELD_OUT, len(items) or 1) - 1, len(items), _HELD_OUT)
    if part == 'val':
        return [items[index] for index in held_out]
    return [item for index, item in enumerate(items) if part is None or index not in held_out]


def refuse_outside(names: Iterable[str], where: str | Path) -> None:
    """Refuses paths, which the file ``where`` gives for below a folder, that are absolute or climb with '..'."""
    outside = [name for name in names if name.startswith(('/', '~')) or '..' in name.split('/')]
    if outside:
        raise UserError(f'{where}: {listing([repr(name) for name in outside])} would lead out of the data: give paths '
                        "below the folder of the images, without '..'")


def is_data(path: str | Path) -> bool:
    """Whether a path is a file with content of its own, or a link to one: no pipe or device, none of /proc."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode) or (  # a link is not so frequent
            os.path.isfile(path) and not os.path.realpath(path).startswith(('/dev/', '/proc/', '/sys/')))  # noqa: PTH113
    except (OSError, ValueError):
        return False


def file_names(folder: Path) -> list[str]:
    """Lists the files at any depth, as paths below the folder, in order.

    As in mmseg, symbolic links are followed, but not back to a folder above, and hidden files are skipped.
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
        elif is_data(path):
            yield path


def missing_files(folder: Path, names: Sequence[str]) -> list[str]:
    """Those of the paths below a folder that are no files; each folder is listed once."""
    present: dict[str, set[str]] = {}
    missing = []
    for name in names:
        parent, _, base = name.rpartition('/')
        if parent not in present:
            where = folder / parent
            # A method of Path would raise for a name that no file can have.
            present[parent] = {entry.name for entry in (os.scandir(where) if os.path.isdir(where) else ())  # noqa: PTH112
                               if entry.is_file(follow_symlinks=False) or is_data(entry.path)}
        if base not in present[parent]:
            missing.append(name)
    return missing
