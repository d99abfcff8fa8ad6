# Thin: every target installs what it needs (scripts/setup says what and why) and calls cargo or xtask.

.DEFAULT_GOAL := help
.PHONY: help demo test package soak bench check docs fuzz-smoke peers-lock interop

# The installer of the Rust toolchain puts cargo here; a shell opened before that does not know it yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

# Seconds that `make fuzz-smoke` gives to each target.
FUZZ_SECONDS ?= 10

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Serve a sample company of 500 people, provisioned over SCIM before your eyes (EXIT=1: end afterwards; HOST=1, as root: with a managed host)
	@scripts/setup build $(if $(HOST),host)
	cargo build --release --locked --package portreeve-cli $(if $(HOST),--package portreeve-host)
	@exec "$$(scripts/target-dir)/release/portreeve" demo $(if $(EXIT),--exit) $(if $(HOST),--with-host)

test: ## Every check and every test, as continuous integration runs them
	@scripts/setup build test
	@cargo xtask test

test-%: ## One suite of `make test`; `make test-list` names them
	@scripts/setup build test
	@cargo xtask test $*

package: ## Build the Debian package of the host agent (target/package)
	@scripts/setup build
	@scripts/package

soak: ## The long form of the faults: more of each, longer ones, and all of them at random (SEED=N: as in that run)
	@scripts/setup build test
	cargo build --locked --package portreeve-cli
	$(if $(SEED),PORTREEVE_SEED=$(SEED)) PORTREEVE_KILLS=500 cargo test --locked --package portreeve-cli --test it peers::killed
	@exec "$$(scripts/python)" -B tests/faults "$$(scripts/target-dir)/debug/portreeve" --long $(if $(SEED),--seed $(SEED))

bench: ## Measure this machine, and mappings, server and engine on it (see bench/README.md)
	@scripts/setup build
	cargo run --release --locked --package portreeve-mapping --example measure
	cargo run --release --locked --package portreeve-access --example measure
	cargo build --release --locked --package portreeve-cli --package portreeve-bench
	@target="$$(scripts/target-dir)/release" && "$$target/portreeve-bench" --portreeve "$$target/portreeve" \
		&& exec "$$target/portreeve-bench" engine --portreeve "$$target/portreeve"

check: ## Slower checks of the supply chain and the spelling: cargo-deny, typos, the fuzz targets compile
	@scripts/setup build
	@scripts/tool cargo-deny 0.20.2
	@scripts/tool typos-cli 1.52.0 typos
	.tools/bin/cargo-deny --all-features --locked check
	.tools/bin/typos
	cargo check --manifest-path fuzz/Cargo.toml

docs: ## Build the manual (target/book) and the library documentation (target/doc)
	@scripts/setup build
	@scripts/tool mdbook 0.5.4
	.tools/bin/mdbook build docs --dest-dir "$$(scripts/target-dir)/book"
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

fuzz-smoke: ## Run each fuzz target for FUZZ_SECONDS (10) from its seed corpus; needs a nightly toolchain
	@scripts/setup build
	@scripts/tool cargo-fuzz 0.13.2
	@scripts/fuzz-smoke $(FUZZ_SECONDS)

peers-lock: ## Pin the peers anew from tests/peers/requirements.in and package.json
	@scripts/setup build test
	@scripts/peers-lock

interop: ## Build Smallstep's `step` (needs Go): with it, `make test` also judges the API that it speaks
	@scripts/step
