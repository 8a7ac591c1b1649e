#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: initramfs.sh KERNEL_DIR MODULES_DIR VM_DIR OUTPUT [MODULE...]
#
# Packs the guest's initramfs: busybox, kmod and shells of this machine's suite,
# our modules in updates/, the distribution's modules that they depend on or that
# MACHINE_MODULES or the arguments name, and VM_DIR as /vm. A trailing question
# mark marks a module that not every kernel has. The distribution's modules with
# the names of ours go to /lib/modules/stock, where modprobe does not look, if
# MACHINE_MODULES names them or another module depends on them.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/lib.sh"

kernel=$1
ours=$2
vm=$3
output=$4
more=("${@:5}")
release=$(cat "$kernel/release")

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# The programs of this machine, or a root with those of ARCH or of Xen.
programs=
if [ -n "$FOREIGN" ]; then
	programs=$("$HARNESS/root.sh" --foreign \
		"$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" \
		"machine$ARCH_TAG" busybox-static kmod dash bash)
elif [ -n "${XEN_PACKAGES:-}" ]; then
	programs=$(xen_root)
fi

# libraries PROGRAM: prints its shared libraries as ldd does.
libraries()
{
	if [ -z "$FOREIGN" ]; then
		chroot "$programs/" ldd "${1#"$programs"}"
	else
		emulate -L "$programs" -E LD_TRACE_LOADED_OBJECTS=1 "$1"
	fi 2>/dev/null || true
}

# add_program NAME: adds the program and its shared libraries. With a slash it is a path.
add_program()
{
	local file lib
	if [[ $1 = */* ]]; then
		file=$(compgen -G "$programs$1")
	else
		file=$(realpath "$programs/bin/$1" 2>/dev/null) && [ -e "$file" ] ||
			file=$(realpath "$programs/sbin/$1")
	fi
	install -D -m 755 "$file" "$root/bin/$(basename "$file")"
	libraries "$file" |
		sed -nE 's|.*[[:space:]](/[^ ]+) \(0x.*|\1|p' |
		while read -r lib; do
			install -D -m 755 "$programs$lib" "$root$lib"
		done
}

add_user_space()
{
	local applet program

	mkdir -p "$root"/{bin,sbin,proc,sys,dev,tmp,root,etc,run,var/run}
	for applet in $(emulate "$programs/bin/busybox" --list); do
		ln -s busybox "$root/bin/$applet"
	done
	rm -f "$root/bin/busybox"
	install -m 755 "$programs/bin/busybox" "$root/bin/busybox"
	# Use kmod for its modprobe semantics (soft dependencies, compressed
	# modules). Use real shells because busybox's shell prefers its
	# own applets to programs in PATH.
	rm "$root"/bin/{depmod,insmod,lsmod,modinfo,modprobe,rmmod,sh,ash}
	add_program kmod
	add_program dash
	add_program bash
	for program in "${MACHINE_PROGRAMS[@]}"; do
		rm -f "$root/bin/${program##*/}"
		add_program "$program"
	done
	ln -s dash "$root/bin/sh"
	for applet in depmod insmod lsmod modinfo modprobe rmmod; do
		ln -s kmod "$root/bin/$applet"
		ln -s ../bin/kmod "$root/sbin/$applet"
	done
	if [ -d /lib/terminfo ]; then
		cp -a /lib/terminfo "$root/lib/"
	fi
	install -m 755 "$HARNESS/vm/init" "$root/init"
	echo "root:x:0:0:root:/root:/bin/bash" >"$root/etc/passwd"
	echo "root:x:0:" >"$root/etc/group"
	cp -a "$vm" "$root/vm"
	cp -t "$root/vm" "$root/bin/busybox" "$HARNESS/vm/run"
}

# Print the modules to look up: the requested ones and the dependencies of ours.
wanted_modules()
{
	local ko

	printf '%s\n' "${MACHINE_MODULES[@]}" "${more[@]}"
	for ko in "$dest"/updates/*.ko; do
		modinfo -F depends "$ko" | tr ',' '\n'
		modinfo -F softdep "$ko" | tr ' ' '\n' | grep -v ':$' || true
	done
}

add_modules()
{
	local ko name path file

	dest=$root/lib/modules/$release
	mkdir -p "$dest/updates" "$root/lib/modules/stock"
	find "$ours" -name '*.ko' -exec cp -t "$dest/updates" {} +
	compgen -G "$dest/updates/*.ko" >/dev/null || die "no module in $ours"
	for name in $(wanted_modules | sort -u); do
		if [ "${name%\?}" != "$name" ]; then
			name=${name%\?}
			modprobe -d "$kernel" -S "$release" -nq "$name" ||
				continue
		fi
		[ ! -e "$dest/updates/$name.ko" ] ||
			[[ " ${MACHINE_MODULES[*]} " = *" $name "* ]] || continue
		modprobe -d "$kernel" -S "$release" --show-depends "$name"
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u >"$root/closure"
	while read -r path; do
		file=${path##*/}
		name=${file%%.ko*}
		if [ -e "$dest/updates/$name.ko" ]; then
			cp "$path" "$root/lib/modules/stock/$file"
		else
			install -D -m 644 "$path" \
				"$dest/${path#*"/lib/modules/$release/"}"
		fi
	done <"$root/closure"
	rm "$root/closure"
	cp "$kernel/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} \
		"$dest/"
	for ko in "$root"/lib/modules/stock/*.ko.xz; do
		[ ! -e "$ko" ] || xz -d "$ko"
	done
	depmod -b "$root" "$release"
}

add_user_space
add_modules
pack_initramfs "$root" "$output.new"
mv "$output.new" "$output"
