"""Converts weights of PaddlePaddle or timm; see --help."""
from lcvision.cli import run_tool
from lcvision.cli.convert_weights import main

if __name__ == '__main__':
    raise SystemExit(run_tool(main))
