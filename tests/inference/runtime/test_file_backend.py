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


def test_nothing_but_the_runtime_is_imported(image, tmp_path):
    assert cv2.imwrite(str(tmp_path / 'a.png'), image)
    for suffix in ('.onnx', '.xml'):
        write(tmp_path / f'a{suffix}', 'detection')
    code = f'''
import json, sys
sys.modules.update(dict.fromkeys({HIDDEN}), PIL=None)
import lcvision
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
    with pytest.raises(UserError, match='without a checkpoint: give a config with its checkpoint, or an exported file'):
        Predictor('picodet_pplcnet_1x')


def test_the_tool_takes_a_model_alone(tmp_path, capsys):
    from lcvision.cli import run_tool
    from lcvision.cli.predict import main
    (tmp_path / 'a').mkdir()
    given = [str(tmp_path / 'a'), '--model', 'a.onnx', '--out', str(tmp_path / 'out')]
    assert run_tool(lambda: main([*given, '--config', 'b'])) == 2
    assert capsys.readouterr().err.startswith('error: --model a.onnx is all there is to a model: leave out --config')
    assert run_tool(lambda: main(given)) == 2
    assert capsys.readouterr().err.startswith('error: there is no file a.onnx: ')
