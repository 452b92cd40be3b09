"""`import lcvision` is cheap; what it offers is imported when it is asked for."""
import subprocess
import sys

import pytest

import lcvision

HEAVY = ('torch', 'numpy', 'mmengine', 'mmcv', 'mmdet', 'rich')


def loaded_after(code: str) -> set[str]:
    done = subprocess.run([sys.executable, '-c', f'import sys; {code}; print(*sys.modules)'], capture_output=True,
                          text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_the_package_imports_nothing_heavy():
    plain, loaded = loaded_after('pass'), loaded_after('import lcvision; dir(lcvision)')
    assert not loaded & set(HEAVY)
    assert len(loaded - plain) < 60


def test_results_and_pictures_need_no_torch():
    hidden = 'sys.modules.update(dict.fromkeys(("torch", "mmengine", "mmcv", "mmdet", "mmseg", "mmpretrain")))'
    loaded = loaded_after(f'{hidden}; import lcvision.visualization; lcvision.Predictor')
    assert {'lcvision.inference.predictor', 'numpy', 'cv2'} <= loaded


def test_everything_offered_is_there():
    for name in lcvision.__all__:
        assert getattr(lcvision, name) is not None and name in dir(lcvision)
    with pytest.raises(AttributeError, match="module 'lcvision' has no attribute 'tarin'"):
        _ = lcvision.tarin
