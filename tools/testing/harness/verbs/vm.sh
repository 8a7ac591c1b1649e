#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [S=...] [K=...] vm.sh shell
#        [S=...] [K=...] RUN="command line" vm.sh run
#
# shell: starts a shell in the virtual machine, with the system's modules loaded.
# run: loads the modules there, runs the command line RUN and exits with its
# status. Its output goes to stdout, the console to build/.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"

[ "${1:-}" != run ] || [ -n "${RUN:-}" ] ||
	die 'RUN is empty; for example: make vm RUN="lsmod"'
build=$("$HARNESS/build.sh" modules tools)
vm_prepare "$build" "$1"
case $1 in
shell)
	{
		echo "export TERM=${TERM:-linux}"
		[ ! -t 0 ] || stty size |
			sed -n 's/^\([1-9].*\) \([1-9].*\)/stty rows \1 cols \2/p'
		printf '%s\n' "$LOAD" lsmod "echo '$HINT'"
	} >"$VM/root/main"
	cat >>"$VM/root/main" <<-'MAIN'
		echo "Leave with exit or ^D."
		cd /root
		export PS1="$VM_HOST:\w\$ "
		exec bash --norc -i
	MAIN
	vm_pack
	vm_boot_shell
	;;
run)
	printf '%s\n' "exec >\$VM_RESULTS 2>&1" "$LOAD" "$RUN" >"$VM/root/main"
	vm_run
	;;
*)
	die "usage: vm.sh shell | run"
	;;
esac
