"""The command-line tools; ``tools/*.py`` are doors to this package.

``main(argv)`` of each module takes its arguments, None for those of the command line, and returns the exit code.
"""
import sys
from collections.abc import Callable

from lcvision.errors import UserError, plain_errors


def run_tool(main: Callable[[], int | None]) -> int:
    """Runs a tool; returns 0 when done, 1 when failed, 2 for a user's mistake, of which it prints the sentence."""
    import torch  # here, so that --help of the command needs none
    # Before any parallel loop, whose workers inherit it: subnormal numbers make depthwise networks crawl.
    torch.set_flush_denormal(True)
    try:
        with plain_errors():
            return main() or 0
    except UserError as error:
        print(f'error: {str(error).strip()}', file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130
