# Every target sets up what it needs; a second run starts in seconds.
# DB=, PORT=, SIMULATOR_PORT=, ODOO_ARGS= are honoured by odoo, demo and shell.
PYTHON ?= python3
export DB PORT SIMULATOR_PORT ODOO_ARGS

.PHONY: help setup demo story test bench core_tests odoo shell lint unit terms postgres13 clean

help:
	@echo "make demo | story | test | bench [only=send] | odoo | shell | postgres13 | core_tests"

setup demo story test odoo shell lint unit terms postgres13:
	@$(PYTHON) -m tools $@

bench core_tests:
	@$(PYTHON) -m tools $@ $(only)

clean:
	rm -rf .work
