"""Results of many images in files that grow as they come."""
import json
import os
from pathlib import Path
from typing import Any

from lcvision.errors import UserError
from lcvision.files import write_atomically

_MADE_BY = 'tools/predict.py'


class ResultFiles:
    """``results.jsonl``, a line of JSON for each image as it comes, and ``results.json``, what made them.

    Args:
        folder: Where they are.

    Raises:
        UserError: The folder has files of these names that are not of an earlier run.
    """

    def __init__(self, folder: Path):
        self.skipped: list[str] = []
        self._lines, self._summary = folder / 'results.jsonl', folder / 'results.json'
        self._run: dict[str, Any] = {}
        self._count = 0
        if os.path.lexists(self._lines) or os.path.lexists(self._summary):
            try:
                known = json.loads(self._summary.read_bytes())['made_by'] == _MADE_BY
            except (OSError, ValueError, KeyError, TypeError):
                known = False
            if not known:
                raise UserError(f'--out {folder} has a results.jsonl or results.json that {_MADE_BY} did not write and '
                                'will not replace: give another folder')

    def begin(self, run: dict[str, Any]) -> None:
        """Starts both anew.

        Args:
            run: What made the results.
        """
        self._run = dict(made_by=_MADE_BY, **run)
        self.end(complete=False)
        self._write('wb', '')

    def add(self, entry: dict[str, Any]) -> None:
        """Writes what was found on an image."""
        self._write('ab', json.dumps(entry) + '\n')
        self._count += 1

    def skip(self, name: str, error: UserError) -> None:
        """Writes why an image was not read."""
        self._write('ab', json.dumps({'image': name, 'error': str(error)}) + '\n')
        self.skipped.append(str(error))

    def end(self, complete: bool, **run: Any) -> None:
        """Writes what made the results.

        Args:
            complete: Whether all of the source was gone through.
            run: What was not known at the beginning.
        """
        content = {**self._run, **run, 'images': self._count, 'skipped': len(self.skipped), 'complete': complete}
        try:
            write_atomically(self._summary, (json.dumps(content, indent=1) + '\n').encode())
        except OSError as error:
            raise _unwritable(self._summary, error) from error

    def _write(self, mode: str, text: str) -> None:
        try:
            with self._lines.open(mode) as file:
                file.write(text.encode())
        except OSError as error:
            raise _unwritable(self._lines, error) from error


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(f'{path} cannot be written ({error.strerror or error}): check the disk and the permissions of the '
                     'folder, or choose another with --out')
