// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* SHA-256 against the vectors of FIPS 180-4, and against sha256sum around every block border. */
#include "helpers.h"

#include <string.h>
#include <unistd.h>

#include "load/sha256.h"

static const struct {
	const char *text, *hex;
} vectors[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
	  "lm"
	  "nopqrsmnopqrstnopqrstu",
	  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
};

START_TEST(standard_vectors)
{
	char hex[65];

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		ebpfnet__sha256_hex(vectors[i].text, strlen(vectors[i].text), hex);
		ck_assert_str_eq(hex, vectors[i].hex);
	}
}
END_TEST

START_TEST(a_million)
{
	char *text = malloc(1000000), hex[65];

	memset(text, 'a', 1000000);
	ebpfnet__sha256_hex(text, 1000000, hex);
	free(text);
	ck_assert_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

#define LENGTHS 201

START_TEST(every_length_as_sha256sum)
{
	static char folder[] = "/tmp/ebpfnet-sha256-XXXXXX";
	static char lines[LENGTHS * 80];
	unsigned char data[LENGTHS];
	const char *line = lines;
	char name[64];

	if (test_shell("command -v sha256sum >/dev/null"))
		test_skip("needs sha256sum");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (size_t i = 0; i < LENGTHS; i++)
		data[i] = (unsigned char)(i * 37 + 11);
	for (size_t i = 0; i < LENGTHS; i++) {
		FILE *f;

		snprintf(name, sizeof(name), "%s/%03zu", folder, i);
		f = fopen(name, "we");
		ck_assert_ptr_nonnull(f);
		ck_assert_uint_eq(fwrite(data, 1, i, f), i);
		ck_assert_int_eq(fclose(f), 0);
	}
	ck_assert_int_eq(test_shell_output(lines, sizeof(lines), "cd %s && sha256sum *", folder),
			 0);
	test_shell("rm -r %s", folder);
	for (size_t i = 0; i < LENGTHS; i++) {
		char hex[65];

		/* A copy of just this size: reading beyond it is an error under ASan. */
		unsigned char *exact = malloc(i ? i : 1);

		memcpy(exact, data, i);
		ebpfnet__sha256_hex(exact, i, hex);
		free(exact);
		ck_assert_msg(strncmp(line, hex, 64) == 0, "%zu bytes: %s, sha256sum %.64s", i, hex,
			      line);
		line = strchr(line, '\n') + 1;
	}
}
END_TEST

TEST_MAIN("sha256", 60, standard_vectors, a_million, every_length_as_sha256sum)
