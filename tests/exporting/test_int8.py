"""int8 that is calibrated, measured, and returned to float where it loses too much."""
import importlib.util
from pathlib import Path

import numpy as np
import onnx
import pytest

from lcvision.datasets.sources import use_source
from lcvision.deploy.export.formats import format_of
from lcvision.deploy.sessions import shared_core
from lcvision.errors import UserError
from lcvision.exporting import int8, job, quantisers, retraining
from lcvision.exporting.job import ExportedFile, ExportResult, _recommend
from lcvision.exporting.ladder import Verdict
from lcvision.exporting.original import training_images
from lcvision.inference import Predictor
from tests.datasets.image_tree import tree
from tests.exporting.conftest import quantised
from tests.inference.small_models import CLASSIFIER, DETECTORS, images, small_config

needs_nncf = pytest.mark.skipif(importlib.util.find_spec('nncf') is None, reason='NNCF is not installed')


def record_of(result):
    path = result.files[-1].path
    return format_of(path).read_metadata(path)['int8']


@needs_nncf
def test_int8_is_written_with_its_record_and_gates_in_float_twice_the_same(detector, data, tmp_path):
    results = []
    for name in ('one', 'two'):
        data[:] = [.4]
        results.append(quantised(detector, tmp_path / name))
    result = results[0]
    assert not result.failures and [one.precision for one in result.files] == ['fp32', 'int8']
    record = record_of(result)
    assert record['metric'] == pytest.approx(.496) and record['nncf'] and record['flags'] and record['cpu']
    assert record['calibration'] == dict(data='sample', split='train', images=2)
    assert sum('.se.' in name for name in record['float_layers']) == 4
    assert 'backbone.stem.conv' in record['float_layers']
    kinds = {}
    for op in shared_core().read_model(str(result.files[-1].path)).get_ordered_ops():
        if op.get_type_name() in ('Convolution', 'GroupConvolution'):
            source = op.input(1).get_source_output().get_node()
            while source.get_type_name() == 'Reshape':
                source = source.input(0).get_source_output().get_node()
            kinds[op.get_friendly_name()] = source.get_type_name()
    # Weights of int8 are multiplied by their scales, those of a layer in float are constants.
    assert list(kinds.values()).count('Constant') == len(record['float_layers'])
    assert set(kinds.values()) == {'Constant', 'Multiply'}
    assert any('_int8.xml: ' in note and 'squeeze-and-excitation (4)' in note for note in result.notes)
    for suffix in ('.xml', '.bin'):
        first, second = (one.files[-1].path.with_suffix(suffix).read_bytes() for one in results)
        assert first == second, suffix


def test_layers_return_to_float_until_the_metric_holds(detector, data, without_nncf, tmp_path):
    data += [3., 2., .2]
    result = quantised(detector, tmp_path)
    assert not result.failures and record_of(result)['metric'] == pytest.approx(.498)
    groups = result.notes[0].split('in float: ')[1].split(', ')
    assert len(groups) == 6 and sum(' at 1/' in group for group in groups) == 2


def test_where_nothing_holds_the_best_is_stated(detector, data, without_nncf, tmp_path):
    data += [3., 1.5, *[2.] * 20]
    result = quantised(detector, tmp_path)
    assert len(result.failures) == 1
    assert "mAP is -1.50 points off the model's, the best of what was tried (0.5 is allowed)" in result.failures[0]
    assert not [path for path in tmp_path.iterdir() if 'int8' in path.name]


def test_the_group_that_does_most_harm_is_first(detector, data, without_nncf, tmp_path, monkeypatch):
    quantiser = quantisers.NNCFQuantiser
    rank = quantiser.rank

    def ranked(self, groups):
        harms = {group: self.count({group}) % 3 for group in groups}
        with monkeypatch.context() as patch:
            patch.setattr(quantiser, 'quantised', lambda self, ops, *args, **options: len(ops) % 3)
            patch.setattr(quantiser, '_maps', lambda self, harm, cases: [
                np.stack(maps) + harm for maps in zip(*(self.file.original.maps(case.x) for case in cases))])
            order = rank(self, groups)
        assert sorted(order) == groups and len({*harms.values()}) > 1
        assert [harms[group] for group in order] == sorted(harms.values(), reverse=True)
        return order
    monkeypatch.setattr(quantiser, 'rank', ranked)
    data += [3.]
    assert not quantised(detector, tmp_path).failures


def test_int8_for_onnx_is_written_with_its_record_twice_the_same(detector, data, tmp_path):
    results = []
    for name in ('one', 'two'):
        data[:] = [3., .4]
        results.append(quantised(detector, tmp_path / name, to='onnx'))
    result = results[0]
    assert not result.failures and [one.precision for one in result.files] == ['fp32', 'int8']
    record = record_of(result)
    assert record['metric'] == pytest.approx(.496) and record['onnxruntime'] and record['flags']
    assert sum('.se.' in name for name in record['float_layers']) == 4 and len(record['float_layers']) > 16
    path = result.files[-1].path
    graph = onnx.load(path).graph
    makers = {name: node.op_type for node in graph.node for name in node.output}
    weights = [makers.get(node.input[1]) for node in graph.node if node.op_type == 'Conv']
    # Weights of int8 are scaled to float, those of a layer in float are constants.
    assert weights.count(None) == len(record['float_layers']) and set(weights) == {None, 'DequantizeLinear'}
    assert path.read_bytes() == results[1].files[-1].path.read_bytes()
    found, wanted = (Predictor(one.path, threads=1)(images(DETECTORS[0])[0]) for one in result.files[::-1])
    assert len(found) and np.abs(found.scores[:5] - wanted.scores[:5]).max() < .1


@pytest.mark.parametrize('changes, sentence', [
    (dict(data=None), '--precision int8 needs --data'),
    (dict(to='pt2'), 'int8 is written for openvino and onnx, not for pt2: add openvino to --to'),
    (dict(precision='mixed', to='onnx'), 'mixed is written for openvino, not for onnx: add openvino to --to'),
    (dict(dynamic='batch'), 'int8 is calibrated for one size and batch: leave out --dynamic batch'),
    (dict(max_drop=-1), '--max-drop -1 is negative'),
])
def test_wrong_requests_get_one_sentence(changes, sentence, detector, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: True)
    with pytest.raises(UserError, match=sentence):
        quantised(detector, tmp_path / 'out', **changes)
    assert not (tmp_path / 'out').exists()


def test_nncf_that_is_lacking(detector, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None if name == 'nncf' else found(name))
    with pytest.raises(UserError, match=r"--precision int8 needs nncf for openvino: pip install 'lcvision\[int8\]'"):
        quantised(detector, tmp_path)


def test_calibration_takes_the_same_training_images_each_time(tmp_path):
    config = small_config(CLASSIFIER)
    use_source(config, tree(tmp_path, [f'class_{label:02}' for label in range(11)], train=2, val=1), True)
    first, again = (training_images(config, 5) for _ in range(2))
    known = {path.read_bytes() for path in (tmp_path / 'train').rglob('*.jpg')}
    assert first == again and len(set(first)) == 5 and set(first) <= known and len(training_images(config, 99)) == 22


def test_data_without_training_images(classifier, tmp_path, monkeypatch):
    monkeypatch.setattr(int8, 'check_request', lambda *args: None)
    data = tree(tmp_path / 'data', [f'class_{label:02}' for label in range(11)], train=0, val=1)
    with pytest.raises(UserError, match='train'):
        classifier.again(tmp_path / 'out', to='openvino', precision='int8', data=data)
    assert not (tmp_path / 'out').exists()


def test_a_plain_precision_that_is_as_quick_is_recommended():
    def file(precision, ms):
        return ExportedFile(Path(f'a_{precision}.xml'), 'openvino', 'net', precision, 1, Verdict(), .3, ms)
    for ms, notes in ((2.08, ['use bf16: 2.08 ms against 2.00 of int8, without calibration']), (2.5, [])):
        result = ExportResult('detection', [file('fp32', 4.), file('bf16', ms), file('int8', 2.)])
        _recommend(result)
        assert result.notes == notes and len(result.files) == 3
    for ms, notes in ((1.9, ['use int8: 1.85 ms against 1.90 of a_mixed-fp32.xml, which is not written']), (1.8, [])):
        result = ExportResult('detection', [file('fp32', 3.), file('int8', 1.85), file('mixed-fp32', ms)])
        _recommend(result)
        assert result.notes == notes and len(result.files) == 3 - len(notes)


def test_weights_are_trained_where_int8_loses_too_much(classifier, data, without_nncf, tmp_path, monkeypatch):
    monkeypatch.setattr(retraining, 'STEPS', 2)
    monkeypatch.setattr(retraining, 'BATCH', 2)
    source = tree(tmp_path / 'data', [f'class{place}' for place in range(11)], train=1, val=1)
    data += [300., 20.]
    result = classifier.again(tmp_path / 'out', to='openvino', precision='int8', data=source, qat=True)
    assert not result.failures and record_of(result)['training'] == {'steps': 2, 'batch': 2}
    plain, trained = (format_of(one.path).read_metadata(one.path)['weights_sha256'] for one in result.files)
    assert plain != trained and record_of(result)['metric'] == pytest.approx(.3)


def test_training_that_gains_nothing_is_left_out(classifier, data, without_nncf, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(job.Job, '_trained', lambda self, trial, floats: made.append(floats) or trial)
    data += [80., 200., 10.]
    result = classifier.again(tmp_path, to='openvino', precision='int8', data='sample', qat=True)
    assert not result.failures and len(made) == 1 and 'training' not in record_of(result)
    data[:] = [10.]
    classifier.again(tmp_path, to='openvino', precision='int8', data='sample', qat=True)
    assert len(made) == 1


def test_qat_without_int8_is_refused(classifier, tmp_path):
    with pytest.raises(UserError, match=r'--qat trains for int8, and --precision is fp32: add int8, or leave out'):
        classifier.again(tmp_path, qat=True)
