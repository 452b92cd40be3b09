"""A file is opened by its runtime, or one sentence says why not."""
import importlib.util
import json
import zipfile

import numpy as np
import onnx
import pytest

from lcvision import environment
from lcvision.errors import UserError
from lcvision.inference.runtime import exported_file
from lcvision.inference.runtime.exported_file import open_exported
from tests.inference.runtime.tiny_files import NAMES, metadata, write

X = np.stack([np.full((4, 6), value, np.float32) for value in (3, 9, 1)])[None]


@pytest.mark.parametrize('suffix, engine', [('.onnx', 'best'), ('.onnx', 'openvino'), ('.xml', 'best')])
def test_each_engine_gives_metadata_and_outputs(suffix, engine, tmp_path):
    pytest.importorskip('openvino')
    file = open_exported(write(tmp_path / f'a{suffix}', 'segmentation'), threads=1, engine=engine)
    assert file.metadata == metadata('segmentation')
    assert file.engine == {'.onnx': 'onnxruntime', '.xml': 'openvino'}[suffix] or file.engine == engine
    labels = file.run(X)['labels']
    assert labels.dtype == np.uint8 and labels.shape == (1, 4, 6) and (labels == NAMES.index('green')).all()


@pytest.fixture
def refused(tmp_path):
    def call(path, **options):
        with pytest.raises(UserError) as error:
            open_exported(path, **{'threads': 1, **options})
        assert '\n' not in str(error.value)
        return str(error.value).replace(f'{tmp_path}/', '')
    return call


def test_what_is_no_exported_file(refused, tmp_path):
    assert refused(tmp_path / 'a.onnx').startswith('there is no file a.onnx: ')
    assert refused(tmp_path / 'a.tflite') == 'a.tflite is no exported file: its name must end in .onnx, .xml, .pt2'
    (tmp_path / 'a.xml').write_text('<net/>')
    assert refused(tmp_path / 'a.xml') == 'a.xml lacks its weights: a.bin belongs beside it'
    (tmp_path / 'a.pt2').write_bytes(b'PK')
    assert refused(tmp_path / 'a.pt2').startswith('a.pt2 is no .pt2 archive that can be read')


@pytest.mark.parametrize('suffix', ['.onnx', '.xml'])
def test_a_torn_file(suffix, refused, tmp_path):
    pytest.importorskip('openvino')
    path = write(tmp_path / f'a{suffix}', 'classification')
    path.write_bytes(path.read_bytes()[:len(path.read_bytes()) // 2])
    assert 'read, its copy may be incomplete: ' in refused(path)


def test_a_file_of_others(refused, tmp_path):
    path = write(tmp_path / 'a.onnx', 'classification')
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, path)
    assert refused(path).startswith('a.onnx has no lcvision metadata')
    assert 'a later lcvision' in refused(write(path, 'detection', metadata('detection', schema=99)))


@pytest.mark.parametrize('changes, word', [
    (dict(task='poetry'), 'task'), (dict(graph='all'), 'graph'), (dict(names='red'), 'names'),
    (dict(input=dict(size=[32, 10 ** 9])), 'input.size'), (dict(input=dict(mean=['a'] * 3)), 'input.mean'),
    (dict(input=dict(divisor=0)), 'input.divisor'), (dict(input=dict(colour='CMYK')), 'input.colour'),
    (dict(input=dict(steps=[dict(op='download')])), 'input.steps'),
    (dict(input=dict(steps=[dict(op=['resize'], interpolation='bilinear', backend='cv2')])), 'input.steps'),
    (dict(input=dict(steps=[dict(op='resize', size=[10 ** 9, 1], keep_ratio=False, interpolation='bilinear',
                                 backend='cv2')])), 'input.steps'),
])
def test_metadata_that_nobody_should_follow(changes, word, refused, tmp_path):
    assert f'no proper {word}' in refused(write(tmp_path / 'a.onnx', 'detection', metadata('detection', **changes)))


@pytest.mark.parametrize('key', ['int8', 'mixed'])
def test_a_file_that_was_quantised_on_another_cpu(key, refused, tmp_path, caplog):
    here = environment.cpu()['flags']
    for flags, warnings in ((here, 0), ([*here, 'avx1024'], 1)):
        caplog.clear()
        path = write(tmp_path / 'a.onnx', 'detection', metadata('detection', **{key: dict(flags=flags)}))
        with caplog.at_level('WARNING', 'lcvision'):
            open_exported(path, threads=1)
        assert len(caplog.messages) == warnings
    assert 'quantised and measured on another kind of CPU (they differ in avx1024): evaluate it here' in caplog.text
    path = write(tmp_path / 'a.onnx', 'detection', metadata('detection', **{key: dict(flags=7)}))
    assert f'no proper {key}.flags' in refused(path)


def test_other_files_are_not_read(refused, tmp_path):
    path = write(tmp_path / 'a.onnx', 'detection')
    model = onnx.load(path)
    onnx.external_data_helper.convert_model_to_external_data(model, location='b.bin', size_threshold=0)
    onnx.save(model, path)
    for engine in ('onnxruntime', 'openvino'):
        assert refused(path, engine=engine).startswith('a.onnx keeps weights in other files')


def test_engines_that_do_not_fit(refused, tmp_path, monkeypatch):
    path = write(tmp_path / 'a.onnx', 'detection')
    assert refused(path, engine='eager') == ("a.onnx cannot be run by 'eager': .onnx files are for onnxruntime and "
                                             'openvino')
    assert refused(path, precision='bf16').startswith('a.onnx computes in fp32, not in bf16')
    found = importlib.util.find_spec
    monkeypatch.setattr(exported_file.importlib.util, 'find_spec',
                        lambda name: None if name == 'onnxruntime' else found(name))
    assert refused(path).startswith('a.onnx needs onnxruntime, which is not installed: pip install onnxruntime')


def test_machine_code_is_loaded_with_consent_alone(refused, tmp_path):
    path = tmp_path / 'a.pt2'
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('a/extra/lcvision.json', json.dumps(metadata('detection')))
    assert 'holds machine code, which runs when it is loaded: give trust_code=True (--trust-code)' in refused(path)
    assert refused(path, trust_code=True).startswith('a.pt2 cannot be run here, its copy may be incomplete: ')
