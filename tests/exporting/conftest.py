"""One small model a task, and a graph that is exported once for all tests."""
from dataclasses import dataclass
from pathlib import Path

import pytest
from mmengine.config import Config

from lcvision import environment
from lcvision.deploy.export import graph
from lcvision.exporting import original
from lcvision.exporting.export import ExportResult, export
from lcvision.exporting.ladder import Verdict
from tests.inference.small_models import CLASSIFIER, SEGMENTOR, save, shaken_model, small_config

for _package in ('onnx', 'onnxscript', 'onnxruntime', 'openvino'):
    pytest.importorskip(_package)


@dataclass
class Exported:
    config: Config
    checkpoint: str
    out: Path
    result: ExportResult

    def again(self, out, **changes) -> ExportResult:
        return export(self.config, self.checkpoint, **{'out': out, 'to': 'onnx', 'measure': False, **changes})


@pytest.fixture(scope='session', autouse=True)
def once():
    """The exporter takes seconds: what it made of a network is kept; and three images are enough here."""
    known, plain, patch = {}, graph.export_onnx, pytest.MonkeyPatch()

    def export_onnx(network, example, dynamic_shapes=None):
        key = environment.weights_hash(network), tuple(example.shape), str(dynamic_shapes)
        if key not in known:
            known[key] = plain(network, example, dynamic_shapes)
        return known[key]
    patch.setattr(graph, 'export_onnx', export_onnx)
    patch.setattr(original, '_PARTS', original._PARTS[:2])
    yield
    patch.undo()


@pytest.fixture
def unverified(monkeypatch):
    """Files are written and delivered without a look at what they compute, which other tests take."""
    monkeypatch.setattr('lcvision.exporting.export.verify', lambda *args: Verdict(compared=1))


def exported(folder: Path, name: str, to: str, options: dict) -> Exported:
    config = small_config(name, **options)
    path = folder / f'{name.split("/")[1]}.py'
    config.dump(path)
    config = Config.fromfile(path)
    checkpoint = save(shaken_model(config), folder / 'model.pth')
    out = folder / 'out'
    return Exported(config, checkpoint, out, export(config, checkpoint, out=out, to=to, measure=False))


@pytest.fixture(scope='session')
def detector(tmp_path_factory):
    """So small limits that both of a level and of a class are reached."""
    return exported(tmp_path_factory.mktemp('detector'), 'detection/picodet_pplcnet_0_5x', 'onnx,openvino',
                    {'model.test_cfg.nms_top_k': 30, 'model.test_cfg.max_per_img': 40})


@pytest.fixture(scope='session')
def segmentor(tmp_path_factory):
    return exported(tmp_path_factory.mktemp('segmentor'), SEGMENTOR, 'onnx,openvino', {'image_size': (128, 64)})


@pytest.fixture(scope='session')
def classifier(tmp_path_factory):
    return exported(tmp_path_factory.mktemp('classifier'), CLASSIFIER, 'onnx,openvino', {})
