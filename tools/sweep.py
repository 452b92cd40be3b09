"""Trains configs at equal settings and compares them; see --help."""
from lcvision.cli import run_tool

if __name__ == '__main__':
    raise SystemExit(run_tool('sweep'))
