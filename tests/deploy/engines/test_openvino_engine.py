import logging
import subprocess
import sys

import pytest
import torch

from lcvision.deploy import precision
from lcvision.deploy.engines.openvino import OpenVINOEngine
from lcvision.deploy.output_check import TOLERANCES, OutputCheck
from tests.latency.small_net import small_net

pytestmark = pytest.mark.skipif(OpenVINOEngine().missing() is not None, reason=str(OpenVINOEngine().missing()))


def prepare(network, example, precision='fp32', threads=1):
    with torch.inference_mode():
        return OpenVINOEngine().prepare(network, example, precision=precision, threads=threads)


@pytest.mark.skipif(precision.lacking('bf16') is not None, reason='this CPU has no bfloat16')
def test_bfloat16_is_computed_in_and_passes_the_check():
    network, example = small_net(), torch.randn(1, 3, 32, 48)
    with torch.inference_mode():
        exact, reduced = prepare(network, example), prepare(network, example, 'bf16')
        check = OutputCheck(network, example)
        assert check.difference(exact, example)[1] < 1e-4 < TOLERANCES['fp32'] < check.difference(reduced, example)[1]
        assert check.difference(reduced, example)[1] < TOLERANCES['bf16']
        assert all(y.dtype == torch.float32 for y in reduced(example))


@pytest.mark.parametrize('asked', [1, 2, 1000])
def test_what_ran_is_recorded_and_told_where_it_is_not_what_was_asked(asked, caplog):
    with caplog.at_level(logging.WARNING, 'lcvision'):
        prepared = prepare(small_net(), torch.randn(1, 3, 32, 48), threads=asked)
    compiled, ran = prepared.run.compiled, int(prepared.properties['INFERENCE_NUM_THREADS'])
    assert compiled.get_property('INFERENCE_NUM_THREADS') == ran and compiled.get_property('NUM_STREAMS') == 1
    assert ran == asked if asked < 1000 else 1 <= ran < 1000
    assert 'float32' in prepared.properties['INFERENCE_PRECISION_HINT']
    assert (f'OpenVINO runs on {ran} threads here, not on the {asked} asked for' in caplog.text) is (asked != ran)


ENDS_OF_CHILDREN = """
import gc, signal, subprocess, sys, torch
from lcvision.deploy.engines.openvino import OpenVINOEngine
from tests.latency.small_net import small_net
signal.signal(signal.SIGCHLD, lambda *args: print('told'))
with torch.inference_mode():
    prepared = [OpenVINOEngine().prepare(small_net(), torch.randn(1, 3, 8, 8), precision='fp32', threads=1)
                for _ in range(2)]
del prepared[0]
gc.collect()
prepared.clear()
gc.collect()
subprocess.run([sys.executable, '-c', ''])
"""


def test_the_end_of_a_child_process_does_no_harm_after_several_networks():
    done = subprocess.run([sys.executable, '-X', 'faulthandler', '-c', ENDS_OF_CHILDREN], capture_output=True,
                          text=True)
    assert (done.returncode, done.stdout) == (0, 'told\n'), done.stderr


def test_nothing_is_reported_over_the_network():
    code = ('import sys; from lcvision.deploy.engines.openvino import import_openvino; import_openvino(); '
            'print([name for name in sys.modules if "telemetry" in name and "stub" not in name '
            'and not name.startswith("openvino.tools")])')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
