// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "probe/kernel.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "core/util.h"

/* The configuration of 6.18 with everything on has 300 KiB. */
#define CONFIG_MAX (4u << 20)

static struct utsname running;

static void ask_uname(void)
{
	if (uname(&running) < 0)
		strcpy(running.release, "unknown");
}

const char *ebpfnet__kernel_release(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, ask_uname);
	return running.release;
}

int ebpfnet__version_parse(const char *text, struct ebpfnet__version *version)
{
	struct ebpfnet__version v = { 0, 0, 0 };

	*version = v;
	if (text[0] < '0' || text[0] > '9' ||
	    sscanf(text, "%5u.%5u.%5u", &v.major, &v.minor, &v.patch) < 2)
		return -EINVAL;
	*version = v;
	return 0;
}

int ebpfnet__version_compare(const struct ebpfnet__version *a, const struct ebpfnet__version *b)
{
	if (a->major != b->major)
		return a->major < b->major ? -1 : 1;
	if (a->minor != b->minor)
		return a->minor < b->minor ? -1 : 1;
	return a->patch < b->patch ? -1 : a->patch > b->patch;
}

void ebpfnet__version_text(const char *release, char text[EBPFNET__VERSION_LEN])
{
	struct ebpfnet__version v;

	if (ebpfnet__version_parse(release, &v) < 0)
		snprintf(text, EBPFNET__VERSION_LEN, "%s", release);
	else if (v.patch)
		snprintf(text, EBPFNET__VERSION_LEN, "%u.%u.%u", v.major, v.minor, v.patch);
	else
		snprintf(text, EBPFNET__VERSION_LEN, "%u.%u", v.major, v.minor);
}

static int inflate_all(z_stream *z, char **text)
{
	CLEANUP(free) char *buf = NULL;
	size_t room = 0;
	int ret = Z_OK;

	while (ret == Z_OK) {
		char *more;

		if (room >= CONFIG_MAX)
			return -EFBIG;
		room = room ? room * 2 : 256u << 10;
		more = realloc(buf, room + 1);
		if (!more)
			return -ENOMEM;
		buf = more;
		z->next_out = (Bytef *)buf + z->total_out;
		z->avail_out = (uInt)(room - z->total_out);
		ret = inflate(z, Z_NO_FLUSH);
	}
	if (ret != Z_STREAM_END)
		return ret == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
	buf[z->total_out] = '\0';
	*text = TAKE(buf);
	return 0;
}

int ebpfnet__kconfig_text(const void *data, size_t size, char **text)
{
	const unsigned char *bytes = data;
	z_stream z;
	int ret;

	*text = NULL;
	if (size > CONFIG_MAX)
		return -EFBIG;
	if (size < 2 || bytes[0] != 0x1f || bytes[1] != 0x8b) {
		*text = strndup(data, size);
		return *text ? 0 : -ENOMEM;
	}
	memset(&z, 0, sizeof(z));
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)size;
	/* zlib.h: 16 more than the window's bits asks for gzip and nothing else. */
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	ret = inflate_all(&z, text);
	inflateEnd(&z);
	return ret;
}

int ebpfnet__kconfig_load(char **text)
{
	/* The kernel's own word; Debian and Ubuntu; Fedora, and Debian from Linux 7 on. */
	static const struct {
		const char *before, *after;
		bool release;
	} places[] = {
		{ "/proc/config.gz", "", false },
		{ "/boot/config-", "", true },
		{ "/usr/lib/modules/", "/config", true },
		{ "/lib/modules/", "/config", true },
	};

	*text = NULL;
	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(places); i++) {
		CLEANUP(free) char *data = NULL;
		char path[160];
		size_t size;

		snprintf(path, sizeof(path), "%s%s%s", places[i].before,
			 places[i].release ? ebpfnet__kernel_release() : "", places[i].after);
		if (ebpfnet__file_read(path, CONFIG_MAX, &data, &size) == 0 &&
		    ebpfnet__kconfig_text(data, size, text) == 0)
			return 0;
	}
	return -ENOENT;
}

char ebpfnet__kconfig_find(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; *line;) {
		const char *end = strchr(line, '\n');

		if (!strncmp(line, name, len) && line[len] == '=')
			return line[len + 1] == 'm' || line[len + 1] == 'n' ? line[len + 1] : 'y';
		if (!end)
			break;
		line = end + 1;
	}
	return 'n';
}

char ebpfnet__kconfig(const char *name)
{
	CLEANUP(free) char *text = NULL;

	return ebpfnet__kconfig_load(&text) ? 0 : ebpfnet__kconfig_find(text, name);
}
