"""The newest training."""
import os

import pytest

from lcvision.errors import UserError
from lcvision.training.newest_run import find_run


def make_run(folder, config, age):
    folder.mkdir(parents=True)
    for name in (f'{config}.py', 'epoch_2.pth', 'best_coco_bbox_mAP_epoch_1.pth'):
        (folder / name).touch()
    (folder / 'last_checkpoint').write_text('/moved/since/epoch_2.pth')
    os.utime(folder / 'last_checkpoint', (1000 + age, 1000 + age))


def test_best_checkpoint_is_preferred_and_the_newest_run_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for age, name in enumerate(('old', 'recent')):
        make_run(tmp_path / 'work_dirs' / name, name, age)
    assert find_run(None, None) == ('work_dirs/recent/recent.py', 'work_dirs/recent/best_coco_bbox_mAP_epoch_1.pth')
    assert find_run('configs/detection/old.py', None)[0] == find_run('old', None)[0] == 'work_dirs/old/old.py'
    (tmp_path / 'work_dirs/recent/best_coco_bbox_mAP_epoch_1.pth').unlink()
    assert find_run(None, None)[1] == 'work_dirs/recent/epoch_2.pth'


def test_a_run_of_another_name_is_found_by_its_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / 'work_dirs' / 'attempt', 'old', 0)
    assert find_run('configs/detection/old.py', None)[0] == 'work_dirs/attempt/old.py'
    with pytest.raises(UserError, match=r'no run of configs/x\.py .*`lcvision train configs/x\.py --data sample`'):
        find_run('configs/x.py', None)


def test_a_run_elsewhere_is_named_by_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match='--work-dir'):
        find_run(None, None)
    make_run(tmp_path / 'disk' / 'run', 'b', 5)
    make_run(tmp_path / 'work_dirs' / 'a', 'a', 9)
    assert find_run(None, 'disk/run')[0] == 'disk/run/b.py' == find_run('configs/b.py', 'disk/run')[0]
    assert find_run(None, 'new_folder_of_logs')[0] == 'work_dirs/a/a.py'
    with pytest.raises(UserError, match=r'no run of configs/a\.py under work_dirs/ or in disk/run'):
        find_run('configs/a.py', 'disk/run')
