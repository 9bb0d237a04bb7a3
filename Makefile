# `make test` and `make demo` start from a bare checkout: they install everything into .venv first.

PYTHON ?= $(shell python3.11 -c '' 2>/dev/null && echo python3.11 || echo python3)
DEMO_STEPS ?= 300000

BIN := .venv/bin
INSTALLED := .venv/.installed
CODE := $(shell find sprite_obs -name '*.py')
AGENT := demo/agent-$(DEMO_STEPS)

.PHONY: help demo test check format clean

help:
	@echo "make demo    record Pong, learn its sprites, train an agent on them, film it"
	@echo "make test    run all tests"
	@echo "make check   formatting, lint, types, spelling, tests"
	@echo "make format  format the code and mend what ruff can mend"
	@echo "make clean   delete .venv, demo/ and caches"

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: expected Python 3.11 or newer, got " + sys.version.split()[0] + "; name one: make PYTHON=/path/to/python")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

test: $(INSTALLED)
	$(BIN)/python -m pytest

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/python -m pytest

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# A stage of the demo is done when its stamp is there. An interrupted demo goes on with the stage
# that was interrupted; a finished one only evaluates again, unless code or settings changed.
demo/recorded: $(INSTALLED) $(wildcard sprite_obs/frames/*.py sprite_obs/envs/*.py)
	rm -rf demo/recording
	$(BIN)/sprite-obs record --env ALE/Pong-v5 --frames 3000 --out demo/recording
	@touch $@

demo/pretrained: demo/recorded configs/pretrain/atari.yaml $(CODE)
	rm -rf demo/model
	$(BIN)/sprite-obs pretrain --data demo/recording --config configs/pretrain/atari.yaml \
	  --out demo/model --device cpu
	@touch $@

$(AGENT)/trained: demo/pretrained $(wildcard agents/*.py) configs/ppo/fast.yaml
	rm -rf $(AGENT)
	$(BIN)/python agents/train_ppo.py --env ALE/Pong-v5 --model demo/model --out $(AGENT) \
	  --total-timesteps $(DEMO_STEPS) --eval-every 0
	@touch $@

demo: $(AGENT)/trained
	$(BIN)/python agents/evaluate.py --agent $(AGENT)/agent.zip --episodes 5 \
	  --video demo/agent.mp4 --out demo/evaluation.json
	@echo
	@echo "Look at:"
	@echo "  demo/model/dictionary.png      the sprites that were learned"
	@echo "  demo/model/reconstruction.png  frames beside what the sprites make of them"
	@echo "  demo/agent.mp4                 an episode of the agent, with the sprites it sees"
	@echo "  demo/evaluation.json           its returns"
	@echo
	@echo "Random play shows low scores only: digits that it never reached are not in the dictionary, so that"
	@echo "the film's reconstruction lacks them or shows others. Agents do not see the score."

clean:
	rm -rf .venv demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
