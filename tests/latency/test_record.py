"""Records as objects and as JSON."""
import json
from pathlib import Path

import pytest

from lcvision.errors import UserError
from lcvision.latency.record import LatencyRecord, Measurements, Summary, read_records

REPORTS = Path(__file__).parents[2] / 'docs' / 'reports'


@pytest.mark.parametrize('path', REPORTS.glob('*.json'), ids=lambda path: path.stem)
def test_reports_of_earlier_versions_are_read(path):
    content = json.loads(path.read_text())
    rows = content.get('results') or content['latency']
    for row, record in zip(rows, read_records(rows, str(path)), strict=True):
        written = record.to_json()
        for then, now in ((row, {**written, 'latency_ms': row['latency_ms']}),
                          (row['latency_ms'], written['latency_ms'])):
            assert {key: value for key, value in now.items() if key in then} == {
                key: value for key, value in then.items() if key in now}
        assert record.name == Path(row['config']).stem
        assert record.params is None if row['config'].endswith('.onnx') else record.params > 0


def test_what_an_older_record_does_not_have_is_none():
    old = dict(config='a.py', task='detection', engine='eager', precision='fp32', threads=1, input=[8, 16],
               latency_ms=dict(median=2.), another=1)
    record = LatencyRecord.from_json(old, 'here')
    assert (record.scope, record.noisy, record.noisy_because, record.size) == ('net', False, [], '8x16')
    assert record.params is record.layout is record.latency_ms.p90 is None
    assert record.latency_ms.ci95 == (2., 2.)
    written = record.to_json()
    assert 'profile' not in written and 'image' not in written and 'another' not in written
    assert written['compile_s'] is None and written['latency_ms']['p90'] is None


def test_images_per_second_follow_from_the_time_between_two_results():
    base = dict(config='a.py', task='detection', engine='openvino', precision='fp32', threads=2, input=[8, 8])
    record = LatencyRecord(**base, latency_ms=Summary(2., (1.6, 2.5), 1., 4.), hint='throughput', streams=2)
    written = json.loads(json.dumps(record.to_json()))
    rate = written['images_per_s']
    assert (rate['median'], rate['ci95'], rate['p10'], rate['p90']) == (500, [400, 625], 250, 1000)
    assert LatencyRecord.from_json(written, 'here') == record and str(record).endswith('2 thr, net, throughput')
    plain = LatencyRecord(**base, latency_ms=Summary(2., (1.6, 2.5)))
    assert plain.hint == 'latency' and plain.images_per_s is None and 'images_per_s' not in plain.to_json()
    assert plain.conditions != record.conditions
    with pytest.raises(UserError, match='lacks a valid streams, hint'):
        LatencyRecord.from_json({**written, 'hint': 'speed', 'streams': 0}, 'here')


def test_what_is_measured_comes_back_from_json():
    record = LatencyRecord(config='a.py', task='detection', engine='eager', precision='fp32', threads=1, input=[8, 8],
                           latency_ms=Summary(2., (1.9, 2.1), 1.8, 2.2), profile=dict(wall_ms=2.))
    content = json.loads(json.dumps(Measurements(dict(cpu='x'), [record]).to_json()))
    assert content['schema'] == 1
    assert Measurements.from_json(content, 'here').records == [record]
    with pytest.raises(UserError, match='there, record 1 lacks a valid engine, threads: write it again with'):
        read_records([record.to_json() | dict(engine='', threads=True)], 'there')
