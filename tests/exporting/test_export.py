"""From a checkpoint to files that were verified."""
import json

import numpy as np
import onnx
import pytest

from lcvision.deploy.export.formats import FORMATS, format_of
from lcvision.errors import UserError
from lcvision.exporting import metric
from lcvision.exporting.export import export
from lcvision.inference import Predictor
from tests.datasets.image_tree import tree
from tests.datasets.street_like import columns, image, mask
from tests.inference.small_models import DETECTORS, SEGMENTOR, images, save, shaken_model, small_config


@pytest.mark.parametrize('task', ['detector', 'segmentor', 'classifier'])
def test_every_file_passes_and_finds_what_a_predictor_finds(task, request):
    made = request.getfixturevalue(task)
    assert made.result.failures == [] and len(made.result.files) == 2
    predictor = Predictor(made.config, made.checkpoint, engine='eager', threads=1)
    for one in made.result.files:
        assert one.passed and one.path.is_file() and one.verdict.compared
        runtime = Predictor(one.path, threads=1)
        for picture in images(SEGMENTOR if task == 'segmentor' else DETECTORS[0])[:1]:
            if task == 'segmentor':
                picture = np.ascontiguousarray(picture[:64, :128])
            found, wanted = runtime(picture), predictor(picture)
            assert len(vars(wanted)) == len(vars(found))
            for name, value in vars(wanted).items():
                np.testing.assert_allclose(vars(found)[name], value, rtol=1e-3, atol=1e-3) if name != 'name' else None


def test_twice_the_same_bytes(detector, tmp_path, unverified):
    detector.again(tmp_path, to='onnx,openvino')
    files = sorted(path.name for path in detector.out.glob('*32.*'))
    assert [name.rsplit('.', 1)[1] for name in files] == ['bin', 'onnx', 'xml']
    for name in files:
        assert (tmp_path / name).read_bytes() == (detector.out / name).read_bytes(), name


def test_outputs_are_padded_with_zeros(detector):
    path = detector.result.files[0].path
    outputs = format_of(path).open(path, 1)(np.zeros((1, 3, 160, 160), np.float32))
    count = int(outputs['count'][0])
    assert outputs['boxes'].shape == (1, 40, 4) and outputs['labels'].dtype == np.int64
    assert outputs['count'].dtype == np.int32 and (outputs['scores'][0, :count] > 0.025).all()
    assert not outputs['scores'][0, count:].any() and not outputs['boxes'][0, count:].any()


def test_metadata_are_plain_and_tell_what_a_runtime_needs(detector):
    one, other = detector.result.files
    metadata = format_of(one.path).read_metadata(one.path)
    assert metadata == format_of(other.path).read_metadata(other.path)
    assert metadata['input']['steps'] == [dict(op='resize', size=[160, 160], keep_ratio=False, interpolation='bicubic',
                                               backend='cv2')]
    assert metadata['input']['colour'] == 'RGB' and metadata['input']['mean'][0] == pytest.approx(123.675)
    assert metadata['thresholds'] == dict(score_thr=.025, iou_threshold=.6, nms_pre=40, nms_top_k=30, max_per_img=40)
    model = onnx.load(one.path)
    flat = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(flat['names'])['6'] == 'class 6' and flat['imgsz'] == '[160, 160]' and flat['task'] == 'detection'
    assert flat['stride'] == '32' and str(detector.out.parent) not in str(model)


@pytest.mark.parametrize('name, options', [(DETECTORS[1], [dict(), dict(graph='boxes')]),
                                           (DETECTORS[2], [dict(dynamic='size', to='openvino')])])
def test_the_other_generations(name, options, tmp_path):
    config = small_config(name)
    checkpoint = save(shaken_model(config), tmp_path / 'model.pth')
    for changes in options:
        result = export(config, checkpoint, **{'to': 'onnx', **changes}, out=tmp_path / 'out', measure=False)
        assert not result.failures and result.files[0].verdict.compared > 100
    if 'graph' in changes:
        operators = {node.op_type for node in onnx.load(result.files[0].path).graph.node}
        assert not operators & {'NonMaxSuppression', 'TopK', 'Shape', 'Gather', 'If'}


def test_batches_of_bytes(detector, tmp_path):
    result = detector.again(tmp_path, dynamic='batch', input='uint8')
    assert not result.failures and result.files[0].verdict.compared > 300


def test_milliseconds_name_the_best(classifier, tmp_path, monkeypatch, unverified):
    from lcvision.exporting import timing
    monkeypatch.setattr(timing, '_BUDGET', timing.Budget(samples=4, max_seconds=.2, warmup_seconds=.1))
    result = classifier.again(tmp_path, measure=True)
    assert result.best is result.files[0] and result.files[0].ms > 0 and result.eager_ms > 0


@pytest.mark.parametrize('changes, sentence', [
    (dict(to='onyx'), "there is no format 'onyx': give one or more of onnx, openvino, pt2"),
    (dict(to=' '), 'no format named'),
    (dict(graph='nett'), "there is no graph 'nett': give one of net, boxes, end2end"),
    (dict(graph='boxes', dynamic='batch'), "graph 'boxes' has one size and batch"),
    (dict(dynamic='both'), "--dynamic both is neither 'batch' nor 'size'"),
    (dict(input='int8'), '--input int8 is neither float nor uint8'),
    (dict(precision='int4'), "files cannot be exported in 'int4': give fp32 or bf16"),
    (dict(to='pt2', dynamic='size'), 'nothing can be exported: .*pt2 is left out in fp32: it is compiled for one size'),
    (dict(cfg_options={'model.backbone.scale': 0.5, 'model.neck.in_channels': [64, 128, 256]}), 'model.pth'),
])
def test_wrong_requests_get_one_sentence(changes, sentence, detector, tmp_path):
    with pytest.raises(UserError, match=sentence):
        detector.again(tmp_path / 'out', **changes)
    assert not (tmp_path / 'out').exists()


def test_graphs_that_a_task_has_not(classifier, segmentor, tmp_path):
    with pytest.raises(UserError, match="graph 'boxes' is for detectors, and this is segmentation"):
        segmentor.again(tmp_path, graph='boxes')
    with pytest.raises(UserError, match='a classifier is exported at its own size'):
        classifier.again(tmp_path, dynamic='size')


def test_a_package_that_is_lacking(detector, tmp_path, monkeypatch):
    monkeypatch.setattr(type(FORMATS['openvino']), 'packages', ('openvino', 'openvino_of_tomorrow'))
    with pytest.raises(UserError, match="'openvino' cannot be written here: it needs openvino_of_tomorrow: pip install "
                                        r"'lcvision\[openvino\]'"):
        detector.again(tmp_path, to='openvino')


def test_a_foreign_file_stays(detector, tmp_path, unverified):
    name = detector.result.files[0].path.name
    (tmp_path / name).write_bytes(b'mine')
    with pytest.raises(UserError, match='is there and was not written by an export: move it'):
        detector.again(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name] and (tmp_path / name).read_bytes() == b'mine'
    detector.again(detector.out)  # our own is replaced


def test_the_metric_of_a_file_is_the_model_s(classifier, tmp_path, monkeypatch, unverified):
    seen = []

    def own_metric(config, checkpoint, data, file=None):
        seen.append(file and file.path.name)
        return 50. if file is None else 49.
    monkeypatch.setattr('lcvision.exporting.job.own_metric', own_metric)
    monkeypatch.setattr('lcvision.exporting.export.use_source', lambda *args: None)
    monkeypatch.setattr('lcvision.exporting.job.sample_images', lambda config: [])
    result = classifier.again(tmp_path / 'out', data='sample')
    assert seen[0] is None and seen[1].endswith('.onnx') and metric.points(.5, 'detection') == 50
    assert 'level 4, accuracy/top1 is -1.00 points off' in result.failures[0]
    assert not (tmp_path / 'out').exists()


def test_the_metric_of_a_file_on_data(classifier, tmp_path, unverified):
    data = tree(tmp_path / 'data', [f'class_{label:02}' for label in range(11)], train=1, val=1)
    result = classifier.again(tmp_path / 'out', data=data)
    assert not result.failures and result.metric == result.files[0].metric
    metadata = format_of(result.files[0].path).read_metadata(result.files[0].path)
    assert metadata['metric'] == dict(name='accuracy/top1', value=pytest.approx(result.metric), data='data')


def test_the_metric_of_a_segmentor_s_file(segmentor, tmp_path, unverified):
    for split in ('train', 'val'):
        stem = f'town/town_{split}_0'
        image(tmp_path / f'data/leftImg8bit/{split}/{stem}_leftImg8bit.png', (64, 128))
        mask(tmp_path / f'data/gtFine/{split}/{stem}_gtFine_labelTrainIds.png', columns((0, 7, 255), (64, 128)))
    result = segmentor.again(tmp_path / 'out', data=tmp_path / 'data')
    assert not result.failures and abs(result.metric - result.files[0].metric) < .05
