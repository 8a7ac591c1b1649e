# SPDX-License-Identifier: GPL-2.0-only
# Included by the Makefile of each system's folder. Builds each *_test.c into a static
# program, to run in a machine that has only busybox.
#
#   make KSFT=<folder of kselftest_harness.h> OUT=<where the programs go>
#
# The Makefile may set LIB_MORE, sources of other folders, and INCLUDES.

OUT ?= ../../../../build/selftests
CC ?= gcc
CPPFLAGS += -D_GNU_SOURCE -I../../harness/include -I../lib -isystem $(KSFT) \
	$(INCLUDES)
CFLAGS ?= -O2 -g
CFLAGS += -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Werror
LDFLAGS += -static -pthread

TESTS := $(patsubst %.c,%,$(sort $(wildcard *_test.c)))
# Code that the programs share. An archive, so each links only what it calls.
LIB_SRCS := $(filter-out %_test.c,$(sort $(wildcard *.c))) $(wildcard ../lib/*.c) \
	$(LIB_MORE)
LIB_OBJS := $(patsubst %.c,$(OUT)/obj/%.o,$(notdir $(LIB_SRCS)))
LIB := $(OUT)/obj/libtest.a
vpath %.c ../lib $(dir $(LIB_MORE))

all: $(TESTS:%=$(OUT)/%)

ifneq ($(filter-out clean list,$(or $(MAKECMDGOALS),all)),)
ifeq ($(wildcard $(KSFT)/kselftest_harness.h),)
$(error KSFT= must name the folder of the kernel's kselftest_harness.h)
endif
endif

# A failed ASSERT leaves the test with longjmp(). The harness's variables that
# control the teardown survive it in memory, but not in registers.
$(OUT)/obj/%_test.o: CFLAGS += -O0

$(OUT)/%_test: $(OUT)/obj/%_test.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/obj/%.o: %.c | $(OUT)/obj
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(LIB_OBJS)
	$(RM) $@
	$(AR) rcs $@ $^

$(OUT)/obj:
	mkdir -p $@

list:
	@printf '%s\n' $(TESTS)

clean:
	$(RM) -r $(OUT)/obj $(TESTS:%=$(OUT)/%)

-include $(wildcard $(OUT)/obj/*.d)

.PHONY: all list clean
.SECONDARY:
