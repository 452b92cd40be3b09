import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader, load_checkpoint
from safetensors.torch import save_file
from torch import nn

from lcvision.errors import UserError
from lcvision.weights import load_state_dict_file, read_paddle
from lcvision.weights.safe_load import load_from_safetensors


class Malicious:
    """What a crafted file would make its reader do."""

    def __init__(self, sentinel):
        self.sentinel = sentinel

    def __reduce__(self):
        return os.system, (f'echo executed > {self.sentinel}',)


@pytest.fixture
def tensors():
    return {'a.weight': torch.randn(3, 4), 'a.bias': torch.randn(3)}


def assert_same(loaded, tensors):
    assert loaded.keys() == tensors.keys()
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)


@pytest.mark.parametrize('wrap', [
    lambda state: state,
    lambda state: dict(meta=dict(epoch=3), state_dict=OrderedDict(state), optimizer=dict(lr=0.1)),
    lambda state: {f'module.{name}': value for name, value in state.items()},
], ids=['plain', 'mmengine', 'data parallel'])
def test_torch_file(tmp_path, tensors, wrap):
    torch.save(wrap(tensors), tmp_path / 'x.pth')
    assert_same(load_state_dict_file(tmp_path / 'x.pth'), tensors)


def test_safetensors_file(tmp_path, tensors):
    save_file(tensors, tmp_path / 'x.safetensors')
    assert_same(load_state_dict_file(str(tmp_path / 'x.safetensors')), tensors)


@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
def test_pdparams(tmp_path, protocol):
    arrays = {'conv.weight': np.random.randn(2, 3, 1, 1).astype(np.float32), 'half': np.ones(3, np.float16),
              'fortran': np.asfortranarray(np.arange(6, dtype='>f8').reshape(2, 3)), 'empty': np.zeros((0, 2)),
              'scalar': np.float32(1.5), 'ints': np.arange(3), 'flags': np.array([True, False])}
    file = {**arrays, 'pair': ('linear_0.w_0', np.ones(2, np.float32)), 'StructuredToParameterName@@': {'a': 'b'}}
    (tmp_path / 'x.pdparams').write_bytes(pickle.dumps(file, protocol=protocol))
    loaded = read_paddle(tmp_path / 'x.pdparams')
    assert list(loaded) == list(file)
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype.newbyteorder('=')
    np.testing.assert_array_equal(loaded['pair'], [1, 1])
    assert loaded['StructuredToParameterName@@'] == {'a': 'b'}


@pytest.mark.parametrize('core', ['numpy.core', 'numpy._core'])
def test_pdparams_of_either_numpy(tmp_path, core):
    content = pickle.dumps({'a': np.arange(4, dtype=np.float32)}, protocol=2)
    content = content.replace(b'numpy._core.', b'numpy.core.').replace(b'numpy.core.', f'{core}.'.encode())
    (tmp_path / 'x.pdparams').write_bytes(content)
    np.testing.assert_array_equal(read_paddle(tmp_path / 'x.pdparams')['a'], [0, 1, 2, 3])


def test_npz(tmp_path):
    np.savez(tmp_path / 'prefixed.npz', **{'param/a.weight': np.ones(2), 'input': np.zeros(1)})
    assert list(read_paddle(tmp_path / 'prefixed.npz')) == ['a.weight']
    np.savez(tmp_path / 'bare.npz', **{'a.weight': np.ones(2)})
    np.testing.assert_array_equal(read_paddle(tmp_path / 'bare.npz')['a.weight'], [1, 1])


def crafted(path, malicious):
    if path.suffix == '.npz':
        np.savez(path, a=np.array([malicious], dtype=object))
    elif path.suffix == '.pth':
        torch.save({'a': malicious}, path)
    else:
        path.write_bytes(pickle.dumps({'a': malicious}))


@pytest.mark.parametrize(('name', 'read', 'names'), [
    ('x.pdparams', read_paddle, 'system'), ('x.npz', read_paddle, 'pickle'), ('x.pth', load_state_dict_file, 'system')])
def test_crafted_file_is_refused_and_not_executed(tmp_path, name, read, names):
    sentinel = tmp_path / 'sentinel'
    crafted(tmp_path / name, Malicious(sentinel))
    with pytest.raises(UserError, match=names):
        read(tmp_path / name)
    assert not sentinel.exists()


def test_sentinel_would_be_seen(tmp_path):
    sentinel = tmp_path / 'sentinel'
    pickle.loads(pickle.dumps(Malicious(sentinel)))
    assert sentinel.exists()


@pytest.mark.parametrize(('name', 'read'), [('x.pdparams', read_paddle), ('x.npz', read_paddle),
                                            ('x.pth', load_state_dict_file), ('x.safetensors', load_state_dict_file)])
@pytest.mark.parametrize('kept', [0, 0.05, 0.5, 0.97])
def test_torn_file(tmp_path, name, read, kept):
    whole, path = tmp_path / f'whole_{name}', tmp_path / name
    arrays = {f'layer{i}.weight': np.random.randn(30, 40).astype(np.float32) for i in range(5)}
    if name.endswith('npz'):
        np.savez(whole, **arrays)
    elif name.endswith('pdparams'):
        whole.write_bytes(pickle.dumps(arrays))
    elif name.endswith('pth'):
        torch.save({k: torch.from_numpy(v) for k, v in arrays.items()}, whole)
    else:
        save_file({k: torch.from_numpy(v) for k, v in arrays.items()}, whole)
    assert len(read(whole)) == 5
    path.write_bytes(whole.read_bytes()[:int(whole.stat().st_size * kept)])
    size = 'empty' if not kept else f'{path.stat().st_size} bytes'
    with pytest.raises(UserError, match=f'{name}.*{size}.*interrupted.*copy it again') as caught:
        read(path)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('read', [load_state_dict_file, read_paddle])
def test_missing_file_and_unknown_suffix(tmp_path, read):
    with pytest.raises(UserError, match='no weights file'):
        read(tmp_path / 'absent.pth')
    (tmp_path / 'x.h5').write_bytes(b'123')
    with pytest.raises(UserError, match=r"suffix '\.h5'"):
        read(tmp_path / 'x.h5')


def test_file_without_weights(tmp_path):
    torch.save(dict(epoch=3), tmp_path / 'x.pth')
    with pytest.raises(UserError, match='holds no weights'):
        load_state_dict_file(tmp_path / 'x.pth')
    (tmp_path / 'x.pdparams').write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(UserError, match='holds no weights'):
        read_paddle(tmp_path / 'x.pdparams')


def write(path, tensors):
    """Writes tensors to a file of any suffix."""
    if path.suffix in ('.npz', '.pdparams'):
        arrays = {name: value.numpy() for name, value in tensors.items()}
        np.savez(path, **arrays) if path.suffix == '.npz' else path.write_bytes(pickle.dumps(arrays))
    else:
        save_file(tensors, path) if path.suffix == '.safetensors' else torch.save(tensors, path)
    return path


@pytest.mark.parametrize('number', [float('nan'), float('inf')])
@pytest.mark.parametrize(('name', 'read'), [
    ('x.pdparams', read_paddle), ('x.npz', read_paddle), ('x.pth', load_state_dict_file),
    ('x.safetensors', load_state_dict_file)])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path, tensors, name, read, number):
    tensors['a.bias'][1] = number
    with pytest.raises(UserError, match=r'1 of its 2 tensors hold NaN or infinite numbers \(a\.bias\)'):
        read(write(tmp_path / name, tensors))


def test_numbers_of_eight_bits_are_read(tmp_path, tensors):
    tensors |= dict(small=torch.ones(2).to(torch.float8_e4m3fn), whole=torch.ones(2, dtype=torch.int8))
    assert load_state_dict_file(write(tmp_path / 'x.safetensors', tensors)).keys() == tensors.keys()


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('state', [
    {1: torch.ones(2)}, {None: torch.ones(2)}, {('a', 'b'): torch.ones(2)}, {b'a': torch.ones(2)},
    {'a': torch.ones(2).to_sparse()}, {'a': torch.ones(2, device='meta')},
    {'a': torch.quantize_per_tensor(torch.ones(2), 1., 0, torch.qint8)}],
    ids=['int', 'None', 'tuple', 'bytes', 'sparse', 'meta', 'quantised'])
def test_what_is_no_named_dense_tensor_is_refused(tmp_path, state):
    torch.save(state, tmp_path / 'x.pth')
    with pytest.raises(UserError, match='holds no weights'):
        load_state_dict_file(tmp_path / 'x.pth')


def test_parameters_are_read_as_tensors(tmp_path):
    torch.save({'a': torch.nn.Parameter(torch.ones(2))}, tmp_path / 'x.pth')
    assert not load_state_dict_file(tmp_path / 'x.pth')['a'].requires_grad


def test_paddle_names_are_text(tmp_path):
    (tmp_path / 'x.pdparams').write_bytes(pickle.dumps({'a': np.ones(2), 1: np.ones(2)}))
    with pytest.raises(UserError, match='holds no weights'):
        read_paddle(tmp_path / 'x.pdparams')


class Net(BaseModule):
    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.backbone = nn.Linear(3, 4)


@pytest.fixture
def saved(tmp_path):
    net = Net()
    # mmengine would execute meta['config'] of a checkpoint it resumes.
    save_file(net.state_dict(), tmp_path / 'net.safetensors', metadata=dict(config='raise SystemExit'))
    return tmp_path / 'net.safetensors', net


def test_load_checkpoint(saved):
    path, net = saved
    other = Net()
    checkpoint = load_checkpoint(other, str(path), map_location='cpu')
    assert torch.equal(other.backbone.weight, net.backbone.weight)
    assert 'config' not in checkpoint['meta']


@pytest.mark.parametrize('prefix', [None, 'backbone'])
def test_pretrained_initialisation(saved, prefix):
    path, net = saved
    init_cfg = dict(type='Pretrained', checkpoint=str(path), **(dict(prefix=prefix) if prefix else {}))
    if prefix:
        module = nn.Module()
        other = BaseModule(init_cfg=init_cfg)
        other.weight, other.bias = nn.Parameter(torch.zeros(4, 3)), nn.Parameter(torch.zeros(4))
        module.backbone = other
    else:
        module = other = Net(init_cfg)
    other.init_weights()
    assert torch.equal(module.backbone.weight, net.backbone.weight)


@pytest.mark.parametrize(('name', 'loader'), [
    ('a/b.safetensors', 'load_from_safetensors'), ('/x y/b.safetensors', 'load_from_safetensors'),
    ('a/b.safetensors.pth', 'load_from_local'), ('a.pth', 'load_from_local'),
    ('https://host/b.safetensors', 'load_from_http'), ('s3://bucket/b.safetensors', 'load_from_ceph'),
    ('torchvision://resnet50', 'load_from_torchvision')])
def test_only_local_safetensors_are_taken(name, loader):
    assert CheckpointLoader._get_checkpoint_loader(name).__name__ == loader


def test_torn_and_missing_file(saved):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UserError, match='interrupted'):
        load_from_safetensors(str(path))
    with pytest.raises(UserError, match='no weights file'):
        CheckpointLoader.load_checkpoint('absent.safetensors')
