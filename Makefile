# `make demo` and `make test` need Python and nothing else; the rest is for developers.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
DETECTION := configs/detection/picodet_pplcnet_0_5x_sample.py
SEGMENTATION := configs/segmentation/deeplabv3plus_pplcnet_0_5x_sample.py
run_dir = work_dirs/$(basename $(notdir $(1)))
export PYTHONUNBUFFERED := 1

.PHONY: demo test test-gpu check matrix bench docs clean
.DEFAULT_GOAL := demo

$(STAMP): constraints.txt setup.cfg setup.py pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "error: no $(PYTHON); name another with make PYTHON=python3; README.md says which versions will do"; exit 2; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || \
		{ rm -rf $(VENV); echo "error: $(PYTHON) makes no virtual environment: install $(notdir $(PYTHON))-venv (on Debian: apt install $(notdir $(PYTHON))-venv) and type make again"; exit 2; }
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[all,onnx,openvino,report,dev]'
	touch $@

# Trains, tests and times one config on the rendered sample.
define run_config
	$(BIN)/python tools/train.py $(1) --data sample
	$(BIN)/python tools/test.py $(1) --data sample --show-dir $(run_dir)/pictures --json $(run_dir)/test.json
	$(BIN)/python tools/benchmark_cpu.py $(1) --engine eager,onnxruntime,openvino --json $(run_dir)/latency.json > $(run_dir)/latency.txt
	@cat $(run_dir)/latency.txt
	@echo "the picture is $(run_dir)/pictures/grid.png, the table $(run_dir)/latency.txt"
endef

demo: $(STAMP)
	$(call run_config,$(DETECTION))
	$(call run_config,$(SEGMENTATION))

test: $(STAMP)
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n 2 --dist worksteal

# What `make test` skips where there is no GPU.
test-gpu: $(STAMP)
	$(BIN)/python -m pytest -m gpu

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy

# Other Pythons and versions; takes minutes for each.
matrix:
	$(PYTHON) tests/reliability/matrix.py

bench: $(STAMP)
	$(BIN)/python tools/benchmark_cpu.py

docs: $(STAMP)
	$(BIN)/python -m docs.build

clean:
	rm -rf $(VENV) build dist *.egg-info  # never work_dirs: that is what was trained
