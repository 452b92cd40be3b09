import json

import pytest
from report_inputs import benchmark, evaluation, record, write

from lcvision.errors import UserError
from lcvision.report.reading import read_inputs
from lcvision.training.newest_run import record_run


def run_folder(folder, *lines, config='picodet_pplcnet_1x', data='data/my_cells/'):
    write(folder / f'{config}.py', f"test_dataloader = dict(dataset=dict(data_root={data!r}))\n")
    write(folder / '20260101_000000' / 'vis_data' / 'scalars.json', '\n'.join(map(json.dumps, lines)) + '\n{"half')
    return folder


def test_reads_both_kinds_and_the_same_file_once(tmp_path):
    files = [benchmark(tmp_path, record(), record(threads=2)), evaluation(tmp_path, 0.3, record())]
    inputs = read_inputs([*files, files[0]])
    assert len(inputs.timings) == 3
    assert [(one.accuracy, one.data, one.task) for one in inputs.evaluations] == [(30., 'BCCD', 'detection')]
    assert [machine for _, machine, _ in inputs.timings] == [0, 0, None]


@pytest.mark.parametrize(('task', 'value'), [('segmentation', 61.5), ('classification', 88.25)])
def test_percentages_stay(tmp_path, task, value):
    path = evaluation(tmp_path, value, record(task=task), task=task)
    assert read_inputs([path]).evaluations[0].accuracy == value


def test_one_machine_measured_on_two_days_is_one(tmp_path):
    paths = [benchmark(tmp_path, record(), name=name, cpu=cpu) for name, cpu in ('aA', 'bA', 'cB')]
    assert [machine['source'] for machine in read_inputs(paths).machines] == ['a.json, b.json', 'c.json']


def test_a_run_is_its_reports(tmp_path):
    folder = tmp_path / 'my_run'
    evaluation(folder, 0.4, record(), name='test')
    benchmark(folder, record(), name='latency')
    inputs = read_inputs([folder])
    assert [(one.name, one.accuracy) for one in inputs.evaluations] == [('my_run', 40.)]
    assert len(inputs.timings) == 2
    assert inputs.sources == ['my_run/test.json', 'my_run/latency.json']


def test_a_run_without_reports_is_its_last_validation(tmp_path):
    lines = {'coco/bbox_mAP': 0.1, 'step': 1}, {'coco/bbox_mAP': 0.2, 'step': 2}, {'loss': 1.}
    run = run_folder(tmp_path / 'run', *lines)
    (found,) = read_inputs([run]).evaluations
    assert (found.accuracy, found.config, found.data, found.records) == (20., 'picodet_pplcnet_1x', 'my_cells', [])


def test_a_run_s_config_is_never_executed(tmp_path):
    run = run_folder(tmp_path / 'run', {'coco/bbox_mAP': 0.1})
    config = run / 'picodet_pplcnet_1x.py'
    config.write_text(f'open({str(tmp_path / "executed")!r}, "w")\n{config.read_text()}while True:\n    pass\n')
    assert read_inputs([run]).evaluations[0].data == 'my_cells'
    assert not (tmp_path / 'executed').exists()
    config.write_text('(' * 100_000)
    assert read_inputs([run]).evaluations[0].data == 'data not recorded'


def test_what_training_recorded_comes_before_the_config_s_name(tmp_path):
    run = run_folder(tmp_path / 'run', {'coco/bbox_mAP': 0.1}, config='picodet_pplcnet_0_5x_bccd', data='')
    assert read_inputs([run]).evaluations[0].data == 'BCCD'
    record_run(run, 'configs/detection/picodet_pplcnet_1x.py', tmp_path / 'my_cells')
    (found,) = read_inputs([run]).evaluations
    assert (found.config, found.data) == ('picodet_pplcnet_1x', 'my_cells')
    (run / 'run.json').write_text('{"data": ["x"], "config"')
    assert read_inputs([run]).evaluations[0].data == 'BCCD'


@pytest.mark.parametrize('line', [b'{"loss": "\xe9"}', b'[' * 200_000])
def test_a_line_of_a_log_that_is_no_json_is_passed_over(tmp_path, line):
    run = run_folder(tmp_path / 'run', {'coco/bbox_mAP': 0.1})
    log = run / '20260101_000000' / 'vis_data' / 'scalars.json'
    log.write_bytes(log.read_bytes() + b'\n' + line)
    assert read_inputs([run]).evaluations[0].accuracy == 10


@pytest.mark.parametrize('number', ['NaN', 'Infinity', '1e999', '1' * 400])
def test_a_metric_that_is_no_number_is_left_out_with_a_remark(tmp_path, number):
    files = [write(tmp_path / 'x.json', f'{{"config": "a", "metrics": {{"mIoU": {number}}}}}'),
             evaluation(tmp_path, 0.3, record())]
    inputs = read_inputs(files)
    assert [one.accuracy for one in inputs.evaluations] == [30.]
    assert inputs.remarks == ['x: its mIoU is not a number, as after a training that diverged.']


def test_a_sweep_gives_the_mean_and_the_spread_of_its_seeds(tmp_path):
    rows = [dict(config='picodet_pplcnet_1x_bccd', metrics={'coco/bbox_mAP': dict(mean=0.3, min=0.2, max=0.4, n=2)}),
            dict(config='picodet_pplcnet_1x_bccd', precision='bf16', metrics={'coco/bbox_mAP': dict(mean=0.1)})]
    inputs = read_inputs([write(tmp_path / 'sweep.json', dict(plan='1', data='bccd', results=rows))])
    (found,) = inputs.evaluations
    assert (found.accuracy, found.spread, found.data, found.precision) == (30., (20., 40.), 'BCCD', 'fp32')
    assert len(inputs.remarks) == 1


@pytest.mark.parametrize(('content', 'sentence'), [
    ('nonsense', 'is not JSON'),
    ([1, 2], 'is of another kind'),
    ({'plan': '1', 'results': [5]}, 'is of another kind'),
    ({'plan': '1', 'results': [dict(config='a', metrics={'mIoU': dict(mean=1., min=0., max='x')})]}, 'is no accuracy'),
    ({'points': []}, 'is of another kind'),
    ({'schema': 2, 'environment': {}, 'results': []}, 'has schema 2, but schema 1 is needed'),
    ({'schema': 1, 'results': []}, 'lacks environment or results'),
    ({'schema': 1, 'environment': {}, 'results': [7]}, 'record 1 is int, not a latency record'),
    ({'config': 'a', 'metrics': {'loss': 1.}, 'latency': []}, 'has neither latency nor one of the metrics'),
    ({'config': 'a', 'metrics': {'coco/bbox_mAP': 30.}}, 'is 30.0, which is no accuracy between 0 and 1'),
    ('[' * 200_000, 'is not JSON .it is nested too deeply'),
    ({'config': 'a', 'metrics': {'mIoU': True}}, 'is True, which is no accuracy between 0 and 100'),
    ({'config': 'a', 'metrics': {'mIoU': 3.}, 'latency': 5}, 'latency is not a list')])
def test_wrong_files_get_a_sentence(tmp_path, content, sentence):
    with pytest.raises(UserError, match=sentence):
        read_inputs([write(tmp_path / 'x.json', content)])


@pytest.mark.parametrize(('change', 'named'), [
    (dict(task='painting'), 'task'), (dict(engine=None), 'engine'), (dict(threads=0), 'threads'),
    (dict(input=[320]), 'input'), (dict(scope='half'), 'scope'), (dict(scope={}), 'scope'),
    (dict(stages_ms=['x']), 'stages_ms'), (dict(stages_ms=dict(decode='x')), 'stages_ms'),
    (dict(latency_ms={}), 'latency_ms.median'),
    (dict(latency_ms=dict(median=-1.)), 'latency_ms.median'),
    (dict(params={}), 'params'), (dict(params=[1]), 'params'), (dict(samples='many'), 'samples'),
    (dict(first_ms=[]), 'first_ms'), (dict(noisy_because='load'), 'noisy_because'), (dict(config='\ud800'), 'config'),
    (dict(threads=10 ** 400), 'threads'), (dict(latency_ms=dict(median=10 ** 400)), 'latency_ms.median'),
    (dict(latency_ms=dict(median=5., ci95=[1.])), 'latency_ms.ci95'),
    (dict(yardstick=dict(compute=dict(ratio=5.))), 'yardstick')])
def test_a_record_names_what_is_wrong_with_it(tmp_path, change, named):
    with pytest.raises(UserError, match=rf'bench.json, record 2 lacks a valid {named}'):
        read_inputs([benchmark(tmp_path, record(), record(**change))])


def test_records_of_few_samples_are_read(tmp_path):
    few = record(latency_ms=dict(median=5., p10=None, p90=None, ci95=None))
    assert len(read_inputs([benchmark(tmp_path, few)]).timings) == 1


def test_missing_things_get_a_sentence(tmp_path):
    with pytest.raises(UserError, match='does not exist: give folders of runs'):
        read_inputs([tmp_path / 'nowhere'])
    with pytest.raises(UserError, match='holds no run'):
        read_inputs([tmp_path])
