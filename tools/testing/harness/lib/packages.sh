# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: packages that the host needs, and why.

# Packages for every run. Install them together: each run of apt takes seconds.
# shellcheck disable=SC2034 # for the caller
HOST_PACKAGES=(make gcc libc6-dev linux-libc-dev git perl shellcheck rsync
	busybox-static cpio kmod xz-utils zstd dpkg
	mmdebstrap debian-archive-keyring)

host_package_reason()
{
	case $1 in
	busybox-static)		echo "user space of the virtual machine" ;;
	cpio)			echo "packs the initramfs" ;;
	debian-archive-keyring)	echo "verifies what apt fetches" ;;
	distro-info)		echo "knows the names of Debian's suites" ;;
	dmsetup)		echo "device-mapper devices, in the machine" ;;
	dpkg)			echo "unpacks kernel packages" ;;
	e2fsprogs)		echo "file systems, in images and in the machine" ;;
	gcc | gcc-*-linux-gnu)	echo "compiles the test programs" ;;
	git)			echo "says which files are sources" ;;
	gnuplot-nox)		echo "draws the measurements" ;;
	kmod)			echo "depmod and the machine's modprobe" ;;
	libc6-dev | libc6-dev-*-cross)
				echo "C library of the test programs" ;;
	liburing-dev)		echo "io_uring, of the benchmarks" ;;
	libxen-dev)		echo "the client of xenstore, in tests" ;;
	linux-libc-dev | linux-libc-dev-*-cross)
				echo "VFIO's user-space header" ;;
	make)			echo "runs the builds" ;;
	mmdebstrap)		echo "roots of Debian suites, to build and test in" ;;
	nbd-client | nbdkit)	echo "nbd, which dm-user is measured beside" ;;
	patch)			echo "patches kernel trees" ;;
	perl)			echo "checkpatch" ;;
	rsync)			echo "copies the sources to build/" ;;
	shellcheck)		echo "checks the scripts" ;;
	spin)			echo "explores the model" ;;
	unifdef)		echo "drops what a kernel tree has itself" ;;
	xz-utils)		echo "unpacks kernel sources and modules" ;;
	zstd)			echo "unpacks Debian packages and kernels" ;;
	*)			echo "asked for" ;;
	esac
}

# need_packages NAME...: installs missing packages and logs what each is for.
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

# Retry without a delay: apt can hang in its delayed retries when the disk is full.
APT_RETRY=(-o Acquire::Retries=3 -o Acquire::Retries::Delay=false)

install_packages()
{
	local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q
		-o DPkg::Lock::Timeout=300 "${APT_RETRY[@]}")

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
