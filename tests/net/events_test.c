// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* examples/05-events on a veth pair: what is sent is printed, v4 and v6, TCP, UDP and ICMP; and a clean stop. */
int example_main(int argc, char **argv);
#define main example_main
#include "05-events.c"
#undef main

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "helpers.h"
#include "netns.h"

static struct test_net net;
static char text[65536];
static size_t have;

/* The example in a process of its own, in the far namespace; its output comes through a pipe. */
static pid_t start_example(int *out, char *every)
{
	char *argv[] = { "05-events", "-n", every, "v0", NULL };
	int fds[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		test_net_enter(net.far_fd);
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		optind = 1;
		_exit(chdir(getenv("EBPFNET_TEST_OBJECTS")) ? 99 : example_main(4, argv));
	}
	close(fds[1]);
	*out = fds[0];
	have = 0;
	text[0] = '\0';
	return pid;
}

static bool read_more(int out)
{
	ssize_t n = read(out, text + have, sizeof(text) - 1 - have);

	have += n > 0 ? (size_t)n : 0;
	text[have] = '\0';
	return n > 0;
}

/* Sends until the words come. */
static void expect(int out, const char *words, void (*send_one)(void))
{
	ck_assert_int_eq(fcntl(out, F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 200 && !strstr(text, words); i++) {
		send_one();
		usleep(50000);
		read_more(out);
	}
	ck_assert_msg(strstr(text, words), "\"%s\" not in:\n%s", words, text);
}

static void send_to(int type, int family)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(4242) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(4242) };
	bool is4 = family == AF_INET;
	int fd;

	inet_pton(AF_INET, TEST_FAR4, &v4.sin_addr);
	inet_pton(AF_INET6, TEST_FAR6, &v6.sin6_addr);
	test_net_enter(net.near_fd);
	fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(fd, 0);
	/* For TCP the first packet is enough: nobody listens. */
	if (connect(fd, is4 ? (void *)&v4 : (void *)&v6, is4 ? sizeof(v4) : sizeof(v6)) == 0)
		(void)!send(fd, "12345", 5, MSG_NOSIGNAL);
	close(fd);
	test_net_enter(-1);
}

static void udp4(void)
{
	send_to(SOCK_DGRAM, AF_INET);
}

static void udp6(void)
{
	send_to(SOCK_DGRAM, AF_INET6);
}

static void tcp4(void)
{
	send_to(SOCK_STREAM, AF_INET);
}

static void tcp6(void)
{
	send_to(SOCK_STREAM, AF_INET6);
}

static void ping4(void)
{
	test_net_ping(&net, 4, 1);
}

/* What was printed on SIGINT, and that it ended well. */
static void stop_example(pid_t pid, int out)
{
	int status;

	ck_assert_int_eq(kill(pid, SIGINT), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	while (read_more(out))
		;
	close(out);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d:\n%s", status,
		      text);
}

START_TEST(it_prints_what_is_sent)
{
	unsigned int lines = 0, events = 0, dropped = 1;
	const char *last;
	int out;
	pid_t pid;

	test_net_open(&net, 1);
	pid = start_example(&out, "1");
	expect(out, " > " TEST_FAR4 ".4242 protocol 17 length 47\n", udp4);
	expect(out, " > " TEST_FAR6 ".4242 protocol 17 length 67\n", udp6);
	expect(out, " > " TEST_FAR4 ".4242 protocol 6 ", tcp4);
	expect(out, " > " TEST_FAR6 ".4242 protocol 6 ", tcp6);
	expect(out, " v0 " TEST_NEAR4 ".0 > " TEST_FAR4 ".0 protocol 1 ", ping4);
	stop_example(pid, out);
	last = strstr(text, " events, ");
	ck_assert_ptr_nonnull(last);
	while (last > text && last[-1] != '\n')
		last--;
	ck_assert_int_eq(sscanf(last, "%u events, %u dropped", &events, &dropped), 2);
	for (const char *at = text; at < last; at++)
		lines += *at == '\n';
	ck_assert_uint_eq(events, lines);
	ck_assert_uint_eq(dropped, 0);
	test_net_close(&net);
}
END_TEST

START_TEST(it_samples)
{
	unsigned int lines = 0;
	int out;
	pid_t pid;

	test_net_open(&net, 1);
	pid = start_example(&out, "1000000000");
	/* Loaded and attached: the statistics of the device say when packets come through. */
	for (int i = 0; i < 20; i++) {
		udp4();
		usleep(50000);
	}
	stop_example(pid, out);
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	ck_assert_msg(lines == 1, "one line wanted, \"0 events, 0 dropped\":\n%s", text);
	test_net_close(&net);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		it_prints_what_is_sent,
		it_samples,
	};

	test_need_root();
	return test_run(test_suite("events", tests, sizeof(tests) / sizeof(*tests), 100));
}
