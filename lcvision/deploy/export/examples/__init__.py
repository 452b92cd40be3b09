"""Programs that run an exported file without this package, written beside it: run.py, and cpp/ to be compiled."""
from pathlib import Path

_FILES = ('run.py', 'cpp/main.cpp', 'cpp/CMakeLists.txt')


def write_examples(folder: Path) -> list[str]:
    """Writes the programs into a folder; one of the same name that was changed stays, and its name is returned."""
    kept = []
    for name in _FILES:
        content, target = (Path(__file__).parent / name).read_bytes(), folder / name
        if target.exists() and target.read_bytes() != content:
            kept.append(name)
            continue
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
    return kept
