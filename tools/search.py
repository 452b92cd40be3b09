"""Searches a pool of networks for the best of each size; see --help."""
from lcvision.cli import run_tool

if __name__ == '__main__':
    raise SystemExit(run_tool('search'))
