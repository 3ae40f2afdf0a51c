// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* A socket goes into a sockmap, and what the kernel's errno means when it does not. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "attach/link.h"
#include "core/error.h"
#include "load/object.h"

static const char *const tcp_states[] = {
	[TCP_ESTABLISHED] = "ESTABLISHED",
	[TCP_SYN_SENT] = "SYN_SENT",
	[TCP_SYN_RECV] = "SYN_RECV",
	[TCP_FIN_WAIT1] = "FIN_WAIT1",
	[TCP_FIN_WAIT2] = "FIN_WAIT2",
	[TCP_TIME_WAIT] = "TIME_WAIT",
	[TCP_CLOSE] = "CLOSE",
	[TCP_CLOSE_WAIT] = "CLOSE_WAIT",
	[TCP_LAST_ACK] = "LAST_ACK",
	[TCP_LISTEN] = "LISTEN",
	[TCP_CLOSING] = "CLOSING",
};

static int option(int sock, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(sock, SOL_SOCKET, name, &value, &len) ? -1 : value;
}

/* A socket that the kernel does not take in: by its protocol, or by its state. */
static int fail_unsuitable(struct ebpfnet__call *call, int sock)
{
	int domain = option(sock, SO_DOMAIN), protocol = option(sock, SO_PROTOCOL);
	struct tcp_info tcp = { 0 };
	socklen_t len = sizeof(tcp);

	if (protocol == IPPROTO_TCP && getsockopt(sock, IPPROTO_TCP, TCP_INFO, &tcp, &len) == 0 &&
	    tcp.tcpi_state < EBPFNET__ARRAY_SIZE(tcp_states)) {
		ebpfnet__hint(call, "insert it after connect() or accept(), or after listen()");
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_INVALID,
				     "the TCP socket is in state %s: only established and "
				     "listening ones can be in a sockmap",
				     tcp_states[tcp.tcpi_state] ? tcp_states[tcp.tcpi_state] : "?");
	}
	ebpfnet__hint(call, "TCP; UDP from 5.13, AF_UNIX datagrams from 5.15 and connected "
			    "streams from 5.15, which must be connected");
	return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_INVALID,
			     "a socket of family %d, type %d, protocol %d cannot be in a sockmap "
			     "as it is",
			     domain, option(sock, SO_TYPE), protocol);
}

static int fail_put(struct ebpfnet__call *call, const struct ebpfnet_map *map, int sock, int code)
{
	switch (code) {
	case -EOPNOTSUPP:
		return fail_unsuitable(call, sock);
	case -EBADF:
	case -ENOTSOCK:
		return ebpfnet__fail(call, code, EBPFNET_ERROR_INVALID, "fd %d: %s", sock,
				     ebpfnet_strerror(code));
	case -EBUSY:
		ebpfnet__hint(call, "delete it from the other map first; a socket may be in "
				    "several maps of which one has the programs");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_BUSY,
				     "the socket has a program of this kind from a sockmap "
				     "already, or belongs to another subsystem of the kernel");
	case -EEXIST:
		return ebpfnet__fail(call, code, EBPFNET_ERROR_BUSY,
				     "the key has a socket, and NOEXIST asks for none");
	case -ENOENT:
		return ebpfnet__fail(call, code, EBPFNET_ERROR_NOT_FOUND,
				     "the key has no socket, and EXIST asks for one");
	case -E2BIG:
		return ebpfnet__fail(call, code, EBPFNET_ERROR_INVALID,
				     "the map has %u entries: the index is behind its end, or it "
				     "is full",
				     map->max_entries);
	case -EINVAL:
		ebpfnet__hint(call, "insert it before kTLS or another upper layer protocol is "
				    "set on it");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_INVALID,
				     "the socket cannot be in a sockmap: kTLS or another upper "
				     "layer protocol may be set on it");
	default:
		return ebpfnet__fail(call, code, 0, "%s", ebpfnet_strerror(code));
	}
}

int ebpfnet_sockmap_put(const struct ebpfnet_map *map, const void *key, int sock_fd, uint64_t flags,
			struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, map->ctx, err, "put socket %d into %s", sock_fd, map->name);
	uint64_t wide = (uint64_t)(uint32_t)sock_fd;
	uint32_t narrow = (uint32_t)sock_fd;

	if (map->fd < 0 || !key || flags > BPF_EXIST ||
	    (map->type != BPF_MAP_TYPE_SOCKMAP && map->type != BPF_MAP_TYPE_SOCKHASH))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "it is not a loaded sockmap or sockhash, the key is NULL, or "
				     "flags %llu are unknown",
				     (unsigned long long)flags);
	if (sock_fd < 0)
		return ebpfnet__fail(&call, -EBADF, EBPFNET_ERROR_INVALID, "fd %d is none",
				     sock_fd);
	/* A value of 8 bytes is a cookie when it is read, and the same descriptor when written. */
	if (bpf_map_update_elem(map->fd, key,
				map->value_size == sizeof(wide) ? (void *)&wide : (void *)&narrow,
				flags) == 0)
		return 0;
	return fail_put(&call, map, sock_fd, -errno);
}
