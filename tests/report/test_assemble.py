import pytest
from report_inputs import benchmark, evaluation, record

from lcvision.errors import UserError
from lcvision.report import make_report
from lcvision.report.assemble import in_view

OTHER = 'configs/detection/picodet_pplcnet_1x_bccd.py'


def test_accuracy_joins_the_records_of_its_network_only(tmp_path):
    files = [evaluation(tmp_path, 0.3, record(threads=2)),
             benchmark(tmp_path, record(engine='openvino'), record(input=[416, 416]), record(precision='bf16'),
                       record(params=9), record(config=OTHER))]
    (task,) = make_report(files).tasks
    assert sorted((point['engine'], point['threads'], point['accuracy']) for point in task.points) == [
        ('eager', 2, 30.), ('openvino', 1, 30.)]
    assert len(task.latency_only) == 4
    assert not any('accuracy' in point for point in task.latency_only)


def test_of_two_measurements_the_quiet_one_counts_then_the_longer(tmp_path):
    files = [benchmark(tmp_path, record(median=4., samples=500, noisy=True), record(median=5., samples=100),
                       record(median=6., samples=50))]
    (task,) = make_report(files).tasks
    assert [point['median'] for point in task.latency_only] == [5.]


def test_machines_are_never_in_one_view(tmp_path):
    files = [evaluation(tmp_path, 0.3, record()), benchmark(tmp_path, record(median=1.), name='a'),
             benchmark(tmp_path, record(median=2.), record(config=OTHER, median=3.), name='b', cpu='B'),
             evaluation(tmp_path, 0.4, record(config=OTHER), config=OTHER, name='other')]
    (task,) = make_report(files).tasks
    assert {point['machine'] for point in task.points} == {'A CPU', 'B', 'machine not recorded'}
    assert task.view['machine'] == 'B'  # there both models were measured
    assert sorted(point['median'] for point in in_view(task.points, task.view)) == [2., 3.]


def test_two_trainings_of_one_config_get_names_of_their_own(tmp_path):
    stem = 'picodet_pplcnet_0_5x_bccd'
    names = [stem, f'{stem}_converted', 'second']
    files = [evaluation(tmp_path, 0.3 + i / 10, record(), name=name) for i, name in enumerate(names)]
    (task,) = make_report(files).tasks
    assert [point['name'] for point in task.points] == [
        'PicoDet PP-LCNet 0.5x', 'PicoDet PP-LCNet 0.5x converted', 'PicoDet PP-LCNet 0.5x (second)']
    assert [point['accuracy'] for point in task.points] == pytest.approx([30., 40., 50.])


def test_sizes_are_named_where_there_are_several(tmp_path):
    (task,) = make_report([benchmark(tmp_path, record(), record(input=[416, 512]))]).tasks
    assert [point['name'] for point in task.latency_only] == ['PicoDet PP-LCNet 0.5x @320',
                                                              'PicoDet PP-LCNet 0.5x @416x512']


def test_accuracy_of_unknown_size_joins_only_when_there_is_no_doubt(tmp_path):
    silent = evaluation(tmp_path, 0.3)
    (task,) = make_report([silent, benchmark(tmp_path, record())]).tasks
    assert len(task.points) == 1
    report = make_report([silent, benchmark(tmp_path, record(), record(input=[416, 416]))])
    assert not report.tasks[0].points
    assert len(report.inputs.remarks) == 1
    assert report.inputs.remarks[0].startswith('evaluated: 30.0 % on BCCD, without a latency record')


def test_tasks_have_their_paper(tmp_path):
    files = [benchmark(tmp_path, *(record(task=task, config=f'{task}.py') for task in
                                   ('classification', 'segmentation', 'detection')))]
    report = make_report(files)
    assert [(task.task, task.metric, len(task.paper)) for task in report.tasks] == [
        ('detection', 'mAP', 4), ('segmentation', 'mIoU', 4), ('classification', 'top-1 accuracy', 20)]
    assert {row['config']: row['ms'] for row in report.tasks[0].paper}['picodet_pplcnet_1x'] == 7.9


def test_accuracy_without_any_latency_is_nothing_to_draw(tmp_path):
    with pytest.raises(UserError, match='nothing to draw: no input has a latency record'):
        make_report([evaluation(tmp_path, 0.3)])


def test_points_carry_their_time_in_yardsticks(tmp_path):
    paced = record(yardstick=dict(network=dict(work='w', ms=0.5, ratio=10., ci95=[9.9, 10.1])))
    report = make_report([benchmark(tmp_path, paced), evaluation(tmp_path, 0.3, record())])
    assert report.tasks[0].points[0]['by_yardstick'] == dict(median=10., low=9.9, high=10.1)
