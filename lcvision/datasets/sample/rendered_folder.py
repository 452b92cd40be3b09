"""Folders that are rendered on first use: complete or absent, never half written."""
import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from mmengine.logging import print_log

from lcvision.errors import UserError

STAMP = '.rendered_by'


def generator_version() -> str:
    """Fingerprint of this package's sources, which changes whenever what they render may have changed."""
    sources = sorted(Path(__file__).parent.glob('*.py'))
    return hashlib.sha256(b'\0'.join(source.read_bytes() for source in sources)).hexdigest()


def ensure_rendered_folder(root: Path, render: Callable[[Path], None]) -> Path:
    """Renders a folder unless it exists and is up to date, and returns it.

    ``render`` fills a temporary folder beside it, which is then renamed, so that an interrupted run leaves nothing that
    looks complete; of several processes that render at once, the first to finish wins. Other content
    of ``root`` stays and is an error.
    """
    stamp = generator_version()
    found = _stamp_of(root)
    if found == stamp:
        return root
    if root.exists() and found is None and (not root.is_dir() or any(root.iterdir())):
        raise UserError(f'{root} is to hold the rendered sample set but has other content: '
                        'move that away, or run in another folder')
    print_log(f'rendering the sample set into {root} ...', logger='current')
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'.{root.name}.', dir=root.parent, ignore_cleanup_errors=True) as place:
        fresh = Path(place) / 'fresh'
        fresh.mkdir()
        render(fresh)
        (fresh / STAMP).write_text(stamp, encoding='utf-8')
        if _stamp_of(root) not in (None, stamp):
            root.replace(Path(place) / 'retired')
        try:
            fresh.replace(root)
        except OSError:
            if _stamp_of(root) != stamp:
                raise
    return root


def _stamp_of(root: Path) -> str | None:
    try:
        return (root / STAMP).read_text(encoding='utf-8')
    except OSError:
        return None
