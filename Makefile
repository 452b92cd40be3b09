# `make demo` and `make test` need Python 3.11 and nothing else; the rest is for developers.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
DEMO := configs/detection/picodet_pplcnet_0_5x_sample.py
DEMO_DIR := work_dirs/picodet_pplcnet_0_5x_sample
export PYTHONUNBUFFERED := 1

.PHONY: demo test check bench docs clean
.DEFAULT_GOAL := demo

$(STAMP): constraints.txt setup.cfg pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "error: no $(PYTHON); name another with make PYTHON=python3 (3.10 or newer)"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check -q -c constraints.txt -e '.[lite,onnx,openvino,dev]'
	touch $@

demo: $(STAMP)
	$(BIN)/python tools/train.py $(DEMO) --data sample
	$(BIN)/python tools/test.py $(DEMO) --show-dir $(DEMO_DIR)/pictures --json $(DEMO_DIR)/test.json
	$(BIN)/python tools/benchmark_cpu.py $(DEMO) --json $(DEMO_DIR)/latency.json > $(DEMO_DIR)/latency.txt
	@cat $(DEMO_DIR)/latency.txt
	@echo "the picture is $(DEMO_DIR)/pictures/grid.png, the table $(DEMO_DIR)/latency.txt"

test: $(STAMP)
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python tools/benchmark_cpu.py

docs: $(STAMP)
	$(BIN)/python tools/make_docs.py

clean:
	rm -rf $(VENV) work_dirs build *.egg-info
