/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_LOAD_H
#define EBPFNET_LOAD_H

/*
 * Objects, programs and maps: from an ELF file to something that the kernel runs.
 *
 *	open     reads the ELF object; offline, no privileges
 *	adjust   constants, map sizes, maps shared with others, programs switched off
 *	load     into the kernel: all of it or nothing
 *
 *	struct ebpfnet_object *obj;
 *	struct ebpfnet_program *prog;
 *
 *	if (ebpfnet_object_open_file(ctx, "drop.bpf.o", NULL, &obj, &err) < 0 ||
 *	    ebpfnet_object_load(obj, &err) < 0 ||
 *	    ebpfnet_object_program(obj, "drop_all", &prog, &err) < 0)
 *		...ebpfnet_error_message(err)...
 *	ebpfnet_object_close(obj);
 *
 * Programs and maps found in an object are borrowed from it and end with it; those that are opened
 * by fd, id or pin are owned by the caller. What is attached, pinned or used stays in the kernel.
 */

#include <stdbool.h>

#include <ebpfnet/core.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ebpfnet_object;
struct ebpfnet_program;
struct ebpfnet_map;

/** Names in output structs; longer ones are cut. */
#define EBPFNET_NAME_LEN 128

/** Options of the ebpfnet_object_open_* functions. Strings are copied. */
struct ebpfnet_object_opts {
	size_t sz;	    /* sizeof(struct ebpfnet_object_opts) */
	const char *name;   /* what messages call the object; NULL: its file name, or "memory" */
	const char *sha256; /* 64 hexadecimal digits; another content is refused; NULL: any */
};

/**
 * @brief Opens a BPF object file. Offline: nothing reaches the kernel.
 *
 * @param ctx in; the object holds its own reference.
 * @param path in; the file is read whole and closed.
 * @param opts in, may be NULL.
 * @param obj out; owned by the caller, ends with ebpfnet_object_close().
 * @param err out, may be NULL.
 * @return 0, or -ENOENT and what open(2) and read(2) give, -ENOEXEC (not an ELF file, truncated,
 * another machine or byte order), -EINVAL (no BTF, a bad sha256), -EKEYREJECTED (the content is not
 * what sha256 says), -EFBIG (above 64 MiB), -ENOMEM.
 *
 * Thread-safety: safe; one object belongs to one thread at a time.
 * Kernel: any.
 * @see ebpfnet_object_load
 * @since 0.1
 */
EBPFNET_API int ebpfnet_object_open_file(struct ebpfnet_ctx *ctx, const char *path,
					 const struct ebpfnet_object_opts *opts,
					 struct ebpfnet_object **obj, struct ebpfnet_error **err);

/**
 * @brief Opens a BPF object that is in memory, for programs that embed theirs.
 *
 * @param ctx in; the object holds its own reference.
 * @param data in; copied.
 * @param size in, bytes.
 * @param opts in, may be NULL.
 * @param obj out; owned by the caller, ends with ebpfnet_object_close().
 * @param err out, may be NULL.
 * @return 0, or -ENOEXEC, -EINVAL, -EKEYREJECTED, -ENOMEM as ebpfnet_object_open_file().
 *
 * Thread-safety: safe; one object belongs to one thread at a time.
 * Kernel: any.
 * @see ebpfnet_object_open_file
 * @since 0.1
 */
EBPFNET_API int ebpfnet_object_open_mem(struct ebpfnet_ctx *ctx, const void *data, size_t size,
					const struct ebpfnet_object_opts *opts,
					struct ebpfnet_object **obj, struct ebpfnet_error **err);

/**
 * @brief Opens an object that this library carries: the kernel half of a block.
 *
 * For looking at it or for using a block's program bare; ebpfnet_counter_new() and its like are
 * what one normally wants.
 *
 * @param ctx in; the object holds its own reference.
 * @param name in: "counter".
 * @param opts in, may be NULL.
 * @param obj out; owned by the caller, ends with ebpfnet_object_close().
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (no such block; the message lists them), -ENOMEM.
 *
 * Thread-safety: safe; one object belongs to one thread at a time.
 * Kernel: any.
 * @see ebpfnet_object_open_file
 * @since 0.1
 */
EBPFNET_API int ebpfnet_object_open_builtin(struct ebpfnet_ctx *ctx, const char *name,
					    const struct ebpfnet_object_opts *opts,
					    struct ebpfnet_object **obj,
					    struct ebpfnet_error **err);

/**
 * @brief Sets a `const volatile` global of an opened object; the verifier treats it as a constant.
 *
 * @param obj in; opened and not loaded.
 * @param name in: the variable's name in the C source.
 * @param value in; copied.
 * @param size in, bytes: must be the variable's size.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (no such constant; "did you mean"), -EINVAL (another size),
 * -EBUSY (the object is loaded).
 *
 * Thread-safety: not safe for one object.
 * Kernel: any; 5.2 for global data.
 * @see ebpfnet_object_load
 * @since 0.1
 */
EBPFNET_API int ebpfnet_object_set_const(struct ebpfnet_object *obj, const char *name,
					 const void *value, size_t size,
					 struct ebpfnet_error **err);

/**
 * @brief Sets the number of entries of a map before it is made.
 *
 * @param obj in; opened and not loaded.
 * @param map in: the map's name.
 * @param entries in: more than 0; a ring buffer's is its size in bytes, a power of two of pages.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (no such map; "did you mean"), -EINVAL (0 entries; a ring buffer that is no
 * power of two of pages), -EBUSY (loaded, or the map is an existing one:
 * ebpfnet_object_reuse_map()).
 *
 * Thread-safety: not safe for one object.
 * Kernel: any.
 * @see ebpfnet_object_load
 * @since 0.1
 */
EBPFNET_API int ebpfnet_object_set_map_entries(struct ebpfnet_object *obj, const char *map,
					       uint32_t entries, struct ebpfnet_error **err);

/**
 * @brief Uses an existing map instead of making one, so that two objects share it.
 *
 * @param obj in; opened and not loaded.
 * @param name in: the map's name in this object.
 * @param map in: the existing map; it is duplicated and may be closed at once.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (no such map), -EINVAL kind INCOMPATIBLE (type, key size, value size,
 * entries or flags differ; the message says which), -EBUSY (loaded).
 *
 * Thread-safety: not safe for one object.
 * Kernel: any.
 * @see ebpfnet_map_open_pinned
 * @since 0.1
 */
EBPFNET_API int ebpfnet_object_reuse_map(struct ebpfnet_object *obj, const char *name,
					 const struct ebpfnet_map *map, struct ebpfnet_error **err);

/**
 * @brief Chooses whether a program is loaded; all are, unless their section starts with '?'.
 *
 * @param obj in; opened and not loaded.
 * @param program in: the program's (function's) name.
 * @param enabled in.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (no such program; "did you mean"), -EBUSY (loaded).
 *
 * Thread-safety: not safe for one object.
 * Kernel: any.
 * @see ebpfnet_object_load
 * @since 0.1
 */
EBPFNET_API int ebpfnet_object_set_program_enabled(struct ebpfnet_object *obj, const char *program,
						   bool enabled, struct ebpfnet_error **err);

/**
 * @brief Loads maps and programs into the kernel. After a failure nothing of it is left there.
 *
 * A refused program gives kind VERIFIER with the verifier's reason in the message and its log in
 * ebpfnet_error_verifier_log(); a kernel structure without the field that a program asks for gives
 * kind CORE and names it.
 *
 * @param obj in; opened and not loaded.
 * @param err out, may be NULL.
 * @return 0, or -EBUSY (loaded before, or failed before: open it again), -EACCES, -EINVAL, -E2BIG
 * (the verifier), -EPERM (a capability is missing), -EOPNOTSUPP (this kernel lacks a map or program
 * type), -ENOMEM.
 *
 * Thread-safety: not safe for one object.
 * Kernel: what the object asks for; CAP_BPF and, for most networking programs, CAP_NET_ADMIN.
 * @see ebpfnet_object_check
 * @since 0.1
 */
EBPFNET_API int ebpfnet_object_load(struct ebpfnet_object *obj, struct ebpfnet_error **err);

/** What loading a program showed; filled by ebpfnet_object_check(). */
struct ebpfnet_program_report {
	size_t sz; /* sizeof(struct ebpfnet_program_report) */
	char name[EBPFNET_NAME_LEN];
	uint32_t type;		 /* BPF_PROG_TYPE_* */
	uint32_t insns;		 /* instructions after the verifier's rewriting */
	uint32_t verified_insns; /* instructions that the verifier walked; its limit is 1,000,000 */
	uint32_t stack_depth;	 /* bytes, the deepest chain of calls; the kernel's limit is 512 */
	uint32_t jited_size;	 /* bytes of machine code; 0 without JIT */
	uint32_t reserved;
};

/**
 * @brief Loads an object, reports what each program needs, and lets go: nothing stays in the
 * kernel.
 *
 * The object stays as it was, so that it can be adjusted and loaded afterwards.
 *
 * @param obj in; opened and not loaded.
 * @param reports out; array of *count elements of elem_size bytes; may be NULL with *count 0.
 * @param elem_size in: sizeof(struct ebpfnet_program_report) as the caller knows it.
 * @param count in: room in reports; out: programs there are, also when that is more.
 * @param err out, may be NULL.
 * @return 0, or what ebpfnet_object_load() gives.
 *
 * Thread-safety: not safe for one object.
 * Kernel: as ebpfnet_object_load(); verified_insns is read from the log before 5.16.
 * @see ebpfnet_object_load
 * @since 0.1
 */
EBPFNET_API int ebpfnet_object_check(struct ebpfnet_object *obj,
				     struct ebpfnet_program_report *reports, size_t elem_size,
				     size_t *count, struct ebpfnet_error **err);

/**
 * @brief Finds a program of an object by its function's name.
 *
 * @param obj in.
 * @param name in.
 * @param prog out; borrowed, ends with the object.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (no such program; "did you mean"), -EINVAL (switched off).
 *
 * Thread-safety: not safe for one object.
 * Kernel: any.
 * @see ebpfnet_object_map
 * @since 0.1
 */
EBPFNET_API int ebpfnet_object_program(struct ebpfnet_object *obj, const char *name,
				       struct ebpfnet_program **prog, struct ebpfnet_error **err);

/**
 * @brief Finds a map of an object by its name.
 *
 * @param obj in.
 * @param name in.
 * @param map out; borrowed, ends with the object.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (no such map; "did you mean").
 *
 * Thread-safety: not safe for one object.
 * Kernel: any.
 * @see ebpfnet_object_program
 * @since 0.1
 */
EBPFNET_API int ebpfnet_object_map(struct ebpfnet_object *obj, const char *name,
				   struct ebpfnet_map **map, struct ebpfnet_error **err);

/**
 * @brief Closes an object and what was borrowed from it.
 *
 * What is attached or pinned keeps running.
 *
 * @param obj in, may be NULL.
 *
 * Thread-safety: not safe for one object.
 * Kernel: any.
 * @see ebpfnet_object_open_file
 * @since 0.1
 */
EBPFNET_API void ebpfnet_object_close(struct ebpfnet_object *obj);

/** What a CO-RE relocation asks of the kernel's BTF. */
enum ebpfnet_reloc_kind {
	EBPFNET_RELOC_FIELD_OFFSET = 1, /* bytes from the start of the struct */
	EBPFNET_RELOC_FIELD_SIZE,	/* bytes */
	EBPFNET_RELOC_FIELD_EXISTS,	/* 1 or 0 */
	EBPFNET_RELOC_FIELD_SIGNED,	/* 1 or 0 */
	EBPFNET_RELOC_FIELD_LSHIFT,	/* bits, for bit fields */
	EBPFNET_RELOC_FIELD_RSHIFT,	/* bits, for bit fields */
	EBPFNET_RELOC_TYPE_ID_LOCAL,	/* the type's number in the object */
	EBPFNET_RELOC_TYPE_ID_TARGET,	/* the type's number in the kernel; 0 if it has none */
	EBPFNET_RELOC_TYPE_EXISTS,	/* 1 or 0 */
	EBPFNET_RELOC_TYPE_SIZE,	/* bytes; 0 if the kernel has no such type */
	EBPFNET_RELOC_ENUM_EXISTS,	/* 1 or 0 */
	EBPFNET_RELOC_ENUM_VALUE,
	EBPFNET_RELOC_TYPE_MATCHES, /* 1 or 0 */
};

/** What ebpfnet_object_load() makes of the instruction that a CO-RE relocation is about. */
enum ebpfnet_reloc_effect {
	EBPFNET_RELOC_PATCHED = 1, /* it gets target_value */
	EBPFNET_RELOC_POISONED,	   /* it is made invalid: the verifier must find it unreachable */
	EBPFNET_RELOC_REFUSED,	   /* the object is not loaded at all */
};

/** One CO-RE relocation; filled by ebpfnet_object_relocs(). */
struct ebpfnet_reloc {
	size_t sz;			/* sizeof(struct ebpfnet_reloc) */
	char program[EBPFNET_NAME_LEN]; /* function: a program, or a subprogram that several call */
	char what[EBPFNET_NAME_LEN]; /* "sk_buff.len", "struct foo", "enum bar.BAZ"; no ___flavor */
	char why[EBPFNET_NAME_LEN];  /* why it was not found or not patched; "" if it was */
	uint32_t insn;		     /* index of the instruction in that function */
	uint32_t kind;	       /* enum ebpfnet_reloc_kind; 0: one that this library does not know */
	uint64_t local_value;  /* in the object; 0 if refused */
	uint64_t target_value; /* what the instruction gets; 0 unless patched */
	uint32_t found;	       /* 1: the kernel (or the context's btf_path) has it, 0: it has not */
	uint32_t effect;       /* enum ebpfnet_reloc_effect */
};

/**
 * @brief Lists every CO-RE relocation of an object and where it leads. Offline.
 *
 * Against the context's btf_path, or the running kernel's BTF and, for types that it lacks, that of
 * its modules; the values are those that ebpfnet_object_load() patches. A kind that asks whether
 * something exists is patched with 0 where it does not; one that asks for a place is poisoned.
 * Programs that are switched off are listed too. With *count 0 no BTF is needed.
 *
 * @param obj in.
 * @param relocs out; array of *count elements of elem_size bytes; may be NULL with *count 0.
 * @param elem_size in: sizeof(struct ebpfnet_reloc) as the caller knows it.
 * @param count in: room in relocs; out: relocations there are, also when that is more.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (no such btf_path; no BTF in the kernel: CONFIG_DEBUG_INFO_BTF is off),
 * -EINVAL (bad relocation data, a btf_path that is no BTF, elem_size), -E2BIG (types so entangled
 * that the search was given up), -ENOMEM.
 *
 * Thread-safety: not safe for one object.
 * Kernel: any with BTF.
 * @see ebpfnet_object_load
 * @since 0.1
 */
EBPFNET_API int ebpfnet_object_relocs(struct ebpfnet_object *obj, struct ebpfnet_reloc *relocs,
				      size_t elem_size, size_t *count, struct ebpfnet_error **err);

/**
 * @brief The kernel's fd of a program.
 *
 * @param prog in.
 * @return borrowed fd, or -EBADF before ebpfnet_object_load().
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_program_open_fd
 * @since 0.1
 */
EBPFNET_API int ebpfnet_program_fd(const struct ebpfnet_program *prog);

/**
 * @brief A program's name: its function in an object, else what the kernel kept of it.
 *
 * @param prog in.
 * @return borrowed, ends with the program.
 *
 * Thread-safety: safe.
 * Kernel: any; 4.15 keeps 15 characters.
 * @see ebpfnet_program_info
 * @since 0.1
 */
EBPFNET_API const char *ebpfnet_program_name(const struct ebpfnet_program *prog);

/** What the kernel says of a program; filled by ebpfnet_program_info(). */
struct ebpfnet_program_info {
	size_t sz; /* sizeof(struct ebpfnet_program_info) */
	char name[EBPFNET_NAME_LEN];
	uint32_t id;   /* unique while it is loaded */
	uint32_t type; /* BPF_PROG_TYPE_* */
	uint32_t
		attach_type; /* expected attach type, BPF_*; known for programs of an object only */
	uint32_t insns;	     /* after the verifier's rewriting */
	uint32_t verified_insns; /* walked by the verifier; 0 before Linux 5.16 */
	uint32_t jited_size;	 /* bytes; 0 without JIT */
	uint32_t gpl;		 /* 1: its licence is GPL compatible */
	uint32_t map_count;
	uint64_t load_time_ns; /* since boot (CLOCK_BOOTTIME) */
	uint8_t tag[8];	       /* hash of the instructions */
};

/**
 * @brief Asks the kernel about a program.
 *
 * @param prog in; loaded.
 * @param info out; the caller sets sz.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (sz), -EBADF (not loaded).
 *
 * Thread-safety: safe.
 * Kernel: 4.13.
 * @see ebpfnet_program_stats
 * @since 0.1
 */
EBPFNET_API int ebpfnet_program_info(const struct ebpfnet_program *prog,
				     struct ebpfnet_program_info *info, struct ebpfnet_error **err);

/** One run of a program on a packet of the caller's: in and out of ebpfnet_program_run(). */
struct ebpfnet_program_run {
	size_t sz;		/* sizeof(struct ebpfnet_program_run) */
	const void *data_in;	/* the packet, from its Ethernet header */
	uint32_t data_in_size;	/* bytes; at least 14 */
	uint32_t data_out_size; /* in: room in data_out; out: bytes of the packet afterwards */
	void *data_out;		/* the packet afterwards; NULL: not wanted */
	const void *ctx_in;	/* struct xdp_md or __sk_buff; NULL: all zero */
	uint32_t ctx_in_size;	/* bytes */
	uint32_t ctx_out_size;	/* in: room in ctx_out; out: bytes */
	void *ctx_out;		/* the context afterwards; NULL: not wanted */
	uint32_t repeat;	/* 0 or 1: once; more run on the packet as the run before left it */
	uint32_t retval;	/* out: what the program returned */
	uint32_t duration_ns;	/* out: mean time of one run */
	uint32_t flags;		/* 0 */
};

/**
 * @brief Runs a program on a packet in memory (BPF_PROG_TEST_RUN); no device is involved.
 *
 * @param prog in; loaded.
 * @param run in and out.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (a packet or context this program type cannot take), -ENOSPC (data_out is
 * too small; data_out_size says how large it must be), -EOPNOTSUPP (the type has no test run:
 * sk_msg, sk_skb, sock_ops, sock_addr), -EPERM.
 *
 * Thread-safety: safe.
 * Kernel: 4.12; ctx_in 5.2 for skb, 5.15 for XDP; root or CAP_BPF with CAP_NET_ADMIN.
 * @see ebpfnet_program_stats
 * @since 0.1
 */
EBPFNET_API int ebpfnet_program_run(const struct ebpfnet_program *prog,
				    struct ebpfnet_program_run *run, struct ebpfnet_error **err);

/** How often and how long a program ran; filled by ebpfnet_program_stats(). */
struct ebpfnet_program_stats {
	size_t sz;		   /* sizeof(struct ebpfnet_program_stats) */
	uint64_t run_count;	   /* since statistics were switched on */
	uint64_t run_time_ns;	   /* in total */
	uint64_t recursion_misses; /* runs left out because the program was running; Linux 5.12 */
};

/**
 * @brief Reads a program's run statistics; zero unless somebody switched them on.
 *
 * @param prog in; loaded.
 * @param stats out; the caller sets sz.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (sz), -EBADF (not loaded).
 *
 * Thread-safety: safe.
 * Kernel: 5.1.
 * @see ebpfnet_program_stats_enable
 * @since 0.1
 */
EBPFNET_API int ebpfnet_program_stats(const struct ebpfnet_program *prog,
				      struct ebpfnet_program_stats *stats,
				      struct ebpfnet_error **err);

/**
 * @brief Switches run statistics on for every program of the system, until the fd is closed.
 *
 * Costs every program two clock reads a run, about 25 ns.
 *
 * @param ctx in.
 * @param fd out; owned by the caller, close(2) ends it; -1 after a failure.
 * @param err out, may be NULL.
 * @return 0, or -EPERM (CAP_SYS_ADMIN), -EINVAL (before 5.8: use the sysctl
 * kernel.bpf_stats_enabled).
 *
 * Thread-safety: safe.
 * Kernel: 5.8.
 * @see ebpfnet_program_stats
 * @since 0.1
 */
EBPFNET_API int ebpfnet_program_stats_enable(struct ebpfnet_ctx *ctx, int *fd,
					     struct ebpfnet_error **err);

/** Which form of a program's code ebpfnet_program_dump() gives. */
enum ebpfnet_dump_kind {
	EBPFNET_DUMP_TRANSLATED = 1, /* struct bpf_insn after the verifier's rewriting */
	EBPFNET_DUMP_JITED,	     /* machine code */
};

/**
 * @brief Copies a program's code out of the kernel.
 *
 * @param prog in; loaded.
 * @param kind in: enum ebpfnet_dump_kind.
 * @param buf out; may be NULL with *size 0.
 * @param size in: room in buf; out: bytes there are, also when that is more.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (unknown kind), -EPERM (the kernel shows code to CAP_SYS_ADMIN, or to
 * CAP_BPF with CAP_PERFMON, only), -EOPNOTSUPP (no JIT).
 *
 * Thread-safety: safe.
 * Kernel: 4.13.
 * @see ebpfnet_program_info
 * @since 0.1
 */
EBPFNET_API int ebpfnet_program_dump(const struct ebpfnet_program *prog, uint32_t kind, void *buf,
				     size_t *size, struct ebpfnet_error **err);

/**
 * @brief Pins a program into bpffs, so that it outlives this process.
 *
 * @param prog in; loaded.
 * @param path in: absolute, or relative to the folder of the context's app; missing folders are made; no
 * dots in names.
 * @param err out, may be NULL.
 * @return 0, or -EEXIST (path is taken), -EINVAL (not below a bpffs, or a dot in the name),
 * -EPERM, -ENOSPC.
 *
 * Thread-safety: safe.
 * Kernel: 4.4.
 * @see ebpfnet_program_open_pinned
 * @since 0.1
 */
EBPFNET_API int ebpfnet_program_pin(const struct ebpfnet_program *prog, const char *path,
				    struct ebpfnet_error **err);

/**
 * @brief Opens a pinned program.
 *
 * @param ctx in; the program holds its own reference.
 * @param path in: absolute, or relative to the folder of the context's app.
 * @param prog out; owned by the caller, ends with ebpfnet_program_close().
 * @param err out, may be NULL.
 * @return 0, or -ENOENT, -EINVAL kind INCOMPATIBLE (a map or link is pinned there), -EPERM.
 *
 * Thread-safety: safe.
 * Kernel: 4.4.
 * @see ebpfnet_program_pin
 * @since 0.1
 */
EBPFNET_API int ebpfnet_program_open_pinned(struct ebpfnet_ctx *ctx, const char *path,
					    struct ebpfnet_program **prog,
					    struct ebpfnet_error **err);

/**
 * @brief Opens a loaded program by its id.
 *
 * @param ctx in; the program holds its own reference.
 * @param id in.
 * @param prog out; owned by the caller, ends with ebpfnet_program_close().
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (no such id), -EPERM (CAP_SYS_ADMIN is needed).
 *
 * Thread-safety: safe.
 * Kernel: 4.13.
 * @see ebpfnet_program_info
 * @since 0.1
 */
EBPFNET_API int ebpfnet_program_open_id(struct ebpfnet_ctx *ctx, uint32_t id,
					struct ebpfnet_program **prog, struct ebpfnet_error **err);

/**
 * @brief Adopts a program that something else loaded: a libbpf skeleton, a parent process.
 *
 * @param ctx in; the program holds its own reference.
 * @param fd in; duplicated, stays the caller's.
 * @param prog out; owned by the caller, ends with ebpfnet_program_close().
 * @param err out, may be NULL.
 * @return 0, or -EBADF (no such fd), -EINVAL kind INCOMPATIBLE (the fd is not a program's).
 *
 * Thread-safety: safe.
 * Kernel: 4.13.
 * @see ebpfnet_map_open_fd
 * @since 0.1
 */
EBPFNET_API int ebpfnet_program_open_fd(struct ebpfnet_ctx *ctx, int fd,
					struct ebpfnet_program **prog, struct ebpfnet_error **err);

/**
 * @brief Closes an owned program; one that is borrowed from an object is left alone.
 *
 * @param prog in, may be NULL.
 *
 * Thread-safety: not safe for one program.
 * Kernel: any.
 * @see ebpfnet_program_open_fd
 * @since 0.1
 */
EBPFNET_API void ebpfnet_program_close(struct ebpfnet_program *prog);

/**
 * @brief The kernel's fd of a map.
 *
 * @param map in.
 * @return borrowed fd, or -EBADF before ebpfnet_object_load().
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_map_open_fd
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_fd(const struct ebpfnet_map *map);

/**
 * @brief A map's name: its variable in an object, else what the kernel kept of it.
 *
 * @param map in.
 * @return borrowed, ends with the map.
 *
 * Thread-safety: safe.
 * Kernel: any; 4.15 keeps 15 characters.
 * @see ebpfnet_map_info
 * @since 0.1
 */
EBPFNET_API const char *ebpfnet_map_name(const struct ebpfnet_map *map);

/** What the kernel says of a map; filled by ebpfnet_map_info(). */
struct ebpfnet_map_info {
	size_t sz; /* sizeof(struct ebpfnet_map_info) */
	char name[EBPFNET_NAME_LEN];
	uint32_t id;	     /* unique while it exists */
	uint32_t type;	     /* BPF_MAP_TYPE_* */
	uint32_t key_size;   /* bytes */
	uint32_t value_size; /* bytes; of one CPU for per-CPU maps */
	uint32_t max_entries;
	uint32_t flags;	 /* BPF_F_* it was made with */
	uint32_t frozen; /* 1: user space cannot write it any more */
	uint32_t reserved;
};

/**
 * @brief Asks the kernel about a map.
 *
 * @param map in; loaded.
 * @param info out; the caller sets sz.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (sz), -EBADF (not loaded).
 *
 * Thread-safety: safe.
 * Kernel: 4.13.
 * @see ebpfnet_map_name
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_info(const struct ebpfnet_map *map, struct ebpfnet_map_info *info,
				 struct ebpfnet_error **err);

/**
 * @brief Pins a map into bpffs, so that it outlives this process.
 *
 * @param map in; loaded.
 * @param path in: absolute, or relative to the folder of the context's app; missing folders are made; no
 * dots in names.
 * @param err out, may be NULL.
 * @return 0, or -EEXIST (path is taken), -EINVAL (not below a bpffs, or a dot in the name),
 * -EPERM, -ENOSPC.
 *
 * Thread-safety: safe.
 * Kernel: 4.4.
 * @see ebpfnet_map_open_pinned
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_pin(const struct ebpfnet_map *map, const char *path,
				struct ebpfnet_error **err);

/**
 * @brief Opens a pinned map.
 *
 * @param ctx in; the map holds its own reference.
 * @param path in: absolute, or relative to the folder of the context's app.
 * @param map out; owned by the caller, ends with ebpfnet_map_close().
 * @param err out, may be NULL.
 * @return 0, or -ENOENT, -EINVAL kind INCOMPATIBLE (a program or link is pinned there), -EPERM.
 *
 * Thread-safety: safe.
 * Kernel: 4.4.
 * @see ebpfnet_map_pin
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_open_pinned(struct ebpfnet_ctx *ctx, const char *path,
					struct ebpfnet_map **map, struct ebpfnet_error **err);

/**
 * @brief Opens a map by its id.
 *
 * @param ctx in; the map holds its own reference.
 * @param id in.
 * @param map out; owned by the caller, ends with ebpfnet_map_close().
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (no such id), -EPERM (CAP_SYS_ADMIN is needed).
 *
 * Thread-safety: safe.
 * Kernel: 4.13.
 * @see ebpfnet_map_info
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_open_id(struct ebpfnet_ctx *ctx, uint32_t id, struct ebpfnet_map **map,
				    struct ebpfnet_error **err);

/**
 * @brief Adopts a map that something else made: a libbpf skeleton, a parent process.
 *
 * @param ctx in; the map holds its own reference.
 * @param fd in; duplicated, stays the caller's.
 * @param map out; owned by the caller, ends with ebpfnet_map_close().
 * @param err out, may be NULL.
 * @return 0, or -EBADF (no such fd), -EINVAL kind INCOMPATIBLE (the fd is not a map's).
 *
 * Thread-safety: safe.
 * Kernel: 4.13.
 * @see ebpfnet_program_open_fd
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_open_fd(struct ebpfnet_ctx *ctx, int fd, struct ebpfnet_map **map,
				    struct ebpfnet_error **err);

/**
 * @brief Closes an owned map; one that is borrowed from an object is left alone.
 *
 * @param map in, may be NULL.
 *
 * Thread-safety: not safe for one map.
 * Kernel: any.
 * @see ebpfnet_map_open_fd
 * @since 0.1
 */
EBPFNET_API void ebpfnet_map_close(struct ebpfnet_map *map);

/**
 * @brief Removes a pin of a program, map or link; what it pinned goes when nothing else holds it.
 *
 * Folders below BPFFS/ebpfnet that are empty then go too, and nothing else.
 *
 * @param ctx in.
 * @param path in: absolute, or relative to the folder of the context's app.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT, -EINVAL (not a pin: nothing outside a bpffs is ever removed), -EPERM.
 *
 * Thread-safety: safe.
 * Kernel: 4.4.
 * @see ebpfnet_program_pin
 * @since 0.1
 */
EBPFNET_API int ebpfnet_pin_remove(struct ebpfnet_ctx *ctx, const char *path,
				   struct ebpfnet_error **err);

#ifdef __cplusplus
}
#endif

#endif /* EBPFNET_LOAD_H */
