"""Draws accuracy against latency: a picture for each task and one page; see --help."""
from lcvision.cli import run_tool

if __name__ == '__main__':
    raise SystemExit(run_tool('report'))
