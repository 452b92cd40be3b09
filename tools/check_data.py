"""Checks a folder of data; see --help."""
from lcvision.cli import run_tool
from lcvision.cli.check_data import main

if __name__ == '__main__':
    raise SystemExit(run_tool(main))
