"""Writes docs/results.md and the picture of training curves; see --help."""
from lcvision.cli import run_tool
from lcvision.cli.make_docs import main

if __name__ == '__main__':
    raise SystemExit(run_tool(main))
