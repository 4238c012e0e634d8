# Lambda's disk is read-only: what is not compiled here is compiled at every cold start. Bytecode is of one version of
# Python, and is not checked against its sources, whose times sam's zip does not keep.
#
# $(call compile,folder)
LAMBDA_PYTHON ?= python3.13
# To standard output: sam shows nothing else of a recipe that succeeds.
define compile
	@if "$(LAMBDA_PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then \
	    "$(LAMBDA_PYTHON)" -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$(1)" "$(1)"; \
	else \
	    echo "$@: WITHOUT BYTECODE, for $(LAMBDA_PYTHON) is no Python 3.13: cold starts take longer."; \
	    echo "Delete .aws-sam, and use make build, or sam build --use-container --mount-symlinks."; \
	fi
endef
