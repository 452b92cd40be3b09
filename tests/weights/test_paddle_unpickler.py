import io
import pickle
import pickletools
from pathlib import PurePosixPath

import numpy as np
import pytest

from lcvision.weights.paddle_unpickler import PaddleUnpickler, RefusedGlobal, plain


def read(content):
    return plain(PaddleUnpickler(io.BytesIO(content)).load())


def calls(name, *args):
    """A pickle that calls ``module name`` with arguments."""
    packed = pickle.dumps(args, protocol=2)[2:-1]
    return b'\x80\x02c' + name.replace(' ', '\n').encode() + b'\n' + packed + b'R.'


@pytest.mark.parametrize('name', ['builtins eval', 'builtins getattr', 'builtins __import__', 'os system',
                                  'numpy load', 'numpy.core.multiarray fromfile', 'numpy._core.numeric fromfunction',
                                  'collections Counter', '_codecs decode', 'functools partial'])
def test_any_other_name_is_refused(name):
    with pytest.raises(RefusedGlobal, match=name.replace(' ', r'\.')):
        read(calls(name, '1'))


def test_other_classes_are_refused():
    with pytest.raises(RefusedGlobal, match='PurePosixPath'):
        read(pickle.dumps(PurePosixPath('a')))


def test_containers():
    value = {'a': [1, 2.5, None, True], 'b': ('x', b'raw'), 'c': {1, 2}, 'd': frozenset({3})}
    for protocol in range(2, 6):
        assert read(pickle.dumps(value, protocol=protocol)) == value


@pytest.mark.parametrize('code', ['O8', 'V8', 'M8[s]', 'S4', 'U4'])
def test_arrays_of_anything_but_numbers(code):
    with pytest.raises(pickle.UnpicklingError, match='hold no weights'):
        read(calls('numpy dtype', code, False, True))


def test_object_array():
    with pytest.raises(pickle.UnpicklingError):
        read(pickle.dumps(np.array([{}], dtype=object)))


@pytest.mark.parametrize('shape', [(3,), (5,), (-4,), (2, 3)])
def test_array_that_does_not_fit_its_shape(shape):
    good = pickle.dumps(np.zeros(4, np.float32), protocol=4)
    packed = pickle.dumps((4,), protocol=4)
    inner = packed[packed.index(b'K'):-1]  # the tuple without header and stop
    assert good.count(inner) == 1
    wrong = pickle.dumps(shape, protocol=2)[2:-1].replace(b'q\x00', b'')
    with pytest.raises(pickle.UnpicklingError, match='shape'):
        read(pickletools.optimize(good).replace(b'K\x04\x85', wrong))


def test_state_cannot_be_given_to_a_function():
    content = b'\x80\x02cnumpy.core.multiarray\n_reconstruct\n' + pickle.dumps({'a': 1}, protocol=2)[2:-1] + b'b.'
    with pytest.raises(pickle.UnpicklingError, match='change a function'):
        read(content)
