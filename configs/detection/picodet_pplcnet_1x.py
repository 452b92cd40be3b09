# PP-LCNet 1x in the paper's table 4: 26.9 mAP, 7.9 ms on 10 threads of a Xeon Gold 6148.
_base_ = [
    '../_base_/models/picodet_paper.py',
    '../_base_/datasets/coco_detection_416.py',
    '../_base_/schedules/picodet_paper_280e.py',
    '../_base_/runtime.py',
]
