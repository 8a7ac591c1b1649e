// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads the x87 environment in a loop, as a context switch may do. QEMU 7.2
 * then writes to the flags of the first CPU (README.md).
 */
#include <fenv.h>

int main(void)
{
	while (!fesetenv(FE_DFL_ENV))
		;
	return 1;
}
