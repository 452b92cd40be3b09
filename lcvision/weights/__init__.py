"""Weights in and out: safe reading, conversion, comparison with a model."""
from lcvision.weights.compatibility import check_compatible
from lcvision.weights.safe_load import load_state_dict_file, read_paddle

__all__ = ['check_compatible', 'load_state_dict_file', 'read_paddle']
