/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_PROBE_FEATURE_H
#define EBPFNET_PROBE_FEATURE_H

/* The feature table as the library sees it, and how a call fails for the lack of a feature. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ebpfnet/probe.h>

#include "core/error.h"

struct ebpfnet__feature {
	const char *name;
	const char *description;
	const char *min_kernel;
	const char *config;  /* separated by blanks, or NULL */
	const char *modules; /* separated by blanks, or NULL */
	const char *sysctl;  /* or NULL */
	int (*probe)(void);  /* 1, 0, or -errno if there is no telling */
};

/* The row of enum ebpfnet_feature, or NULL. */
const struct ebpfnet__feature *ebpfnet__feature(uint32_t feature);

/* Why a feature is absent, the first that holds. */
enum ebpfnet__cause {
	EBPFNET__CAUSE_VERSION = 1, /* the kernel is older than the feature */
	EBPFNET__CAUSE_CONFIG,	    /* an option is unset */
	EBPFNET__CAUSE_MODULE,	    /* a module is not loaded */
	EBPFNET__CAUSE_SYSCTL,	    /* it is switched off */
	EBPFNET__CAUSE_UNREADABLE,  /* not the version; the configuration cannot be read */
	EBPFNET__CAUSE_UNKNOWN,	    /* nothing that we know of: the table or the probe is wrong */
};

/* What the running kernel says of itself, for ebpfnet__feature_why(). */
struct ebpfnet__kernel_view {
	const char *release;
	const char *config;	     /* text, NULL: cannot be read */
	const char *missing_modules; /* of the feature, NULL: none */
	bool switched_off;	     /* the feature's sysctl is 0 */
};

struct ebpfnet__why {
	uint32_t cause;
	char text[256]; /* "tcx needs Linux 6.6, running 6.1" */
	char hint[128]; /* the remedy */
};

/* Puts an absence into words. Pure: ebpfnet__feature_why_here() looks at the running kernel. */
void ebpfnet__feature_why(const struct ebpfnet__feature *f, const struct ebpfnet__kernel_view *view,
			  struct ebpfnet__why *why);
void ebpfnet__feature_why_here(const struct ebpfnet__feature *f, struct ebpfnet__why *why);

#define EBPFNET__MODULES_LEN 96

/* The row's modules that /sys/module does not show: not loaded, or built in without parameters. */
bool ebpfnet__feature_missing_modules(const struct ebpfnet__feature *f, char *out, size_t size);
/* The row's sysctl is 0. */
bool ebpfnet__feature_switched_off(const struct ebpfnet__feature *f);

/*
 * Fails the call because this kernel lacks a feature: kind NOT_SUPPORTED, "tcx needs Linux 6.6,
 * running 6.1", then what fmt adds to it (", and clsact fallback is off"; NULL: nothing), with hint
 * and minimum kernel. The caller knows that it is absent: the kernel is not asked again.
 */
int ebpfnet__fail_feature(struct ebpfnet__call *call, int code, uint32_t feature, const char *fmt,
			  ...) EBPFNET__PRINTF(4, 5);

#endif /* EBPFNET_PROBE_FEATURE_H */
