# Everything here needs a machine with Debian on it and nothing else; the first run
# downloads Odoo and PostgreSQL, the next ones take seconds.

.PHONY: help demo stop shell test faults bench lint clean

help: ## show this list (the default)
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1 \t\2/p' $(MAKEFILE_LIST) | expand -t 15

demo: ## set up, fetch from a Copaco simulator, leave Odoo running; DEMO_SERVER=0: only fetch
	@devtools/run demo

stop: ## stop what runs for this checkout
	@devtools/run stop

shell: ## Odoo shell on the demonstration database; reads a script from standard input
	@devtools/run shell

test: ## every check; TAGS=/account_copaco:TestClass.test_method runs part of the Odoo tests
	@devtools/run test

faults: ## kills, crashes, full disks, bad documents; PART=kills KILLS=20 do less; QUEUE_JOB=1: with jobs
	@devtools/run faults

bench: ## speed beside other ways into Odoo; SIZES=1000 or SIZES=1000,5000 do less
	@devtools/run bench

lint: ## ruff, mypy and pylint-odoo only
	@devtools/run lint

clean: ## stop, and remove this checkout's databases and logs; the cache stays
	@devtools/run clean
