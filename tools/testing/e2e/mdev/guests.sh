# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the tests with guests: QEMU with a card and Linux, which executes
# the commands of guest_do (guest-init).

# shellcheck source=tools/testing/e2e/mdev/mdev.sh
. "$(dirname "${BASH_SOURCE[0]}")/mdev.sh"

# A guest emulated in an emulated machine takes a minute or more to boot.
BOOT=900
# The kernel has a console of its own: its messages must not mix with answers.
GUEST_CMDLINE="console=ttyS1 quiet mitigations=off no_timer_check tsc=reliable panic=-1"
# The guest is emulated twice: don't report slow tasks as hangs.
GUEST_CMDLINE+=" watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=100"
# QEMU 7.2 emulates the first processor's SVM with a race against all the others
# (README.md), so a guest on KVM runs on the last.
GUEST_CPU=$(($(nproc) - 1))
TRACING=/sys/kernel/tracing

have_kvm()
{
	modprobe -q kvm-amd || modprobe -q kvm-intel || true
	[ -e /dev/kvm ]
}

need_kvm()
{
	have_kvm || skip "the machine's CPU cannot run guests of its own"
}

# new_card TYPE: sets UUID.
new_card()
{
	UUID=$(new_uuid)
	mtty_create "$1" "$UUID"
}

remove_card()
{
	echo 1 >"$BUS/$UUID/remove"
	missing "$BUS/$UUID"
}

card_option()
{
	echo "vfio-pci,id=card$2,sysfsdev=$BUS/$1"
}

# guest_console NAME IN OUT: connects to the guest's first serial port, which
# reads from IN and writes to OUT.
guest_console()
{
	local fd

	background "$scratch/$1.console" cat "$3"
	exec {fd}<>"$2"
	GUEST_IN[$1]=$fd
}

QEMU=(qemu-system-x86_64 -nodefaults -no-user-config -display none)

# qemu NAME OPTION...: starts QEMU with its output in NAME.qemu, and sets JOB.
# Pins it to CPU ON, if that is set.
qemu()
{
	background "$scratch/$1.qemu" ${ON:+taskset -c "$ON"} "${QEMU[@]}" "${@:2}"
}

# guest_start NAME ACCELERATOR OPTION...: starts Linux; guest_up waits for it.
guest_start()
{
	local name=$1 accel=$2 ON

	shift 2
	[ "$accel" != kvm ] || ON=$GUEST_CPU
	mkfifo "$scratch/$name.in" "$scratch/$name.out"
	guest_console "$name" "$scratch/$name.in" "$scratch/$name.out"
	qemu "$name" -accel "$accel" -cpu max -m 192M \
		-kernel /vm/guest/vmlinux -initrd /vm/guest/initrd \
		-append "$GUEST_CMDLINE ${GUEST_MORE:-}" \
		-chardev "pipe,id=console,path=$scratch/$name" \
		-serial chardev:console -serial "file:$scratch/$name.kernel" "$@"
}

ups()
{
	[ "$(grep -c '^guest: up' "$scratch/$1.console")" -eq "$2" ]
}

# trace_kvm EVENT COMMAND...: traces this KVM event while the command runs.
trace_kvm()
{
	local enable=$TRACING/events/kvm/$1/enable

	echo >"$TRACING/trace"
	echo 1 >"$enable"
	"${@:2}"
	echo 0 >"$enable"
}

# Report the KVM exits of a guest that does not answer.
blame_guests()
{
	[ -e "$TRACING/events/kvm" ] || return 0
	trace_kvm kvm_exit sleep 1
	tail -n 4 "$TRACING/trace" | while read -r line; do
		blame "$line"
	done
}

# guest_up NAME [N]: waits until the guest is up for the Nth time.
guest_up()
{
	(wait_for "$BOOT" ups "$1" "${2:-1}") || {
		blame_guests
		exit 1
	}
}

guest_said()
{
	tail -c "+$2" "$scratch/$1.console" | grep -q '^guest: [0-9]'
}

# guest_do NAME COMMAND: runs the command in the guest; prints its output and
# fails if it fails.
guest_do()
{
	local at answer

	at=$(($(stat -c %s "$scratch/$1.console") + 1))
	echo "$2" >&"${GUEST_IN[$1]}"
	wait_for "$BOOT" guest_said "$1" "$at"
	answer=$(tail -c "+$at" "$scratch/$1.console" | tr -d '\r')
	sed '/^guest: [0-9]/,$d' <<<"$answer"
	grep -q '^guest: 0$' <<<"$answer"
}

# Kill the QEMU process, without a shutdown of the guest.
guest_kill()
{
	kill -KILL "$1"
	wait "$1" 2>/dev/null || true
}

# check_kernel NAME FILE: the guest's kernel log goes to FILE and not to the
# answers, and has no unhandled interrupt.
check_kernel()
{
	expect said "$(guest_do "$1" 'echo "<0>spoken" >/dev/kmsg; echo said')" \
		"the answer"
	wait_for "$SOON" grep -q spoken "$2"
	! grep "nobody cared" "$2" || fail "an interrupt without a reason"
}

# check_ports NAME PORTS BYTES: the guest has this many ports, and all of them
# work.
check_ports()
{
	local ports port

	ports=$(guest_do "$1" ports)
	expect "$2" "$(wc -w <<<"$ports")" "number of ports"
	for port in $ports; do
		guest_do "$1" "is_16550a $port" || fail "$port is no 16550A"
		measure_port "$1" "$port" "$3"
	done
}

measure_port()
{
	local answer count start=$SECONDS

	answer=$(guest_do "$1" "roundtrip $2 $3") || fail "data: $answer"
	count=${answer##*interrupts }
	[ "$count" -gt 0 ] || fail "no interrupt: $answer"
	note "$answer ($3 bytes, $((SECONDS - start)) s)"
}

declare -A GUEST_IN
