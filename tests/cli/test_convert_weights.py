import json
import pickle

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import load_checkpoint
from safetensors import safe_open

from lcvision.cli.convert_weights import main
from lcvision.errors import UserError
from lcvision.weights import load_state_dict_file
from tests.cli.conftest import ROOT, call

FIXTURES = ROOT / 'tests' / 'fixtures'
CLASSIFIER = '''
default_scope = 'mmpretrain'
model = dict(type='ImageClassifier', backbone=dict(type='lcvision.PPLCNet', scale=0.25),
             head=dict(type='lcvision.PPLCNetHead', num_classes=10, in_channels=128))
'''
DETECTOR = ['--config', str(ROOT / 'configs/detection/picodet_pplcnet_1x.py'), '--cfg-options',
            'model.backbone.scale=0.25', 'model.neck.in_channels=[32,64,128]', 'model.neck.out_channels=32',
            'model.bbox_head.in_channels=32', 'model.bbox_head.num_classes=4']


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'classifier.py'
    path.write_text(CLASSIFIER)
    return str(path)


@pytest.fixture
def source():
    return str(FIXTURES / 'cls_pplcnet_x0_25.npz')


def build(path):
    config = Config.fromfile(path)
    init_default_scope(config.default_scope)
    return MODELS.build(config.model)


@pytest.mark.parametrize('suffix', ['.safetensors', '.pth'])
def test_classifier_gives_the_logits_of_the_reference(tmp_path, config, source, capsys, suffix):
    target = tmp_path / 'folder' / f'x{suffix}'
    assert main([source, str(target), '--config', config]) == 0
    assert '146 tensors mapped' in capsys.readouterr().out
    model = build(config)
    load_checkpoint(model, str(target), strict=True)
    fixture = np.load(source)
    with torch.no_grad():
        logits = model.eval()(torch.from_numpy(fixture['input']).float())
    np.testing.assert_allclose(logits, fixture['logits'], atol=1e-4)
    assert list(target.parent.iterdir()) == [target]


def test_metadata(tmp_path, config, source):
    main([source, str(tmp_path / 'x.safetensors'), '--config', config])
    with safe_open(tmp_path / 'x.safetensors', 'pt') as file:
        metadata = file.metadata()
    assert metadata['source'] == 'cls_pplcnet_x0_25.npz' and metadata['config'] == 'classifier.py'
    assert len(metadata['source_sha256']) == 64
    assert str(tmp_path) not in json.dumps(metadata)


def test_pdparams_to_detector(tmp_path):
    fixture = np.load(FIXTURES / 'det_paper_pplcnet_x0_25.npz')
    named = {name.removeprefix('param/'): fixture[name] for name in fixture.files if name.startswith('param/')}
    source = tmp_path / 'picodet.pdparams'
    source.write_bytes(pickle.dumps({**named, 'StructuredToParameterName@@': {}}, protocol=4))
    paths = [str(source), str(tmp_path / 'x.safetensors')]
    done = call('convert_weights', *paths, *DETECTOR)
    assert done.returncode == 0, done.stderr
    assert '215 tensors mapped' in done.stdout and 'scale_reg' in done.stdout
    state = load_state_dict_file(tmp_path / 'x.safetensors')
    np.testing.assert_array_equal(state['neck.laterals.1.bias'], named['neck.pan_lateral1.bias'])
    refused = call('convert_weights', *paths, *DETECTOR[:-1], 'model.bbox_head.num_classes=5')
    assert refused.returncode == 2
    assert '6 misshapen' in refused.stdout and 'nothing was written' in refused.stderr


def test_nothing_is_written_when_something_is_wrong(tmp_path, config, source, capsys):
    target = tmp_path / 'x.safetensors'
    target.write_bytes(b'earlier')
    with pytest.raises(UserError, match=r'2 misshapen \(fc\.weight -> head\.fc\.weight is 10x1280 in the file'):
        main([source, str(target), '--config', config, '--cfg-options', 'model.head.num_classes=7'])
    assert target.read_bytes() == b'earlier'
    assert 'fc.bias -> head.fc.bias is 10 in the file and 7 in the model' in capsys.readouterr().out


def test_backbone_only(tmp_path, source):
    target = tmp_path / 'x.safetensors'
    main([source, str(target), '--backbone-only', *DETECTOR])
    state = load_state_dict_file(target)
    assert all(name.startswith('backbone.') for name in state)
    config = Config.fromfile(DETECTOR[1])
    config.merge_from_dict(dict(model=dict(backbone=dict(
        scale=0.25, init_cfg=dict(type='Pretrained', prefix='backbone', checkpoint=str(target))))))
    init_default_scope('mmdet')
    backbone = MODELS.build(config.model.backbone)
    backbone.init_weights()
    assert torch.equal(backbone.stem.conv.weight, state['backbone.stem.conv.weight'])


def test_timm_and_own_checkpoints(tmp_path, config, source, capsys):
    main([source, str(tmp_path / 'own.pth'), '--config', config])
    main([str(tmp_path / 'own.pth'), str(tmp_path / 'again.safetensors'), '--config', config])
    own, again = (load_state_dict_file(tmp_path / name) for name in ('own.pth', 'again.safetensors'))
    assert own.keys() == again.keys() and all(torch.equal(own[name], again[name]) for name in own)
    timm = {'conv_stem.weight': torch.ones(8, 3, 3, 3), 'blocks.0.0.conv_dw.weight': torch.ones(8, 1, 3, 3)}
    torch.save(timm, tmp_path / 'timm.pth')
    with pytest.raises(UserError, match='missing'):
        main([str(tmp_path / 'timm.pth'), str(tmp_path / 'x.pth'), '--config', config])
    assert '2 tensors mapped' in capsys.readouterr().out
    paddle = {name.removeprefix('param/'): torch.from_numpy(value) for name, value in np.load(source).items()
              if name.startswith('param/')}
    torch.save(paddle, tmp_path / 'paddle.pth')
    main([str(tmp_path / 'paddle.pth'), str(tmp_path / 'third.pth'), '--config', config])
    third = load_state_dict_file(tmp_path / 'third.pth')
    assert all(torch.equal(own[name], third[name]) for name in own)


@pytest.mark.parametrize(('change', 'says'), [
    (dict(src='absent.pdparams'), 'no weights file absent.pdparams'),
    (dict(dst='x.onnx'), r"suffix '\.onnx'.*\.safetensors or \.pth"),
    (dict(dst='.'), 'suffix'),
    (dict(config='absent.py'), 'no config file absent.py'),
    (dict(options=['model.backbone.scale=-1']), 'builds no model'),
    (dict(options=['model.backbone.type=lcvision.NoSuchNet']), 'builds no model.*NoSuchNet'),
])
def test_mistakes(tmp_path, config, source, change, says):
    options = ['--cfg-options', *change['options']] if 'options' in change else []
    with pytest.raises(UserError, match=says) as caught:
        main([change.get('src', source), change.get('dst', str(tmp_path / 'x.pth')),
              '--config', change.get('config', config), *options])
    assert '\n' not in str(caught.value)
    assert not (tmp_path / 'x.pth').exists()


def test_source_is_not_overwritten(tmp_path, config):
    torch.save({'a': torch.ones(1)}, tmp_path / 'x.pth')
    with pytest.raises(UserError, match='the source itself'):
        main([str(tmp_path / 'x.pth'), str(tmp_path / 'x.pth'), '--config', config])


@pytest.mark.parametrize('value', ['1', '-0.1'])
def test_dropout_is_a_probability(tmp_path, config, source, value, capsys):
    with pytest.raises(SystemExit) as caught:
        main([source, str(tmp_path / 'x.pth'), '--config', config, f'--dropout={value}'])
    assert caught.value.code == 2 and 'probability' in capsys.readouterr().err
