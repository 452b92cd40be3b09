# EfficientNet-HF 4 in the paper's table 5: 2.98 M parameters, 65.55 M multiply-adds, 67.95 % top-1.
_base_ = './hf3.py'

model = dict(backbone=dict(arch='hf4'))
