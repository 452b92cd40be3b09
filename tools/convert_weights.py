"""Converts weights of PaddlePaddle or timm; see --help."""
from lcvision.cli import run_tool

if __name__ == '__main__':
    raise SystemExit(run_tool('convert_weights'))
