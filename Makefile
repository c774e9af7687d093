# The one command to start with is `make demo`; `make help` lists the others.
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
PIP_ARGS ?=
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-slow lint docs notebooks package bench bench-full bench-peers results results-force results-izhikevich results-local results-plasticity results-timescales results-timescales-paper results-emulation results-emulation-paper results-pvrnn results-analysis clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20
	@echo
	@echo "  Variables: PYTHON=$(PYTHON) VENV=$(VENV) WORKERS=$(WORKERS) PIP_ARGS='$(PIP_ARGS)'"
	@echo "  On Linux, the standard torch brings gigabytes of CUDA; without a GPU, point PIP_ARGS at PyTorch's CPU packages."

venv: $(STAMP) ## the environment with everything (again only when setup.cfg or constraints.txt change)

$(STAMP): setup.cfg constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "There is no '$(PYTHON)' here. Install Python 3.11 or later, or name one: make venv PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "neurodyn needs Python 3.11 or later; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name a newer one: make venv PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(STAMP) ## simulate, save a recording, draw a figure
	$(BIN)/neurodyn run simulations/what_when.py --set experiment=demo --out runs/what_when.h5 --overwrite
	@echo
	@echo "The recording:  runs/what_when.h5   (look inside: $(BIN)/neurodyn info runs/what_when.h5)"
	@for figure in runs/what_when.*.png; do [ ! -e "$$figure" ] || echo "A figure:       $$figure"; done

# Notebooks are executed in a process of their own each: --nbmake.
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --nbmake --nbmake-timeout=300 tests tutorials
test: $(STAMP) ## the quick tests, and every tutorial
	$(PYTEST) -m "not slow"

test-slow: $(STAMP) ## all tests, those with compilers, long runs and GPUs included
	$(PYTEST)

docs: $(STAMP) ## the documentation as pages, every tutorial executed: docs/_build/html/index.html
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "The documentation: docs/_build/html/index.html"

notebooks: $(STAMP) ## the notebook of each tutorial, from its source
	$(BIN)/python tutorials/pair.py

package: $(STAMP) ## wheel and source archive, in dist/
	$(BIN)/python -m build --outdir dist .

lint: $(STAMP) ## ruff and pyright
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: $(STAMP) ## how fast it is beside the naive loop and the peers (five minutes)
	$(BIN)/python benchmarks/run.py --quick

bench-full: $(STAMP) ## every case, with more runs of each (an hour)
	$(BIN)/python benchmarks/run.py --full

bench-peers: ## NEST, ANNarchy and brainevent for the benchmarks, each in an environment of its own (1.5 GB, ten minutes)
	PYTHON=$(PYTHON) benchmarks/peers.sh

EXPERIMENTS := E1 E2 E3 E4 E5 E6 E7 reservoir beyond
results: $(STAMP) ## every experiment of simulations/what_when.py in full (half an hour), and docs/results/what_when.md
	@for e in $(EXPERIMENTS); do $(BIN)/neurodyn run simulations/what_when.py --set experiment=$$e --out runs/$$e.h5 --overwrite || exit 1; done
	$(BIN)/python docs/results.py $(EXPERIMENTS:%=runs/%.h5)

FORCE := E8 drift precision lif product lorenz song
FORCE_FIGURES := E8.output:sine E8.phase:slip drift.phase:drift longer.phase:longer lorenz.attractor:lorenz song.output:song
results-force: $(STAMP) ## every experiment of simulations/force_spiking.py (three quarters of an hour), figures and docs/results/force_spiking.md
	@for e in $(FORCE); do $(BIN)/neurodyn run simulations/force_spiking.py --set experiment=$$e --out runs/force_$$e.h5 --overwrite || exit 1; done
	$(BIN)/neurodyn run simulations/force_spiking.py --set experiment=E8 --set neurons=2000 --out runs/force_E8_2000.h5 --overwrite
	$(BIN)/neurodyn run simulations/force_spiking.py --set experiment=longer --set seeds=10 --set seed=201 --out runs/force_longer.h5 --overwrite
	$(BIN)/python docs/figures.py $(foreach f,$(FORCE_FIGURES),runs/force_$(firstword $(subst :, ,$f)).png docs/images/force_$(lastword $(subst :, ,$f)).png)
	$(BIN)/python docs/results.py $(FORCE:%=runs/force_%.h5) runs/force_E8_2000.h5 runs/force_longer.h5

LOCAL := gradient pattern hoerzer
results-local: $(STAMP) ## every experiment of simulations/local_learning.py (about fifteen minutes), figures and docs/results/local_learning.md
	@for e in $(LOCAL); do $(BIN)/neurodyn run simulations/local_learning.py --set experiment=$$e --out runs/local_$$e.h5 --overwrite || exit 1; done
	$(BIN)/python docs/figures.py $(foreach e,$(LOCAL),runs/local_$(e).*.png docs/images/local_$(e).png)
	$(BIN)/python docs/results.py $(LOCAL:%=runs/local_%.h5)

RUNNERS := torch interpreter brian2
results-izhikevich: $(STAMP) ## published facts about Izhikevich's cells on every runner (about ten minutes), and the tables of docs/izhikevich.md
	$(BIN)/neurodyn run simulations/izhikevich_patterns.py --set seeds=20 --out runs/izhikevich.h5 --overwrite
	@for b in $(RUNNERS); do for e in patterns cells; do $(BIN)/neurodyn run simulations/izhikevich_patterns.py --set experiment=$$e --backend $$b --out runs/izhikevich_$${b}_$$e.h5 --overwrite || exit 1; done; done
	$(BIN)/python docs/izhikevich.py runs/izhikevich.h5 $(foreach b,$(RUNNERS),runs/izhikevich_$(b)_patterns.h5 runs/izhikevich_$(b)_cells.h5)

PLASTICITY := dopamine_stdp delayed_match_reward
results-plasticity: $(STAMP) ## an hour of dopamine and Miconi's task in full (about half an hour), and docs/results/plasticity.md
	@for e in $(PLASTICITY); do $(BIN)/neurodyn run simulations/$$e.py --out runs/$$e.h5 --overwrite || exit 1; done
	$(BIN)/python docs/figures.py $(foreach f,synapse control weights around_rewards,runs/dopamine_stdp.$(f).png docs/images/plasticity_$(f).png)
	$(BIN)/python docs/figures.py $(foreach f,errors responses,runs/delayed_match_reward.$(f).png docs/images/plasticity_$(f).png)
	$(BIN)/python docs/results.py $(PLASTICITY:%=runs/%.h5)

TIMESCALES := delayed_match parity
PAPER := multi single lesions30 lesions gated
results-timescales: $(STAMP) ## small networks with learnable timescales (half an hour), figures and docs/results/timescales.md
	@for e in $(TIMESCALES); do $(BIN)/neurodyn run simulations/timescales_$$e.py --quick --out runs/timescales_$$e.h5 --overwrite || exit 1; done
	$(BIN)/neurodyn run simulations/timescales_robustness.py --quick --out runs/timescales_robustness.h5 --overwrite \
	    --single $$(ls runs/timescales_parity.single-head.*.h5 | paste -sd,) --multi $$(ls runs/timescales_parity.multi-head.*.h5 | paste -sd,)
	$(BIN)/python docs/figures.py $(foreach f,tau network_tau training,runs/timescales_delayed_match.$(f).png docs/images/timescales_$(f).png)
	$(BIN)/python docs/results.py $(wildcard $(PAPER:%=runs/timescales_paper_%.h5)) $(TIMESCALES:%=runs/timescales_%.h5) runs/timescales_robustness.h5

results-timescales-paper: $(STAMP) ## one network of the published size for each curriculum (hours; goes on where it was stopped)
	$(BIN)/neurodyn run simulations/timescales_parity.py --curriculum multi-head --until 30 --seeds 1 --out runs/timescales_paper_multi.h5 --resume
	$(BIN)/neurodyn run simulations/timescales_parity.py --curriculum single-head --until 20 --seeds 1 --out runs/timescales_paper_single.h5 --resume
	$(BIN)/neurodyn run simulations/timescales_parity.py --experiment gated --curriculum multi-head --seeds 1 --out runs/timescales_paper_gated.h5 --resume
	$(BIN)/neurodyn run simulations/timescales_robustness.py --n 30 --out runs/timescales_paper_lesions30.h5 --overwrite \
	    --multi runs/timescales_paper_multi.multi-head.101.h5
	$(BIN)/neurodyn run simulations/timescales_robustness.py --out runs/timescales_paper_lesions.h5 --overwrite \
	    --multi runs/timescales_paper_multi.multi-head.101.h5 --single runs/timescales_paper_single.single-head.101.h5

FAMILIES := four five fully cyclic
results-emulation: $(STAMP) ## networks that emulate hidden Markov models: small ones, two sizes between, noise levels (an hour), figures and docs/results/emulation.md
	$(BIN)/neurodyn run simulations/hmm_emulation.py --quick --out runs/hmm_quick.h5 --resume
	$(BIN)/neurodyn run simulations/hmm_mechanism.py --files $$(ls runs/hmm_quick.two.*.h5 | paste -sd,) --out runs/hmm_mechanism.h5 --overwrite
	$(BIN)/neurodyn run simulations/hmm_noise.py --quick --out runs/hmm_noise.h5 --resume
	@for f in $(FAMILIES); do $(BIN)/neurodyn run simulations/hmm_emulation.py --family $$f --batch 1024 --seeds 1 --out runs/hmm_$$f.h5 --resume || exit 1; done
	$(BIN)/neurodyn run simulations/hmm_mechanism.py --files runs/hmm_cyclic.cyclic.101.h5 --interventions false --out runs/hmm_mechanism_cyclic.h5 --overwrite
	$(BIN)/neurodyn run simulations/hmm_data.py --quick --out runs/hmm_data.h5 --overwrite
	$(BIN)/python docs/figures.py $(foreach f,quality training orbit zones,runs/hmm_quick.two_$(f).png docs/images/emulation_$(f).png) \
	    runs/hmm_noise.levels.png docs/images/emulation_levels.png runs/hmm_noise.onset.png docs/images/emulation_onset.png
	$(BIN)/python docs/results.py $(wildcard runs/hmm_paper.h5 runs/hmm_paper_mechanism.h5) runs/hmm_quick.h5 runs/hmm_mechanism.h5 runs/hmm_noise.h5 $(FAMILIES:%=runs/hmm_%.h5) $(wildcard runs/hmm_mechanism_*.h5) runs/hmm_data.h5

results-emulation-paper: $(STAMP) ## one network of the published size on the chain of two states (an hour; goes on where it was stopped)
	$(BIN)/neurodyn run simulations/hmm_emulation.py --family two --seeds 1 --out runs/hmm_paper.h5 --resume
	$(BIN)/neurodyn run simulations/hmm_mechanism.py --files runs/hmm_paper.two.101.h5 --out runs/hmm_paper_mechanism.h5 --overwrite
	$(BIN)/python docs/figures.py runs/hmm_paper_mechanism.kicks.png docs/images/emulation_kicks.png \
	    runs/hmm_paper_mechanism.arriving_connectivity.png docs/images/emulation_connectivity.png \
	    runs/hmm_paper_mechanism.arriving_interventions.png docs/images/emulation_interventions.png

PVRNN := meta_prior primitives joints
results-pvrnn: $(STAMP) ## PV-RNN: the meta-prior, movements, joint angles (about an hour), figures and docs/results/pvrnn.md
	@for f in $(PVRNN); do $(BIN)/neurodyn run simulations/pvrnn_$$f.py --out runs/pvrnn_$$f.h5 --resume || exit 1; done
	$(BIN)/python docs/figures.py runs/pvrnn_meta_prior.memorisation.png docs/images/pvrnn_memorisation.png \
	    runs/pvrnn_meta_prior.generalisation.png docs/images/pvrnn_generalisation.png \
	    $(foreach f,generated horizon baseline,runs/pvrnn_primitives.$(f).png docs/images/pvrnn_$(f).png) \
	    runs/pvrnn_joints.horizon.png docs/images/pvrnn_joints.png
	$(BIN)/python docs/results.py $(PVRNN:%=runs/pvrnn_%.h5)

RESONANCE := stochastic coherence reservoir
ANALYSIS := reservoir_dimensionality chaotic_systems
results-analysis: $(STAMP) ## resonance, dimensions of a reservoir, chaotic systems (half an hour), figures, docs/results/resonance.md and analysis.md
	@for f in $(RESONANCE:%=%_resonance) $(ANALYSIS); do $(BIN)/neurodyn run simulations/$$f.py --out runs/$$f.h5 --overwrite || exit 1; done
	$(BIN)/python docs/figures.py \
	    $(foreach f,amplification snr residence detector_information,runs/stochastic_resonance.$(f).png docs/images/resonance_$(f).png) \
	    $(foreach f,cv trains self_induced,runs/coherence_resonance.$(f).png docs/images/resonance_$(f).png) \
	    $(foreach f,population response information,runs/reservoir_resonance.$(f).png docs/images/resonance_reservoir_$(f).png) \
	    $(foreach f,components course demixed rotations,runs/reservoir_dimensionality.$(f).png docs/images/dimensionality_$(f).png) \
	    runs/chaotic_systems.gain.png docs/images/dynamics_gain.png
	$(BIN)/python docs/results.py $(RESONANCE:%=runs/%_resonance.h5)
	$(BIN)/python docs/results.py $(ANALYSIS:%=runs/%.h5)

clean: ## the environment and everything that tools left behind (not runs/)
	rm -rf $(VENV) build dist docs/_build docs/reference docs/tutorials docs/benchmarks *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
