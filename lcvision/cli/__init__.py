"""The command-line tools; ``tools/*.py`` are doors to this package.

``main(argv)`` of each module takes its arguments, None for those of the command line, and returns the exit code.
"""
import atexit
import gc
import sys
from collections.abc import Callable
from importlib import import_module

from lcvision.errors import Stopped, UserError, plain_errors


def run_tool(main: Callable[[], int | None] | str) -> int:
    """Runs a tool, given its function ``main`` or its module's name.

    Returns 0 when done, 1 when failed, 2 for a user's mistake, of which it prints the sentence, 130 after Ctrl-C.
    """
    try:
        with plain_errors():
            tool = _import_tool(main) if isinstance(main, str) else main
            if sys.modules.get('torch'):
                # Subnormal numbers make depthwise networks crawl. Before any parallel loop, whose workers inherit it.
                sys.modules['torch'].set_flush_denormal(True)
            return tool() or 0
    except UserError as error:
        print(f'error: {str(error).strip()}', file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as error:
        print(error if isinstance(error, Stopped) else 'interrupted', file=sys.stderr)
        return getattr(error, 'exit_code', 130)


def _import_tool(name: str) -> Callable[[], int | None]:
    # Modules stay: a search for garbage among them takes a third of the time of importing them, and a second at exit.
    gc.disable()
    try:
        return import_module(f'{__name__}.{name}').main
    finally:
        gc.freeze()
        gc.enable()
        atexit.register(gc.freeze)
