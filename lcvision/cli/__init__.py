"""The command-line tools; ``tools/*.py`` are doors to this package."""
import sys
from collections.abc import Callable

from lcvision.errors import UserError


def run_tool(main: Callable[[], int | None]) -> int:
    """Runs a tool and turns a :class:`UserError` into its sentence on stderr.

    Args:
        main: The tool; what it returns is the exit code, None counts as 0.

    Returns:
        0 when done, 1 when failed, 2 for a user's mistake.
    """
    import torch  # here, so that --help of the command needs none
    # Before any parallel loop, whose workers inherit it: subnormal numbers make depthwise networks crawl.
    torch.set_flush_denormal(True)
    try:
        return main() or 0
    except UserError as error:
        print(f'error: {_sentence(error)}', file=sys.stderr)
        return error.exit_code
    except KeyError as error:
        # A config's type that nothing is registered for; mmengine goes on for another hundred words.
        name, found, _ = str(error.args[0] if error.args else '').partition(' registry.')
        if not found:
            raise
        print(f'error: {name} registry: correct the config, or name the module that has it in custom_imports',
              file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130


def _sentence(error: UserError) -> str:
    # A data loader's worker re-raises with its whole traceback as the message; the last line holds the sentence.
    text = str(error).strip()
    if 'Traceback (most recent call last)' in text:
        text = text.splitlines()[-1].split('UserError: ', 1)[-1]
    return text
