import logging
import subprocess
import sys

import pytest
import torch
from torch import nn

from lcvision.deploy import precision
from lcvision.deploy.engines import EngineError
from lcvision.deploy.engines.openvino import OpenVINOEngine
from lcvision.deploy.output_check import TOLERANCES, OutputCheck
from tests.latency.small_net import small_net

pytestmark = pytest.mark.skipif(OpenVINOEngine().missing() is not None, reason=str(OpenVINOEngine().missing()))


def prepare(network, example, precision='fp32', threads=1):
    with torch.inference_mode():
        return OpenVINOEngine().prepare(network, example, precision=precision, threads=threads)


def test_it_computes_the_same_without_a_word(capfd):
    network, example = small_net(), torch.randn(1, 3, 32, 48)
    prepared = prepare(network, example)
    with torch.inference_mode():
        for output, expected in zip(prepared(prepared.example), network(example), strict=True):
            assert output.dtype == torch.float32
            torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-4)
    assert prepared.compile_s > 0 and prepared.first_ms > 0
    assert capfd.readouterr() == ('', '')


@pytest.mark.skipif(precision.lacking('bf16') is not None, reason='this CPU has no bfloat16')
def test_bfloat16_is_computed_in_and_passes_the_check():
    network, example = small_net(), torch.randn(1, 3, 32, 48)
    with torch.inference_mode():
        exact, reduced = prepare(network, example), prepare(network, example, 'bf16')
        check = OutputCheck(network, example)
        assert check.difference(exact, example)[1] < 1e-4 < TOLERANCES['fp32'] < check.difference(reduced, example)[1]
        assert check.difference(reduced, example)[1] < TOLERANCES['bf16']
        assert all(y.dtype == torch.float32 for y in reduced(example))


def test_outputs_are_not_copied():
    prepared = prepare(small_net(), torch.randn(1, 3, 32, 48))
    first = [y.data_ptr() for y in prepared(prepared.example)]
    assert [y.data_ptr() for y in prepared(torch.randn(1, 3, 32, 48))] == first


def test_threads():
    for threads in (1, 2):
        compiled = prepare(small_net(), torch.randn(1, 3, 32, 48), threads=threads).run.compiled
        assert compiled.get_property('INFERENCE_NUM_THREADS') == threads
        assert compiled.get_property('NUM_STREAMS') == 1


@pytest.mark.parametrize('threads', [1, 1000])
def test_what_ran_is_recorded_and_told_where_it_is_not_what_was_asked(threads, caplog):
    with caplog.at_level(logging.WARNING, 'lcvision'):
        properties = prepare(small_net(), torch.randn(1, 3, 32, 48), threads=threads).properties
    ran = int(properties['INFERENCE_NUM_THREADS'])
    assert 1 <= ran < 1000 and 'float32' in properties['INFERENCE_PRECISION_HINT']
    assert (f'OpenVINO runs on {ran} threads here, not on the {threads} asked for' in caplog.text) is (threads != ran)


def test_an_input_of_another_size_is_refused():
    prepared = prepare(small_net(), torch.randn(1, 3, 32, 48))
    with pytest.raises(Exception, match='shape'):
        prepared(torch.randn(1, 3, 48, 32))


class DependsOnData(nn.Module):
    def forward(self, x):
        return (x[x > 0],) if float(x.sum()) > 0 else (x,)


def test_a_network_that_does_not_export():
    with pytest.raises(EngineError, match='OpenVINO cannot run this network: '):
        prepare(DependsOnData(), torch.ones(1, 3, 4, 4))


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
