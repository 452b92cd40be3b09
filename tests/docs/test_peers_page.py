"""The page of the peers."""
import cv2

from docs.build.peers_page import PICTURE, draw_peers, peers_page
from lcvision.latency.record import LatencyRecord, Measurements, Summary

ENVIRONMENT = dict(cpu='Some CPU', versions=dict(torch='2.13.0'))


def record(config, median, task='detection', engine='openvino', threads=1, noisy=False):
    return LatencyRecord(config=config, task=task, engine=engine, precision='fp32', threads=threads, input=[416, 416],
                         params=1_500_000, latency_ms=Summary(median, (median, median)), noisy=noisy)


def measured(*records):
    return Measurements(ENVIRONMENT, list(records))


RTMDET, YOLO = 'rtmdet/rtmdet_tiny_8xb32-300e_coco.py', 'work/yolo11n_640.onnx'
FILES = [measured(record('configs/detection/picodet_v2_m_416.py', 10.), record(RTMDET, 99., noisy=True),
                  record('yolox/yolox_tiny_8xb8-300e_coco.py', 30.)),
         measured(record(RTMDET, 60.), record(YOLO, 40., 'unknown'), record(YOLO, 44., 'unknown', 'onnxruntime'),
                  record('stranger.onnx', 1., 'unknown'), record('configs/detection/picodet_hgnetv2_b0.py', 20.))]


def test_the_front_is_bold_and_ordered_by_the_published_accuracy():
    page = peers_page(FILES)
    rows = [line.split(' | ') for line in page.splitlines() if line.startswith('| ') and '---' not in line]
    assert [row[0] for row in rows] == ['| model', '| YOLOX-tiny 416', '| **PicoDet v2 M 416**', '| **YOLO11n 640**',
                                       '| **RTMDet-tiny 640**', '| PicoDet, HGNetV2-B0']
    assert rows[0][-2:] == ['ms, ONNX Runtime fp32, 1 thr', 'ms, OpenVINO fp32, 1 thr |']
    assert rows[2][1:4] == ['37.5', 'PaddleDetection', '416x416'] and rows[3][-2:] == ['44.0', '40.0 |']
    assert rows[4][-1] == '60.0 |', 'the quiet one of two'
    assert rows[5][1:3] == ['-', '-'] and 'Some CPU' in page and 'stranger' not in page
    assert page.count('## ') == 1 and 'busy' not in page


def test_each_task_has_its_picture(tmp_path):
    path, = draw_peers(FILES, tmp_path)
    assert path == tmp_path / PICTURE.format('detection') and cv2.imread(str(path)).shape[1] > 1500
    assert draw_peers([measured(record(YOLO, 40., 'unknown', 'onnxruntime'))], tmp_path) == []
