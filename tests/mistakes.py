"""What a user is told."""
from collections.abc import Callable

import pytest

from lcvision.errors import UserError


def message(call: Callable, *args, **kwargs) -> str:
    """The sentence with which a call refuses its arguments."""
    with pytest.raises(UserError) as error:
        call(*args, **kwargs)
    text, given = str(error.value), sum(len(value) for value in args if isinstance(value, str))
    assert '\n' not in text and len(text) < 600 + given
    return text
