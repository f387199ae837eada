# The two commands of a newcomer are `make demo` and `make test`; both install what is missing.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
BUILD := nice cmake --build -j $(JOBS) --preset
BINARY := build/release/src/lakemill/cli/lakemill

.PHONY: help demo demo-cdc test unit release install dist bench soak format tidy clean

help:     ## list the targets
	@sed -nE 's/^([a-z-]+): *##/\1\t/p' Makefile | expand -t 10

demo:     ## install what is missing, build, run examples/flights, show its result
	@tools/install.sh build
	@$(MAKE) --no-print-directory release
	@tools/demo.sh $(BINARY)

demo-cdc: ## the same for examples/shop-cdc, against a PostgreSQL server, for a minute
	@tools/install.sh cdc
	@$(MAKE) --no-print-directory release
	@python3 tools/demo_cdc.py $(BINARY)

test:     ## install what is missing, build, run all tests
	@tools/install.sh test
	@tools/test_env.sh
	@tools/run_tests.sh $(JOBS)

unit:     ## the quick loop: build and run the unit tests
	@test -f build/dev/build.ninja || cmake --preset dev
	@$(BUILD) dev
	@ctest --preset dev -L unit -j $(JOBS)

release:  ## build the binary
	@mkdir -p build
	@cmake --preset release >build/release.log 2>&1 || { cat build/release.log; exit 1; }
	@$(BUILD) release

install:  ## build and install below PREFIX (/usr/local)
	@$(MAKE) --no-print-directory release
	cmake --install build/release --strip --prefix $(PREFIX)

dist:     ## a tarball with the binary, licences and man page, in dist/
	@tools/install.sh build
	@$(MAKE) --no-print-directory release
	@tools/dist.sh

bench:    ## benchmarks beside others, as ratios; adds to bench/history.ndjson
	@tools/install.sh test
	@$(MAKE) --no-print-directory release
	@$(BUILD) release --target lakemill_decode_bench
	@nice "$$(tools/test_env.sh python)" bench/run.py --lakemill $(BINARY)

soak:     ## the long sizes of the tests, then all of them under the sanitizers: some hours
	@tools/install.sh test
	@tools/test_env.sh
	@LAKEMILL_SOAK=1 tools/run_tests.sh $(JOBS) dev
	@tools/run_tests.sh $(JOBS) asan-full tsan

format:   ## format all C++ files
	@tools/install.sh edit
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

tidy:     ## clang-tidy over all C++ files
	@tools/install.sh edit
	@test -f build/dev/build.ninja || cmake --preset dev
	@git ls-files 'src/*.cpp' | nice xargs -P $(JOBS) -n 4 clang-tidy --quiet -p build/dev

clean:    ## remove what was built
	rm -rf build dist
