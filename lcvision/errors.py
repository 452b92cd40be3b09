"""One way to tell a user of a mistake: a sentence and exit code 2, never a traceback."""


class UserError(Exception):
    """A mistake that its reader can mend: the tools print the message and exit with 2.

    Args:
        message: One sentence that says what was wrong, what was given, what is legal and what to do.
    """
