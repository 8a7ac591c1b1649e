# SPDX-License-Identifier: GPL-2.0-only
# Only targets; tools/testing/harness implements them. Kbuild builds the
# modules.

KDIR ?= /lib/modules/$(shell uname -r)/build
RUN_PARTS := tools/testing/harness/run

# For the scripts: S selects the system, K the kernel, ARCH its architecture, T
# the tests; RUN is a command.
export S K ARCH T LIST RUN REFRESH CACHE SCALE SEED DEEP KTREE

.PHONY: help modules modules_install demo check check-ci check-all check-builds \
	check-e2e check-faults check-fuzz check-matrix check-model check-mutations \
	check-soak shell vm e2e-shell bench dist deb kernel-series clean

help:
	@echo 'Targets (need root and Debian; missing packages get installed):'
	@echo '  demo            build for Debian 12'\''s kernel, boot it, show a device'\''s life'
	@echo '  check           static checks and every selftest, in virtual machines'
	@echo '  check-ci        what a change must pass: .ci/run'
	@echo '  check-all       every test on every kernel; resumes where it was stopped'
	@echo '  check-builds    build for each supported kernel, or for K; EXTRA=suite: for'
	@echo '                  one more, whose failure does not count'
	@echo '  check-e2e       boot Debian and run its own programs on our modules'
	@echo '  check-faults    fail each memory allocation of each operation once (K=debug)'
	@echo '  check-fuzz      bad input, millions of times; SEED=n repeats a run'
	@echo '  check-matrix    install the packages in each supported suite, boot it, and'
	@echo '                  run the tests there; SUITE= picks one'
	@echo '  check-model     explore the model of S with spin; DEEP=1: further'
	@echo '  check-mutations break the sources in small ways, one at a time, and show'
	@echo '                  which test catches it'
	@echo '  check-soak      create and remove in parallel with everything else;'
	@echo '                  SCALE=10 does a tenth'
	@echo '  shell           open a prompt in the virtual machine, modules loaded'
	@echo '  vm RUN="cmd"    run a command line in it'
	@echo '  e2e-shell       open a prompt in the machine of check-e2e'
	@echo '  bench           measure the system and its alternatives'
	@echo '  deb             build the Debian packages, into build/deb'
	@echo '  dist            pack the sources, into build/dist'
	@echo '  kernel-series   turn the modules into patches for the kernel source tree'
	@echo '                  KTREE, and apply them; they stay in build/series'
	@echo '  clean           remove what was built (not the cache)'
	@echo 'Targets that need only a compiler and a kernel build tree:'
	@echo '  modules         build only the modules; KDIR=<build tree>, default'
	@echo '                  $(KDIR)'
	@echo '  modules_install install them below updates/, where depmod prefers them'
	@echo 'Variables:'
	@echo '  S=mdev          the system: a file of tools/testing/systems'
	@echo '  K=bookworm      the kernel: a Debian suite (trixie, trixie-backports,'
	@echo '                  sid ...), a series that one of them has, or one that is'
	@echo '                  built here: debug, debug-new, debug-disk, debug-xen,'
	@echo '                  kcsan, plain-new'
	@echo '  ARCH=amd64      its architecture: amd64, arm64 or s390x; the last two are'
	@echo '                  built and emulated here'
	@echo '  T=name          only this program or case (patterns work); LIST=1 lists them'
	@echo '  REFRESH=1       look for newer packages now instead of once a day'
	@echo '  CACHE=folder    for downloads (default ~/.cache/mdev)'

# Without S, build the modules of all systems.
modules modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=updates $(if $(S), \
		MODULES="$$(bash -c '. tools/testing/systems/$(S) && \
			echo $${MODULES[*]}')") $@

check:
	@$(RUN_PARTS) static builds selftests

check-ci check-all:
	@$(RUN_PARTS) $(@:check-%=%)

check-matrix:
	@$(RUN_PARTS) $(if $(SUITE),"matrix K=$(SUITE)",matrices)

check-builds:
	@$(RUN_PARTS) $(if $(K),builds,supported) $(if $(EXTRA),"builds K=$(EXTRA) TODO=1")

check-e2e check-model check-mutations:
	@$(RUN_PARTS) $(@:check-%=%)

check-fuzz check-soak:
	@$(RUN_PARTS) "stress $(@:check-%=%) LIMIT=20000"

check-faults:
	@$(RUN_PARTS) "stress faults $(if $(K),,K=debug)"

demo bench:
	@$(RUN_PARTS) -x $@

deb:
	@$(RUN_PARTS) -x deb packages

dist:
	@$(RUN_PARTS) -x deb dist

kernel-series:
	@$(RUN_PARTS) -x series write

shell:
	@$(RUN_PARTS) -x vm shell

vm:
	@$(RUN_PARTS) -x vm run

e2e-shell:
	@$(RUN_PARTS) -x e2e shell

clean:
	rm -rf build
	find . -path ./.git -prune -o \( -name '*.o' -o -name '*.ko' -o \
		-name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' -o \
		-name '*.symvers' -o -name modules.order \) -type f \
		-exec rm -f {} +
