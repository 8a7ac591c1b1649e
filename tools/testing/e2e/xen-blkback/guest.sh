# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Sourced by tests with guests: boots the kernel of dom0 in a paravirtualized one.

# guest_modules FOLDER NAME...: copies the modules, in the order in which they load.
guest_modules()
{
	local folder=$1 path number=100

	mkdir -p "$folder"
	modprobe -D -a "${@:2}" | sed -n 's/^insmod \([^ ]*\).*/\1/p' |
		awk '!seen[$0]++' | while read -r path; do
		number=$((number + 1))
		case $path in
		*.xz)	/vm/busybox xz -dc <"$path" ;;
		*)	cat "$path" ;;
		esac >"$folder/$number.ko"
	done
}

# guest_add ROOT PROGRAM...: copies programs with their libraries.
guest_add()
{
	local root=$1 file

	for file in "${@:2}" $(ldd "${@:2}" 2>/dev/null | grep -o '/[^ ]*' | tr -d ':' |
		sort -u); do
		[ -e "$root$file" ] || install -D "$file" "$root$file"
	done
}

# guest_pack ROOT: adds init from stdin, and makes ROOT.initrd.
guest_pack()
{
	mkdir -p "$1"/{bin,dev,proc,sys,mnt,tmp}
	cp /vm/busybox "$1/bin/busybox"
	{
		cat <<-'INIT'
			#!/bin/busybox sh
			/bin/busybox --install -s /bin
			mount -t devtmpfs none /dev
			mount -t proc none /proc
			mount -t sysfs none /sys
			for module in /modules/*; do
				insmod "$module"
			done
		INIT
		cat
	} >"$1/init"
	chmod +x "$1/init"
	(cd "$1" && find . | /vm/busybox cpio -o -H newc 2>/dev/null) >"$1.initrd"
}

# guest_start NAME INITRD [LINE...]: starts a guest, with these lines in its configuration.
guest_start()
{
	printf '%s\n' "name = '$1'" "type = 'pv'" "kernel = '/vm/vmlinuz'" \
		"ramdisk = '$2'" "memory = 256" "vcpus = 1" \
		"extra = 'console=hvc0 loglevel=5 rdinit=/init'" "on_poweroff = 'destroy'" \
		"on_crash = 'destroy'" "${@:3}" >"$scratch/$1.cfg"
	rm -f "/var/log/xen/console/guest-$1.log"
	xl create -q "$scratch/$1.cfg"
}

# guest_said NAME TEXT: succeeds if this line is on the guest's console.
guest_said()
{
	tr -d '\r' <"/var/log/xen/console/guest-$1.log" | grep -qx "$2"
}

has_guest()
{
	xl domid "$1" >/dev/null 2>&1
}

no_guest()
{
	! has_guest "$1"
}
