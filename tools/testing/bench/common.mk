# SPDX-License-Identifier: GPL-2.0-only
# Included by the Makefile of each system's folder. Builds the measuring program as a
# static binary: it runs in a virtual machine that has only busybox.
#
#   make OUT=<output directory>
#
# The Makefile sets OBJS, LIBS, and CPPFLAGS and vpath for what is elsewhere.

OUT ?= ../../../../build/bench
CC ?= gcc

CPPFLAGS += -D_GNU_SOURCE -I.
CFLAGS ?= -O2 -g
CFLAGS += -std=gnu11 -Wall -Wextra -Werror
LDFLAGS += -static -pthread

$(OUT)/bench: $(OBJS:%=$(OUT)/obj/%)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(OUT)/obj/%.o: %.c | $(OUT)/obj
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/obj:
	mkdir -p $@

clean:
	$(RM) -r $(OUT)/obj $(OUT)/bench

-include $(wildcard $(OUT)/obj/*.d)

.PHONY: clean
