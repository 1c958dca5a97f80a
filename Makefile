# All that a newcomer needs: make run, make test. Both make the environment first when it is missing or old.
# A bare python3 (3.11 or later, with its venv module) and make are enough; nothing here needs root.

PYTHON ?= python3
PORT ?= 8000
DATA ?= var
# One more than the cores of a small machine, since browsers and servers are also waited for.
JOBS ?= 3
# An installation that never runs the tests may say LOCK=requirements.lock.
LOCK ?= requirements-dev.lock

BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# In a closed network the bundle's folder of wheels is the only source; elsewhere pip's own configuration decides.
SOURCE := $(if $(wildcard wheels),--no-index --find-links wheels)

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench soak bundle lock

help:
	@echo 'make run [PORT=8000] [DATA=var]  環境を作り、システム一式を起動します(Ctrl-C で止まります)'
	@echo 'make test [ARGS=…]               すべてのテストを実行します'
	@echo 'make setup                       環境(.venv)だけを作ります'
	@echo 'make check                       書き方・型・依存の向きを検査します'
	@echo 'make bench                       性能を測り、目標と比べます'
	@echo 'make soak [MINUTES=30]           長時間の障害・負荷の試験を実行します'
	@echo 'make bundle                      閉じたネットワークへ運ぶ一式を dist/ に作ります'
	@echo 'make lock                        依存の固定を作り直します(保守担当者用。uv が要ります)'

# The environment is exactly the lock: another lock, another Python or another place makes it anew.
# The stamps are written last, so that an interrupted run is repeated and a finished one costs milliseconds.
setup:
	@command -v $(PYTHON) >/dev/null || { echo '$(PYTHON) が見つかりません。Python 3.11 以上を入れてから、もう一度実行してください。' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 以上が必要です。いまの $(PYTHON) は $$($(PYTHON) -V 2>&1) です。make PYTHON=python3.11 のように指定してください。" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo '$(PYTHON) に venv(ensurepip)がありません。Debian・Ubuntu では「apt install python3-venv」で入ります。' >&2; exit 1; }
	@set -e; \
	mark=$$($(PYTHON) -c 'import hashlib, os, pathlib, sys; print(hashlib.sha256(b"\0".join([pathlib.Path("$(LOCK)").read_bytes(), os.getcwd().encode(), sys.version.encode()])).hexdigest()[:20])'); \
	project=$$($(PYTHON) -c 'import hashlib, pathlib; print(hashlib.sha256(pathlib.Path("pyproject.toml").read_bytes()).hexdigest()[:20])'); \
	if [ ! -e .venv/.lock-$$mark ]; then \
	  echo '環境(.venv)を作っています。1分ほどかかります。'; \
	  $(PYTHON) -m venv --clear .venv; \
	  $(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: $(SOURCE) -r $(LOCK); \
	  touch .venv/.lock-$$mark; \
	fi; \
	if [ ! -e .venv/.project-$$project ]; then \
	  $(BIN)/python -m pip install --quiet --no-index --no-deps --no-build-isolation -e .; \
	  rm -f .venv/.project-*; \
	  touch .venv/.project-$$project; \
	fi

# The tree also ends when make itself is killed.
run: export TOBIDASHI_END_WITH_PARENT = 1
run: setup
	@$(BIN)/tobidashi up --port $(PORT) --data $(DATA)

test: setup
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

soak: export TOBIDASHI_SOAK_MINUTES = $(or $(MINUTES),30)
soak: setup
	$(BIN)/python -m pytest -m slow --timeout 0 $(ARGS)

# The tree as committed or staged, and the wheels of the lock for this kind of machine and this Python's 3.x. Conditions on
# the patch level (3.11.2) are dropped, because the machine at the other end may have another one.
bundle: setup
	@set -e; \
	rm -rf dist/bundle; \
	mkdir -p dist/bundle/tobidashi/wheels; \
	git ls-files -z | tar --create --null --files-from - | tar --extract --directory dist/bundle/tobidashi; \
	sed "s/ ; python_full_version [<>=]* '3\.[0-9]*\.[0-9]*'//" requirements-dev.lock > dist/bundle/lock; \
	$(BIN)/python -m pip download --quiet --require-hashes --only-binary :all: $(SOURCE) --dest dist/bundle/tobidashi/wheels -r dist/bundle/lock; \
	name=tobidashi-$$($(BIN)/python -c 'import workflow; print(workflow.__version__)'); \
	tar --create --gzip --file dist/$$name.tar.gz --directory dist/bundle tobidashi; \
	rm -rf dist/bundle; \
	echo "dist/$$name.tar.gz を作りました。運んだ先で展開し、make setup または make run を実行してください。"

UV_COMPILE := uv pip compile pyproject.toml --extra embedded --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
lock:
	$(UV_COMPILE) -o requirements.lock
	$(UV_COMPILE) --group test --group lint -c requirements.lock -o requirements-dev.lock
