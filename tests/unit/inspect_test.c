// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Files that are no BPF object, or are one no longer: refused with the reason, and never a crash.
 */
#include "helpers.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util.h"
#include "load/sha256.h"

static struct ebpfnet_ctx *ctx;
static char *bytes;
static size_t size;
static char folder[] = "/tmp/ebpfnet-inspect-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const char *write_file(const char *name, const void *data, size_t n)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
	return path;
}

static void file_fails(const char *path, int code, uint32_t kind, const char *words)
{
	struct ebpfnet_object *obj = (void *)1;
	struct ebpfnet_error *err = NULL;
	int fds = test_open_fds();

	ASSERT_FAILS(ebpfnet_object_open_file(ctx, path, NULL, &obj, &err), err, code, kind, words);
	ck_assert_ptr_null(obj);
	ck_assert_int_eq(test_open_fds(), fds);
}

/* A copy of just this size: reading beyond it is an error under ASan. */
static int open_copy(const void *data, size_t n, struct ebpfnet_object **obj,
		     struct ebpfnet_error **err)
{
	char *copy = malloc(n ? n : 1);
	int ret;

	memcpy(copy, data, n);
	ret = ebpfnet_object_open_mem(ctx, copy, n, NULL, obj, err);
	free(copy);
	return ret;
}

static void bytes_fail(const void *data, size_t n, int code, const char *words)
{
	struct ebpfnet_object *obj = (void *)1;
	struct ebpfnet_error *err = NULL;

	ASSERT_FAILS(open_copy(data, n, &obj, &err), err, code, EBPFNET_ERROR_INVALID, words);
	ck_assert_ptr_null(obj);
}

START_TEST(what_is_no_object)
{
	file_fails(path_of("none"), -ENOENT, EBPFNET_ERROR_NOT_FOUND, "No such file");
	file_fails(folder, -EISDIR, EBPFNET_ERROR_SYSTEM, "Is a directory");
	file_fails(write_file("empty", "", 0), -ENOEXEC, EBPFNET_ERROR_INVALID, "it is empty");
	file_fails(write_file("text", "#!/bin/sh\necho no object\n", 25), -ENOEXEC,
		   EBPFNET_ERROR_INVALID, "not an ELF file");
	file_fails("/proc/self/exe", -ENOEXEC, EBPFNET_ERROR_INVALID, "not for BPF");
	bytes_fail("", 0, -ENOEXEC, "it is empty");
	bytes_fail("\177ELF", 4, -ENOEXEC, "truncated");
}
END_TEST

START_TEST(too_large)
{
	const char *path = write_file("large", "x", 1);

	ck_assert_int_eq(truncate(path, ((off_t)64 << 20) + 1), 0);
	file_fails(path, -EFBIG, EBPFNET_ERROR_SYSTEM, "File too large");
	ck_assert_int_eq(truncate(path, (off_t)64 << 20), 0);
	file_fails(path, -ENOEXEC, EBPFNET_ERROR_INVALID, "not an ELF file");
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

/* One field of the header at a time. */
START_TEST(headers)
{
	char *copy = malloc(size);
	Elf64_Ehdr *h = (Elf64_Ehdr *)copy;

#define WITH(change, words)                                                                        \
	do {                                                                                       \
		memcpy(copy, bytes, size);                                                         \
		change;                                                                            \
		bytes_fail(copy, size, -ENOEXEC, words);                                           \
	} while (0)
	WITH(h->e_ident[0] = 0, "not an ELF file");
	WITH(h->e_ident[EI_CLASS] = ELFCLASS32, "32-bit");
	WITH(h->e_ident[EI_CLASS] = 7, "class 7");
	WITH(h->e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB,
	     "-endian, and this machine's is not");
	WITH(h->e_ident[EI_DATA] = 9, "byte order 9");
	WITH(h->e_machine = EM_X86_64, "x86-64");
	WITH(h->e_machine = EM_AARCH64, "AArch64");
	WITH(h->e_machine = EM_386, "i386");
	WITH(h->e_machine = EM_RISCV, "RISC-V");
	WITH(h->e_machine = EM_S390, "another machine (machine 22)");
	WITH(h->e_type = ET_EXEC, "not a relocatable");
	WITH(h->e_shoff = 0, "section table");
	WITH(h->e_shoff = size + 1, "section table");
	WITH(h->e_shoff = UINT64_MAX, "section table");
	WITH(h->e_shnum = 0xff00, "section table");
	WITH(h->e_shstrndx = 0xfff0, "name");
#undef WITH
	free(copy);
}
END_TEST

START_TEST(sections)
{
	char *copy = malloc(size);
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)bytes;

	for (size_t i = 1; i < h->e_shnum; i++) {
		Elf64_Shdr *s = (Elf64_Shdr *)(copy + h->e_shoff) + i;

		memcpy(copy, bytes, size);
		if (s->sh_type == SHT_NOBITS || s->sh_size == 0)
			continue;
		s->sh_offset = size;
		bytes_fail(copy, size, -ENOEXEC, "");
		s->sh_offset = UINT64_MAX - 1;
		bytes_fail(copy, size, -ENOEXEC, "");
		memcpy(copy, bytes, size);
		s->sh_size = UINT64_MAX - s->sh_offset + 1;
		bytes_fail(copy, size, -ENOEXEC, "");
		memcpy(copy, bytes, size);
		s->sh_name = UINT32_MAX;
		bytes_fail(copy, size, -ENOEXEC, "name is corrupt");
	}
	free(copy);
}
END_TEST

START_TEST(without_btf)
{
	if (test_shell("command -v llvm-objcopy >/dev/null"))
		test_skip("needs llvm-objcopy");
	ck_assert_int_eq(test_shell("llvm-objcopy -R .BTF -R .BTF.ext -R .rel.BTF -R .rel.BTF.ext "
				    "%s %s",
				    test_built("bpf/counter.bpf.o"), path_of("nobtf")),
			 0);
	file_fails(path_of("nobtf"), -EINVAL, EBPFNET_ERROR_INVALID, "compile it with -g");
}
END_TEST

/* What libbpf refuses is told in libbpf's words. */
START_TEST(broken_btf)
{
	struct ebpfnet_object *obj = (void *)1;
	struct ebpfnet_error *err = NULL;
	char *copy = malloc(size), *magic;

	memcpy(copy, bytes, size);
	/* The BTF header: magic, version 1, flags 0, header length 24. */
	magic = memmem(copy, size, "\x9f\xeb\x01\x00\x18\x00\x00\x00", 8);
	ck_assert_ptr_nonnull(magic);
	magic[0] = 0;
	ck_assert_int_lt(open_copy(copy, size, &obj, &err), 0);
	ck_assert_ptr_null(obj);
	ck_assert_msg(test_error_says(err, "libbpf cannot read it"), "%s",
		      ebpfnet_error_message(err));
	ck_assert_ptr_nonnull(ebpfnet_error_libbpf_log(err));
	ebpfnet_error_free(err);
	free(copy);
}
END_TEST

START_TEST(every_truncation)
{
	for (size_t n = 0; n < size; n++) {
		struct ebpfnet_object *obj = (void *)1;
		struct ebpfnet_error *err = NULL;
		int ret = open_copy(bytes, n, &obj, &err);

		ck_assert_msg(ret == -ENOEXEC, "%zu of %zu bytes: %d: %s", n, size, ret,
			      ebpfnet_error_message(err));
		ck_assert_msg(test_error_says(err, n == 0	 ? "empty"
						   : n < SELFMAG ? "not an ELF file"
								 : "truncated"),
			      "%zu of %zu bytes: %s", n, size, ebpfnet_error_message(err));
		ck_assert_ptr_null(obj);
		ebpfnet_error_free(err);
	}
}
END_TEST

/* More bytes behind the end matter to nobody. */
START_TEST(a_tail)
{
	struct ebpfnet_object *obj;
	struct ebpfnet_error *err = NULL;
	char *copy = calloc(1, size + 100);

	memcpy(copy, bytes, size);
	ASSERT_OK(open_copy(copy, size + 100, &obj, &err), err);
	ebpfnet_object_close(obj);
	free(copy);
}
END_TEST

#define CORRUPTIONS 2000

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

struct progress {
	unsigned int at;
	unsigned int opened, refused;
	size_t place;
	unsigned int old, new;
};

/* Opens what can be opened and touches what the types lead to. */
static void open_and_touch(const char *data, struct progress *p)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj;
	uint32_t key = 1;
	int ret = open_copy(data, size, &obj, &err);

	if (ret) {
		p->refused++;
		if (!err || obj || ebpfnet_error_code(err) != ret)
			_exit(2);
		ebpfnet_error_free(err);
		return;
	}
	p->opened++;
	ebpfnet_object_set_const(obj, "counter_key", &key, sizeof(key), NULL);
	ebpfnet_object_set_const(obj, "counter_kei", &key, sizeof(key), NULL);
	ebpfnet_object_set_map_entries(obj, "address4", 10, NULL);
	ebpfnet_object_close(obj);
}

/* From p->at on; sees its own crash from the outside. */
static int corrupt_and_open(void *data)
{
	struct progress *p = data;
	char *copy = malloc(size);

	for (; p->at < CORRUPTIONS; p->at++) {
		uint32_t state = p->at * 2654435761u + 1;

		memcpy(copy, bytes, size);
		/* Half of them where the structure is: headers, symbols, relocations, section
		 * table. */
		p->place = next_random(&state) % size;
		if (p->at % 4 == 1)
			p->place = next_random(&state) % sizeof(Elf64_Ehdr);
		if (p->at % 4 == 3)
			p->place = size - 1 - next_random(&state) % (size / 8);
		p->old = (unsigned char)copy[p->place];
		p->new = p->old ^ (1 + next_random(&state) % 255);
		copy[p->place] = (char)p->new;
		open_and_touch(copy, p);
	}
	free(copy);
	return 0;
}

START_TEST(single_byte_corruption)
{
	struct progress *p =
		mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int crashes = 0;

	ck_assert_ptr_ne(p, MAP_FAILED);
	while (p->at < CORRUPTIONS) {
		int ret = test_in_child(corrupt_and_open, p);

		if (ret == 0)
			break;
		printf("corruption %u: ended with %d: byte %zu of %zu from 0x%02x to 0x%02x\n",
		       p->at, ret, p->place, size, p->old, p->new);
		crashes++;
		p->at++;
	}
	printf("%u opened, %u refused\n", p->opened, p->refused);
	ck_assert_uint_eq(crashes, 0);
	ck_assert_uint_eq(p->opened + p->refused, CORRUPTIONS);
	ck_assert_uint_gt(p->opened, 100);
	ck_assert_uint_gt(p->refused, 100);
	munmap(p, sizeof(*p));
}
END_TEST

START_TEST(sha256)
{
	struct ebpfnet_object *obj;
	struct ebpfnet_error *err = NULL;
	char hex[65], other[66];

	ebpfnet__sha256_hex(bytes, size, hex);
	EBPFNET_OPTS(ebpfnet_object_opts, o);
	o.sha256 = hex;
	ASSERT_OK(ebpfnet_object_open_mem(ctx, bytes, size, &o, &obj, &err), err);
	ebpfnet_object_close(obj);
	ASSERT_OK(ebpfnet_object_open_builtin(ctx, "counter", &o, &obj, &err), err);
	ebpfnet_object_close(obj);
	for (char *c = hex; *c; c++)
		*c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_built("bpf/counter.bpf.o"), &o, &obj, &err),
		  err);
	ebpfnet_object_close(obj);

	o.sha256 = other;
	memcpy(other, hex, sizeof(hex));
	other[63] = other[63] == '0' ? '1' : '0';
	ASSERT_FAILS(ebpfnet_object_open_mem(ctx, bytes, size, &o, &obj, &err), err, -EKEYREJECTED,
		     EBPFNET_ERROR_INCOMPATIBLE, "expected");
	ck_assert_ptr_null(obj);
	other[63] = '\0';
	ASSERT_FAILS(ebpfnet_object_open_mem(ctx, bytes, size, &o, &obj, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "64 hexadecimal digits");
	strcpy(other, hex);
	other[10] = 'g';
	ASSERT_FAILS(ebpfnet_object_open_mem(ctx, bytes, size, &o, &obj, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "sha256sum");
	memset(other, '0', 65);
	other[65] = '\0';
	ASSERT_FAILS(ebpfnet_object_open_mem(ctx, bytes, size, &o, &obj, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "64 hexadecimal digits");
}
END_TEST

START_TEST(names_in_messages)
{
	struct ebpfnet_object *obj;
	struct ebpfnet_map *map;
	struct ebpfnet_error *err = NULL;

	ASSERT_OK(ebpfnet_object_open_mem(ctx, bytes, size, NULL, &obj, &err), err);
	ASSERT_FAILS(ebpfnet_object_map(obj, "nope_at_all", &map, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "memory has no map named nope_at_all");
	ebpfnet_object_close(obj);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_built("bpf/counter.bpf.o"), NULL, &obj, &err),
		  err);
	ASSERT_FAILS(ebpfnet_object_map(obj, "totl", &map, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "did you mean total?");
	ASSERT_FAILS(ebpfnet_object_map(obj, "nope_at_all", &map, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "counter.bpf.o has no map named");
	ebpfnet_object_close(obj);
	EBPFNET_OPTS(ebpfnet_object_opts, o);
	o.name = "my own";
	ASSERT_FAILS(ebpfnet_object_open_mem(ctx, "", 0, &o, &obj, &err), err, -ENOEXEC,
		     EBPFNET_ERROR_INVALID, "open my own: invalid: ");
	/* Options without a name: a block is still called by its own. */
	o.name = NULL;
	ASSERT_OK(ebpfnet_object_open_builtin(ctx, "counter", &o, &obj, &err), err);
	ASSERT_FAILS(ebpfnet_object_map(obj, "nope_at_all", &map, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "counter.bpf.o has no map named");
	ebpfnet_object_close(obj);
	ASSERT_FAILS(ebpfnet_object_open_builtin(ctx, "conter", NULL, &obj, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "there is: counter");
	ck_assert_ptr_null(obj);
	ebpfnet_object_close(NULL);
}
END_TEST

START_TEST(newer_options)
{
	struct {
		struct ebpfnet_object_opts known;
		uint64_t newer;
	} o;
	struct ebpfnet_object *obj = (void *)1;
	struct ebpfnet_error *err = NULL;

	memset(&o, 0, sizeof(o));
	o.known.sz = sizeof(o);
	o.newer = 1;
	ASSERT_FAILS(ebpfnet_object_open_mem(ctx, bytes, size, &o.known, &obj, &err), err, -E2BIG,
		     EBPFNET_ERROR_INVALID, "newer libebpfnet");
	ck_assert_ptr_null(obj);
	ASSERT_FAILS(ebpfnet_object_open_file(ctx, "/nope", &o.known, &obj, &err), err, -E2BIG,
		     EBPFNET_ERROR_INVALID, "newer libebpfnet");
	ASSERT_FAILS(ebpfnet_object_open_builtin(ctx, "counter", &o.known, &obj, &err), err, -E2BIG,
		     EBPFNET_ERROR_INVALID, "newer libebpfnet");
	o.newer = 0;
	ASSERT_OK(ebpfnet_object_open_builtin(ctx, "counter", &o.known, &obj, &err), err);
	ebpfnet_object_close(obj);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { what_is_no_object,
				       too_large,
				       headers,
				       sections,
				       without_btf,
				       broken_btf,
				       every_truncation,
				       a_tail,
				       single_byte_corruption,
				       sha256,
				       names_in_messages,
				       newer_options };
	struct ebpfnet_error *err = NULL;
	int ret;

	if (!mkdtemp(folder) || ebpfnet_ctx_new(NULL, &ctx, &err) ||
	    ebpfnet__file_read(test_built("bpf/counter.bpf.o"), 1u << 20, &bytes, &size))
		return 1;
	ret = test_run(test_suite("inspect", tests, sizeof(tests) / sizeof(*tests), 200));
	test_shell("rm -r %s", folder);
	ebpfnet_ctx_unref(ctx);
	free(bytes);
	return ret;
}
