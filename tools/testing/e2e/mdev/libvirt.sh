# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the tests that use libvirt.

# shellcheck source=tools/testing/e2e/mdev/mdev.sh
. "$(dirname "${BASH_SOURCE[0]}")/mdev.sh"

node_of()
{
	echo "mdev_${1//-/_}_mtty"
}

# nodes CAPABILITY [OPTION...]: lists node devices, by default the active ones.
nodes()
{
	virsh nodedev-list --cap "$@" | xargs
}

# no_nodes [OPTION...]: succeeds if libvirt has no mediated device, active or
# defined. Writes the state of those that it knows to a file, which a failed case
# shows. libvirt 11 sometimes keeps a node that is neither, when the device was not
# defined and has gone.
no_nodes()
{
	local known

	known=$(nodes mdev "$@") || return 1
	xargs -rn1 virsh nodedev-info <<<"$known" >"$scratch/nodes" 2>&1
	! grep -qE '^(Active|Persistent): *yes' "$scratch/nodes"
}

parent_listed()
{
	[ "$(nodes mdev_types)" = mtty_mtty ]
}

# libvirt learns from udev's events, in its own time.
case_setup()
{
	load_mtty
	wait_for "$SOON" parent_listed
}

node_info()
{
	virsh nodedev-info "$1" | sed -n "s/^$2: *//p"
}

# For wait_for: libvirt updates this in a thread of its own, through mdevctl.
node_says()
{
	[ "$(node_info "$1" "$2")" = "$3" ]
}

# node_xml TYPE UUID
node_xml()
{
	cat <<-XML
		<device>
		  <parent>mtty_mtty</parent>
		  <capability type='mdev'>
		    <type id='$1'/>
		    <uuid>$2</uuid>
		  </capability>
		</device>
	XML
}

create_node()
{
	node_xml "$1" "$2" >"$scratch/$2.xml"
	virsh nodedev-create "$scratch/$2.xml"
}

node_listed()
{
	virsh nodedev-list --cap mdev | grep -q "$1"
}

node_gone()
{
	! node_listed "$1"
}

# events_arrive FILE: creates and removes a device; succeeds if "virsh
# nodedev-event", whose output is FILE, reports that. Needed because virsh does
# not say when it begins to listen.
events_arrive()
{
	local uuid node

	uuid=$(new_uuid)
	node=$(node_of "$uuid")
	mtty_create 1 "$uuid"
	wait_for "$SOON" node_listed "$node"
	echo 1 >"$BUS/$uuid/remove"
	wait_for "$SOON" node_gone "$node"
	grep -q "$node: Deleted" "$1"
}

# mdev_devices_xml UUID: prints the devices that all domains have.
mdev_devices_xml()
{
	cat <<-XML
		    <emulator>/usr/bin/qemu-system-x86_64</emulator>
		    <controller type='usb' model='none'/>
		    <memballoon model='none'/>
		    <hostdev mode='subsystem' type='mdev' model='vfio-pci'>
		      <source><address uuid='$1'/></source>
		    </hostdev>
	XML
}

# domain_xml NAME UUID: prints a domain that runs but only halts.
domain_xml()
{
	cat <<-XML
		<domain type='qemu'>
		  <name>$1</name>
		  <memory unit='MiB'>64</memory>
		  <os>
		    <type arch='x86_64' machine='pc'>hvm</type>
		    <loader type='rom'>/vm/guest/halt.bin</loader>
		  </os>
		  <on_poweroff>destroy</on_poweroff>
		  <devices>
		    $(mdev_devices_xml "$2")
		  </devices>
		</domain>
	XML
}

# linux_domain_xml NAME TYPE UUID: prints a domain with the guest of guests.sh.
linux_domain_xml()
{
	cat <<-XML
		<domain type='$2'>
		  <name>$1</name>
		  <memory unit='MiB'>192</memory>
		  <vcpu cpuset='$GUEST_CPU'>1</vcpu>
		  <os>
		    <type arch='x86_64' machine='pc'>hvm</type>
		    <kernel>/vm/guest/vmlinux</kernel>
		    <initrd>/vm/guest/initrd</initrd>
		    <cmdline>$GUEST_CMDLINE</cmdline>
		  </os>
		  <features><acpi/></features>
		  <cpu mode='maximum'/>
		  <devices>
		    $(mdev_devices_xml "$3")
		    <serial type='pty'>
		      <log file='/var/log/libvirt/qemu/$1-serial.log'/>
		    </serial>
		    <serial type='file'>
		      <source path='/var/log/libvirt/qemu/$1-kernel.log'/>
		    </serial>
		  </devices>
		</domain>
	XML
}

domain_pid()
{
	cat "/run/libvirt/qemu/$1.pid"
}

# Remove the domains that a failed case left.
sweep_domains()
{
	local name

	for name in $(virsh list --name --all); do
		leftover "the domain $name"
		virsh destroy "$name"
		virsh undefine "$name"
	done
}

# Domains first: they hold devices.
SWEEPS=(sweep_domains "${SWEEPS[@]}")
