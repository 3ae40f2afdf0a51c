// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Versions and kernel configurations as text. */
#include "helpers.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "core/util.h"
#include "probe/kernel.h"

static const struct {
	const char *release, *text;
	unsigned int major, minor, patch;
} releases[] = {
	{ "6.18.44-fc-v669", "6.18.44", 6, 18, 44 },
	{ "6.1.0-56-cloud-amd64", "6.1", 6, 1, 0 },
	{ "6.12.117+deb12-cloud-amd64", "6.12.117", 6, 12, 117 },
	{ "7.3-cloud-amd64", "7.3", 7, 3, 0 },
	{ "7.3-rc7", "7.3", 7, 3, 0 },
	{ "4.18.0-553.el8_10.x86_64", "4.18", 4, 18, 0 },
	{ "6.6", "6.6", 6, 6, 0 },
	{ "6.10", "6.10", 6, 10, 0 },
};

START_TEST(versions)
{
	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(releases); i++) {
		char text[EBPFNET__VERSION_LEN];
		struct ebpfnet__version v;

		ck_assert_int_eq(ebpfnet__version_parse(releases[i].release, &v), 0);
		ck_assert_uint_eq(v.major, releases[i].major);
		ck_assert_uint_eq(v.minor, releases[i].minor);
		ck_assert_uint_eq(v.patch, releases[i].patch);
		ebpfnet__version_text(releases[i].release, text);
		ck_assert_str_eq(text, releases[i].text);
	}
}
END_TEST

START_TEST(not_versions)
{
	static const char *const texts[] = { "", "6", "6.", "x", "-6.1", " 6.1", ".6", "v6.1" };
	char text[EBPFNET__VERSION_LEN];
	struct ebpfnet__version v;

	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(texts); i++)
		ck_assert_msg(ebpfnet__version_parse(texts[i], &v) == -EINVAL, "\"%s\"", texts[i]);
	ebpfnet__version_text("custom", text);
	ck_assert_str_eq(text, "custom");
	ebpfnet__version_text("a release that is longer than any release which a person would give",
			      text);
	ck_assert_uint_eq(strlen(text), EBPFNET__VERSION_LEN - 1);
}
END_TEST

static int compare(const char *a, const char *b)
{
	struct ebpfnet__version va, vb;

	ck_assert_int_eq(ebpfnet__version_parse(a, &va), 0);
	ck_assert_int_eq(ebpfnet__version_parse(b, &vb), 0);
	return ebpfnet__version_compare(&va, &vb);
}

START_TEST(order)
{
	ck_assert_int_lt(compare("6.6", "6.10"), 0); /* numbers, not text */
	ck_assert_int_gt(compare("6.10", "6.9"), 0);
	ck_assert_int_lt(compare("5.19", "6.0"), 0);
	ck_assert_int_gt(compare("7.0", "6.18.44"), 0);
	ck_assert_int_eq(compare("6.6.0-1", "6.6"), 0);
	ck_assert_int_gt(compare("6.6.1", "6.6"), 0);
	ck_assert_int_lt(compare("6.6.9", "6.6.10"), 0);
}
END_TEST

static const char sample[] = "#\n"
			     "# Automatically generated file; DO NOT EDIT.\n"
			     "CONFIG_CC_VERSION_TEXT=\"my gcc\"\n"
			     "CONFIG_NET=y\n"
			     "CONFIG_NET_CLS_BPF=m\n"
			     "# CONFIG_NETKIT is not set\n"
			     "CONFIG_NETKIT_SCRUB=y\n"
			     "CONFIG_XCONFIG_VRF=y\n"
			     "CONFIG_HZ=250\n"
			     "CONFIG_LAST=y";

START_TEST(options)
{
	ck_assert_int_eq(ebpfnet__kconfig_find(sample, "CONFIG_NET"), 'y');
	ck_assert_int_eq(ebpfnet__kconfig_find(sample, "CONFIG_NET_CLS_BPF"), 'm');
	ck_assert_int_eq(ebpfnet__kconfig_find(sample, "CONFIG_NETKIT"), 'n');
	ck_assert_int_eq(ebpfnet__kconfig_find(sample, "CONFIG_NETKIT_SCRUB"), 'y');
	ck_assert_int_eq(ebpfnet__kconfig_find(sample, "CONFIG_NET_CLS"), 'n');
	ck_assert_int_eq(ebpfnet__kconfig_find(sample, "CONFIG_VRF"), 'n');
	ck_assert_int_eq(ebpfnet__kconfig_find(sample, "CONFIG_ABSENT"), 'n');
	ck_assert_int_eq(ebpfnet__kconfig_find(sample, "CONFIG_HZ"), 'y');
	ck_assert_int_eq(ebpfnet__kconfig_find(sample, "CONFIG_CC_VERSION_TEXT"), 'y');
	ck_assert_int_eq(ebpfnet__kconfig_find(sample, "CONFIG_LAST"), 'y');
	ck_assert_int_eq(ebpfnet__kconfig_find("", "CONFIG_NET"), 'n');
}
END_TEST

/* As /proc/config.gz is made. Returns the size; *out is the caller's. */
static size_t gzip(const void *data, size_t size, unsigned char **out)
{
	size_t room = compressBound((uLong)size) + 64;
	z_stream z;

	memset(&z, 0, sizeof(z));
	*out = malloc(room);
	ck_assert_ptr_nonnull(*out);
	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)size;
	z.next_out = *out;
	z.avail_out = (uInt)room;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

START_TEST(plain_and_gzip)
{
	CLEANUP(free) unsigned char *packed = NULL;
	size_t size = gzip(sample, strlen(sample), &packed);
	char *text;

	ck_assert_int_eq(ebpfnet__kconfig_text(sample, strlen(sample), &text), 0);
	ck_assert_str_eq(text, sample);
	free(text);
	ck_assert_int_eq(ebpfnet__kconfig_text(packed, size, &text), 0);
	ck_assert_str_eq(text, sample);
	free(text);
	ck_assert_int_eq(ebpfnet__kconfig_text("", 0, &text), 0);
	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

/* Longer than the first buffer, so that the text is put together from several rounds. */
START_TEST(large)
{
	size_t size = (1u << 20) + 12345;
	CLEANUP(free) char *data = malloc(size + 1);
	CLEANUP(free) unsigned char *packed = NULL;
	size_t packed_size;
	char *text;

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < size; i++)
		data[i] = "CONFIG_OPTION_000=y\n"[i % 20];
	data[size] = '\0';
	packed_size = gzip(data, size, &packed);
	ck_assert_int_eq(ebpfnet__kconfig_text(packed, packed_size, &text), 0);
	ck_assert_str_eq(text, data);
	free(text);
}
END_TEST

START_TEST(damaged)
{
	size_t zeros = 5u << 20;
	CLEANUP(free) unsigned char *packed = NULL, *bomb = NULL;
	CLEANUP(free) char *nothing = calloc(1, zeros);
	size_t size = gzip(sample, strlen(sample), &packed);
	char *text;

	for (size_t cut = 2; cut < size; cut++) {
		ck_assert_int_eq(ebpfnet__kconfig_text(packed, cut, &text), -EBADMSG);
		ck_assert_ptr_null(text);
	}
	packed[size / 2] ^= 0xff;
	ck_assert_int_eq(ebpfnet__kconfig_text(packed, size, &text), -EBADMSG);
	size = gzip(nothing, zeros, &bomb);
	ck_assert_int_eq(ebpfnet__kconfig_text(bomb, size, &text), -EFBIG);
	ck_assert_int_eq(ebpfnet__kconfig_text(nothing, zeros, &text), -EFBIG);
}
END_TEST

START_TEST(running)
{
	struct utsname u;
	char *text;

	ck_assert_int_eq(uname(&u), 0);
	ck_assert_str_eq(ebpfnet__kernel_release(), u.release);
	if (ebpfnet__kconfig_load(&text)) {
		printf("no configuration of this kernel to read\n");
		ck_assert_int_eq(ebpfnet__kconfig("CONFIG_NET"), 0);
		return;
	}
	ck_assert_int_eq(ebpfnet__kconfig("CONFIG_NET"), 'y');
	ck_assert_int_eq(ebpfnet__kconfig("CONFIG_NO_SUCH_OPTION"), 'n');
	free(text);
}
END_TEST

TEST_MAIN("probe kernel", 30, versions, not_versions, order, options, plain_and_gzip, large,
	  damaged, running)
