"""Files, also of others, are measured as a whole, those of ours from JPEG to result, too."""
import json

import numpy as np
import pytest

from lcvision.cli import run_tool
from lcvision.cli.benchmark_cpu import main
from lcvision.deploy.engines import select_engines
from lcvision.errors import UserError
from lcvision.inference import Predictor
from lcvision.latency.benchmark import run_benchmark
from lcvision.latency.file_subject import file_subject
from lcvision.latency.record import Measurements
from lcvision.timing.rounds import Budget
from tests.inference.runtime.tiny_files import metadata, write

onnx = pytest.importorskip('onnx')
pytest.importorskip('openvino')


def foreign(path, shape=(1, 8, 8, 3), kind=onnx.TensorProto.UINT8):
    """A file that we did not write, with one more input than an image."""
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node('Cast', ['image'], ['x'], to=1),
         onnx.helper.make_node('Mul', ['x', 'gain'], ['y'])], 'foreign',
        [onnx.helper.make_tensor_value_info('image', kind, shape), onnx.helper.make_tensor_value_info('gain', 1, [1])],
        [onnx.helper.make_tensor_value_info('y', 1, None)])
    path.write_bytes(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid('', 18)],
                                            ir_version=9).SerializeToString())
    return path


def test_rows_of_files_beside_each_other(tmp_path, capsys):
    ours, theirs = write(tmp_path / 'a.xml', 'detection', shape=(1, 3, 32, 32)), foreign(tmp_path / 'b.onnx')
    arguments = [str(ours), str(theirs), '--threads', '1', '--samples', '3', '--max-seconds', '1', '--json',
                 str(tmp_path / 'a.json')]
    assert run_tool(lambda: main(arguments)) == 0, capsys.readouterr().err
    content = json.loads((tmp_path / 'a.json').read_text())
    records = Measurements.from_json(content, 'a').records
    assert [(one.name, one.engine, one.task, one.input) for one in records] == [
        ('a', 'openvino', 'detection', [32, 32]), ('b', 'onnxruntime', 'unknown', [8, 8]),
        ('b', 'openvino', 'unknown', [8, 8])]
    assert all(one.latency_ms.median > 0 and one.params is None and one.max_abs_diff is None for one in records)
    assert records[0].engine_properties['INFERENCE_PRECISION_HINT']


def test_throughput_of_files(tmp_path, capsys):
    ours, theirs = write(tmp_path / 'a.xml', 'detection', shape=(1, 3, 32, 32)), foreign(tmp_path / 'b.onnx')
    arguments = [str(ours), str(theirs), '--hint', 'throughput', '--threads', '2', '--samples', '3', '--max-seconds',
                 '1', '--json', str(tmp_path / 'a.json')]
    assert run_tool(lambda: main(arguments)) == 0, capsys.readouterr().err
    content = json.loads((tmp_path / 'a.json').read_text())
    records = Measurements.from_json(content, 'a').records
    assert [(one.name, one.engine, one.hint, one.streams) for one in records] == [
        ('a', 'openvino', 'throughput', 2), ('b', 'onnxruntime', 'throughput', 2), ('b', 'openvino', 'throughput', 2)]
    rate = content['results'][0]['images_per_s']['median']
    assert rate == pytest.approx(1e3 / records[0].latency_ms.median, rel=1e-2)
    assert 'images/s' in capsys.readouterr().out
    for option, sentence in (['--plot', 'a.png'], 'has no --profile and no --plot'), (
            ['--engine', 'eager'], 'is not available on eager: take engine onnxruntime or openvino'), (
            ['--scope', 'e2e'], "measures the network alone: take scope 'net'"), (['--hint', 'speed'], 'unknown hint'):
        assert run_tool(lambda option=option: main([*arguments, *option])) == 2
        assert sentence in capsys.readouterr().err


def test_random_input(tmp_path):
    engines = select_engines('onnxruntime')
    subject = file_subject(foreign(tmp_path / 'a.onnx'), None, engines)
    image, gain = subject.inputs['image'], subject.inputs['gain']
    assert image.dtype == np.uint8 and image.shape == (1, 8, 8, 3) and image.max() > 200 and gain.dtype == np.float32
    dynamic = file_subject(foreign(tmp_path / 'b.onnx', ('n', 3, 'h', 'w'), 1), (6, 4), engines)
    assert dynamic.inputs['image'].shape == (1, 3, 6, 4) and dynamic.input_size == (6, 4)
    half = write(tmp_path / 'c.onnx', 'detection', metadata('detection', precision='bf16'))
    subject = file_subject(half, (32, 32), engines)
    assert subject.precision == 'bf16' and subject.precisions(engines[0], ['fp32']) == ('bf16',)
    assert subject.precisions(select_engines('eager')[0], ['fp32']) == ()


@pytest.mark.parametrize('make, size, engine, sentence', [
    (lambda path: foreign(path, ('n', 3, 'h', 'w')), None, 'onnxruntime',
     r'its input image is dynamic \(\?x3x\?x\?\): give a size of images with --input-size HxW$'),
    (lambda path: foreign(path, (1, 'n', 4)), (8, 8), 'onnxruntime', 'or export it with a static shape'),
    (foreign, (6, 6), 'onnxruntime', 'takes images of 8x8 alone: leave out --input-size 6x6'),
    (foreign, None, 'eager', 'cannot be run by eager: give --engine onnxruntime,openvino or one of them'),
    (lambda path: foreign(path, (1, 3, 8, 8), onnx.TensorProto.STRING), None, 'onnxruntime', 'a.onnx'),
    (lambda path: path.write_bytes(b'torn') and path, None, 'openvino', 'a.onnx cannot be read'),
    (lambda path: path, None, 'onnxruntime', 'there is no file'),
    (lambda path: path.with_suffix('.pt2').write_bytes(b'') or path.with_suffix('.pt2'), None, 'onnxruntime',
     'cannot be measured as a file: give .onnx or .xml, or a config'),
])
def test_faults_are_one_sentence(make, size, engine, sentence, tmp_path):
    with pytest.raises(UserError, match=sentence) as error:
        file_subject(make(tmp_path / 'a.onnx'), size, select_engines(engine))
    assert '\n' not in str(error.value)


def test_from_jpeg_to_result_as_a_predictor_does(tmp_path):
    for path, engine in (write(tmp_path / 'a.onnx', 'detection'), 'onnxruntime'), (
            write(tmp_path / 'b.xml', 'detection', shape=(1, 3, 32, 32)), 'openvino'):
        engines = select_engines(engine)
        subject = file_subject(path, None if path.suffix == '.xml' else (32, 32), engines)
        prepared = subject.prepare(engines[0], 'fp32', 1)
        found = subject.end_to_end.bind(prepared, 1)()
        wanted = Predictor(path, threads=1, engine=engine)(subject.end_to_end.decoded)
        np.testing.assert_array_equal(found.boxes, wanted.boxes)
        np.testing.assert_allclose(found.scores, wanted.scores, rtol=1e-6)
        outcome = run_benchmark([subject], engines, [1], scopes=['net', 'e2e'], budget=Budget(3, 1., .1))
        assert [(one.scope, one.image) for one in outcome.records] == [('net', None), ('e2e', [480, 640])]
        assert outcome.records[1].stages_ms['finish'] > 0
    subject = file_subject(write(tmp_path / 'c.onnx', 'segmentation'), (16, 24), engines)  # ONNX read by OpenVINO
    assert subject.inputs['images'].shape == (1, 3, 16, 24) and subject.end_to_end.image == [16, 24]


def test_a_file_of_int8_from_another_cpu_is_warned_of(tmp_path, caplog):
    path = write(tmp_path / 'a.onnx', 'detection', metadata('detection', int8={'flags': ['made_up']}))
    with caplog.at_level('WARNING', 'lcvision'):
        file_subject(path, (32, 32), select_engines('onnxruntime'))
    assert 'on another kind of CPU (they differ in' in caplog.text and 'made_up' in caplog.text


def test_what_a_file_lacks_for_other_scopes(tmp_path, capsys):
    path = str(foreign(tmp_path / 'a.onnx'))
    for option, sentence in (['--profile'], 'is measured as a whole'), (
            ['--scope', 'e2e'], 'does not say how an image becomes its input'):
        assert run_tool(lambda option=option: main([path, '--engine', 'onnxruntime', *option])) == 2
        assert sentence in capsys.readouterr().err
