"""Exports a model; see --help."""
from lcvision.cli import run_tool
from lcvision.cli.export import main

if __name__ == '__main__':
    raise SystemExit(run_tool(main))
