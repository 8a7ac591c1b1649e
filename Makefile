# SPDX-License-Identifier: GPL-2.0-only
# Targets only; what they do is in tools/. The modules' own build is in Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build

# For the scripts: K chooses the kernel, T the test, RUN a command line.
export K T LIST RUN REFRESH CACHE SCALE SEED

.PHONY: help modules modules_install demo check check-debug check-model \
	check-mutations check-e2e shell vm check-builds check-fuzz check-soak \
	check-faults bench clean

help:
	@echo 'Targets (root, Debian; what is missing gets installed):'
	@echo '  demo            build for Debian'\''s 6.1 kernel, boot it, show a device'\''s life'
	@echo '  check           static checks, then every selftest in the virtual machine'
	@echo '                  T=name    only this program or case (patterns work)'
	@echo '                  LIST=1    name them instead'
	@echo '  check-debug     the selftests, KUnit and a tenth of the longer suites on'
	@echo '                  kernels that look for faults and for data races; building'
	@echo '                  them takes a while, once; K=debug, K=kcsan: only this one'
	@echo '  check-e2e       Debian with its libvirt, mdevctl, udev and QEMU on our'
	@echo '                  modules; T= and LIST= as above'
	@echo '  check-mutations break the sources in many small ways, one at a time, and'
	@echo '                  show which test notices; T= and LIST= as above'
	@echo '  check-model     explore a model of the core with spin; T, LIST, DEEP=1'
	@echo '  shell           the same machine with a prompt, modules loaded'
	@echo '  vm RUN="cmd"    run a command line in it'
	@echo '  check-builds    build for the kernels of several Debian releases'
	@echo '  check-fuzz      2,000,000 bad writes and VFIO calls; SEED=n repeats a run'
	@echo '  check-soak      500,000 devices created and removed, against everything'
	@echo '                  that may happen meanwhile, and 50,000 on the debug kernel;'
	@echo '                  SCALE=10 does a tenth, K=6.1 or K=debug only one of them'
	@echo '  check-faults    fail each allocation of each operation once, on the debug'
	@echo '                  kernel'
	@echo '  bench           measure ours beside the stock module, in half an hour;'
	@echo '                  T= and LIST= choose and name rows'
	@echo '  clean           remove what was built (not the cache of packages)'
	@echo 'Targets that need only a compiler and a kernel build tree:'
	@echo '  modules         only the modules; KDIR=<build tree>, now'
	@echo '                  $(KDIR)'
	@echo '  modules_install install them below updates/, where depmod prefers them'
	@echo 'Variables: K=6.1 the kernel to boot; REFRESH=1 look for a newer one now;'
	@echo '  CACHE=<folder> for what is fetched (now ~/.cache/mdev)'

modules modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=updates $@

demo:
	@tools/demo/demo.sh

check:
	@tools/testing/check.sh

check-debug:
	@tools/testing/check-debug.sh

check-e2e:
	@tools/testing/e2e/check.sh

check-mutations:
	@tools/testing/mutations/run.sh

check-model:
	@tools/model/check.sh

shell:
	@tools/testing/vm/vm.sh shell

vm:
	@tools/testing/vm/vm.sh run "$$RUN"

check-builds:
	@tools/testing/check.sh builds

check-fuzz:
	@tools/testing/check.sh fuzz

check-soak:
	@tools/testing/check.sh soak

check-faults:
	@tools/testing/check.sh faults

bench:
	@tools/testing/bench/bench.sh

clean:
	rm -rf build
	find . -path ./.git -prune -o \( -name '*.o' -o -name '*.ko' -o \
		-name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' -o \
		-name '*.symvers' -o -name modules.order \) -type f \
		-exec rm -f {} +
