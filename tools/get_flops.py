"""Counts parameters and multiply-adds; see --help."""
from lcvision.cli import run_tool
from lcvision.cli.get_flops import main

if __name__ == '__main__':
    raise SystemExit(run_tool(main))
