"""The recipes of CONTRIBUTING.md do what they say."""
import re
import types
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from PIL import Image

from lcvision.datasets.sources import segmentation, use_source
from lcvision.deploy.export import formats
from lcvision.deploy.network import build_model
from lcvision.errors import UserError
from lcvision.exporting.export import export
from lcvision.registry import MODELS
from tests.contracts import test_backbone_contract as contract
from tests.inference.small_models import CLASSIFIER, save, small_config

ROOT = Path(__file__).parents[2]
RECIPES = {title: re.findall(r'```python\n(.*?)```', text, re.S) for title, text in re.findall(
    r'^## (.*?)\n(.*?)(?=^## |\Z)', (ROOT / 'CONTRIBUTING.md').read_text(), re.S | re.M)}
BACKBONE, CONFIG = RECIPES['A new backbone']
LAYOUT, = RECIPES['A new layout of data']
FORMAT, = RECIPES['A new export format']


@pytest.fixture
def plainnet(monkeypatch):
    """The backbone of the recipe, registered for one test."""
    monkeypatch.setattr(MODELS, '_module_dict', dict(MODELS.module_dict))
    exec(BACKBONE, types.ModuleType('plainnet').__dict__)
    return lambda **more: MODELS.build({'type': 'lcvision.PlainNet', 'width': 8, **more})


def test_the_backbone_keeps_the_contract(plainnet):
    contract.test_outputs_are_as_declared(plainnet, (65, 97))
    contract.test_every_subset_of_outputs_is_that_part_of_all(plainnet)
    contract.test_gradients_reach_every_parameter(plainnet, (0, 2))


def test_the_config_builds_with_it(plainnet, tmp_path):
    path = ROOT / 'configs' / 'detection' / 'picodet_pplcnet_1x.py'
    own = tmp_path / 'picodet_plainnet.py'
    own.write_text(CONFIG.replace('./picodet_pplcnet_1x.py', str(path)))
    model = build_model(Config.fromfile(own), calibrated=False)
    assert type(model.backbone).__name__ == 'PlainNet' and model.backbone.out_channels == (64, 128, 256)


@pytest.fixture
def voc(tmp_path):
    """Two images a split in Pascal VOC layout, whose masks have indices into a colour table."""
    for folder in ('JPEGImages', 'SegmentationClass', 'ImageSets/Segmentation'):
        (tmp_path / folder).mkdir(parents=True)
    for split in ('train', 'val'):
        names = [f'{split}_{index}' for index in range(2)]
        (tmp_path / f'ImageSets/Segmentation/{split}.txt').write_text('\n'.join(names))
        for name in names:
            Image.new('RGB', (40, 24)).save(tmp_path / f'JPEGImages/{name}.jpg')
            mask = Image.fromarray(np.tile(np.uint8([0, 7, 20, 255]), (24, 10)))
            mask.putpalette([*range(256)] * 3)
            mask.save(tmp_path / f'SegmentationClass/{name}.png')
    return tmp_path


def test_data_in_the_layout_is_read(voc, monkeypatch):
    module = types.ModuleType('voc_folder')
    exec(LAYOUT, module.__dict__)
    cfg = Config.fromfile(ROOT / 'configs/segmentation/deeplabv3plus_pplcnet_0_5x.py')
    with pytest.raises(UserError, match='is no data set for segmentation'):
        use_source(cfg, str(voc), train=True)
    monkeypatch.setattr(segmentation, 'LAYOUTS', (module, *segmentation.LAYOUTS))
    split = use_source(cfg, str(voc), train=True)
    assert split.num_images == 2 and split.classes[7] == 'car' and cfg.model.decode_head.num_classes == 21
    init_default_scope('mmseg')
    cfg.val_dataloader.update(num_workers=0, persistent_workers=False)
    batch = next(iter(Runner.build_dataloader(cfg.val_dataloader, seed=0)))
    assert batch['data_samples'][0].gt_sem_seg.data.unique().tolist() == [0, 7, 20, 255]
    (voc / 'ImageSets/Segmentation/val.txt').unlink()
    with pytest.raises(UserError, match=r'no list of images .*val\.txt: expected a folder in Pascal VOC layout'):
        use_source(cfg, str(voc), train=True)
    with pytest.raises(UserError, match=r'--data nowhere: no such folder; give .*Pascal VOC layout'):
        use_source(cfg, 'nowhere', train=True)


def test_files_of_the_format_are_written_and_verified(monkeypatch, tmp_path):
    for package in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(package)
    known = dict(formats.FORMATS)
    monkeypatch.setattr(formats, 'FORMATS', known)
    monkeypatch.setattr('lcvision.deploy.export.formats.format.FORMATS', known)
    exec(FORMAT, types.ModuleType('onnx_text').__dict__)
    config = small_config(CLASSIFIER)
    checkpoint = save(build_model(config), tmp_path / 'model.pth')
    result = export(config, checkpoint, out=tmp_path / 'out', to='onnx-text', measure=False)
    assert not result.failures and result.files[0].path.suffix == '.textproto' and result.files[0].verdict.compared
    assert formats.format_of(result.files[0].path).read_metadata(result.files[0].path)['task'] == 'classification'
