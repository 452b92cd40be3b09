"""The short form: the watch sees what grows, and predictions leave no file and no thread behind."""
import os
import threading

from lcvision.datasets.coco_folder import find
from tests.reliability import full_scale, long_runs


def test_predictions_of_many_sizes_leave_nothing_open(tmp_path):
    course = long_runs.predict(20, tmp_path, sizes=5, engine='eager')
    assert len(course.states) == long_runs.PARTS
    assert not [fault for fault in course.faults() if not fault.startswith('memory')]


def test_what_grows_is_seen():
    course, kept, ends = long_runs.Course(10), [], threading.Event()
    try:
        for done in range(1, 11):
            kept.append((bytearray(b'x') * (32 << 20), open(os.devnull), threading.Thread(target=ends.wait)))  # noqa: SIM115, PTH123
            kept[-1][2].start()
            course(done)
        assert [fault.split()[0] for fault in course.faults()] == ['memory', 'files', 'threads']
    finally:
        ends.set()
        for _, file, _ in kept:
            file.close()


def test_the_large_set_is_a_set_like_any_other(tmp_path):
    full_scale.make_coco(tmp_path, 48)
    assert find(tmp_path, 'train').num_images == 48 and find(tmp_path, 'val').num_images == 2
