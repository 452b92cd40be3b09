"""Lets processes that start side by side share yapf's cache.

Serves yapf 0.43, which mmengine imports. On its first import after an installation it writes its grammars to the user's
cache, and gives the file its name before the content is in it: another process that starts in that moment, as under
torchrun, ends with `EOFError: Ran out of input`. Delete it when yapf closes the file before renaming it.
"""
import importlib
import pickle

from lcvision.files import write_atomically


def write_whole() -> None:
    """Makes yapf write the files of its cache atomically."""
    importlib.import_module('yapf_third_party._ylib2to3.pgen2.grammar').Grammar.dump = (
        lambda grammar, filename: write_atomically(filename, pickle.dumps(vars(grammar), pickle.HIGHEST_PROTOCOL)))
