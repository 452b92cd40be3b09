"""A predictor of an exported file: results in pixels of the image, without torch and without a framework."""
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from lcvision import Predictor
from lcvision.errors import UserError
from tests.inference.runtime.tiny_files import BOX, NAMES, TASKS, metadata, write

HIDDEN = ('torch', 'torchvision', 'mmengine', 'mmcv', 'mmdet', 'mmseg', 'mmpretrain', 'onnx', 'matplotlib')


@pytest.fixture
def image():
    """Mostly green, with a red half."""
    pixels = np.full((64, 128, 3), (10, 200, 20), np.uint8)
    pixels[:, 70:] = (60, 30, 190)
    return pixels


@pytest.mark.parametrize('suffix', ['.onnx', '.xml'])
def test_results_are_in_pixels_of_the_image(suffix, image, tmp_path):
    found = {task: Predictor(write(tmp_path / f'{task}{suffix}', task), threads=1, top_k=1) for task in TASKS}
    assert all(one.task == task and one.classes == NAMES and one.precision == 'fp32' for task, one in found.items())
    boxes = found['detection'](image)
    np.testing.assert_allclose(boxes.boxes, np.array([BOX], np.float32) * (4, 2, 4, 2))
    assert boxes.labels.tolist() == [0] and boxes.scores == pytest.approx(image[..., 0].mean() / 255, abs=1e-2)
    assert np.array_equal(found['segmentation'](image).labels, np.where(np.arange(128) < 70, 1, 2)[None].repeat(64, 0))
    best = found['classification'](image)
    assert best.name == 'green' and best.labels.tolist() == [1] and best.labels.dtype == np.int64


def test_paths_bytes_arrays_and_batches_are_alike(image, tmp_path):
    predictor = Predictor(write(tmp_path / 'a.onnx', 'segmentation'), threads=1)
    path = tmp_path / 'a.png'
    assert cv2.imwrite(str(path), image)
    threads = cv2.getNumThreads()
    for given in (path, str(path), path.read_bytes(), image):
        assert np.array_equal(predictor(given).labels, predictor(image).labels)
    one, other = predictor([image, image[:, ::-1]])
    assert np.array_equal(one.labels, predictor(image).labels) and not np.array_equal(one.labels, other.labels)
    assert cv2.getNumThreads() == threads and predictor.draw(image, one).shape[1] == 128


@pytest.mark.parametrize('suffix', ['.onnx', '.xml'])
def test_throughput_gives_the_same_in_the_same_order(suffix, tmp_path):
    path, folder = write(tmp_path / f'a{suffix}', 'detection'), tmp_path / 'images'
    folder.mkdir()
    for value in range(20):
        assert cv2.imwrite(str(folder / f'{value:02d}.png'), np.full((20 + value, 40, 3), value * 10, np.uint8))
    (folder / '07.png').write_bytes((folder / '07.png').read_bytes()[:60])
    threads, skipped = cv2.getNumThreads(), []
    one, several = Predictor(path, threads=1), Predictor(path, threads=2, hint='throughput')
    assert (one.workers, several.workers) == (1, 2)
    streams = [predictor.stream(folder, False, lambda *why: skipped.append(why)) for predictor in (one, several)]
    for (frame, result), (same, found) in zip(*streams, strict=True):
        assert frame.name == same.name and np.array_equal(frame.image, same.image)
        np.testing.assert_allclose(found.boxes, result.boxes)
        assert found.scores == pytest.approx(result.scores, abs=1e-6)
        assert result.scores[0] == pytest.approx(int(frame.name[:2]) * 10 / 255, abs=1e-3)
    assert [name for name, _ in skipped] == ['07.png'] * 2 and cv2.getNumThreads() == threads
    with pytest.raises(UserError, match=r'07\.png ends early'):
        list(several.stream(folder, False))
    assert cv2.getNumThreads() == threads
    assert several(folder / '05.png').scores == pytest.approx(one(folder / '05.png').scores, abs=1e-6)


def test_the_tool_takes_all_threads_for_a_folder(tmp_path, capsys):
    from lcvision.cli import run_tool
    from lcvision.cli.predict import main
    folder, path = tmp_path / 'images', write(tmp_path / 'a.onnx', 'segmentation')
    folder.mkdir()
    names = [f'{number}.png' for number in range(10, 22)]
    for name in names:
        assert cv2.imwrite(str(folder / name), np.full((32, 40, 3), (0, 200, 0), np.uint8))
    (folder / '13.png').write_bytes(b'')
    for option in ([], ['--no-pictures']):
        out = tmp_path / f'out{len(option)}'
        given = [str(folder), '--model', str(path), '--out', str(out), '--threads', '2', *option]
        assert run_tool(lambda given=given: main(given)) == 1
        entries = [json.loads(line) for line in (out / 'results.jsonl').read_text().splitlines()]
        assert [entry['image'] for entry in entries] == names and 'empty' in entries[3].pop('error')
        assert all(entry.get('labels') for entry in entries[4:])
        assert len(list(out.glob('*.jpg'))) == (0 if option else 11)
        assert json.loads((out / 'results.json').read_text())['images'] == 11
        assert f'with reading and {"without" if option else "with"} drawing' in capsys.readouterr().out


def test_nothing_but_the_runtime_is_imported(image, tmp_path):
    assert cv2.imwrite(str(tmp_path / 'a.png'), image)
    for suffix in ('.onnx', '.xml'):
        write(tmp_path / f'a{suffix}', 'detection')
    code = f'''
import json, sys
sys.modules.update(dict.fromkeys({HIDDEN}), PIL=None)
import lcvision
# First, in a process in which nothing has run: two threads that begin together must not wait for each other.
for suffix in ('.xml', '.onnx'):
    many = lcvision.Predictor(f'a{{suffix}}', threads=2, hint='throughput')
    assert len(list(many.stream(['a.png'] * 9, progress=False))) == 9
found = [lcvision.Predictor(f'a{{suffix}}', threads=1)('a.png').boxes.tolist() for suffix in ('.onnx', '.xml')]
del sys.modules['PIL']  # draws the letters in pictures
from lcvision.cli import run_tool
sys.argv = ['predict', 'a.png', '--model', 'a.onnx', '--out', 'out', '--threads', '1']
code = run_tool('predict')
print(json.dumps([found, code, [name for name in {HIDDEN} if sys.modules.get(name)]]))
'''
    done = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found, code, loaded = json.loads(done.stdout.splitlines()[-1])
    np.testing.assert_allclose(found, np.array([[BOX]] * 2, np.float32) * (4, 2, 4, 2))
    assert (code, loaded) == (0, [])
    made = json.loads((tmp_path / 'out/results.json').read_text())
    assert made['model'] == 'a.onnx' and made['engine'] == 'onnxruntime' and made['complete']
    assert json.loads((tmp_path / 'out/results.jsonl').read_text())['objects'][0]['name'] == 'blue'


def test_what_does_not_belong_to_a_file(tmp_path):
    path = write(tmp_path / 'a.onnx', 'detection', metadata('detection'))
    with pytest.raises(UserError, match=r'a.onnx is an exported file, which has its weights: leave out the checkpoint'):
        Predictor(path, 'a.pth')
    with pytest.raises(UserError, match="hint 'throughput' is for exported files"):
        Predictor('picodet_pplcnet_1x', 'a.pth', hint='throughput')
    with pytest.raises(UserError, match=r"hint 'speed' is not available for .*a\.onnx: take 'latency', or"):
        Predictor(path, hint='speed')
    with pytest.raises(UserError, match='without a checkpoint: give a config with its checkpoint, or an exported file'):
        Predictor('picodet_pplcnet_1x')


@pytest.mark.parametrize('changes', [
    dict(task='classification', graph='net'), dict(graph='net', thresholds={}), dict(names=[]),
    dict(input=dict(steps=[dict(op='resize', size=[16384, 16384], keep_ratio=False, interpolation='nearest',
                                backend='cv2')]))])
def test_metadata_of_another_graph(changes, image, tmp_path):
    path = write(tmp_path / 'a.onnx', 'classification', metadata('classification', **changes))
    with pytest.raises(UserError, match=r'a\.onnx does not do what its metadata|would have it is 16384'):
        Predictor(path, threads=1)(image)


def test_the_tool_takes_a_model_alone(tmp_path, capsys):
    from lcvision.cli import run_tool
    from lcvision.cli.predict import main
    (tmp_path / 'a').mkdir()
    given = [str(tmp_path / 'a'), '--model', 'a.onnx', '--out', str(tmp_path / 'out')]
    assert run_tool(lambda: main([*given, '--config', 'b'])) == 2
    assert capsys.readouterr().err.startswith('error: --model a.onnx is all there is to a model: leave out --config')
    assert run_tool(lambda: main(given)) == 2
    assert capsys.readouterr().err.startswith('error: there is no file a.onnx: ')
