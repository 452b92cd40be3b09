import sys

import lcvision.compat


def test_frameworks_import_in_one_interpreter(fresh):
    out = fresh('import lcvision\nimport mmdet.models, mmseg.models, mmpretrain.models\n'
                'import mmdet.datasets, mmseg.datasets, mmpretrain.datasets, mmpretrain.evaluation\nprint("fine")')
    assert out.endswith('fine')


def test_installing_twice_changes_nothing():
    before = list(sys.meta_path)
    lcvision.compat.install()
    assert sys.meta_path == before
