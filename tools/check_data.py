"""Checks a folder of data; see --help."""
from lcvision.cli import run_tool

if __name__ == '__main__':
    raise SystemExit(run_tool('check_data'))
