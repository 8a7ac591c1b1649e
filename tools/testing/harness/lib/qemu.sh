# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: starts QEMU, with KVM only if KVM works here.

# A /dev/kvm that opens proves little: on nested hosts a guest may never execute
# an instruction. Try a probe guest, once per boot of this host.
KVM_PROBE_SECONDS=10

# qemu_accel KERNEL: sets ACCEL to QEMU's options, and logs the choice.
qemu_accel()
{
	local boot_id verdict

	qemu_command "system-${GNU%%-*}"
	if [ -n "$FOREIGN" ]; then
		log "virtual machine: TCG, emulated ($ARCH)"
		ACCEL=(-accel "tcg,thread=multi")
		return
	fi
	boot_id=$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -w /dev/kvm ]; then
		verdict="no /dev/kvm"
	else
		if ! grep -qs "^$boot_id " "$CACHE/kvm"; then
			with_lock kvm probe_kvm "$1" "$boot_id"
		fi
		verdict=$(cut -d' ' -f2- "$CACHE/kvm")
	fi
	if [ "$verdict" = works ]; then
		log "virtual machine: KVM"
		ACCEL=(-accel kvm -cpu "host$CPU_FLAGS")
	else
		log "virtual machine: TCG, emulated ($verdict)"
		# With ERMS and FSRM the kernel copies by rep movsb, which TCG
		# emulates byte by byte; 6.1 hangs with one of the two. With
		# five-level page tables KASAN misjudges addresses while
		# identify_cpu() has the CPU's features cleared: an interrupt
		# then panics.
		ACCEL=(-accel "tcg,thread=multi" -cpu "max,erms=off,fsrm=off,la57=off$CPU_FLAGS")
	fi
}

probe_kvm()
{
	local kernel=$1 boot_id=$2 dir verdict

	! grep -qs "^$boot_id " "$CACHE/kvm" || return 0
	log "trying KVM for at most $KVM_PROBE_SECONDS s ..."
	dir=$(mktemp -d)
	mkdir -p "$dir/root/bin"
	cp /bin/busybox "$dir/root/bin/"
	cat >"$dir/root/init" <<-'INIT'
		#!/bin/busybox sh
		/bin/busybox mkdir /dev
		/bin/busybox mount -t devtmpfs dev /dev
		echo alive >/dev/ttyS1
		/bin/busybox poweroff -f
	INIT
	chmod +x "$dir/root/init"
	pack_initramfs "$dir/root" "$dir/initrd"
	timeout --foreground -s KILL "$KVM_PROBE_SECONDS" "${QEMU[@]}" \
		-accel kvm -cpu host -smp 2 -m 256M -nodefaults -no-user-config \
		-display none -no-reboot -kernel "$kernel" -initrd "$dir/initrd" \
		-append "console=ttyS0 quiet panic=-1" \
		-serial "file:$dir/console" -serial "file:$dir/alive" \
		>"$dir/qemu" 2>&1 </dev/null || true
	if grep -qs alive "$dir/alive"; then
		verdict=works
	else
		verdict="a guest on KVM did not run within $KVM_PROBE_SECONDS s"
	fi
	rm -rf "$dir"
	echo "$boot_id $verdict" >"$CACHE/kvm.new"
	mv "$CACHE/kvm.new" "$CACHE/kvm"
}

# pack_initramfs ROOT FILE
pack_initramfs()
{
	(cd "$1" && find . -print0 |
		cpio --null --create --format=newc --owner=0:0 --quiet) >"$2"
}

# boot_options KERNEL INITRD: sets BOOT to the options that boot them.
boot_options()
{
	BOOT=(-kernel "$1" -initrd "$2" -append "$VM_CMDLINE")
}

# Callers may change the guest's memory and CPUs, and add QEMU options.
VM_MEMORY=1G
VM_CPUS=2
VM_OPTIONS=()
CPU_FLAGS=

# qemu_run KERNEL INITRD SECONDS CONSOLE RESULTS VERDICT [OPTION...]: CONSOLE is an
# argument of -serial, RESULTS and VERDICT are arguments of -chardev. A panic or
# the time limit ends QEMU.
qemu_run()
{
	boot_options "$1" "$2"
	timeout --foreground -s KILL "$3" "${QEMU[@]}" "${MACHINE[@]}" \
		"${ACCEL[@]}" -smp "$VM_CPUS" -m "$VM_MEMORY" -nodefaults -no-user-config \
		-display none -no-reboot "${BOOT[@]}" \
		-serial "$4" \
		-chardev "$5,id=results" -device "$PORT_DEVICE,chardev=results" \
		-chardev "$6,id=verdict" -device "$PORT_DEVICE,chardev=verdict" \
		"${VM_OPTIONS[@]}" "${@:7}"
}

# On a slow host the watchdogs must not report hangs, and the kernel must not
# take its timer for broken or its TSC for unstable.
VM_CMDLINE="console=$CONSOLE panic_on_warn=1 oops=panic panic=-1 loglevel=7"
VM_CMDLINE+=" log_buf_len=4M printk.devkmsg=on nmi_watchdog=0"
VM_CMDLINE+=" watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=100"
VM_CMDLINE+=" mitigations=off${ARCH_CMDLINE:+ $ARCH_CMDLINE}"

# KCSAN watches the whole kernel: don't panic on races elsewhere. The runner
# reports ours.
[ "$K" != kcsan ] || VM_CMDLINE=${VM_CMDLINE/panic_on_warn=1 /}
