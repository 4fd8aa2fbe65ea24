# `make repro` runs the whole pipeline, `make test` the tests; both install what they need.
# The targets of a project that `trackbed new` makes:
include stages/trackbed/creation/templates/Makefile

PEERS := .cache/peers
AUDIT := .cache/audit
DOCS := .cache/docs
PYTEST = $(VENV)/bin/python -m pytest -q --numprocesses auto --maxprocesses 4

# One resolution with all extras, so that every lock names the same versions.
BASE = --extra pipeline --extra s3 --extra ssh
COMPILE = mkdir -p .cache && uv pip compile pyproject.toml --quiet --universal \
	--python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command 'make lock'

.PHONY: test test-slow faults lint schema docs docs-links lock audit bench

test: $(VENV)/installed-dev $(VENV)/bin/trackbed ## run the tests, without the slow ones
	@$(PYTEST) --dist loadfile --no-loadscope-reorder

test-slow: $(VENV)/installed-dev $(VENV)/bin/trackbed ## run the slow tests: storages, sweeps, faults, large networks, hostile files
	@$(PYTEST) --dist loadfile --no-loadscope-reorder -m slow

faults: $(VENV)/installed-dev $(VENV)/bin/trackbed ## kill, interrupt and starve every stage at its start, middle and end; some ten minutes
	@mkdir -p .cache && rm -f .cache/faults.md
	@FAULTS_TABLE=.cache/faults.md $(PYTEST) --dist load -m faults

lint: $(VENV)/installed-dev ## check style and formatting
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

schema: $(VENV)/installed ## write params.schema.json anew, after a change of parameters or their comments
	@$(VENV)/bin/python .ci/params_schema.py

docs: $(DOCS)/installed ## build the documentation site into build/docs/html; a broken link is an error
	@$(DOCS)/bin/python docs/site/build.py build/docs
	@echo "site: $(CURDIR)/build/docs/html/index.html"

docs-links: $(DOCS)/installed ## check the links from the documents to other sites; asks them
	@$(DOCS)/bin/python docs/site/build.py build/docs linkcheck

lock: $(VENV)/installed-dev ## resolve the dependencies anew, everything in one resolution
	@$(COMPILE) --all-extras --group dev -o .cache/everything.txt
	@$(COMPILE) -c .cache/everything.txt $(BASE) -o requirements.lock
	@$(COMPILE) -c .cache/everything.txt $(BASE) --extra openvino --extra litert \
		--extra search --extra suspects --extra serve --group dev -o requirements-dev.lock
	@$(COMPILE) -c .cache/everything.txt $(BASE) --extra openvino \
		-o requirements-openvino.lock
	@$(COMPILE) -c .cache/everything.txt $(BASE) --extra litert \
		-o requirements-litert.lock
	@$(COMPILE) -c .cache/everything.txt --extra predict -o requirements-predict.lock
	@$(COMPILE) -c .cache/everything.txt --extra serve -o requirements-serve.lock
	@$(COMPILE) -c .cache/everything.txt $(BASE) --extra search \
		-o requirements-search.lock
	@$(COMPILE) -c .cache/everything.txt $(BASE) --extra suspects \
		-o requirements-suspects.lock
	@$(COMPILE) -c .cache/everything.txt $(BASE) --extra gpu -o requirements-gpu.lock
	@$(subst pyproject.toml,--group audit,$(COMPILE)) -o requirements-audit.lock
	@$(subst pyproject.toml,--group docs,$(COMPILE)) -c .cache/everything.txt -o requirements-docs.lock
	@$(subst pyproject.toml,--group install,$(COMPILE)) -c .cache/everything.txt -o requirements-uv.lock

audit: $(AUDIT)/installed ## look for known vulnerabilities in the locked dependencies; asks pypi.org
	@$(AUDIT)/bin/python .ci/audit.py $(AUDIT)/bin/pip-audit $(AUDIT_ARGS)

bench: $(VENV)/installed $(PEERS)/installed ## compare speed with other tools, e.g. BENCH_ARGS="--images 200 --only build"
	@$(VENV)/bin/python benchmarks/run.py $(BENCH_ARGS)

$(VENV)/installed-dev: requirements-dev.lock requirements.lock | venv
	@echo "installing requirements-dev.lock into $(VENV); the first time this takes some minutes"
	@$(INSTALL) requirements-dev.lock
	@touch $@ $(VENV)/installed

$(PEERS)/installed: benchmarks/requirements.txt | venv
	@echo "installing benchmarks/requirements.txt into $(PEERS)"
	@$(VENV)/bin/python -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet -r $<
	@touch $@

$(AUDIT)/installed: requirements-audit.lock | venv
	@echo "installing requirements-audit.lock into $(AUDIT)"
	@$(VENV)/bin/python -m venv $(AUDIT)
	@$(AUDIT)/bin/python -m pip install --quiet --require-hashes -r $< || \
		{ echo "COULD NOT AUDIT: pip-audit cannot be installed. Is there network access?" >&2; exit 2; }
	@touch $@

$(DOCS)/installed: requirements-docs.lock | venv
	@echo "installing requirements-docs.lock into $(DOCS)"
	@$(VENV)/bin/python -m venv $(DOCS)
	@$(DOCS)/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@
