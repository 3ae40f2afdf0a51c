// SPDX-License-Identifier: 0BSD
/*
 * 03-attach: runs an XDP program on an interface until Ctrl-C, or for good with -p.
 *
 *	cc -o 03-attach 03-attach.c $(pkg-config --cflags --libs libebpfnet)
 *	./03-attach eth0 drop.bpf.o drop_all
 *	./03-attach -m auto eth0 drop.bpf.o drop_all
 *	./03-attach -p demo/drop eth0 drop.bpf.o drop_all	stays; the pin holds it
 *	./03-attach -r demo/drop				goes
 */
#include <ebpfnet/ebpfnet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const modes[] = { "native", "auto", "generic", "offload" };

static int fail(struct ebpfnet_error *err)
{
	const char *hint = ebpfnet_error_hint(err);

	fprintf(stderr, "03-attach: %s\n", ebpfnet_error_message(err));
	if (hint)
		fprintf(stderr, "hint: %s\n", hint);
	ebpfnet_error_free(err);
	return 1;
}

static int usage(void)
{
	fprintf(stderr, "usage: 03-attach [-m native|auto|generic|offload] [-p PIN] "
			"INTERFACE FILE.bpf.o PROGRAM\n"
			"       03-attach -r PIN\n");
	return 2;
}

static int remove_pin(struct ebpfnet_ctx *ctx, const char *pin)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_link *link;

	if (ebpfnet_link_open_pinned(ctx, pin, NULL, &link, &err) < 0)
		return fail(err);
	if (ebpfnet_link_unpin(link, &err) < 0)
		fail(err);
	ebpfnet_link_close(link);
	return 0;
}

static void wait_for_end(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &sig);
}

static int run(struct ebpfnet_ctx *ctx, char **argv, uint32_t mode, const char *pin)
{
	struct ebpfnet_object *obj = NULL;
	struct ebpfnet_link *link = NULL;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_program *prog;
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	int ret = 0;

	EBPFNET_OPTS(ebpfnet_xdp_opts, opts);
	opts.mode = mode;
	if (ebpfnet_object_open_file(ctx, argv[1], NULL, &obj, &err) < 0 ||
	    ebpfnet_object_load(obj, &err) < 0 ||
	    ebpfnet_object_program(obj, argv[2], &prog, &err) < 0 ||
	    ebpfnet_xdp_attach(prog, (int)if_nametoindex(argv[0]), &opts, &link, &err) < 0 ||
	    ebpfnet_link_info(link, &info, &err) < 0 ||
	    (pin && ebpfnet_link_pin(link, pin, &err) < 0))
		ret = fail(err);
	if (ret == 0) {
		printf("program %u (%s) runs on %s in %s mode, link %u\n", info.program_id, argv[2],
		       argv[0], modes[info.mode], info.id);
		fflush(stdout);
		if (!pin)
			wait_for_end();
	}
	ebpfnet_link_close(link);
	ebpfnet_object_close(obj);
	return ret;
}

int main(int argc, char **argv)
{
	const char *pin = NULL, *remove = NULL;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;
	uint32_t mode = 0;
	int opt, ret;

	while ((opt = getopt(argc, argv, "m:p:r:")) != -1) {
		switch (opt) {
		case 'm':
			for (mode = 0; mode < 4 && strcmp(modes[mode], optarg); mode++)
				;
			break;
		case 'p':
			pin = optarg;
			break;
		case 'r':
			remove = optarg;
			break;
		default:
			return usage();
		}
	}
	if (mode == 4 || optind != (remove ? argc : argc - 3))
		return usage();
	if (ebpfnet_ctx_new(NULL, &ctx, &err) < 0)
		return fail(err);
	ret = remove ? remove_pin(ctx, remove) : run(ctx, argv + optind, mode, pin);
	ebpfnet_ctx_unref(ctx);
	return ret;
}
