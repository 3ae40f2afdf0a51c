// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Relocation records from an object that lies. The section .BTF.ext of a real object is moved to
 * the end of the file, so that a read beyond it is a read beyond the memory, which the sanitizer
 * sees. The lies are told behind libbpf's back, to an object that is open already: it refuses some
 * itself.
 */
#include <bpf/btf.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/util.h"
#include "helpers.h"
#include "load/object.h"

#define HEADER_LEN 4
#define CORE_OFF 24
#define CORE_LEN 28

/* The object with .BTF.ext last. */
struct file {
	char *data;
	size_t size;
	Elf64_Shdr *ext_header;
	unsigned char *ext;
	uint32_t ext_size;
};

static void open_file(struct file *f)
{
	const Elf64_Ehdr *elf;
	Elf64_Shdr *sections;
	const char *names;
	char *data;
	size_t size;

	memset(f, 0, sizeof(*f));
	ck_assert_int_eq(ebpfnet__file_read(test_object("core_kinds"), 1 << 20, &data, &size), 0);
	elf = (void *)data;
	sections = (void *)(data + elf->e_shoff);
	names = data + sections[elf->e_shstrndx].sh_offset;
	for (unsigned int i = 0; i < elf->e_shnum; i++) {
		Elf64_Shdr *sh = &sections[i];

		if (strcmp(names + sh->sh_name, ".BTF.ext") != 0)
			continue;
		f->size = size + sh->sh_size;
		f->data = malloc(f->size);
		memcpy(f->data, data, size);
		memcpy(f->data + size, data + sh->sh_offset, sh->sh_size);
		f->ext_header = (void *)(f->data + elf->e_shoff + i * sizeof(*sh));
		f->ext_header->sh_offset = size;
		f->ext = (void *)(f->data + size);
		f->ext_size = (uint32_t)sh->sh_size;
	}
	ck_assert_ptr_nonnull(f->ext);
	free(data);
}

static uint32_t get(const struct file *f, size_t offset)
{
	uint32_t word;

	memcpy(&word, f->ext + offset, sizeof(word));
	return word;
}

static void put(struct file *f, size_t offset, uint32_t word)
{
	memcpy(f->ext + offset, &word, sizeof(word));
}

/* Where the records begin: their size, then the first section's name and number of records. */
static uint32_t core_start(const struct file *f)
{
	return get(f, HEADER_LEN) + get(f, CORE_OFF);
}

static uint32_t first_record(const struct file *f)
{
	return core_start(f) + 12;
}

/* A small target, so that a thousand lists take a second. */
static struct ebpfnet_object *open_small(void)
{
	EBPFNET_OPTS(ebpfnet_ctx_opts, opts);
	struct ebpfnet_error *err = NULL;
	struct btf *btf = btf__new_empty();
	struct ebpfnet_object *obj;
	struct ebpfnet_ctx *ctx;
	char path[64];
	const void *data;
	uint32_t size;
	FILE *out;

	btf__add_int(btf, "unsigned int", 4, 0);
	btf__add_struct(btf, "sk_buff", 64);
	btf__add_field(btf, "len", 1, 256, 0);
	snprintf(path, sizeof(path), "/tmp/ebpfnet-relos-%d.btf", getpid());
	data = btf__raw_data(btf, &size);
	out = fopen(path, "we");
	ck_assert_uint_eq(fwrite(data, 1, size, out), size);
	fclose(out);
	btf__free(btf);
	opts.btf_path = path;
	ASSERT_OK(ebpfnet_ctx_new(&opts, &ctx, &err), err);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("core_kinds"), NULL, &obj, &err), err);
	ebpfnet_ctx_unref(ctx);
	return obj;
}

static void close_small(struct ebpfnet_object *obj)
{
	char path[64];

	snprintf(path, sizeof(path), "/tmp/ebpfnet-relos-%d.btf", getpid());
	unlink(path);
	ebpfnet_object_close(obj);
}

/* Lists the relocations of the file as it is, cut after `size` bytes. */
static int list(struct ebpfnet_object *obj, const struct file *f, size_t size,
		struct ebpfnet_reloc *relocs, size_t *count, struct ebpfnet_error **err)
{
	void *whole = obj->data;
	size_t whole_size = obj->size;
	int ret;

	obj->data = malloc(size);
	obj->size = size;
	memcpy(obj->data, f->data, size);
	ret = ebpfnet_object_relocs(obj, relocs, sizeof(*relocs), count, err);
	free(obj->data);
	obj->data = whole;
	obj->size = whole_size;
	return ret;
}

#define ROOM 128

/* 0, or an error that says where; whatever is listed is text that ends. */
static int check(struct ebpfnet_object *obj, const struct file *f, size_t size)
{
	static struct ebpfnet_reloc relocs[ROOM];
	struct ebpfnet_error *err = NULL;
	size_t n = ROOM;
	int ret = list(obj, f, size, relocs, &n, &err);

	if (ret)
		ck_assert_msg(ret == -EINVAL, "%d: %s", ret, ebpfnet_error_message(err));
	for (size_t i = 0; ret == 0 && i < n && i < ROOM; i++) {
		ck_assert_uint_lt(strlen(relocs[i].what), sizeof(relocs[i].what));
		ck_assert_uint_ge(relocs[i].effect, EBPFNET_RELOC_PATCHED);
		ck_assert_uint_le(relocs[i].effect, EBPFNET_RELOC_REFUSED);
		ck_assert((relocs[i].effect == EBPFNET_RELOC_PATCHED) || relocs[i].why[0]);
	}
	ebpfnet_error_free(err);
	return ret;
}

START_TEST(whole)
{
	static struct ebpfnet_reloc relocs[ROOM];
	struct ebpfnet_object *obj = open_small();
	struct ebpfnet_error *err = NULL;
	size_t n = ROOM, few = 2;
	struct file f;

	open_file(&f);
	ASSERT_OK(list(obj, &f, f.size, relocs, &n, &err), err);
	ck_assert_uint_gt(n, 80);
	/* More than there is room for: what fits, and the true number. */
	ASSERT_OK(list(obj, &f, f.size, relocs, &few, &err), err);
	ck_assert_uint_eq(few, n);
	free(f.data);
	close_small(obj);
}
END_TEST

START_TEST(truncated_anywhere)
{
	struct ebpfnet_object *obj = open_small();
	unsigned int refused = 0;
	struct file f;

	open_file(&f);
	for (uint32_t size = 0; size < f.ext_size; size++) {
		/* The lines about source code, which come before the records, may be cut coarsely.
		 */
		if (size > 64 && size < core_start(&f) && size % 32)
			continue;
		f.ext_header->sh_size = size;
		refused += check(obj, &f, f.size - f.ext_size + size) != 0;
	}
	printf("%u truncations refused\n", refused);
	ck_assert_uint_gt(refused, 500);
	free(f.data);
	close_small(obj);
}
END_TEST

START_TEST(bits_flipped)
{
	struct ebpfnet_object *obj = open_small();
	unsigned int refused = 0, passed = 0;
	struct file f;

	open_file(&f);
	for (uint32_t bit = 0; bit < f.ext_size * 8; bit += bit < 256		       ? 1
							    : bit < core_start(&f) * 8 ? 1001
										       : 7) {
		f.ext[bit / 8] ^= (unsigned char)(1u << bit % 8);
		if (check(obj, &f, f.size))
			refused++;
		else
			passed++;
		f.ext[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	printf("bits flipped: %u refused, %u listed\n", refused, passed);
	ck_assert_uint_gt(refused, 100);
	ck_assert_uint_gt(passed, 100);
	free(f.data);
	close_small(obj);
}
END_TEST

/* One word of the section is wrong. */
static void expect_bad(struct ebpfnet_object *obj, size_t offset, uint32_t word, const char *words)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_reloc reloc;
	struct file f;
	size_t n = 1;

	open_file(&f);
	put(&f, offset, word);
	ASSERT_FAILS(list(obj, &f, f.size, &reloc, &n, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     words);
	free(f.data);
}

START_TEST(every_lie_is_named)
{
	struct ebpfnet_object *obj = open_small();
	uint32_t start;
	struct file f;

	open_file(&f);
	start = core_start(&f);
	expect_bad(obj, 0, 0x12345678, "magic");
	expect_bad(obj, HEADER_LEN, f.ext_size + 4, "its header ends beyond it");
	expect_bad(obj, HEADER_LEN, 4, "its header ends beyond it");
	expect_bad(obj, CORE_OFF, 0xfffffff0, "its CO-RE records end beyond it");
	expect_bad(obj, CORE_LEN, get(&f, CORE_LEN) + 4, "its CO-RE records end beyond it");
	expect_bad(obj, CORE_LEN, 2, "its CO-RE records have no size");
	expect_bad(obj, CORE_LEN, 8, "a list of CO-RE records is cut off");
	expect_bad(obj, start, 0, "the size of its CO-RE records is wrong");
	expect_bad(obj, start, 12, "the size of its CO-RE records is wrong");
	expect_bad(obj, start, 18, "the size of its CO-RE records is wrong");
	expect_bad(obj, start, 0xfffffffc, "longer than the section");
	expect_bad(obj, start + 4, 0x7fffffff, "longer than the section");
	expect_bad(obj, start + 8, 0, "longer than the section");
	expect_bad(obj, start + 8, 0xffffffff, "longer than the section");
	expect_bad(obj, first_record(&f), 4, "the middle of an instruction");
	free(f.data);
	close_small(obj);
}
END_TEST

/* One word of the first record is wrong: the others are listed as before. */
static void expect_refused(struct ebpfnet_object *obj, size_t offset, uint32_t word,
			   const char *what, const char *why)
{
	static struct ebpfnet_reloc relocs[ROOM];
	struct ebpfnet_error *err = NULL;
	size_t n = ROOM;
	struct file f;

	open_file(&f);
	put(&f, first_record(&f) + offset, word);
	ASSERT_OK(list(obj, &f, f.size, relocs, &n, &err), err);
	ck_assert_uint_gt(n, 80);
	ck_assert_uint_eq(relocs[0].effect, EBPFNET_RELOC_REFUSED);
	ck_assert_uint_eq(relocs[0].target_value, 0);
	ck_assert_str_eq(relocs[0].what, what);
	ck_assert_str_eq(relocs[0].why, why);
	ck_assert_uint_ne(relocs[1].effect, EBPFNET_RELOC_REFUSED);
	free(f.data);
}

START_TEST(a_bad_record_is_refused)
{
	struct ebpfnet_object *obj = open_small();

	expect_refused(obj, 4, 0xffffff, "void (anonymous)", "the object has no type 16777215");
	expect_refused(obj, 8, 0xffffff, "struct net_device",
		       "its access string \"\" does not fit its type");
	expect_refused(obj, 12, 13, "struct net_device", "unknown kind of relocation 13");
	expect_refused(obj, 12, 10, "struct net_device",
		       "its access string \"0:1\" does not fit its type");
	close_small(obj);
}
END_TEST

/* An object that asks nothing needs no BTF of the kernel's. */
START_TEST(none)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_reloc reloc;
	struct ebpfnet_object *obj;
	struct ebpfnet_ctx *ctx;
	size_t n = 1;

	EBPFNET_OPTS(ebpfnet_ctx_opts, opts);
	opts.btf_path = "/no/such/file";
	ASSERT_OK(ebpfnet_ctx_new(&opts, &ctx, &err), err);
	ASSERT_OK(ebpfnet_object_open_builtin(ctx, "counter", NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_relocs(obj, &reloc, sizeof(reloc), &n, &err), err);
	ck_assert_uint_eq(n, 0);
	n = 1;
	ASSERT_FAILS(ebpfnet_object_relocs(obj, &reloc, 4, &n, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "elem_size is 4");
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
}
END_TEST

TEST_MAIN("core_relos", 120, whole, truncated_anywhere, bits_flipped, every_lie_is_named,
	  a_bad_record_is_refused, none)
