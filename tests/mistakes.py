"""What a user is told."""
from collections.abc import Callable

import pytest

from lcvision.errors import UserError


def message(call: Callable, *args, **kwargs) -> str:
    """The sentence with which a call refuses its arguments."""
    with pytest.raises(UserError) as error:
        call(*args, **kwargs)
    text = str(error.value)
    assert '\n' not in text and len(text) < 600
    return text
