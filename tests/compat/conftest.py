"""What the bridges do is seen only in an interpreter that has imported nothing yet."""
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def fresh() -> Callable[..., str]:
    """Runs a program in a new interpreter and gives what it printed."""
    def run(program: str, *paths: Path) -> str:
        setup = f'import sys\nsys.path[:0] = {[str(path) for path in paths]!r}\n'
        done = subprocess.run([sys.executable, '-W', 'ignore', '-c', setup + program], capture_output=True, text=True,
                              cwd=Path(__file__).parents[2], timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
    return run
