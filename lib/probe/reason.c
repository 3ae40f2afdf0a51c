// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Why a feature is absent, in words. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "probe/feature.h"
#include "probe/kernel.h"

#define WORD_LEN 48
#define OPTIONS_LEN 160

/* Goes through "CONFIG_A CONFIG_B": copies the next one, returns what is behind it, NULL at the
 * end. */
static const char *next_word(const char *list, char word[WORD_LEN])
{
	int n = 0;

	if (!list || sscanf(list, " %47s%n", word, &n) != 1)
		return NULL;
	return list + n;
}

static void append_word(char *out, size_t size, const char *separator, const char *word)
{
	size_t used = strlen(out);

	snprintf(out + used, size - used, "%s%s", used ? separator : "", word);
}

/* Lists the row's options that have a value in a configuration: 'n' is unset. */
static bool options_with(const struct ebpfnet__feature *f, const char *config, char value,
			 char *out, size_t size)
{
	char option[WORD_LEN];

	out[0] = '\0';
	for (const char *p = f->config; config && (p = next_word(p, option));)
		if (ebpfnet__kconfig_find(config, option) == value)
			append_word(out, size, ", ", option);
	return out[0];
}

static bool older(const char *release, const char *min_kernel)
{
	struct ebpfnet__version running, min;

	return ebpfnet__version_parse(release, &running) == 0 &&
	       ebpfnet__version_parse(min_kernel, &min) == 0 &&
	       ebpfnet__version_compare(&running, &min) < 0;
}

static void why_at_run_time(const struct ebpfnet__feature *f,
			    const struct ebpfnet__kernel_view *view, const char *version,
			    struct ebpfnet__why *why)
{
	char modular[OPTIONS_LEN];

	/* What is built in need not show below /sys/module: only a configuration without "m" says
	 * so. */
	if (view->missing_modules &&
	    (!view->config || options_with(f, view->config, 'm', modular, OPTIONS_LEN))) {
		why->cause = EBPFNET__CAUSE_MODULE;
		snprintf(why->text, sizeof(why->text), "%s needs modules that are not loaded: %s",
			 f->name, view->missing_modules);
		snprintf(why->hint, sizeof(why->hint), "modprobe -a %s", view->missing_modules);
	} else if (f->sysctl && view->switched_off) {
		why->cause = EBPFNET__CAUSE_SYSCTL;
		snprintf(why->text, sizeof(why->text), "%s is switched off by sysctl %s = 0",
			 f->name, f->sysctl);
		snprintf(why->hint, sizeof(why->hint), "sysctl -w %s=1", f->sysctl);
	} else if (f->config && !view->config) {
		why->cause = EBPFNET__CAUSE_UNREADABLE;
		snprintf(why->text, sizeof(why->text),
			 "this kernel (%s) lacks %s, which needs %s; its configuration cannot be "
			 "read",
			 version, f->name, f->config);
		snprintf(why->hint, sizeof(why->hint), "boot a kernel built with %s", f->config);
	} else {
		why->cause = EBPFNET__CAUSE_UNKNOWN;
		snprintf(why->text, sizeof(why->text),
			 "this kernel (%s) lacks %s, though neither its version nor its "
			 "configuration "
			 "says why",
			 version, f->name);
		snprintf(why->hint, sizeof(why->hint), "please report this kernel's build");
	}
}

void ebpfnet__feature_why(const struct ebpfnet__feature *f, const struct ebpfnet__kernel_view *view,
			  struct ebpfnet__why *why)
{
	char version[EBPFNET__VERSION_LEN], unset[OPTIONS_LEN];

	memset(why, 0, sizeof(*why));
	ebpfnet__version_text(view->release, version);
	if (older(view->release, f->min_kernel)) {
		why->cause = EBPFNET__CAUSE_VERSION;
		snprintf(why->text, sizeof(why->text), "%s needs Linux %s, running %s", f->name,
			 f->min_kernel, version);
		snprintf(why->hint, sizeof(why->hint), "boot Linux %s or later", f->min_kernel);
	} else if (options_with(f, view->config, 'n', unset, sizeof(unset))) {
		why->cause = EBPFNET__CAUSE_CONFIG;
		snprintf(why->text, sizeof(why->text), "this kernel (%s) has %s unset", version,
			 unset);
		snprintf(why->hint, sizeof(why->hint), "boot a kernel built with %s", f->config);
	} else {
		why_at_run_time(f, view, version, why);
	}
}

bool ebpfnet__feature_missing_modules(const struct ebpfnet__feature *f, char *out, size_t size)
{
	char path[WORD_LEN + 16], module[WORD_LEN];

	out[0] = '\0';
	for (const char *p = f->modules; (p = next_word(p, module));) {
		snprintf(path, sizeof(path), "/sys/module/%s", module);
		if (access(path, F_OK) != 0)
			append_word(out, size, " ", module);
	}
	return out[0];
}

bool ebpfnet__feature_switched_off(const struct ebpfnet__feature *f)
{
	CLEANUP(free) char *value = NULL;
	char path[96] = "/proc/sys/";
	size_t size, at = strlen(path);

	if (!f->sysctl)
		return false;
	for (const char *p = f->sysctl; *p && at < sizeof(path) - 1; p++)
		path[at++] = *p == '.' ? '/' : *p;
	path[at] = '\0';
	return ebpfnet__file_read(path, 4096, &value, &size) == 0 && atoi(value) == 0;
}

void ebpfnet__feature_why_here(const struct ebpfnet__feature *f, struct ebpfnet__why *why)
{
	CLEANUP(free) char *config = NULL;
	char missing[EBPFNET__MODULES_LEN];
	struct ebpfnet__kernel_view view = {
		.release = ebpfnet__kernel_release(),
		.switched_off = ebpfnet__feature_switched_off(f),
	};

	if (ebpfnet__feature_missing_modules(f, missing, sizeof(missing)))
		view.missing_modules = missing;
	ebpfnet__kconfig_load(&config);
	view.config = config;
	ebpfnet__feature_why(f, &view, why);
}

int ebpfnet__fail_feature(struct ebpfnet__call *call, int code, uint32_t feature, const char *fmt,
			  ...)
{
	const struct ebpfnet__feature *f = ebpfnet__feature(feature);
	struct ebpfnet__why why;
	char more[256] = "";
	va_list ap;

	if (!f)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INTERNAL, "no feature %u",
				     feature);
	if (fmt) {
		va_start(ap, fmt);
		vsnprintf(more, sizeof(more), fmt, ap);
		va_end(ap);
	}
	ebpfnet__feature_why_here(f, &why);
	ebpfnet__note_min_kernel(call, f->min_kernel);
	ebpfnet__hint(call, "%s", why.hint);
	return ebpfnet__fail(call, code, EBPFNET_ERROR_NOT_SUPPORTED, "%s%s", why.text, more);
}
