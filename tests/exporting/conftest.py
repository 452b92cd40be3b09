"""One small model a task, and a graph that is exported once for all tests."""
from dataclasses import dataclass
from pathlib import Path

import cv2
import pytest
from mmengine.config import Config

from lcvision.deploy.export import graph
from lcvision.exporting import export as exporter
from lcvision.exporting import int8, job, original, quantisers
from lcvision.exporting.export import export
from lcvision.exporting.job import ExportResult
from lcvision.exporting.ladder import Verdict
from tests.inference.small_models import CLASSIFIER, DETECTORS, SEGMENTOR, images, save, shaken_model, small_config
from tests.remembered import remember_exports

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
    """A network is exported once; and three images are enough here."""
    with pytest.MonkeyPatch.context() as patch:
        remember_exports(patch, graph)
        patch.setattr(original, '_PARTS', original._PARTS[:2])
        yield


@pytest.fixture
def unverified(monkeypatch):
    """Files are written and delivered without a look at what they compute, which other tests take."""
    monkeypatch.setattr(job, 'verify', lambda *args: Verdict(compared=1))


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


@pytest.fixture
def data(monkeypatch):
    """Rendered images in the place of data, and a metric of int8 that loses what is in the list, try by try."""
    encoded = [cv2.imencode('.png', image)[1].tobytes() for image in images(DETECTORS[0])[:2]]
    lost: list[float] = []

    def own_metric(config, checkpoint, data, file=None):
        plain = file is None or file.graph.precision in ('fp32', 'bf16')
        return .5 if plain else .5 - (lost.pop(0) if lost else 0.) / 100
    monkeypatch.setattr(job, 'own_metric', own_metric)
    monkeypatch.setattr(exporter, 'use_source', lambda *args: None)
    monkeypatch.setattr(exporter, 'lacking', lambda precision: 'there is none' if precision == 'bf16' else None)
    monkeypatch.setattr(job, 'made_images', lambda size: [])
    monkeypatch.setattr(job, 'sample_images', lambda config: encoded[:1])
    monkeypatch.setattr(job, 'training_images', lambda config, count: encoded)
    return lost


@pytest.fixture
def without_nncf(monkeypatch, unverified):
    """Layers that would be quantised stay as they are."""
    monkeypatch.setattr(int8, 'check_request', lambda *args: None)
    monkeypatch.setattr(quantisers, 'import_nncf', lambda: None)
    monkeypatch.setattr(quantisers.NNCFQuantiser, 'quantised', lambda self, ops, *args, **options: self._float.clone())


def quantised(detector, out, **changes):
    return detector.again(out, **{'to': 'openvino', 'precision': 'int8', 'data': 'sample', **changes})
