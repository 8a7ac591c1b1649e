# SPDX-License-Identifier: GPL-2.0-only
# Needs root, and a kernel with the options in "config". The modules of
# test_modules are built for the kernel tree that this folder is in.

CFLAGS += -std=gnu11 -O2 -g -Wall -D_GNU_SOURCE -Iinclude -I.. $(KHDR_INCLUDES)
LDFLAGS += -static -pthread

TEST_GEN_PROGS := $(filter-out misuse_test,$(patsubst %.c,%,$(wildcard *_test.c)))
# Each of its cases leaves the machine unusable.
TEST_GEN_PROGS_EXTENDED := misuse_test
MODULES := mdev_test_common.ko mdev_test_driver.ko mdev_test_ops.ko \
	mdev_test_legacy.ko
TEST_GEN_FILES := $(MODULES)
TEST_FILES := settings config
EXTRA_CLEAN := test_modules/*.o test_modules/*/*.o test_modules/*.mod*

include ../lib.mk

LIB := $(OUTPUT)/libtest.a
LIB_OBJS := $(patsubst %.c,$(OUTPUT)/%.o,$(filter-out %_test.c,$(wildcard *.c)))
EXTRA_CLEAN += $(LIB) $(LIB_OBJS)

# A failed ASSERT leaves the test with longjmp(). The variables of the harness
# that control the teardown survive it in memory, but not in registers.
$(TEST_GEN_PROGS) $(TEST_GEN_PROGS_EXTENDED): CFLAGS += -O0
$(TEST_GEN_PROGS) $(TEST_GEN_PROGS_EXTENDED): $(LIB)

$(LIB): $(LIB_OBJS)
	$(AR) rcs $@ $^

$(OUTPUT)/%.o: %.c
	$(CC) $(CFLAGS) -c -o $@ $<

# One run of kbuild makes all of them.
$(addprefix $(OUTPUT)/,$(MODULES)) &: $(wildcard test_modules/*.[ch] \
		test_modules/*/*.[ch] test_modules/Kbuild test_modules/*/Kbuild)
	$(MAKE) -C $(top_srcdir) M=$(abspath test_modules) modules
	cp $$(find test_modules -name '*.ko') $(OUTPUT)
