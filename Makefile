# coppice - one static binary that is PID 1 for a container of many images.
#
#   make            build ./coppice (on Debian, root: installs and fetches what is missing)
#   make check      the fast tests: layers, binary, unit, sim, fuzz sweep; no root, no network
#   make asan       unit, sim and fuzz sweep again under AddressSanitizer and UBSan
#   make lint       gcc, clang, clang-tidy, cppcheck, shellcheck, mandoc
#   make test       all of the above, then box and demo: what CI runs (root)
#   make fuzz       libFuzzer on each target for FUZZ_SECONDS=30; FUZZ=name picks one
#   make demo       see it work (root)
#   make net        the DHCP client against real servers, and one that lies (root; wants a quiet machine)
#   make bench      measure it beside its peers (root)
#   make fresh      prove on a fresh Debian 12 that two commands are enough (root, slow)
#   make install    to PREFIX=/usr/local; MANDIR and DESTDIR are heeded
#   make clean      remove what was built; make distclean: and what was downloaded
#
# V=1 shows the commands. CFLAGS and LDFLAGS are yours. Whatever stands before the include of
# config.mak may be set there; system libraries for instance:
#   CC = gcc
#   LINK =
#   DEPS =
#   DEPS_CFLAGS = $(shell pkg-config --cflags libcap inih jansson)
#   DEPS_LIBS = $(shell pkg-config --libs libcap inih jansson)
# inih must then have been built with the INI flags below.

VERSION  = 0.1
PREFIX   = /usr/local
MANDIR   = $(PREFIX)/share/man
DOCDIR   = $(PREFIX)/share/doc/coppice
BUILD    = build
CC       = musl-gcc
AR       = ar
STRIP    = strip
CFLAGS   = -Os -g
LDFLAGS  =
WERROR   = -Werror
FUZZ_SECONDS = 30

# musl-gcc knows no -static-pie, so spell it out: musl's self-relocating start file, and no interpreter.
MUSL     = /usr/lib/$(subst gnu,musl,$(shell gcc -print-multiarch))
# Sorted by alignment, small variables lie side by side: fewer pages are touched, and copied by a fork.
LINK     = -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text,--gc-sections,--build-id=none,--sort-section=alignment \
	   $(MUSL)/rcrt1.o
HARDEN   = -fPIE -fstack-protector-strong -fstack-clash-protection
SECTIONS = -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
WARN     = -Wall -Wextra -Wpedantic -Wshadow -Wvla -Walloca -Wstrict-prototypes -Wmissing-prototypes \
	   -Wold-style-definition -Wwrite-strings -Wformat=2 -Wundef -Wpointer-arith -Wcast-align \
	   -Wdate-time
# One table for the library and for our own code: ini.h must look the same to both.
INI      = -DINI_MAX_LINE=1048576 -DINI_USE_STACK=0 -DINI_ALLOW_REALLOC=1 -DINI_CUSTOM_ALLOCATOR=1 -DINI_INITIAL_ALLOC=200 \
	   -DINI_ALLOW_INLINE_COMMENTS=0 -DINI_ALLOW_MULTILINE=0 -DINI_HANDLER_LINENO=1 \
	   -DINI_CALL_HANDLER_ON_NEW_SECTION=1 -DINI_STOP_ON_FIRST_ERROR=0
DEPS     = $(BUILD)/deps
DEPS_CFLAGS = -isystem $(DEPS)/include
DEPS_LIBS = -L$(DEPS)/lib -lcap -linih -ljansson

-include config.mak

src      = $(sort $(wildcard conf/*.c conf/kit/*.c mount/*.c health/*.c supervise/*.c init/*.c \
	     init/net/*.c init/control/*.c init/cli/*.c))
lib      = $(BUILD)/libcoppice.a
libobj   = $(patsubst %.c,$(BUILD)/%.o,$(filter-out init/main.c,$(src)))
testlib  = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/lib/*.c)))
simobj   = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/sim/*.c)))
sim      = $(if $(simobj),$(BUILD)/tests/sim/sim)
program  = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/$1/*.c)))
quick    = $(call program,unit) $(sim) $(call program,fuzz)
programs = $(quick) $(call program,box) $(call program,bench) $(call program,demo)
box      = $(sort $(wildcard tests/box/*.sh))
demo     = $(wildcard tests/demo/demo.sh)
language = -std=c11 -D_GNU_SOURCE -DCOPPICE_VERSION=\"$(VERSION)\" $(INI) -I. $(DEPS_CFLAGS) $(WARN)
cflags   = $(language) $(WERROR) $(HARDEN) $(SECTIONS) -ffile-prefix-map=$(CURDIR)=. $(CFLAGS)
ldflags  = -Wl,-z,relro,-z,now,-z,noexecstack $(LINK) $(LDFLAGS)
ready    = $(DEPS:%=%/ready)
asan     = BUILD=build/asan CC=gcc LINK= SECTIONS= WERROR= CFLAGS='-O1 -g -fno-omit-frame-pointer \
	   -fsanitize=address,undefined -fno-sanitize-recover=all'
fuzzer   = BUILD=build/fuzz CC=clang LINK= SECTIONS= WERROR= SWEEP= CFLAGS='-O1 -g \
	   -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
SWEEP    = -DFUZZ_SWEEP

# All cores, unless a parent make has settled that already or something is to be removed first.
ifeq ($(MAKELEVEL)$(filter %clean,$(MAKECMDGOALS)),0)
MAKEFLAGS += --no-print-directory -j$(shell nproc)
endif
Q        = $(if $(V),,@)
say      = $(if $(V),@:,@echo '  $1	$2')
export SOURCE_DATE_EPOCH ?= 0
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all check asan lint test fuzz demo net bench fresh install clean distclean help list lint-flags \
	programs asan-programs fuzzers FORCE

all: coppice
help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

coppice: $(BUILD)/coppice.debug
	$(call say,STRIP,$@)
	$(Q)$(STRIP) -s -o $@.new $< && mv $@.new $@ # a coppice that runs may not be written over
$(BUILD)/coppice.debug: $(BUILD)/init/main.o $(lib)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) $(ldflags) -o $@ $^ $(DEPS_LIBS)
$(lib): $(libobj) $(BUILD)/members $(ready)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) qcsD $@ $(libobj)
$(BUILD)/%.o: %.c $(BUILD)/flags | $(ready)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(cflags) $(extra) -MMD -MP -c -o $@ $<
$(BUILD)/tests/fuzz/%.o: extra = $(SWEEP)

# Simulated objects come first: a name they define keeps the archive's member of that name out.
$(sim): $(simobj) $(testlib) $(lib)
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(testlib) $(lib)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) $(ldflags) -o $@ $^ $(DEPS_LIBS)
$(sim): ; $(call say,LD,$@)
	$(Q)$(CC) $(cflags) $(ldflags) -o $@ $^ $(DEPS_LIBS)

# A stamp changes when what it says changes: other flags recompile, a file gone leaves the archive, another inih is built.
$(BUILD)/flags: says = $(CC) $(cflags) $(ldflags)
$(BUILD)/members: says = $(libobj)
$(BUILD)/inih: says = $(INI)
$(BUILD)/flags $(BUILD)/members: | $(ready)
$(BUILD)/flags $(BUILD)/members $(BUILD)/inih: FORCE
	@mkdir -p $(@D); echo '$(says)' | cmp -s - $@ || echo '$(says)' >$@

$(DEPS)/ready: .ci/get-deps $(BUILD)/inih
	@.ci/need build
	@AR='$(AR)' .ci/get-deps $(DEPS) '$(CC)' $(INI) $(HARDEN) $(SECTIONS) $(CFLAGS)

programs: $(programs)
asan-programs:
	@$(MAKE) $(asan) build/asan/coppice.debug programs

check: coppice programs
	@tests/run tests/layers.sh tests/binary.sh $(quick)
asan: asan-programs
	@tests/run $(quick:$(BUILD)/%=build/asan/%)
lint: $(ready)
	@.ci/need test
	@tests/run .ci/lint tests/layers.sh
lint-flags: # how .ci/lint learns to read the tree as the compiler does
	@echo '$(language)'
test:
	@.ci/run
# What `make test` runs, in order; .ci/run asks.
list:
	@echo .ci/lint tests/layers.sh tests/binary.sh tests/reproducible.sh $(quick) $(quick:$(BUILD)/%=build/asan/%) $(box) $(demo)

fuzz:
	@.ci/need test
	@$(MAKE) $(fuzzer) LDFLAGS=-fsanitize=fuzzer,address,undefined fuzzers
fuzzers: $(call program,fuzz)
	@.ci/fuzz $(FUZZ_SECONDS) $(or $(FUZZ:%=$(BUILD)/tests/fuzz/%),$^)

demo: coppice
	@.ci/need demo
	@tests/demo/demo.sh
net: coppice programs
	@.ci/need test dhcp
	@tests/run $(sort $(wildcard tests/net/*.sh))
bench: coppice programs
	@.ci/need bench
	@tests/bench/run
fresh:
	@.ci/need fresh
	@tests/run tests/fresh.sh

install: coppice
	install -D -m 755 coppice $(DESTDIR)$(PREFIX)/sbin/coppice
	for page in man/*.[1-8]; do \
		install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit; done
	install -D -m 644 -t $(DESTDIR)$(DOCDIR) README.md LICENSE
	$(if $(DEPS),install -D -m 644 -t $(DESTDIR)$(DOCDIR)/licenses $(DEPS)/licenses/*)
	mkdir -p $(DESTDIR)$(DOCDIR)/examples && cp -R conf/examples/. $(DESTDIR)$(DOCDIR)/examples

clean:
	rm -rf coppice $(filter-out build/cache,$(wildcard build/*))
distclean: clean
	rm -rf build

-include $(patsubst %.o,%.d,$(BUILD)/init/main.o $(libobj) $(testlib) $(simobj) $(programs:%=%.o))
