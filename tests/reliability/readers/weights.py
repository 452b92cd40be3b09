"""Files of weights and checkpoints, spoiled."""
import io
import json
import pickle
import random
import struct
import zipfile
from collections import OrderedDict
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from mmengine.runner import CheckpointLoader
from safetensors.torch import save as safetensors_bytes
from torch import nn

from lcvision.config import load_config
from lcvision.inference.trained_model import load_trained
from lcvision.weights import check_compatible, from_paddle, from_timm, load_state_dict_file, read_paddle
from tests.inference.small_models import OPTIONS
from tests.reliability.fuzz import Case, hostile, spoil_bytes, spoil_tree
from tests.weights import paddle_shaped


def spoil_archive(rng: random.Random, content: bytes) -> bytes:
    """Spoils one member of an archive, whose checksum then fits."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, 'w') as new:
        names = old.namelist()
        chosen = rng.choice([name for name in names if name.endswith('data.pkl')] + names)
        for name in names:
            part = spoil_bytes(rng, old.read(name)) if name == chosen else old.read(name)
            other = rng.choice((f'../../{name}', f'/tmp/{name}', name * 2, name)) if rng.random() < .05 else name
            new.writestr(other, part, rng.choice((zipfile.ZIP_STORED,) * 9 + (zipfile.ZIP_DEFLATED,)))
    return target.getvalue()


def spoil_header(rng: random.Random, content: bytes) -> bytes:
    """Spoils the header of a safetensors file."""
    size = struct.unpack('<Q', content[:8])[0]
    header = json.dumps(spoil_tree(rng, json.loads(content[8:8 + size]))).encode('utf-8', 'replace')
    stated = len(header) if rng.random() < .9 else rng.choice((0, 2 ** 63, 2 ** 64 - 1, len(header) * 2, 10 ** 8))
    return struct.pack('<Q', stated) + header + content[8 + size:]


def odd_state(rng: random.Random, state: dict) -> dict:
    """A state dict with an odd entry."""
    name = rng.choice(sorted(state))
    value = state[name]
    odd = rng.choice((
        lambda: value[..., None], lambda: value.flatten(), lambda: value.double(), lambda: value.half(),
        lambda: value.int(), lambda: value.bool(), lambda: value.to(torch.complex64), lambda: value * float('nan'),
        lambda: value.to_sparse(),
        lambda: torch.empty(0), lambda: torch.zeros(()), lambda: value.to('meta'), lambda: None, lambda: [value],
        lambda: {'a': value}, lambda: value.to(torch.bfloat16), lambda: torch.zeros(1).expand(10 ** 6, 10 ** 6),
        lambda: nn.Parameter(value.float()), lambda: hostile(rng), lambda: value.t() if value.ndim == 2 else value,
        lambda: value.to(torch.float8_e4m3fn)))()
    changed = {**state, name: odd}
    if rng.random() < .3:
        other = rng.choice((1, None, ('a', 'b'), b'a', 'module.' + name, '', 'x' * 10_000, '\0', name + '._variance'))
        changed[other] = changed.pop(name)
    return changed


def torch_bytes(content: object, legacy: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


@cache
def _model() -> tuple:
    config = load_config('classification/pplcnet_0_5x', OPTIONS['classification/pplcnet_0_5x'])
    from lcvision.deploy.network import build_model
    return config, build_model(config)


class Weights:
    """Whatever tools take as weights, up to the model that takes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config, self.model = _model()
        self.state = dict(self.model.state_dict())
        self.paddle = {'conv1.conv.weight': np.ones((8, 3, 3, 3), np.float32), 'conv1.bn._mean': np.ones(8, np.float32),
                       'conv1.bn._variance': np.ones(8, np.float32), 'fc.weight': np.ones((4, 5), np.float32),
                       'last_conv.weight': np.ones((4, 4, 1, 1), np.float32), 'StructuredToParameterName@@': {'a': 'b'}}
        self.timm = {'conv_stem.weight': torch.ones(8, 3, 3, 3), 'blocks.0.0.conv_dw.weight': torch.ones(8, 1, 3, 3),
                     'conv_head.bias': torch.zeros(4), 'classifier.weight': torch.ones(3, 4)}
        self.small = dict([*self.state.items()][:6])

    def case(self, rng: random.Random) -> Case:
        kind = rng.choice(('pth', 'pth', 'whole', 'timm', 'safetensors', 'pdparams', 'npz'))
        if kind in ('pth', 'whole', 'timm'):
            state = {'pth': self.small, 'whole': self.state, 'timm': self.timm}[kind]
            state = odd_state(rng, state) if rng.random() < .4 else state
            meta = dict(epoch=1, dataset_meta=dict(classes=[f'c{i}' for i in range(11)],
                                                   palette=[[i, 0, 0] for i in range(11)]))
            if rng.random() < .5:
                meta = spoil_tree(rng, meta)
            state = dict(state_dict=OrderedDict(state), meta=meta) if rng.random() < .6 else state
            try:
                content = torch_bytes(state, rng.random() < .3)
            except Exception:  # what torch itself refuses to write
                content = torch_bytes(self.small)
            path = self.folder / f'x.{rng.choice(("pth", "pth", "pth", "pt", "bin", "ckpt"))}'
            if rng.random() < .6:
                archive = content[:2] == b'PK' and rng.random() < .7
                content = (spoil_archive if archive else spoil_bytes)(rng, content)
        elif kind == 'safetensors':
            path = self.folder / 'x.safetensors'
            content = safetensors_bytes(self.small, metadata=dict(config='raise SystemExit'))
            content = spoil_header(rng, content) if rng.random() < .6 else spoil_bytes(rng, content)
        else:
            path, named = self.folder / f'x.{kind}', dict(self.paddle)
            if rng.random() < .4:
                name = rng.choice(sorted(named))
                named[name] = rng.choice((
                    np.ones(3, 'U4'), np.array([{}], object), np.ones((2, 2, 2, 2, 2)), np.ones(0), np.array(1.), 5,
                    'x',
                    None, np.full(8, np.nan), np.ones(3, 'i1'), np.ones(3, bool), np.ones(3, 'c8'),
                    np.ones(2, 'M8[s]'), np.ones(2, 'f4,i4'), np.ones((3, 4), '>f2'), np.float32(1)))
            if kind == 'npz':
                buffer = io.BytesIO()
                rng.choice((np.savez, np.savez_compressed))(buffer, **named)
                content = buffer.getvalue()
                if rng.random() < .7:
                    content = spoil_archive(rng, content) if rng.random() < .7 else spoil_bytes(rng, content)
            else:
                content = pickle.dumps(named, protocol=rng.choice((2, 3, 4, 5)))
                content = spoil_bytes(rng, content) if rng.random() < .8 else content
        path.write_bytes(content)
        return partial(self._read, path)

    def _read(self, path: Path) -> None:
        if path.suffix in ('.npz', '.pdparams'):
            from_paddle.convert_with_report(read_paddle(path), paddle_shaped.nn.Sequential(nn.Linear(3, 4)))
            from_paddle.convert_with_report(read_paddle(path), self.model)
            return
        named = load_state_dict_file(path)
        CheckpointLoader.load_checkpoint(str(path))
        if from_timm.is_timm(named):
            from_timm.convert_with_report(named, self.model)
        elif any(name.endswith('._variance') for name in named):
            from_paddle.convert_with_report({k: v.float().numpy() for k, v in named.items()}, self.model)
        else:
            from_timm.convert_own(named, self.model)
        if len(named) > 20:
            load_trained(self.config, path)
        check_compatible(self.model, named, path)
