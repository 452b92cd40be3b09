"""What went wrong, for a user: a sentence and an exit code, never a traceback."""
import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

# The middle of a long value, and of a long message.
_WORD, _MIDDLE = re.compile(r'(\S{60})\S{200,}(\S{100})'), re.compile(r'(.{600}).+(.{600})')


class UserError(Exception):
    """A mistake that the user can correct: the tools print the message and exit with 2.

    The message is one sentence that says what was wrong, what was given, what is legal and what to do. As a text it has
    no character that could steer a terminal, and of a long value only its ends.
    """

    exit_code = 2

    def __str__(self) -> str:
        text = ''.join(char if char.isprintable() else repr(char)[1:-1] for char in super().__str__().strip())
        return _MIDDLE.sub(r'\1 ... \2', _WORD.sub(r'\1...\2', text))


class RunFailed(UserError):
    """A run that cannot go on, through no mistake of the user's: the tools print the message and exit with 1."""

    exit_code = 1


class DiskFull(UserError):
    """A file cannot be written for want of room; what was there before is untouched, and the exit code is 1."""

    exit_code = 1
    codes = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


class Stopped(KeyboardInterrupt):
    """Ctrl-C or SIGTERM ended a run: the tools print the message and exit with 128 and the number of the signal."""

    def __init__(self, message: str, number: int):
        super().__init__(message)
        self.exit_code = 128 + number


_WORKER = re.compile(r'DataLoader worker \(pid\(?s?\)? ([\d, ]+)\)')


def _of_process(error: RuntimeError) -> str | None:
    """What a run that lost one of its processes says."""
    if '/gloo/transport/' in str(error) or type(error).__name__ == 'DistBackendError':
        return ('another process of this run has ended or cannot be reached: its own message says why; start all of '
                'them again, with --resume to go on from the last checkpoint')
    if lost := _WORKER.search(str(error)):
        return (f'process {lost[1]}, which loaded images, was killed: memory may have run out, then give fewer of '
                'them (train_dataloader.num_workers=N); --resume goes on from the last checkpoint')
    return None


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turns a full disk, an unregistered type, what a worker refused and a lost process into a :class:`UserError`."""
    try:
        yield
    except UserError as error:
        # A worker's comes with its whole traceback as the message; the last line holds the sentence.
        text = str(error.args[0]) if error.args else ''
        if 'Traceback (most recent call last)' not in text:
            raise
        raise type(error)(text.strip().splitlines()[-1].split(f'{type(error).__name__}: ', 1)[-1]) from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UserError(f'{error.filename} is longer than the name of a file can be: give a shorter one') from error
        if error.errno not in DiskFull.codes:
            raise
        raise DiskFull(f'{error.filename or "a file"} cannot be written ({error.strerror}): make room and start again; '
                       'what was there before is untouched') from error
    except RuntimeError as error:
        if (sentence := _of_process(error)) is None:
            raise
        raise RunFailed(sentence) from error
    except KeyError as error:
        # mmengine's message has another hundred words.
        name, found, _ = str(error.args[0] if error.args else '').partition(' registry.')
        if not found:
            raise
        raise UserError(f'{name} registry: correct the config, or name the module that has it in custom_imports') \
            from error
