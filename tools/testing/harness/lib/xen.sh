# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# Part of lib.sh, for systems with XEN_PACKAGES: the machine boots Debian's Xen, and the
# kernel as its dom0. The programs of dom0 come from a root with these packages.

amd64_only Xen

# Xen owns the first serial port, and its interrupt. dom0's console goes through it.
PORT_DEVICE=pci-serial PORTS=(ttyS0 ttyS1)
VM_CMDLINE=${VM_CMDLINE/console=$CONSOLE/console=hvc0}
XEN_CMDLINE="com1=115200,8n1 console=com1 dom0_mem=1G,max:1G dom0_max_vcpus=$VM_CPUS"
XEN_CMDLINE+=" loglvl=warning guest_loglvl=warning"
VM_MEMORY=1536M
# Emulated, dom0 dies at its first iretq with smap, programs in guests die of SIGSEGV with
# xsave, and PVH guests do not start with rdtscp.
CPU_FLAGS=,smap=off,xsave=off,rdtscp=off

# xen_root: prints the root, of the suite of the kernel.
xen_root()
{
	"$HARNESS/root.sh" "$(base_suite "$(suite_of "$K")")" xen busybox-static kmod \
		dash bash "${XEN_PACKAGES[@]}"
}

machine_fill()
{
	local root

	root=$(xen_root) || exit
	zcat "$root"/boot/xen-*.gz >"$VM/xen"
	cp "$HARNESS/vm/xen" "$VM/root/start"
}

boot_options()
{
	BOOT=(-kernel "$VM/xen" -append "$XEN_CMDLINE" -initrd "$1 $VM_CMDLINE,$2")
}

# Programs outside the folders of PATH.
for program in xenstored xen-init-dom0; do
	MACHINE_PROGRAMS+=("/usr/lib/xen-*/bin/$program")
done
unset program
