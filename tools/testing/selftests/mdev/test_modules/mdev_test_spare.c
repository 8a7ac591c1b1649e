// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev_test_spare.ko: keeps failed allocations (/proc/PID/fail-nth) out of
 * where Linux 6.1 is wrong about them:
 *
 * vfio_create_group(): if dev_set_name() or cdev_device_add() fails, it drops
 *	the group with the reference on the IOMMU group still in it: a warning in
 *	vfio_group_release(), and the IOMMU group stays for good.
 * really_probe(): if device_add_groups() fails, it removes the driver's groups
 *	that were not added: a warning for each that has a name.
 * kset_create_and_add(): if kset_register() fails, the kset's name is leaked
 *	(until 6.2).
 *
 * Allocations inside these calls, from there, are neither failed nor counted.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/string.h>

struct spared_call {
	struct kretprobe probe;	/* of the function that is called */
	const char *caller;
};

static bool called_by(const char *caller, struct pt_regs *regs)
{
	unsigned long return_address = regs_get_kernel_stack_nth(regs, 0);
	char symbol[KSYM_SYMBOL_LEN];

	/* Behind the name may be that of the module. */
	sprint_symbol_no_offset(symbol, return_address);
	return str_has_prefix(symbol, caller);
}

/* At the call: a value other than 0 means that the return is of no interest. */
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
	/* Whether the one is inlined into the other or not. */
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
