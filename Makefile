# The two commands of the README are `make run` and `make test`; the rest are their parts.
BUILD   ?= build
JOBS    ?= $(shell nproc)
PLACES  ?= here ns vm
NODE    ?= orlop-dev

.PHONY: run stop test test-all unit integration bench deps build release lint format asan tsan clean

run: deps build                      ## a node with the example pods, ready to look at
	scripts/run --name $(NODE) --bin-dir $(BUILD)/bin

stop:                                ## ends what `make run` started, and removes its state
	scripts/stop --name $(NODE) --bin-dir $(BUILD)/bin

test: deps test-deps build           ## unit tests, then the integration suites in every place
	scripts/test --build $(BUILD) --unit --places "$(PLACES)"

test-all: deps test-deps build       ## test, the long suites, and the unit tests under AddressSanitizer and ThreadSanitizer
	ORLOP_IT_ALL=1 scripts/test --build $(BUILD) --unit --sanitizers --places "$(PLACES)"

unit: build
	scripts/test --build $(BUILD) --unit

integration: build
	scripts/test --build $(BUILD) --places "$(PLACES)"

bench: deps release                  ## latency and memory figures
	bench/oci --bin-dir build-release/bin
	bench/run --bin-dir build-release/bin
	bench/cri --bin-dir build-release/bin

deps:
	@scripts/install-deps --build

.PHONY: test-deps
test-deps:
	@scripts/install-deps --test

build:
	@cmake --preset dev -B $(BUILD) >/dev/null
	cmake --build $(BUILD) -j $(JOBS)

release:
	cmake --preset release
	cmake --build build-release -j $(JOBS)

asan tsan:                           ## the unit tests under a sanitizer
	scripts/test --sanitizer $@

lint: build                          ## clang-format and clang-tidy, no changes
	git ls-files '*.cpp' '*.h' | xargs clang-format --dry-run -Werror
	git ls-files 'src/*.cpp' | xargs -P $(JOBS) -n 4 clang-tidy -p $(BUILD) --quiet

format:
	git ls-files '*.cpp' '*.h' | xargs clang-format -i

clean:
	rm -rf build build-release build-asan build-tsan build-fuzz
