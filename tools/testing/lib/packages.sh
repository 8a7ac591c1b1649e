# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced after common.sh: what the host must have installed, and why.

# For the modules, the test programs and the client, the machine, a kernel that
# is built here, and the checks.
# shellcheck disable=SC2034 # for whoever sources this
{
	MODULE_PACKAGES=(make gcc-12 libelf1 rsync)
	PROGRAM_PACKAGES=(make gcc libc6-dev linux-libc-dev)
	VM_PACKAGES=(qemu-system-x86 busybox-static cpio kmod)
	KERNEL_PACKAGES=(make gcc libc6-dev bc bison flex libelf-dev cpio kmod
		dpkg xz-utils zstd debian-archive-keyring)
	CHECK_PACKAGES=(git perl sparse shellcheck)
}

host_package_reason()
{
	case $1 in
	bc | bison | flex)	echo "kernel build" ;;
	busybox-static)		echo "user space of the virtual machine" ;;
	cpio)			echo "packs the initramfs, copies headers" ;;
	debian-archive-keyring)	echo "verifies what apt fetches" ;;
	dpkg)			echo "unpacks kernel packages" ;;
	e2fsprogs)		echo "makes the image of a root" ;;
	gcc-12)			echo "compiler of Debian 12's kernel" ;;
	gcc)			echo "compiles the test programs, a kernel" ;;
	gnuplot-nox)		echo "draws the measurements" ;;
	git)			echo "says which files are sources" ;;
	kmod)			echo "depmod and the machine's modprobe" ;;
	libc6-dev)		echo "C library of the test programs" ;;
	libelf-dev)		echo "kernel build: its objtool" ;;
	libelf1)		echo "objtool of the kernel's build needs it" ;;
	linux-libc-dev)		echo "VFIO's user-space header" ;;
	make)			echo "runs the kernel's build" ;;
	mmdebstrap)		echo "roots of Debian suites" ;;
	perl)			echo "checkpatch" ;;
	qemu-system-x86)	echo "the virtual machine" ;;
	rsync)			echo "copies the sources to build/" ;;
	shellcheck)		echo "checks the scripts" ;;
	spin)			echo "explores the model of the core" ;;
	sparse)			echo "checks the modules (C=2)" ;;
	xz-utils)		echo "unpacks kernel sources and modules" ;;
	zstd)			echo "unpacks Debian packages" ;;
	*)			echo "asked for" ;;
	esac
}

# need_packages NAME...: installs what is missing, saying which and why.
need_packages()
{
	local name missing=()
	for name in "$@"; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$name" \
			2>/dev/null || true) in
		installed)	;;
		*)		missing+=("$name") ;;
		esac
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" -eq 0 ] ||
		die "not installed: ${missing[*]} (run as root to install)"
	for name in "${missing[@]}"; do
		log "installing $name: $(host_package_reason "$name")"
	done
	with_lock host-packages install_packages "${missing[@]}"
}

install_packages()
{
	local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q
		-o DPkg::Lock::Timeout=300)
	# Lists may be absent or name versions the mirror no longer has.
	if ! "${apt[@]}" -s --no-install-recommends install "$@" \
		>/dev/null 2>&1 ||
		! step "apt-get install $*" \
			"${apt[@]}" --no-install-recommends install "$@"; then
		step "apt-get update" "${apt[@]}" update
		step "apt-get install $*" \
			"${apt[@]}" --no-install-recommends install "$@"
	fi
}
