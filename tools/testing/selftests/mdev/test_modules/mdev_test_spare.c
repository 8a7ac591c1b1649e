// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev_test_spare.ko: exempts calls whose callers in Linux 6.1 mishandle a
 * failure from failed allocations (/proc/PID/fail-nth):
 *
 * vfio_create_group(): if dev_set_name() or cdev_device_add() fails, it frees
 *	the group without dropping the IOMMU group's reference. This warns in
 *	vfio_group_release() and leaks the IOMMU group.
 * really_probe(): if device_add_groups() fails, it removes the driver's groups,
 *	which were not added. This warns for each group with a name.
 * kset_create_and_add(): if kset_register() fails, it leaks the kset's name
 *	(until 6.2).
 *
 * Allocations inside these calls are neither failed nor counted.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/string.h>

struct spared_call {
	struct kretprobe probe;	/* on the called function */
	const char *caller;
};

static bool called_by(const char *caller, struct pt_regs *regs)
{
	unsigned long return_address = regs_get_kernel_stack_nth(regs, 0);
	char symbol[KSYM_SYMBOL_LEN];

	/* The module's name may follow the symbol. */
	sprint_symbol_no_offset(symbol, return_address);
	return str_has_prefix(symbol, caller);
}

/* Entry handler. Returns 1 to ignore this call's return. */
static int faults_off(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct spared_call *call = container_of(get_kretprobe(ri),
						struct spared_call, probe);
	unsigned int *fail_nth = (unsigned int *)ri->data;

	*fail_nth = READ_ONCE(current->fail_nth);
	if (!*fail_nth || !called_by(call->caller, regs))
		return 1;
	WRITE_ONCE(current->fail_nth, 0);
	return 0;
}

static int faults_on(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	unsigned int *fail_nth = (unsigned int *)ri->data;

	WRITE_ONCE(current->fail_nth, *fail_nth);
	return 0;
}

#define SPARED(_caller, _function) {				\
	.probe = {						\
		.kp.symbol_name = _function,			\
		.entry_handler = faults_off,			\
		.handler = faults_on,				\
		.data_size = sizeof(unsigned int),		\
	},							\
	.caller = _caller,					\
}

static struct spared_call spared_calls[] = {
	SPARED("vfio_create_group", "dev_set_name"),
	SPARED("vfio_create_group", "cdev_device_add"),
	SPARED("really_probe", "device_add_groups"),
	/* Works whether or not kset_register() is inlined. */
	SPARED("kset_", "kobject_add_internal"),
};

static void unregister_first(unsigned int nr)
{
	while (nr--)
		unregister_kretprobe(&spared_calls[nr].probe);
}

static int __init mdev_test_spare_init(void)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(spared_calls); i++) {
		ret = register_kretprobe(&spared_calls[i].probe);
		if (ret) {
			unregister_first(i);
			return ret;
		}
	}
	return 0;
}

static void __exit mdev_test_spare_exit(void)
{
	unregister_first(ARRAY_SIZE(spared_calls));
}

module_init(mdev_test_spare_init);
module_exit(mdev_test_spare_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Spares what cannot stand a failed allocation");
