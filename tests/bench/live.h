/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_BENCH_LIVE_H
#define EBPFNET_TESTS_BENCH_LIVE_H

/*
 * Live frames (BPF_F_TEST_XDP_LIVE_FRAMES, 5.18): a program in the kernel sends real frames out of
 * one end of a veth pair, and a native XDP program on the other end takes them. Rates are of what
 * arrived there, between the first look that saw frames and the last: the sending call itself ends
 * with a wait for the kernel (RCU) of 20 ms. The receiver must be native: one in generic mode sees
 * none of them.
 */

#include <stdint.h>

#include "netns.h"

struct live {
	struct test_net net;
	int send_fd;   /* XDP program that returns XDP_TX */
	uint32_t lost; /* frames to be missing from the receiver's count: the harness's own test */
};

struct live_result {
	uint64_t sent;	   /* frames that were given to the sender */
	uint64_t dropped;  /* of these, those that the wire had no room for */
	uint64_t received; /* by the receiver's driver */
	double mpps;	   /* millions of frames a second that arrived */
};

/* With a pair of namespaces of its own. */
void live_open(struct live *live, int send_fd);
void live_close(struct live *live);

/*
 * Sends n frames and waits until they are accounted for. 0, or -ENODATA: received + dropped is not
 * what was sent, and there is no rate; result says what was seen.
 */
int live_run(struct live *live, uint32_t n, struct live_result *result);

#endif /* EBPFNET_TESTS_BENCH_LIVE_H */
