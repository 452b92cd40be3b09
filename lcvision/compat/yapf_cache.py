"""Lets processes that start side by side share yapf's cache, and formats the text of a config once.

Serves yapf 0.43, which mmengine imports. On its first import after an installation it writes its grammars to the user's
cache, and gives the file its name before the content is in it: another process that starts in that moment, as under
torchrun, ends with `EOFError: Ran out of input`. Delete that when yapf closes the file before renaming it.
mmengine 0.10 has a config formatted, most of a second, for every checkpoint, whose text it is part of.
"""
import importlib
import pickle
from typing import Any

from lcvision.files import write_atomically


def write_whole() -> None:
    """Makes yapf write the files of its cache atomically."""
    importlib.import_module('yapf_third_party._ylib2to3.pgen2.grammar').Grammar.dump = (
        lambda grammar, filename: write_atomically(filename, pickle.dumps(vars(grammar), pickle.HIGHEST_PROTOCOL)))


def format_once() -> None:
    """Makes mmengine keep the formatted texts of the last configs."""
    module: Any = importlib.import_module('mmengine.config.config')
    plain, known = module.FormatCode, dict[str, tuple[str, bool]]()

    def formatted(text: str, **options: Any) -> tuple[str, bool]:
        if text not in known:
            if len(known) == 8:
                known.clear()
            known[text] = plain(text, **options)
        return known[text]
    module.FormatCode = formatted
