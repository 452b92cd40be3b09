"""Bridges over gaps in the libraries below; each file says which versions it serves and when to delete it."""


def install() -> None:
    """Puts in place every bridge that this environment needs, and none that it does not."""
