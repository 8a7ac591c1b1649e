# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# Sourced by verbs/builds.sh: what the build with the kernel's own files promises.

more_tests=(unknown_source_stops_the_build data_path_is_the_kernels)

stock=drivers/block/xen-blkback/stock

# refused CALL SED-EXPRESSION: stock.sh copies nothing of a source that is edited so, and
# names the file and the call.
refused()
{
	local source=$scratch/edited file

	file=$source/${stock%/stock}/xenbus.c
	rm -rf "$source" "$scratch/copied"
	mkdir -p "${file%/*}"
	cp "$scratch/src/$stock"/* "${file%/*}"
	sed -i "$2" "$file"
	if cmp -s "$file" "$scratch/src/$stock/xenbus.c"; then
		echo "$1: the edit changes nothing"
	elif "$TOP/${stock%/stock}/stock.sh" "$source" "$scratch/copied" \
		2>"$scratch/said"; then
		echo "$1: the edited source is accepted"
	elif ! grep -qF "$1" "$scratch/said" || ! grep -qF xenbus.c "$scratch/said"; then
		cat "$scratch/said"
	elif [ -e "$scratch/copied" ]; then
		echo "$1: something was copied"
	else
		return 0
	fi
	return 1
}

# Each call that we replace, once renamed and once made a second time.
unknown_source_stops_the_build()
{
	local call calls=0 bad=0

	for call in 'xenbus_register_backend(' 'xenbus_watch_pathfmt(' \
		'"physical-device", "%x:%x"' '"creating vbd structure"' \
		'sysfs_create_group(' 'blkdev_get_by_dev(' 'bdev_file_open_by_dev('; do
		grep -qF "$call" "$scratch/src/$stock/xenbus.c" || continue
		calls=$((calls + 1))
		refused "$call" "s/$call/${call/[a-z]/other_}/" &&
			refused "$call" "/$call/p" || bad=1
	done
	echo "calls: $calls"
	[ "$calls" -eq 6 ] && return "$bad"
}

# build KBUILD-LINE...: builds xen-blkback.ko and prints the path of blkback.o.
build()
{
	printf '%s\n' "$@" >"$scratch/src/${stock%/stock}/Kbuild"
	modules "$scratch/log" W=1 || {
		tail -n 40 "$scratch/log" >&2
		return 1
	}
	echo "$scratch/src/$stock/blkback.o"
}

# section NAME FILE: prints its contents.
section()
{
	objcopy -O binary -j "$1" "$2" "$2.section" && cat "$2.section"
}

# The data path is as fast and as right as the kernel's: it is the same code.
data_path_is_the_kernels()
{
	local ours=$scratch/ours.o plain sections section bad=0

	mv "$(build "$(<"$TOP/${stock%/stock}/Kbuild")")" "$ours" &&
		plain=$(build 'obj-m := xen-blkback.o' \
			'xen-blkback-y := stock/blkback.o stock/xenbus.o') || return 1
	mapfile -t sections < <(objdump -h "$plain" |
		awk '$2 ~ /^\.(text|data|rodata)/ { print $2 }')
	echo "sections: ${sections[*]}"
	[[ "${sections[*]}" = *.text*.data*.rodata* ]] || return 1
	for section in "${sections[@]}"; do
		cmp <(section "$section" "$plain") <(section "$section" "$ours") || bad=1
	done
	return "$bad"
}
