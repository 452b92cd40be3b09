# PP-LCNet 1x with SSLD in the paper's table 2: 74.39 % top-1, 71.32 % without.
_base_ = [
    '../_base_/models/pplcnet_ssld.py',
    '../_base_/datasets/imagenet_224_without_labels.py',
    '../_base_/schedules/ssld_200e.py',
    '../_base_/runtime_classification.py',
]
