# Everything here needs a machine with Debian on it and nothing else; the first run
# downloads Odoo and PostgreSQL, the next ones take seconds.

.PHONY: help demo stop shell test lint format limits faults bench dist clean

help: ## show this list (the default)
	@awk -F ': ## ' '/^[a-z]*: ## / { printf "  make %-7s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## fetch from a Copaco simulator, serve Odoo unless DEMO_SERVER=0
	@devtools/run demo

stop: ## stop what runs for this checkout
	@devtools/run stop

shell: ## Odoo's shell on the demonstration database
	@devtools/run shell

test: ## every check; only these in Odoo: TAGS=/account_copaco:TestFetch
	@devtools/run test

lint: ## only the checks that read the code
	@devtools/run lint

format: ## rewrite the code as the checks want it
	@devtools/run format

limits: ## large documents on a real server with workers and Odoo's limits
	@devtools/run limits

faults: ## kills, crashes, full disks, bad documents; less with PART=kills
	@devtools/run faults

bench: ## speed beside other ways into Odoo; less with SIZES=1000,5000
	@devtools/run bench

dist: ## a zip file and a wheel of the addon, each installed into Odoo
	@devtools/run dist

clean: ## stop, and remove databases and logs of this checkout
	@devtools/run clean
