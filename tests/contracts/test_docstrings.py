"""What a docstring's sections are called."""
import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / 'lcvision'


@pytest.mark.parametrize('room', sorted({path.relative_to(ROOT).parts[0] for path in ROOT.rglob('*.py')}))
def test_fields_of_dataclasses_are_attributes(room):
    path = ROOT / room
    for file in path.rglob('*.py') if path.is_dir() else [path]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and 'dataclass' in ' '.join(map(ast.unparse, node.decorator_list)):
                assert '\n\nArgs:\n' not in (ast.get_docstring(node) or ''), f'{file}: {node.name} has Attributes'
