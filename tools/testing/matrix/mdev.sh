# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
#
# Sourced by matrix.sh: what the packages of mdev are tested for, in this order.

tests=(
	packages_are_built
	kernel_is_installed
	kernel_upgrade_rebuilds
	kernel_that_cannot_be_served_is_skipped
	missing_headers_are_reported
	failed_build_leaves_the_stock_module
	vendor_module_is_built_without_the_package
	package_installs
	kernel_package_stays_complete
	example_is_built_against_the_package
	purge_leaves_nothing
	image_is_packed
)

# Where the kernel's package has its own module.
STOCK=kernel
MODULE_VERSION=$(project_version)

matrix_packages()
{
	echo bash-completion
}

kernel_that_cannot_be_served_is_skipped()
{
	local config=usr/src/linux-headers-$release/.config

	at=$main
	copy no_vfio || return 1
	sed -i '/^CONFIG_VFIO=/d' "$at/$config"
	refuses "it has no VFIO (CONFIG_VFIO)" || return 1
	at=$main
	copy built_in || return 1
	sed -i 's/^CONFIG_VFIO_MDEV=m/CONFIG_VFIO_MDEV=y/' "$at/$config"
	refuses "its mdev is built in (CONFIG_VFIO_MDEV=y)" || return 1
	at=$main
	copy too_old || return 1
	sed -i s/mdev_register_parent/mdev_register_device/ \
		"$at"/usr/src/*/include/linux/mdev.h
	refuses "its <linux/mdev.h> has no mdev_register_parent()"
}

failed_build_leaves_the_stock_module()
{
	at=$main
	copy broken || return 1
	sed -i '1i #error broken' "$at"/usr/src/*/include/linux/mdev.h
	! install_here /mnt/debs/mdev-dkms_*.deb &&
		not_built "$release"
}

# A parent driver that knows only the kernel's own headers.
vendor_module_is_built_without_the_package()
{
	local folder=$work/shared/vendor
	local modules=$TESTING/selftests/$S/test_modules

	at=$main
	mkdir "$folder" &&
		cp -t "$folder" "$modules"/{common_*,mdev_test{.h,_driver.c},Kbuild} &&
		cp -r "$TOP/compat" "$folder" || return 1
	sed -i -e '/mdev_test_ops\.o\|legacy/d' \
		-e '1i LINUXINCLUDE := -I$(src)/compat/include $(LINUXINCLUDE)' \
		"$folder/Kbuild"
	here make -C "/lib/modules/$release/build" M=/mnt/vendor modules &&
		here modinfo -F vermagic /mnt/vendor/mdev_test_driver.ko
}

tools_work()
{
	here mdev-unused && [ "$(completions -)" = "-w -h" ]
}

# completions WORD: prints what bash offers for "mdev-serial WORD".
completions()
{
	here bash -c '
		. /usr/share/bash-completion/completions/mdev-serial
		COMP_WORDS=(mdev-serial "$1")
		COMP_CWORD=1
		_mdev_serial
		echo "${COMPREPLY[*]}"' - "$1"
}

# Also after an upgrade of the kernel package of the same name.
kernel_package_stays_complete()
{
	at=$main
	kernel_is_complete "$release" || return 1
	here sh -c "dpkg -i /mnt/kernel/linux-*$release*.deb" &&
		built "$release" && kernel_is_complete "$release"
}

example_is_built_against_the_package()
{
	at=$main
	cp -r "$at/usr/share/doc/mdev-dkms/examples/mtty" "$work/shared" &&
		here make -C "/lib/modules/$release/build" M=/mnt/mtty modules \
			2>&1 | tee "$work/log" &&
		! grep -i warning "$work/log" && [ -e "$work/shared/mtty/mtty.ko" ]
}

# add_drivers FOLDER: adds the vendor module and the example that were built above, and
# the test drivers of the harness.
add_drivers()
{
	find "$build/modules/tools" -name '*.ko' -exec cp -t "$1" {} + &&
		cp -t "$1" "$work/shared/vendor"/mdev_test_{common,driver}.ko \
			"$work/shared/mtty/mtty.ko"
}
