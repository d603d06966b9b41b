.DEFAULT_GOAL := help
.PHONY: help demo test check bench up down deploy tools

STACK := python3 infra/local/stack.py
SAM := .local/venv-sam/bin
export SAM_CLI_TELEMETRY := 0
export ROUNDTRIP_STACK := $(CURDIR)/.local/stack.json

help: ## Lists the targets.
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' Makefile | expand -t 12

demo: up ## Pushes orders and brings tracking back, on this machine alone.
	cargo run -p roundtrip-local --bin demo

test: ## Runs every test, the ones against the local stack too.
	@$(STACK) up --with-tests
	cargo test --workspace

check: tools ## Checks format, lints and the templates.
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	AWS_DEFAULT_REGION=us-east-1 $(SAM)/sam validate --lint
	$(SAM)/cfn-lint template.yaml infra/*.yaml

bench: ## Prints the numbers to hold.
	cargo run -p roundtrip-local --bin bench

up: ## Starts the local stack, or brings it up to date.
	@$(STACK) up

down: ## Stops the local stack and forgets its data.
	@$(STACK) down

tools: ## Installs the pinned tools in .local.
	@$(STACK) tools

deploy: export PATH := $(CURDIR)/$(SAM):$(PATH)
deploy: tools ## Deploys to your AWS account; ALARM_EMAIL=… says who gets mail.
	sam build
	sam deploy $(if $(ALARM_EMAIL),--parameter-overrides AlarmEmail=$(ALARM_EMAIL))
