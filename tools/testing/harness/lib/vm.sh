# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: one boot of the virtual machine, from its files to its
# verdict.

# The limit for one boot. Only a hang should reach it: a busy host may take
# several times as long as an idle one, and other architectures twice as long.
FOREIGN_FACTOR=${FOREIGN:+2}
FOREIGN_FACTOR=${FOREIGN_FACTOR:-1}
if is_slow_kernel; then
	VM_SECONDS=${VM_SECONDS:-$((3000 * FOREIGN_FACTOR))}
else
	VM_SECONDS=${VM_SECONDS:-$((1800 * FOREIGN_FACTOR))}
fi

# A booting kernel that prints nothing for this long hangs.
BOOT_SECONDS=${BOOT_SECONDS:-$((120 * FOREIGN_FACTOR))}

# The limit for powering off after the verdict. A hung task may block it.
POWEROFF_SECONDS=${POWEROFF_SECONDS:-10}

# Modules of the distribution to add to MACHINE_MODULES.
VM_MODULES=()

# vm_prepare BUILD MODE: sets VM to a directory below BUILD that only this run
# uses. Its root/ becomes /vm in the guest.
vm_prepare()
{
	VM_BUILD=$1
	VM=$VM_BUILD/vm/$2
	mkdir -p "$VM"
	exec 8>"$VM/lock"
	flock -n 8 || {
		log "waiting for another run in $VM ..."
		flock 8
	}
	find "$VM" -mindepth 1 -not -name lock -delete
	mkdir "$VM/root"
	{
		echo "export VM_MODE=$2 VM_SECONDS=$VM_SECONDS VM_HOST=$S"
		echo "export OUR_MODULES='${WATCHED_MODULES[*]}'"
		echo "export VM_RESULTS=/dev/${PORTS[0]} VM_VERDICT=/dev/${PORTS[1]}"
	} >"$VM/root/env"
	find "$VM_BUILD/tools" -maxdepth 1 -type f -perm -100 \
		-exec cp -t "$VM/root" {} +
	step "building the judge of kernel logs" \
		gcc -O2 -Wall -Wextra -Werror -o "$VM/klog_judge" \
		"$HARNESS"/vm/{klog_judge,klog}.c
	machine_fill
	VM_KERNEL=$(realpath "$VM_BUILD/kernel/vmlinuz")
	qemu_accel "$VM_KERNEL"
}

# vm_pack: call it when root/ is complete. PACKAGED has modules of an installed
# package, in place of those in the build folder; see matrix.sh.
vm_pack()
{
	"$HARNESS/initramfs.sh" "$VM_BUILD/kernel" \
		"${PACKAGED:-$VM_BUILD}/modules" "$VM/root" "$VM/initrd" "${VM_MODULES[@]}"
}

# Kill a machine whose console goes silent before init runs, or that does not
# power off.
watch_machine()
{
	local quiet=0 size=0 now

	while [ ! -s "$VM/verdict" ]; do
		if [ "$quiet" -ge "$BOOT_SECONDS" ]; then
			kill -KILL "$(cat "$VM/pid")" 2>/dev/null || true
			return
		fi
		sleep 1
		now=$(stat -c %s "$VM/console" 2>/dev/null || echo 0)
		[ "$now" = "$size" ] && quiet=$((quiet + 1)) || quiet=0
		size=$now
	done
	until grep -qs '^exit ' "$VM/verdict"; do
		sleep 1
	done
	# A leftover sleep holds our locks, so sleep in short steps.
	for _ in $(seq "$POWEROFF_SECONDS"); do
		sleep 1
	done
	kill -KILL "$(cat "$VM/pid")" 2>/dev/null || true
}

# vm_boot_once COMMAND...: see vm_boot.
vm_boot_once()
{
	rm -f "$VM"/{verdict,qemu,rc,pid}
	# Keep the console of the previous boot.
	[ ! -e "$VM/console" ] || mv "$VM/console" "$(mktemp "$VM/console.XXX")"
	{
		local rc=0 watcher
		watch_machine >/dev/null &
		watcher=$!
		qemu_run "$VM_KERNEL" "$VM/initrd" "$((VM_SECONDS + 30))" \
			"file:$VM/console" stdio "file,path=$VM/verdict" \
			-pidfile "$VM/pid" 2>"$VM/qemu" </dev/null || rc=$?
		kill "$watcher" 2>/dev/null || true
		echo "$rc" >"$VM/rc"
	} | "$@"
}

# vm_boot [COMMAND...]: pipes the machine's port for results through the command
# to stdout. Sets VM_STATUS to the verdict, empty if there was none, and
# VM_END to how the machine ended.
# shellcheck disable=SC2034 # VM_* are for the caller
vm_boot()
{
	local start=$SECONDS rc

	[ $# -gt 0 ] || set -- cat
	log "booting $(cat "$VM_BUILD/kernel/release") ..."
	vm_boot_once "$@"
	# An emulated machine sometimes waits early in its boot for a timer that
	# never fires. None of our code has run by then.
	if [ ! -s "$VM/verdict" ] && [ "$(cat "$VM/rc")" = 137 ]; then
		log "silent for $BOOT_SECONDS s; booting once more ..."
		vm_boot_once "$@"
	fi
	rc=$(cat "$VM/rc")
	VM_STATUS=$(sed -n 's/^exit \([0-9]*\)$/\1/p' "$VM/verdict" \
		2>/dev/null || true)
	case $rc in
	0)	VM_END="it ended by itself" ;;
	137)	VM_END="killed after $((SECONDS - start)) s" ;;
	*)	VM_END="QEMU failed (status $rc): $(tail -n 3 "$VM/qemu")" ;;
	esac
	# A panic after the verdict counts, too.
	if grep -qs 'Kernel panic' "$VM/console"; then
		VM_STATUS=
		VM_END="the kernel panicked"
	fi
	log "virtual machine off after $((SECONDS - start)) s"
}

vm_boot_shell()
{
	log "booting $(cat "$VM_BUILD/kernel/release") ..."
	# Print only warnings between the prompts.
	VM_CMDLINE=${VM_CMDLINE/loglevel=7/loglevel=5}
	qemu_run "$VM_KERNEL" "$VM/initrd" infinity \
		mon:stdio null "file,path=$VM/verdict"
}

# vm_run: boots the machine and returns its verdict; its output goes to stdout.
vm_run()
{
	vm_pack
	vm_boot
	if [ -z "$VM_STATUS" ]; then
		vm_console_tail >&2
		die "the virtual machine gave no verdict: $VM_END"
	fi
	[ "$VM_STATUS" != 137 ] ||
		log "killed: it may take $VM_SECONDS s (VM_SECONDS)"
	if vm_complained ""; then
		vm_console_tail >&2
		die "the kernel complained"
	fi
	return "$VM_STATUS"
}

# vm_complained MARK: succeeds if the console has a complaint after the line
# MARK, or anywhere if MARK is empty. The runner has already judged the lines
# above MARK.
vm_complained()
{
	tr -d '\r' <"$VM/console" | awk -v mark="$1" '
		seen || mark == ""
		mark != "" && index($0, mark) { seen = 1 }' |
		OUR_MODULES="${WATCHED_MODULES[*]}" "$VM/klog_judge" >/dev/null
}

# Print the lines around the last case's first complaint on the console, or the
# end of the console, as diagnostics.
vm_console_tail()
{
	[ -e "$VM/console" ] || return 0
	echo "# the console ($VM/console):"
	tr -d '\r' <"$VM/console" | awk '
		{ line[n++] = $0 }
		# The runner logs the start of each case.
		/\] run [a-z0-9_]*:/ { hit = 0 }
		!hit && /cut here|BUG: |Oops: |WARNING: |Kernel panic|Call Trace:/ {
			hit = n
		}
		END {
			from = hit ? hit - 15 : n - 30
			if (from < 0)
				from = 0
			for (i = from; i < n && i < from + 100; i++)
				print "#   " line[i]
		}'
}
