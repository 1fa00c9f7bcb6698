# `make` lists what there is. Everything sets up what it needs first.
.DEFAULT_GOAL := help
PY := .venv/bin/python
CODE := app.py layers lambdas stacks local conformance benchmarks scripts tests
TYPED := app.py layers/cloudspend layers/dependencies lambdas stacks local conformance benchmarks scripts

# The majors of Node.js about whose end of life jsii is not to speak.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

.PHONY: anomalies help setup demo test test-fast race scale lint format bench conformance layers synth local-up local-down reference lock clean fuzz

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## make .venv and node_modules from the pinned files
	@PYTHON="$(PYTHON)" scripts/setup.sh

demo: setup ## run the main job on the local cloud, from invitation to certified figures
	@$(PY) -m local.demo

# The tests of the local cloud mostly wait: three files at a time, each with a cloud of its own.
test: setup lint layers ## run every check and every test
	$(PY) -m pytest tests/unit tests/contract tests/stacks -n 2
	$(PY) -m pytest tests/e2e tests/conformance tests/local -n 3 --dist loadfile

test-fast: setup ## run the tests that need no server
	$(PY) -m pytest tests/unit tests/contract -n 2 -q

race: setup ## restate one month ten times while readers ask for it, for a minute
	CLOUDSPEND_RACE_SECONDS=60 CLOUDSPEND_RACE_GENERATIONS=10 \
		$(PY) -m pytest tests/e2e/test_e2e_race.py

scale: setup ## plan, publish and sweep 10,000 accounts and a billion rows a day, in memory
	@PYTHONPATH=. $(PY) -m benchmarks.scale

fuzz: setup ## feed the readers of bills and manifests thousands of new damaged inputs
	$(PY) -m pytest tests/unit/convert/test_convert_fuzz.py --hypothesis-profile=fuzz -q

lint: setup ## formatting, style, types, and the rule of who may import whom
	.venv/bin/ruff format --check $(CODE)
	.venv/bin/ruff check $(CODE)
	.venv/bin/mypy $(TYPED)
	.venv/bin/lint-imports --no-logo

format: setup ## put the code into its form
	.venv/bin/ruff format $(CODE)
	.venv/bin/ruff check --fix $(CODE)

bench: setup ## measure speed against pandas, bytes read by the six queries, and the cold start
	@$(PY) -m benchmarks.speed --memory
	@$(PY) -m benchmarks.layout
	@$(PY) -m benchmarks.cold_start

anomalies: setup ## judge the anomaly rule on a labelled synthetic year: precision and recall
	@PYTHONPATH=. $(PY) -m benchmarks.anomalies

conformance: setup ## have the official FOCUS validator judge converted bills of every kind
	@$(PY) -m conformance

layers: setup ## build the Lambda layer of third-party packages
	@$(PY) -m layers.dependencies.build

synth: setup ## write the CloudFormation templates to cdk.out
	node_modules/.bin/cdk synth --quiet

local-up: setup ## leave a deployed local cloud running (port: CLOUDSPEND_LOCAL_PORT, default 4566)
	@.venv/bin/cloudspend local up

local-down: setup ## end the local cloud on that port
	@.venv/bin/cloudspend local down

reference: setup ## write docs/reference from the code
	$(PY) scripts/reference.py

lock: setup ## pin requirements again from the .in files
	$(PY) -m pip install --quiet uv
	for name in requirements requirements-dev; do \
		.venv/bin/uv pip compile --quiet --universal --python-version 3.11 \
			--no-annotate --no-header $$name.in -o $$name.txt || exit 1; done
	.venv/bin/uv pip compile --quiet --python-version 3.12 --no-annotate --no-header \
		conformance/requirements.in -o conformance/requirements.txt

clean: ## remove everything that was made from the repository
	rm -rf .venv node_modules cdk.out .local layers/dependencies/build *.egg-info
