"""tools/predict.py as a user runs it."""
import json

import cv2
import numpy as np
import pytest

from lcvision.cli import run_tool
from lcvision.cli.predict import main
from tests.cli.conftest import CONFIG, ROOT, tool
from tests.inference.small_models import SEGMENTOR, images, save, shaken_model, small_config


def test_the_newest_run_draws_a_folder(run, data, tmp_path):
    folder, _ = run
    out = tmp_path / 'out'
    done = tool('predict', str(data / 'val2017'), '--out', str(out), '--score-thr', '0.05', '--threads', '1',
                '--cfg-options', 'model.test_cfg.score_thr=0.01', cwd=folder.parents[1])
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'predicting with the newest run: work_dirs/tiny/' in done.stdout and '4 image(s)' in done.stdout
    content = json.loads((out / 'results.json').read_text())
    assert content['task'] == 'detection' and content['engine'] == 'eager' and content['threads'] == 1
    assert content['classes'][0] != 'class 0'
    names = sorted(path.name for path in (data / 'val2017').iterdir())
    assert [entry['image'] for entry in content['results']] == names
    for entry in content['results']:
        image = cv2.imread(str(data / 'val2017' / entry['image']))
        assert cv2.imread(str(out / entry['image'])).shape == image.shape
        assert all(one['name'] in content['classes'] and len(one['box']) == 4 for one in entry['objects'])


def test_label_maps_are_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    config = small_config(SEGMENTOR)
    config.dump(tmp_path / 'config.py')
    checkpoint = save(shaken_model(config), tmp_path / 'model.pth')
    image = images(SEGMENTOR)[1]
    source = tmp_path / 'source'
    for name in ('a.png', 'a.jpg', 'sub/b.png'):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(source / name), image)
    assert main([str(source), '--config', str(tmp_path / 'config.py'), '--checkpoint', checkpoint, '--out',
                 str(tmp_path / 'out'), '--threads', '1']) == 0
    content = json.loads((tmp_path / 'out' / 'results.json').read_text())
    assert [entry['labels'] for entry in content['results']] == ['labels/a.png', 'labels/a_2.png', 'labels/sub/b.png']
    for entry in content['results']:
        labels = cv2.imread(str(tmp_path / 'out' / entry['labels']), cv2.IMREAD_UNCHANGED)
        assert labels.shape == image.shape[:2] and labels.dtype == np.uint8
        assert sum(entry['shares'].values()) == pytest.approx(1, abs=1e-3)
        assert len(np.unique(labels)) == len(entry['shares'])
    for name in ('a.jpg', 'a_2.jpg', 'sub/b.jpg'):
        assert cv2.imread(str(tmp_path / 'out' / name)).shape[1] == image.shape[1]


@pytest.mark.parametrize('arguments, word', [
    (['nowhere'], 'there is no nowhere'),
    (['{folder}', '--out', '{folder}/out'], 'lies within'),
    (['{folder}', '--checkpoint', 'x.pth'], 'without --config'),
    (['{folder}', '--config', CONFIG, '--checkpoint', 'x.pth'], 'no checkpoint x.pth'),
    (['{folder}', '--score-thr', '3'], 'from 0 to 1'),
    (['{folder}', '--out', '{folder}.txt'], 'no folder that can be written'),
])
def test_faults_are_one_sentence(arguments, word, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    folder = tmp_path / 'images'
    folder.mkdir()
    folder.with_suffix('.txt').write_text('a file')
    arguments = [argument.format(folder=folder) for argument in arguments]
    if '--out' not in arguments:
        arguments += ['--out', str(tmp_path / 'out')]
    assert run_tool(lambda: main(arguments)) == 2
    message = capsys.readouterr().err
    assert word in message and message.count('\n') == 1
