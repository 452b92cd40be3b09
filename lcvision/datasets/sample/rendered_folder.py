"""Folders that are rendered on first use: complete or absent, never half written."""
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from mmengine.logging import print_log

from lcvision.errors import UserError

STAMP = '.rendered_by'


def generator_version() -> str:
    """Fingerprint of the sources of this package: it changes whenever what they render may have changed."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob('*.py')):
        digest.update(source.name.encode() + b'\0' + source.read_bytes().replace(b'\r\n', b'\n'))
    return digest.hexdigest()


def _stamp_of(root: Path) -> str | None:
    try:
        return (root / STAMP).read_text(encoding='utf-8')
    except OSError:
        return None


def _swap_in(fresh: Path, root: Path, stamp: str) -> None:
    """Put the fresh folder in the place of `root`, unless another process was first."""
    retired = fresh.with_name(fresh.name + '.old')
    if _stamp_of(root) not in (None, stamp):
        root.replace(retired)
    try:
        fresh.replace(root)
    except OSError:
        if _stamp_of(root) != stamp:
            raise
    shutil.rmtree(retired, ignore_errors=True)


def ensure_rendered_folder(root: Path, render: Callable[[Path], None]) -> Path:
    """Render a folder unless it is there and up to date.

    The work is done in a temporary folder beside `root` which then takes its name, so that an interrupted run leaves
    nothing behind that looks complete; of several processes that render at once, the first to finish wins.

    Args:
        root: The folder wanted; its parents are made.
        render: Fills the empty folder it is given.

    Returns:
        `root`.

    Raises:
        UserError: `root` is a file, or holds files that were not rendered by this package.
    """
    stamp = generator_version()
    found = _stamp_of(root)
    if found == stamp:
        return root
    if root.exists() and found is None and (not root.is_dir() or any(root.iterdir())):
        raise UserError(f'{root} is to hold the rendered sample set but has other content; '
                        'move that away or name another folder.')
    print_log(f'rendering the sample set into {root} ...', logger='current')
    root.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f'.{root.name}.', dir=root.parent))
    try:
        fresh.chmod(0o755)
        render(fresh)
        (fresh / STAMP).write_text(stamp, encoding='utf-8')
        _swap_in(fresh, root, stamp)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return root
