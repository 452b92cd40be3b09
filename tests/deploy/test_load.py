"""Several images at a time."""
import gc
import threading

import numpy as np
import pytest

from lcvision.deploy.load import RequestLoad, ThreadLoad
from lcvision.deploy.sessions import compile_openvino, shared_core
from tests.inference.runtime.tiny_files import write


def test_threads_share_the_images_and_end_with_the_load():
    counts, names = [0, 0], set()

    def run(place):
        counts[place] += 1
        names.add(threading.current_thread())

    load = ThreadLoad([lambda: run(0), lambda: run(1)])
    assert (load.streams, load.images) == (2, 16)
    load()
    load()
    load.drain()
    assert sum(counts) == 32
    del load
    gc.collect()
    for thread in names:
        thread.join(timeout=30)
        assert not thread.is_alive()


def test_an_error_of_a_thread_is_raised_and_stops_nothing():
    def run():
        raise ValueError('not this image')

    load = ThreadLoad([run])
    with pytest.raises(ValueError, match='not this image'):
        for _ in range(3):
            load()
    load.drain()


def test_requests_of_openvino(tmp_path):
    pytest.importorskip('openvino')
    model = shared_core().read_model(str(write(tmp_path / 'a.xml', 'detection', shape=(1, 3, 32, 32))))
    compiled = compile_openvino(model, 'fp32', 1, 'throughput')
    load = RequestLoad(compiled, {'images': np.full((1, 3, 32, 32), 51, np.float32)})
    assert load.streams == 1 and load.images == 8 and len(load._queue) == 2
    load()
    load.drain()
    scores = [request.get_tensor('scores').data[0, 0] for request in load._queue]
    assert scores == pytest.approx([.2] * len(scores), abs=1e-3)
