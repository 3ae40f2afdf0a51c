// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "link_elsewhere.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ELSEWHERE "--elsewhere"

static struct ebpfnet_error *err;

const char *link_pin_of(pid_t pid)
{
	static char path[64];

	snprintf(path, sizeof(path), "/sys/fs/bpf/ebpfnet/test-%d/table", pid);
	return path;
}

int link_elsewhere(const struct link_kind *kind, const char *act, uint32_t now, uint32_t next)
{
	char numbers[5][16];
	int status;
	pid_t pid;

	snprintf(numbers[0], 16, "%d", link_site.netns_fd);
	snprintf(numbers[1], 16, "%u", kind->kind);
	snprintf(numbers[2], 16, "%u", kind->via);
	snprintf(numbers[3], 16, "%u", now);
	snprintf(numbers[4], 16, "%u", next);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (link_site.netns_fd > 0)
			fcntl(link_site.netns_fd, F_SETFD, 0);
		execl("/proc/self/exe", "elsewhere", ELSEWHERE, link_pin_of(getppid()), act,
		      numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], NULL);
		_exit(LINK_ODD);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return LINK_ODD;
	return WEXITSTATUS(status);
}

static int look(const struct ebpfnet_link *link, char **numbers)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	int ret = ebpfnet_link_info(link, &info, &err);

	if (ret < 0)
		return ret;
	if (info.kind == (uint32_t)atoi(numbers[1]) && info.via == (uint32_t)atoi(numbers[2]) &&
	    info.program_id == (uint32_t)atoi(numbers[3]) && !info.defunct && info.pinned)
		return 0;
	printf("elsewhere: kind %u, via %u, program %u, defunct %u, pinned %u\n", info.kind,
	       info.via, info.program_id, info.defunct, info.pinned);
	return -EBADMSG;
}

static int act(struct ebpfnet_ctx *ctx, struct ebpfnet_link *link, const char *what, uint32_t next)
{
	struct ebpfnet_program *prog;
	int ret;

	if (!strcmp(what, "look"))
		return 0;
	if (!strcmp(what, "detach")) {
		ret = ebpfnet_link_detach(link, &err);
		return ret < 0 ? ret : ebpfnet_link_unpin(link, &err);
	}
	ret = ebpfnet_program_open_id(ctx, next, &prog, &err);
	if (ret == 0) {
		ret = ebpfnet_link_update(link, prog, NULL, NULL, &err);
		ebpfnet_program_close(prog);
	}
	return ret;
}

int link_elsewhere_main(int argc, char **argv)
{
	struct ebpfnet_ctx *ctx = NULL;
	struct ebpfnet_link *link = NULL;
	int ret, status = 0;

	EBPFNET_OPTS(ebpfnet_link_open_opts, o);
	if (argc != 9 || strcmp(argv[1], ELSEWHERE))
		return -1;
	o.netns_fd = atoi(argv[4]);
	ret = ebpfnet_ctx_new(NULL, &ctx, &err);
	if (ret == 0)
		ret = ebpfnet_link_open_pinned(ctx, argv[2], &o, &link, &err);
	if (ret == 0)
		ret = look(link, argv + 4);
	if (ret == 0)
		ret = act(ctx, link, argv[3], (uint32_t)atoi(argv[8]));
	if (ret == -EOPNOTSUPP && ebpfnet_error_kind(err) == EBPFNET_ERROR_NOT_SUPPORTED) {
		status = LINK_REFUSED;
	} else if (ret < 0) {
		printf("elsewhere, %s: %d: %s\n", argv[3], ret, ebpfnet_error_message(err));
		status = LINK_ODD;
	}
	ebpfnet_error_free(err);
	ebpfnet_link_close(link);
	ebpfnet_ctx_unref(ctx);
	return status;
}
