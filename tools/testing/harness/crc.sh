#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: crc.sh MODULE.SYMVERS KERNEL
#
# The distribution's modules, such as kvmgt, load on our mdev.ko only if the
# modversions CRCs of the symbols they import match. Modules that are not GPL
# also need the same export type. Compares the exports of a build with those of
# the distribution's build for KERNEL (see kernel.sh).

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -eq 2 ] || die "usage: crc.sh MODULE.SYMVERS KERNEL"
release=$(<"$2/release")
kdir=$2/usr/src/linux-headers-$release
ours=$1
stock=$kdir/Module.symvers

# field FILE SYMBOL N: the N-th field of the symbol's line, or "missing".
field()
{
	local value

	value=$(awk -v s="$2" -v n="$3" '$2 == s { print $n }' "$1")
	echo "${value:-missing}"
}

# same SYMBOL N: prints both values of the N-th field; fails if they differ or
# are missing.
same()
{
	local a b

	a=$(field "$ours" "$1" "$2")
	b=$(field "$stock" "$1" "$2")
	echo "$1 on $release: ours $a, stock $b"
	[ "$a" = "$b" ] && [ "$a" != missing ]
}

export_types()
{
	local symbol bad=0

	for symbol in "${STOCK_SYMBOLS[@]}"; do
		same "$symbol" 4 || bad=1
	done
	return "$bad"
}

if ! grep -q '^CONFIG_VFIO_MDEV=' "$kdir/.config"; then
	skip "exports_equal_stock" "$release is built without mdev"
	exit
fi
for file in "$ours" "$stock"; do
	if [ ! -s "$file" ]; then
		note "$file is not there"
		not_ok "built_symbols_compare_with_stock"
		exit 1
	fi
done
for symbol in "${STOCK_SYMBOLS[@]}"; do
	name=${symbol}_crc_equals_stock
	if grep -q '^CONFIG_MODVERSIONS=y' "$kdir/.config"; then
		run_test "$name" same "$symbol" 1
	else
		skip "$name" "$release is built without MODVERSIONS"
	fi
done
run_test "export_types_equal_stock" export_types
exit $((failed > 0))
