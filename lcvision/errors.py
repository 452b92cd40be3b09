"""One way to tell a user what went wrong: a sentence and an exit code, never a traceback."""


class UserError(Exception):
    """A mistake that its reader can mend: the tools print the message and exit with 2.

    Args:
        message: One sentence that says what was wrong, what was given, what is legal and what to do.
    """

    exit_code = 2


class RunFailed(UserError):
    """A run that cannot go on although nothing was asked wrongly: the tools print the message and exit with 1."""

    exit_code = 1
