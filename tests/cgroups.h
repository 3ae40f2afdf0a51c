/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_CGROUPS_H
#define EBPFNET_TESTS_CGROUPS_H

/*
 * A cgroup of the test's own, below wherever cgroup v2 is mounted; it is mounted in a folder of our
 * own if it is nowhere. The name holds the process id; whatever happens, test_cgroup_close() or the
 * end of the process removes the cgroup and those below it.
 */

struct test_cgroup {
	char mount[256]; /* where cgroup v2 is mounted */
	char name[64];	 /* ebn-cg-PID: what ebpfnet_cgroup_attach() takes */
	char path[320];	 /* mount/name */
	int fd;		 /* open on it, above 2 */
};

/* Makes it. The process is not in it yet. Skips the whole program if there is no cgroup v2. */
void test_cgroup_open(struct test_cgroup *cg);
void test_cgroup_close(struct test_cgroup *cg);

/* Moves this process into a cgroup below the test's own ("": that one), or back where it began. */
void test_cgroup_enter(const struct test_cgroup *cg, const char *below);
void test_cgroup_leave(const struct test_cgroup *cg);

/* A folder below it. */
void test_cgroup_make(const struct test_cgroup *cg, const char *below);
void test_cgroup_remove(const struct test_cgroup *cg, const char *below);

#endif /* EBPFNET_TESTS_CGROUPS_H */
