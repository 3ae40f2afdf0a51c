/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_CORE_H
#define EBPFNET_CORE_H

/*
 * The core of libebpfnet: context, error, log, version.
 *
 * Every program starts with a context and ends by giving it back:
 *
 *	struct ebpfnet_ctx *ctx;
 *	struct ebpfnet_error *err = NULL;
 *
 *	if (ebpfnet_ctx_new(NULL, &ctx, &err) < 0) {
 *		fprintf(stderr, "%s\n", ebpfnet_error_message(err));
 *		ebpfnet_error_free(err);
 *		return 1;
 *	}
 *	...
 *	ebpfnet_ctx_unref(ctx);
 *
 * Conventions that hold for the whole library:
 *
 *  - Functions return 0 or a negative errno; probes return 1, 0 or a negative errno.
 *  - `*out` is NULL after a failure. Functions that free or close return void and accept NULL.
 *  - `err` may be NULL: then the message goes once to the log. Otherwise `*err` must be NULL when
 *    the call is made, and the caller owns what it finds there afterwards.
 *  - Option structs start with their size. Declare them with EBPFNET_OPTS and set fields by
 *    statements; zero in a field is its default, NULL instead of a struct is all defaults.
 *  - Structs that the library fills: the caller sets `sz`, the library writes at most that much.
 *  - Every file descriptor of the library is close-on-exec and greater than 2.
 *  - Nothing prints, no thread is started, no timer is set.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EBPFNET_VERSION_MAJOR 0
#define EBPFNET_VERSION_MINOR 1
#define EBPFNET_VERSION_PATCH 0

/** Marks what the shared library exports. */
#define EBPFNET_API __attribute__((visibility("default")))

/**
 * @brief Declares an option struct, clears it and sets its size.
 *
 * EBPFNET_OPTS(ebpfnet_xdp_opts, opts); opts.mode = EBPFNET_XDP_GENERIC;
 * @since 0.1
 */
#define EBPFNET_OPTS(type, name)                                                                   \
	struct type name;                                                                          \
	memset(&name, 0, sizeof(name));                                                            \
	name.sz = sizeof(name)

struct ebpfnet_ctx;
struct ebpfnet_error;

/** What sort of failure an error is; ebpfnet_error_kind() gives it. Values are never reused. */
enum ebpfnet_error_kind {
	EBPFNET_ERROR_SYSTEM = 1,    /* the errno says it all: out of memory, too many files */
	EBPFNET_ERROR_INVALID,	     /* the caller's argument or input is wrong */
	EBPFNET_ERROR_NOT_SUPPORTED, /* this kernel, driver or configuration cannot do it */
	EBPFNET_ERROR_PERMISSION,    /* a capability is missing, or the kernel is locked down */
	EBPFNET_ERROR_VERIFIER,	     /* the kernel's verifier refused a program */
	EBPFNET_ERROR_CORE,	     /* a CO-RE relocation has no counterpart in this kernel */
	EBPFNET_ERROR_NOT_FOUND,     /* no such interface, file, program, map, pin */
	EBPFNET_ERROR_BUSY,	     /* somebody else holds it */
	EBPFNET_ERROR_STALE,	     /* it changed since the caller looked */
	EBPFNET_ERROR_INCOMPATIBLE,  /* two things that do not fit each other */
	EBPFNET_ERROR_DEFUNCT,	     /* the device or namespace below it is gone */
	EBPFNET_ERROR_INTERNAL,	     /* a fault of this library: please report it */
};

/** Severity of a log line, most severe first. */
enum ebpfnet_log_level {
	EBPFNET_LOG_ERROR = 1,
	EBPFNET_LOG_WARN,
	EBPFNET_LOG_INFO,
	EBPFNET_LOG_DEBUG,
};

/** Receives one log line, without a newline. Called on the thread that caused it; must not call
 * back. */
typedef void (*ebpfnet_log_fn)(void *data, uint32_t level, const char *line);

/** Leave libbpf's process-wide print callback alone: errors then lack libbpf's own text. */
#define EBPFNET_CTX_KEEP_LIBBPF_PRINT (1u << 0)
/** Never raise RLIMIT_MEMLOCK, even where the kernel (before 5.11) charges maps against it. */
#define EBPFNET_CTX_KEEP_MEMLOCK (1u << 1)

/** Options of ebpfnet_ctx_new(). Strings are copied. */
struct ebpfnet_ctx_opts {
	size_t sz; /* sizeof(struct ebpfnet_ctx_opts) */
	ebpfnet_log_fn
		log_fn;	    /* NULL: silent, or stderr if the environment has EBPFNET_LOG=LEVEL */
	void *log_data;	    /* first argument of log_fn */
	uint32_t log_level; /* enum ebpfnet_log_level; 0: EBPFNET_LOG_WARN */
	uint32_t flags;	    /* EBPFNET_CTX_* */
	const char *bpffs_root; /* mount point of the bpffs for pins; NULL: /sys/fs/bpf */
	const char *btf_path;	/* BTF to relocate against; NULL: the running kernel's */
	const char *token_path; /* bpffs with delegation for a BPF token (Linux 6.9); NULL: none */
	/*
	 * Whose pins these are: a relative pin path is below BPFFS/ebpfnet/APP/NETNS, where NETNS is
	 * the inode of the network namespace. Letters, digits, '-' and '_'. NULL: the name of the
	 * program's file, with '_' for everything else.
	 */
	const char *app;
};

/**
 * @brief Makes a context: the settings that every other call works under.
 *
 * One context serves a whole program; make a second one for other settings. It is immutable.
 *
 * @param opts in, may be NULL; read during the call only.
 * @param ctx out; owned by the caller, given back with ebpfnet_ctx_unref().
 * @param err out, may be NULL; see the top of this file.
 * @return 0, or -EINVAL (unknown flag or level), -E2BIG (a newer option this library does not
 * know), -ENOMEM, -EOPNOTSUPP (token_path and this libbpf is older than 1.5).
 *
 * Thread-safety: safe. The first context of a process installs a libbpf print callback that passes
 * on what is not ours; see EBPFNET_CTX_KEEP_LIBBPF_PRINT.
 * Kernel: any.
 * @see ebpfnet_ctx_unref
 * @since 0.1
 */
EBPFNET_API int ebpfnet_ctx_new(const struct ebpfnet_ctx_opts *opts, struct ebpfnet_ctx **ctx,
				struct ebpfnet_error **err);

/**
 * @brief Takes one more reference to a context, for a second owner of it.
 *
 * @param ctx in.
 * @return ctx.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_ctx_unref
 * @since 0.1
 */
EBPFNET_API struct ebpfnet_ctx *ebpfnet_ctx_ref(struct ebpfnet_ctx *ctx);

/**
 * @brief Gives a reference back; the last one frees the context.
 *
 * Objects, maps and links hold their own reference, so the order of closing does not matter.
 *
 * @param ctx in, may be NULL.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_ctx_new
 * @since 0.1
 */
EBPFNET_API void ebpfnet_ctx_unref(struct ebpfnet_ctx *ctx);

/**
 * @brief The errno of an error, negative, as the failing call returned it.
 *
 * @param err in, may be NULL.
 * @return a negative errno, or 0 for NULL.
 *
 * Thread-safety: safe; errors are immutable.
 * Kernel: any.
 * @see ebpfnet_error_message
 * @since 0.1
 */
EBPFNET_API int ebpfnet_error_code(const struct ebpfnet_error *err);

/**
 * @brief The kind of an error, to decide what to do next without reading its text.
 *
 * @param err in, may be NULL.
 * @return enum ebpfnet_error_kind, or 0 for NULL.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_error_code
 * @since 0.1
 */
EBPFNET_API uint32_t ebpfnet_error_kind(const struct ebpfnet_error *err);

/**
 * @brief One line that says what failed, where and why.
 *
 * "attach xdp eth0: busy: program 12 (drop_all) is attached in native mode"
 *
 * @param err in, may be NULL.
 * @return borrowed, valid until ebpfnet_error_free(); never NULL ("no error" for NULL).
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_error_hint
 * @since 0.1
 */
EBPFNET_API const char *ebpfnet_error_message(const struct ebpfnet_error *err);

/**
 * @brief One line that names the remedy.
 *
 * @param err in, may be NULL.
 * @return borrowed, or NULL if the message says it all.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_error_message
 * @since 0.1
 */
EBPFNET_API const char *ebpfnet_error_hint(const struct ebpfnet_error *err);

/**
 * @brief The Linux version that brought what is missing, "6.6".
 *
 * For people: distributions backport, so never compare it; see ebpfnet_probe().
 *
 * @param err in, may be NULL.
 * @return borrowed, or NULL if no kernel feature is missing.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_error_hint
 * @since 0.1
 */
EBPFNET_API const char *ebpfnet_error_min_kernel(const struct ebpfnet_error *err);

/**
 * @brief The verifier's log, whole, as the kernel wrote it.
 *
 * @param err in, may be NULL.
 * @return borrowed, or NULL if no verifier spoke.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_error_message
 * @since 0.1
 */
EBPFNET_API const char *ebpfnet_error_verifier_log(const struct ebpfnet_error *err);

/**
 * @brief libbpf's warnings during the failed call, one a line.
 *
 * @param err in, may be NULL.
 * @return borrowed, or NULL if libbpf said nothing.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see EBPFNET_CTX_KEEP_LIBBPF_PRINT
 * @since 0.1
 */
EBPFNET_API const char *ebpfnet_error_libbpf_log(const struct ebpfnet_error *err);

/**
 * @brief The kernel's own words from a netlink reply (extended ack).
 *
 * @param err in, may be NULL.
 * @return borrowed, or NULL if the call used no netlink or the kernel gave no text.
 *
 * Thread-safety: safe.
 * Kernel: any; 4.12 and later send text.
 * @see ebpfnet_error_message
 * @since 0.1
 */
EBPFNET_API const char *ebpfnet_error_extack(const struct ebpfnet_error *err);

/**
 * @brief Frees an error.
 *
 * @param err in, may be NULL; owned by the caller until now.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_error_message
 * @since 0.1
 */
EBPFNET_API void ebpfnet_error_free(struct ebpfnet_error *err);

/**
 * @brief The library's version at run time: major << 16 | minor << 8 | patch.
 *
 * Compare with the EBPFNET_VERSION_* macros to see which headers a program was built with.
 *
 * @return the version.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_strerror
 * @since 0.1
 */
EBPFNET_API uint32_t ebpfnet_version(void);

/**
 * @brief Text for an errno as this library returns it, for calls that take no `err`.
 *
 * Knows ENOTSUPP (524) and libbpf's codes (4000 and up), which strerror() does not.
 *
 * @param code in; negative or positive.
 * @return static text, never NULL.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_error_message
 * @since 0.1
 */
EBPFNET_API const char *ebpfnet_strerror(int code);

#ifdef __cplusplus
}
#endif

#endif /* EBPFNET_CORE_H */
