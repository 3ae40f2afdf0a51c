// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What can be said about an object file before libbpf looks at it: libbpf's words for these are
 * codes. */
#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <string.h>

#include "load/object.h"

static int fail_elf(struct ebpfnet__call *call, const char *what)
{
	ebpfnet__hint(call, "compile it with clang -O2 -g -target bpf -c");
	return ebpfnet__fail(call, -ENOEXEC, EBPFNET_ERROR_INVALID, "%s", what);
}

/* libelf says NULL both for what is corrupt and when memory is out. */
static int fail_libelf(struct ebpfnet__call *call, const char *what)
{
	return errno == ENOMEM ? ebpfnet__fail_nomem(call) : fail_elf(call, what);
}

static const char *machine_name(unsigned int machine)
{
	switch (machine) {
	case EM_X86_64:
		return "x86-64";
	case EM_AARCH64:
		return "AArch64";
	case EM_386:
		return "i386";
	case EM_RISCV:
		return "RISC-V";
	default:
		return "another machine";
	}
}

static int check_ident(struct ebpfnet__call *call, const unsigned char *ident, size_t size)
{
	const int native = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

	if (size == 0)
		return fail_elf(call, "it is empty");
	if (size < SELFMAG || memcmp(ident, ELFMAG, SELFMAG) != 0)
		return fail_elf(call, "it is not an ELF file");
	if (size < EI_NIDENT)
		return fail_elf(call, "it is truncated inside the ELF header");
	if (ident[EI_CLASS] == ELFCLASS32)
		return fail_elf(call, "it is a 32-bit ELF file; BPF objects are 64-bit");
	if (ident[EI_CLASS] != ELFCLASS64 ||
	    (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB)) {
		ebpfnet__hint(call, "the file may be damaged: copy it again");
		return ebpfnet__fail(
			call, -ENOEXEC, EBPFNET_ERROR_INVALID,
			"its ELF header says class %u and byte order %u, which do not exist",
			ident[EI_CLASS], ident[EI_DATA]);
	}
	if (ident[EI_DATA] == native)
		return 0;
	ebpfnet__hint(call, "compile it with -target %s",
		      native == ELFDATA2LSB ? "bpfel" : "bpfeb");
	return ebpfnet__fail(call, -ENOEXEC, EBPFNET_ERROR_INVALID,
			     "its byte order is %s-endian, and this machine's is not",
			     native == ELFDATA2LSB ? "big" : "little");
}

static int check_header(struct ebpfnet__call *call, const void *data, size_t size)
{
	const Elf64_Ehdr *header = data;
	int ret = check_ident(call, data, size);

	if (ret)
		return ret;
	if (size < sizeof(*header))
		return fail_elf(call, "it is truncated inside the ELF header");
	if (header->e_machine != EM_BPF) {
		ebpfnet__hint(call, "compile it with -target bpf");
		return ebpfnet__fail(call, -ENOEXEC, EBPFNET_ERROR_INVALID,
				     "it is an ELF file for %s (machine %u), not for BPF",
				     machine_name(header->e_machine), header->e_machine);
	}
	if (header->e_type != ET_REL)
		return fail_elf(call, "it is not a relocatable object");
	if (header->e_shoff == 0 || header->e_shoff > size ||
	    (uint64_t)header->e_shnum * sizeof(Elf64_Shdr) > size - header->e_shoff)
		return fail_elf(call, "it is truncated: its section table is beyond its end");
	return 0;
}

/* Every section inside the file, and BTF among them. */
static int check_sections(struct ebpfnet__call *call, Elf *elf, size_t size)
{
	Elf_Scn *scn = NULL;
	bool btf = false;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) < 0)
		return fail_libelf(call, "its table of section names is corrupt");
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh))
			return fail_libelf(call, "a section header is corrupt");
		name = elf_strptr(elf, names, sh.sh_name);
		if (!name)
			return fail_libelf(call, "a section's name is corrupt");
		if (sh.sh_type != SHT_NOBITS &&
		    (sh.sh_offset > size || sh.sh_size > size - sh.sh_offset)) {
			ebpfnet__hint(call, "the file may have been cut short: copy it again");
			return ebpfnet__fail(call, -ENOEXEC, EBPFNET_ERROR_INVALID,
					     "it is truncated: section %s ends beyond the file",
					     name);
		}
		btf |= strcmp(name, ".BTF") == 0;
	}
	if (!btf) {
		ebpfnet__hint(call, "compile it with -g (and strip only with llvm-strip -g)");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "it has no BTF, which maps and CO-RE need");
	}
	return 0;
}

int ebpfnet__object_inspect(struct ebpfnet__call *call, const void *data, size_t size)
{
	int ret = check_header(call, data, size);
	Elf *elf;

	if (ret)
		return ret;
	errno = 0;
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)data, size);
	if (!elf)
		return fail_libelf(call, elf_errmsg(-1));
	ret = check_sections(call, elf, size);
	elf_end(elf);
	return ret;
}
