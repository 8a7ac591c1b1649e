# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The shell library of the harness. Sets paths, reads these variables, and
# sources one file below lib/ for each concern.
#
#	S	the system (default mdev); tools/testing/systems/ has a file for each
#	K	the kernel (default bookworm): a Debian suite, a series that one of
#		them has, or a kernel that is built here (config/*.config)
#	ARCH	the architecture of the kernel (default amd64): a Debian name
#	T	tests to run: programs, cases, or shell patterns of either
#	CACHE	where fetched files are kept (default ~/.cache/mdev)

set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

HARNESS=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
TOP=$(realpath "$HARNESS/../../..")
TESTING=$TOP/tools/testing
CACHE=${CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mdev}
S=${S:-mdev}
K=${K:-bookworm}
ARCH=${ARCH:-amd64}

export TOP CACHE S K ARCH

# Don't pass the variables and the job server of the calling make to other makes.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

# shellcheck source=tools/testing/harness/lib/log.sh
. "$HARNESS/lib/log.sh"
# shellcheck source=tools/testing/harness/lib/arch.sh
. "$HARNESS/lib/arch.sh"
# shellcheck source=tools/testing/harness/lib/packages.sh
. "$HARNESS/lib/packages.sh"
# shellcheck source=tools/testing/harness/lib/apt.sh
. "$HARNESS/lib/apt.sh"
# shellcheck source=tools/testing/harness/lib/roots.sh
. "$HARNESS/lib/roots.sh"
# shellcheck source=tools/testing/harness/lib/kernels.sh
. "$HARNESS/lib/kernels.sh"
# shellcheck source=tools/testing/harness/lib/results.sh
. "$HARNESS/lib/results.sh"
# shellcheck source=tools/testing/harness/lib/sources.sh
. "$HARNESS/lib/sources.sh"
# shellcheck source=tools/testing/harness/lib/checkpatch.sh
. "$HARNESS/lib/checkpatch.sh"
# shellcheck source=tools/testing/harness/lib/qemu.sh
. "$HARNESS/lib/qemu.sh"
# shellcheck source=tools/testing/harness/lib/vm.sh
. "$HARNESS/lib/vm.sh"
# shellcheck source=tools/testing/harness/lib/debian.sh
. "$HARNESS/lib/debian.sh"
# shellcheck source=tools/testing/harness/lib/cases.sh
. "$HARNESS/lib/cases.sh"

[ -f "$TESTING/systems/$S" ] ||
	die "S=$S: no such system; there are: $(cd "$TESTING/systems" &&
		printf '%s\n' * | grep -v '\.' | paste -sd' ')"
# Defaults for what a system description does not define.
E2E_BARE=()
e2e_mend() { :; }
e2e_fill() { :; }
modules_fill() { :; }
machine_fill() { :; }
MACHINE_PROGRAMS=()
# shellcheck source=tools/testing/systems/mdev
. "$TESTING/systems/$S"
# shellcheck source=tools/testing/harness/lib/xen.sh
[ -z "${XEN_PACKAGES:-}" ] || . "$HARNESS/lib/xen.sh"

mkdir -p "$CACHE" || die "cannot write to CACHE=$CACHE"
