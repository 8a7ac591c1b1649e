# SPDX-License-Identifier: GPL-2.0-only
# Included by the Makefile of each system's folder. Builds the stress programs as static
# binaries: they run in a virtual machine that has only busybox.
#
#   make OUT=<output directory>
#
# The Makefile sets PROGRAMS, LIB_MORE (objects that all of them share), DIRS (the
# folders of their sources and headers) and LDLIBS.

OUT ?= ../../../../build/stress
CC ?= gcc
DIRS := . $(DIRS) ../lib ../../selftests/lib ../../harness/vm

CPPFLAGS += -D_GNU_SOURCE $(DIRS:%=-I%) $(INCLUDES)
# As in the kernel.
CPPFLAGS += '-D__printf(a,b)=__attribute__((format(printf,a,b)))' \
	'-D__aligned(n)=__attribute__((aligned(n)))'
CFLAGS ?= -O2 -g
CFLAGS += -std=gnu11 -Wall -Wextra -Werror
LDFLAGS += -static -pthread

vpath %.c $(DIRS)

LIB_OBJS := $(addprefix $(OUT)/obj/,stress.o test_lib.o klog.o leaks.o $(LIB_MORE))

all: $(PROGRAMS:%=$(OUT)/%)

$(OUT)/fail_nth: $(OUT)/obj/fail_state.o

$(OUT)/%: $(OUT)/obj/%.o $(LIB_OBJS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/obj/%.o: %.c | $(OUT)/obj
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/obj:
	mkdir -p $@

clean:
	$(RM) -r $(OUT)/obj $(PROGRAMS:%=$(OUT)/%)

-include $(wildcard $(OUT)/obj/*.d)

.PHONY: all clean
.SECONDARY:
