"""Files made to harm: nothing of them is executed, and nothing outside of what they belong to is read or written."""
import io
import json
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import CheckpointLoader, Runner

from lcvision.datasets import cityscapes_folder
from lcvision.datasets.check.copy import write_copy
from lcvision.datasets.check.faults import look_at
from lcvision.datasets.check.layouts import read_folder
from lcvision.datasets.cifar_folder import check_cifar
from lcvision.datasets.coco_folder import find
from lcvision.datasets.image_folder import check_image_list
from lcvision.datasets.layout import file_names
from lcvision.datasets.npz_images import NpzImages
from lcvision.datasets.sources.segmentation import open_masks
from lcvision.engine.hooks.atomic_checkpoint_hook import last_checkpoint
from lcvision.errors import UserError, plain_errors
from lcvision.image_file import decode_image, read_image
from lcvision.weights import load_state_dict_file, read_paddle
from tests.datasets import coco_like, image_tree, street_like
from tests.mistakes import message


class _Call:
    """What pickle makes of it is a call."""

    def __init__(self, function, *args):
        self.called = function, args

    def __reduce__(self):
        return self.called


def opcodes(sentinel: Path) -> dict[str, bytes]:
    """Pickles that write a file, in all the ways that pickle has to call something."""
    code, shell = f'open({str(sentinel)!r}, "w")', f'touch {sentinel}'
    plain = pickle.dumps(_Call(exec, code), 2)
    return {
        'reduce': plain, 'stack global': pickle.dumps(_Call(exec, code), 4),
        'system': pickle.dumps(_Call(os.system, shell)),
        'inst': f"(S'{shell}'\nios\nsystem\n.".encode(), 'obj': f"(cos\nsystem\nS'{shell}'\no.".encode(),
        'getattr': (f"c__builtin__\ngetattr\n(c__builtin__\n__import__\n(S'os'\ntRS'system'\n"
                    f"tR(S'{shell}'\ntR.").encode(),
        'partial': f"cfunctools\npartial\n(cos\nsystem\nS'{shell}'\ntR(tR.".encode(),
        'map': f"c__builtin__\nlist\n(c__builtin__\nmap\n(cos\nsystem\n(S'{shell}'\nltRtR.".encode(),
        'pickle within': pickle.dumps(_Call(pickle.loads, plain)),
        'in a dict': b'\x80\x02}X\x01\x00\x00\x00a' + plain[2:-1] + b's.',
        'in an array': pickle.dumps(np.array([_Call(exec, code)], object)),
        'config': pickle.dumps(_Call(__import__('mmengine').Config.fromstring, code, '.py'))}


def _zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as archive:
        for name, content in members.items():
            archive.writestr(name.replace('__', '/'), content)
    return buffer.getvalue()


_OBJECTS = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b'\n'
_WRAPPED = {
    'x.pth': lambda call: call, 'x.ckpt': lambda call: _zipped(x__data_pkl=call, x__version=b'3'),
    'x.pt': lambda call: pickle.dumps(0x1950a86a20f9469cfc6c) + pickle.dumps(1001) + pickle.dumps({}) + call,
    'zip/x.pth': lambda call: _zipped(**{'x__data.pkl': call, 'x__version': b'3\n', 'x__byteorder': b'little'}),
    'nested/x.pth': lambda call: _zipped(**{'x__data.pkl': _zipped(**{'x__data.pkl': call}), 'x__version': b'3\n'}),
    'x.bin': lambda call: _zipped(**{'x__code__a.py': b'import os', 'x__constants.pkl': call, 'x__data.pkl': call}),
    'x.pdparams': lambda call: call, 'x.safetensors': lambda call: call, 'raw/x.npz': lambda call: call,
    'x.npz': lambda call: _zipped(**{'a.npy': _OBJECTS + call}),
    'npy/x.npz': lambda call: _zipped(**{'classes.npy': call, 'train_labels.npy': _OBJECTS + call})}


@pytest.mark.parametrize('name', _WRAPPED)
@pytest.mark.parametrize('call', opcodes(Path()))
def test_nothing_is_executed(tmp_path, name, call):
    path, sentinel = tmp_path / name, tmp_path / 'executed'
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(_WRAPPED[name](opcodes(sentinel)[call]))
    reads = [NpzImages, read_paddle] if path.suffix == '.npz' else [
        read_paddle] if path.suffix == '.pdparams' else [load_state_dict_file, CheckpointLoader.load_checkpoint]
    for read in reads:
        message(read, str(path))
        assert not sentinel.exists()


@pytest.mark.parametrize('call', opcodes(Path()))
def test_each_of_these_would_be_seen(tmp_path, call):
    try:
        pickle.loads(opcodes(tmp_path / 'executed')[call])
    finally:
        assert (tmp_path / 'executed').exists()


def test_cifar_is_only_unpickled_if_it_is_the_authors(tmp_path):
    folder = tmp_path / 'cifar-10-batches-py'
    folder.mkdir()
    (folder / 'data_batch_1').write_bytes(opcodes(tmp_path / 'executed')['reduce'])
    assert 'MD5' in message(check_cifar, 'CIFAR10', tmp_path, 'train')
    assert not (tmp_path / 'executed').exists()


class Net(BaseModel):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(2))

    def forward(self, *args, **kwargs):
        return {'loss': self.weight.sum()}


def test_a_config_in_a_checkpoint_is_not_executed(tmp_path):
    sentinel = tmp_path / 'executed'
    code = f'open({str(sentinel)!r}, "w")'
    meta = dict(epoch=1, iter=1, seed=0, config=code, cfg=code)
    hub = dict(log_scalars={}, runtime_info=dict(cfg=code), resumed_keys={})
    torch.save(dict(state_dict=Net().state_dict(), meta=meta, message_hub=hub), tmp_path / 'x.pth')
    runner = Runner(Net(), str(tmp_path / 'run'), dict(dataset=[1], batch_size=1, sampler=dict(
        type='DefaultSampler', shuffle=False)), train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=.1)), resume=True, load_from=str(tmp_path / 'x.pth'))
    runner.train_loop  # noqa: B018  (built)
    runner.load_or_resume()
    assert runner.train_loop.epoch == 1 and not sentinel.exists()


def _header(text: str, size: int | None = None) -> bytes:
    return struct.pack('<Q', len(text) if size is None else size) + text.encode()


def _tensor(shape: list[int], end: int) -> bytes:
    return _header(json.dumps(dict(a=dict(dtype='F32', shape=shape, data_offsets=[0, end]))))


def _npy(shape: str, padding: int = 0) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}{' ' * padding}\n".encode()
    return b'\x93NUMPY\x02\x00' + struct.pack('<I', len(header)) + header


def _bomb(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as archive, archive.open(
            name, 'w', force_zip64=True) as file:
        for _ in range(300):
            file.write(bytes(1 << 20))
    return buffer.getvalue()


def _saved(content) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def _laughs() -> bytes:
    value: object = 'ha'
    for _ in range(60):
        value = (value, value)
    return pickle.dumps({'a': value, 'b': [value], 'c': np.ones(2)})


_LARGE = {
    'stride.pth': lambda: _saved({'a': torch.zeros(1).expand(10 ** 6, 10 ** 6)}),
    'optimizer.pth': lambda: _saved(dict(state_dict={'a': torch.ones(1)}, optimizer={'state': [
        torch.zeros(1).expand(10 ** 5, 10 ** 5)]})),
    'bomb.pth': lambda: _bomb('x/data.pkl'), 'bomb.npz': lambda: _bomb('a.npy'), 'laughs.pth': _laughs,
    'size.safetensors': lambda: _header('{}', 2 ** 63), 'long.safetensors': lambda: _header(' ' * 1000, 10 ** 8 + 1),
    'shape.safetensors': lambda: _tensor([2 ** 62, 4], 0), 'offsets.safetensors': lambda: _tensor([2], 2 ** 40),
    'shape.npz': lambda: _zipped(**{'a.npy': _npy('(1000000000000,)'), 'classes.npy': _npy('(1000000000000,)')}),
    'header.npz': lambda: _zipped(**{'a.npy': _npy('(1,)', 10 ** 6), 'classes.npy': _npy('(1,)', 10 ** 6)})}


@pytest.mark.parametrize('name', _LARGE)
def test_what_claims_gigabytes_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(_LARGE[name]())
    message(read_paddle if path.suffix == '.npz' else load_state_dict_file, path)
    if path.suffix == '.npz':
        message(NpzImages, path)


def test_what_nests_more_than_can_be_visited_is_not_visited(tmp_path):
    (tmp_path / 'x.pdparams').write_bytes(_laughs())
    assert read_paddle(tmp_path / 'x.pdparams')['c'].sum() == 2


def test_nothing_is_unpacked(tmp_path):
    (tmp_path / 'in').mkdir()
    path = tmp_path / 'in' / 'x.npz'
    path.write_bytes(_zipped(**{'..__a.npy': _npy('(1,)') + b'1234', '__tmp__a.npy': _npy('(1,)') + b'1234'}))
    assert len(read_paddle(path)) == 2
    assert sorted(tmp_path.rglob('*')) == [tmp_path / 'in', path]


_OUTSIDE = ['../../secret.jpg', '/etc/passwd', 'a/../../../secret.jpg', '~/secret.jpg', '..']


@pytest.fixture
def secret(tmp_path):
    coco_like.draw(tmp_path, ['secret.jpg'])
    return tmp_path


@pytest.mark.parametrize('name', _OUTSIDE)
def test_a_name_does_not_lead_out_of_the_data(secret, name):
    root = coco_like.folder(secret / 'set')
    content = coco_like.content(('1.jpg', name), 11)
    coco_like.write(root / 'annotations/instances_val2017.json', content)
    for read in (lambda: find(root, 'val'), lambda: read_folder(root)):
        assert 'would lead out of the data' in message(read)
    (secret / 'list.txt').write_text(f'1.jpg 0\n{name} 1\n')
    assert 'would lead out' in message(check_image_list, secret / 'list.txt', root / 'val2017', 2)
    tree = f'<a><filename>{name}</filename></a>'
    coco_like.draw(secret / 'voc')
    (secret / 'voc/1.xml').write_text(tree)
    assert 'would lead out' in message(read_folder, secret / 'voc')


@pytest.mark.parametrize('make', [
    os.mkfifo, lambda path: path.symlink_to('/dev/zero'), lambda path: path.symlink_to(path),
    lambda path: path.symlink_to('/proc/self/environ')], ids=['pipe', 'device', 'loop', 'proc'])
def test_what_is_no_file_is_no_image(tmp_path, make):
    root = coco_like.folder(tmp_path / 'set')
    (root / 'val2017/1.jpg').unlink()
    make(root / 'val2017/1.jpg')
    assert '1 of 2 images' in message(find, root, 'val')
    assert [seen.fault for seen in look_at(read_folder(root)).parts[1].seen] == ['missing', '']
    assert file_names(root / 'val2017') == ['2.jpg']
    if not (root / 'val2017/1.jpg').is_file():
        message(read_image, root / 'val2017/1.jpg', decode_image)


def test_links_of_the_owner_are_followed(tmp_path):
    root, elsewhere = coco_like.folder(tmp_path / 'set'), tmp_path / 'elsewhere'
    (root / 'val2017').rename(elsewhere)
    (root / 'val2017').symlink_to(elsewhere)
    (elsewhere / '2.jpg').rename(tmp_path / 'moved.jpg')
    (elsewhere / '2.jpg').symlink_to(tmp_path / 'moved.jpg')
    assert find(root, 'val').num_images == 2


def test_a_link_that_leads_back_is_refused(tmp_path):
    coco_like.draw(tmp_path / 'a')
    (tmp_path / 'a/back').symlink_to(tmp_path)
    assert 'leads back' in message(file_names, tmp_path)


def test_a_link_to_itself_is_named(tmp_path):
    root = street_like.cityscapes(tmp_path)
    link = root / 'leftImg8bit/val/town/x_leftImg8bit.png'
    link.symlink_to(link)
    assert f'{link} cannot be read' in message(open_masks, cityscapes_folder.find(root, 'val'))


@pytest.mark.parametrize('name', ['', '.', '..', '../..', '/tmp/x', 'a\0b'])
def test_a_copy_stays_in_its_folder(tmp_path, name):
    classes = np.array(['ant', 'bee', name + '_'])  # numpy drops trailing zeros
    path = image_tree.npz(tmp_path / 'x.npz', classes=np.char.replace(classes, '_', ''))
    (tmp_path / 'deep/er').mkdir(parents=True)
    write_copy(look_at(read_folder(path)), path, tmp_path / 'deep/er/out')
    assert not [one for one in tmp_path.rglob('*.jpg') if tmp_path / 'deep/er/out' not in one.parents]
    assert len({one.parent.name for one in (tmp_path / 'deep/er/out/train').rglob('*.jpg')}) == 3


def test_the_note_of_a_run_names_a_file_of_its_own_folder(tmp_path):
    (tmp_path / 'last_checkpoint').write_text('/etc/../tmp/epoch_1.pth')
    assert last_checkpoint(tmp_path) == tmp_path / 'epoch_1.pth'


def test_too_long_a_name_is_told():
    with pytest.raises(UserError, match=r'xxx\.\.\.xxx.* is longer than the name of a file can be'), plain_errors():
        Path('x' * 500).stat()


def test_a_message_cannot_steer_a_terminal_and_stays_short():
    text = str(UserError('a\x1b[31m\nb ' + 'x' * 100_000 + ' c' + ' y' * 100_000))
    assert text.startswith('a\\x1b[31m\\nb xxx') and text.isprintable() and len(text) < 1300
