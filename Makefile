.PHONY: help demo test check format lock clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

demo: ## try Grünpuls on measured values: http://localhost:8080
	@tools/prepare run
	@.venv/bin/gruenpuls demo

test: check ## everything that must hold: lint, types, contracts, tests
	@.venv/bin/pytest --numprocesses 2 --dist worksteal

check:
	@tools/prepare test
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache >.venv/contracts.log || { cat .venv/contracts.log; exit 1; }

format: ## bring the code into house form
	@.venv/bin/ruff check --fix --quiet .
	@.venv/bin/ruff format .

lock: ## pin the dependencies anew, hashes and no addresses
	@.venv/bin/pip install --quiet uv
	@.venv/bin/uv pip compile pyproject.toml --extra demo --upgrade --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements.lock
	@.venv/bin/uv pip compile pyproject.toml --all-extras --upgrade --constraint requirements.lock --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements-test.lock

clean: ## remove the environment and the demo's data
	rm -rf .venv var
