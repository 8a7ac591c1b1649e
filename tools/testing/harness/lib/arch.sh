# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# Part of lib.sh: all that differs between architectures. ARCH is Debian's name of
# the machine that the modules are for. This machine is an amd64; FOREIGN is
# empty if the modules are for it, too, and ARCH otherwise.

# For each architecture:
#	GNU		the GNU triplet
#	KBUILD		how kbuild is told
#	CROSS		the prefix of the compiler's names
#	QEMU_PACKAGES	where QEMU is
#	MACHINE		its options
#	CONSOLE		the tty of its first serial port
#	PORT_DEVICE	the QEMU device, and
#	PORTS		the ttys of the two ports for results and verdict
#	ARCH_CMDLINE	more of the kernel's command line
FOREIGN=$ARCH
KBUILD=()
ARCH_CMDLINE=
case $ARCH in
amd64)
	FOREIGN=
	GNU=x86_64-linux-gnu
	QEMU_PACKAGES=(qemu-system-x86)
	MACHINE=()
	CONSOLE=ttyS0
	PORT_DEVICE=isa-serial PORTS=(ttyS1 ttyS2)
	ARCH_CMDLINE="no_timer_check tsc=reliable"
	;;
arm64)
	GNU=aarch64-linux-gnu
	KBUILD=(ARCH=arm64)
	QEMU_PACKAGES=(qemu-system-arm qemu-user)
	MACHINE=(-M virt -cpu "max,pauth-impdef=on")
	CONSOLE=ttyAMA0
	PORT_DEVICE=pci-serial PORTS=(ttyS0 ttyS1)
	;;
s390x)
	GNU=s390x-linux-gnu
	KBUILD=(ARCH=s390)
	QEMU_PACKAGES=(qemu-system-s390x qemu-user)
	MACHINE=(-M s390-ccw-virtio -cpu max -device virtio-serial-ccw)
	CONSOLE=ttysclp0
	PORT_DEVICE=virtconsole PORTS=(hvc0 hvc1)
	;;
*)
	die "ARCH=$ARCH: no such architecture; there are: amd64 arm64 s390x"
	;;
esac
CROSS=${FOREIGN:+$GNU-}
KBUILD+=(${CROSS:+"CROSS_COMPILE=$CROSS"})
# Ends the names of what is kept for ARCH.
ARCH_TAG=${FOREIGN:+-$FOREIGN}

# Packages that build kernels and modules, and programs, of ARCH here.
CROSS_PACKAGES=(${FOREIGN:+"gcc-$GNU"})
CROSS_PROGRAM_PACKAGES=(${FOREIGN:+"${CROSS_PACKAGES[@]}"
	"libc6-dev-$ARCH-cross" "linux-libc-dev-$ARCH-cross"})

# amd64_only WHAT: dies if the modules are for another architecture.
amd64_only()
{
	[ -z "$FOREIGN" ] || die "ARCH=$ARCH: $1 runs on amd64 only"
}

# qemu_command NAME: sets QEMU to the command of this program of QEMU, which is
# TOOLS_SUITE's. QEMU 7.2 runs code that a guest has overwritten: an amd64 panics
# with "Oops: int3" when a static branch is switched, an s390x when modules are
# loaded.
qemu_command()
{
	local root lib

	root=$("$HARNESS/root.sh" "$TOOLS_SUITE" qemu "${QEMU_PACKAGES[@]}") ||
		return
	lib=$root/usr/lib/x86_64-linux-gnu
	QEMU=("$lib/ld-linux-x86-64.so.2" --library-path "$lib"
		"$root/usr/bin/qemu-$1")
	[[ $1 != system-* ]] ||
		QEMU+=(-L "$root/usr/share/qemu" -L "$root/usr/share/seabios")
}

# emulate PROGRAM ARGUMENT...: runs a program of ARCH on this machine. Options of
# qemu-user may stand before a foreign program.
emulate()
{
	local QEMU=()

	[ -z "$FOREIGN" ] || qemu_command "${GNU%%-*}" || return
	"${QEMU[@]}" "$@"
}
