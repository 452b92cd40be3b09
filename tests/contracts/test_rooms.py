"""The house stands: imports and names go to lower rooms only, and no module is needed to import itself."""
import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / 'lcvision'
# From the ground up. A module that lies in no folder is a room of its own.
FLOORS = (
    ('version',),
    ('errors',),
    ('allocator', 'class_nms', 'files', 'frameworks', 'image_file', 'progress', 'text'),
    ('compat', 'complexity', 'config', 'environment', 'papers', 'tasks'),
    ('timing', 'weights'),
    ('registry',),
    ('visualization',),
    ('datasets', 'models'),
    ('evaluation',),
    ('deploy',),
    ('inference',),
    ('latency',),
    ('engine',),
    ('training',),
    ('exporting',),
    ('search',),
    ('report',),
    ('cli',),
)
# `import lcvision` reaches everything: no room does.
ROOF = len(FLOORS)
HEIGHT = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def name_of(path: Path) -> str:
    parts = ('lcvision', *path.relative_to(ROOT).with_suffix('').parts)
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


MODULES = {name_of(path): path for path in sorted(ROOT.rglob('*.py'))}


def imports_of(path: Path, everywhere: bool) -> set[str]:
    """Modules of the package that a file imports.

    Args:
        path: The file.
        everywhere: Counts imports within functions, too, and modules that are named in a string, to be imported by it.
    """
    tree = ast.parse(path.read_text())
    # A registry tells mmengine where to look for what is registered, and imports none of it.
    locations = {text for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == 'locations'
                 for text in ast.walk(node)}
    nodes = ast.walk(tree) if everywhere else at_import(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            named = {f'{node.module}.{alias.name}' for alias in node.names}
            found |= {name if name in MODULES else node.module for name in named}
        elif everywhere and isinstance(node, ast.Constant) and node not in locations:
            found.add(named_module(node.value))
    return found & MODULES.keys()


def named_module(value: object) -> str | None:
    """The module in a string such as 'lcvision.latency.Budget' or the 'lcvision.cli.' of an f-string."""
    if not isinstance(value, str) or not re.fullmatch(r'lcvision(\.\w+)+\.?', value):
        return None
    parts = value.rstrip('.').split('.')
    names = ('.'.join(parts[:length]) for length in range(len(parts), 1, -1))
    return next((name for name in names if name in MODULES), None)


def at_import(node: ast.AST):
    """What runs when a module is imported, but not what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and 'TYPE_CHECKING' in ast.unparse(child.test):
            continue
        yield child
        yield from at_import(child)


def room_of(module: str) -> str | None:
    parts = module.split('.')
    return parts[1] if len(parts) > 1 else None


def test_arrows_go_to_lower_rooms():
    rooms = {room_of(name) for name in MODULES} - {None}
    assert rooms <= HEIGHT.keys(), 'a new room: add it to FLOORS where docs/design.md has it'
    climbing = {name: found for name, path in MODULES.items() if (room := room_of(name)) and (found := sorted(
        other for other in imports_of(path, everywhere=True)
        if room_of(other) != room and HEIGHT.get(str(room_of(other)), ROOF) >= HEIGHT[room]))}
    assert not climbing


@pytest.mark.parametrize('line, room', [
    ("import_module('lcvision.latency.benchmark').run_benchmark", 'lcvision.latency.benchmark'),
    ("import_module('lcvision.latency')", 'lcvision.latency'), ("f'lcvision.cli.{verb}'", 'lcvision.cli'),
    ("'lcvision.latency.benchmark.run_benchmark'", 'lcvision.latency.benchmark'), ("'lcvision.PPLCNet'", None),
    ("'what lcvision.latency measures'", None), ("Registry('model', locations=['lcvision.models'])", None)])
def test_a_name_in_a_string_counts_as_an_import(tmp_path, line, room):
    (tmp_path / 'module.py').write_text(line)
    assert imports_of(tmp_path / 'module.py', everywhere=True) == ({room} if room else set())


def test_there_is_no_circle():
    graph = {name: imports_of(path, everywhere=False) for name, path in MODULES.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, ' -> '.join((*trail[trail.index(name):], name))
        if name not in done:
            for other in graph[name]:
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())
