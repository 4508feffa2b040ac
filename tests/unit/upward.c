/* upward.c - what is told to an outer manager: addresses that can be, and the words for every muster. */
#include "init/upward.h"

#include <string.h>

#include "tests/lib/tap.h"

static const struct { const char *address; size_t size; } addresses[] = {
	{ "/run/notify", 12 }, { "/n", 3 }, { "@abstract", 9 }, { "@a", 2 },
	{ "", 0 }, { "/", 0 }, { "@", 0 }, { "run/notify", 0 }, { "vsock:2:1234", 0 }, { "vsock-stream:2:1", 0 },
};

static void test_addresses(void)
{
	char path[108], longest[120];

	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		size_t n = upward_path(addresses[i].address, path);

		CHECK(n == addresses[i].size, "\"%s\": %zu bytes", addresses[i].address, n);
		if (n > 0 && *addresses[i].address == '@')
			CHECK(path[0] == '\0' && !memcmp(path + 1, addresses[i].address + 1, n - 1), "and they are the name");
		else if (n > 0)
			CHECK(!strcmp(path, addresses[i].address), "and they are the path");
	}
	/* unix(7): sun_path has 108 bytes, a path ends with a NUL, an abstract name need not. */
	for (size_t n = 106; n < 111; n++) {
		memset(longest, 'x', n);
		longest[n] = '\0';
		longest[0] = '/';
		size_t as_path = upward_path(longest, path);

		longest[0] = '@';
		size_t as_name = upward_path(longest, path);

		CHECK(as_path == (n < 108 ? n + 1 : 0) && as_name == (n <= 108 ? n : 0), "%zu bytes: %zu and %zu", n, as_path, as_name);
	}
}

static const struct { struct muster a; bool settled; const char *words; } musters[] = {
	{ { .units = 0 }, false, "starting: readying the container" },
	{ { .units = 0, .begun = true }, true, "running: 0 of 0 units up" },
	{ { .units = 3, .begun = true }, false, "starting: 0 of 3 units up" },
	{ { .units = 3, .up = 2, .begun = true }, false, "starting: 2 of 3 units up" },
	{ { .units = 3, .up = 3, .begun = true }, true, "running: 3 of 3 units up" },
	{ { .units = 3, .up = 2, .failed = 1, .begun = true }, true, "degraded: 2 of 3 units up, 1 failed" },
	{ { .units = 4, .up = 1, .failed = 1, .begun = true }, false, "degraded: 1 of 4 units up, 1 failed" },
	{ { .units = 4, .up = 1, .failed = 1, .waiting = 2, .begun = true }, true, "degraded: 1 of 4 units up, 1 failed, 2 waiting" },
	{ { .units = 3, .up = 3, .left = 3, .begun = true, .how = HOW_EXIT }, false, "stopping: 3 units left" },
	{ { .units = 3, .left = 1, .begun = true, .how = HOW_REBOOT }, false, "rebooting: 1 unit left" },
	{ { .how = HOW_POWEROFF }, false, "powering off: 0 units left" },
	{ { .how = HOW_HALT }, false, "halting: 0 units left" },
};

static void test_musters(void)
{
	for (size_t i = 0; i < sizeof(musters) / sizeof(*musters); i++) {
		char words[160] = "";
		struct text t = TEXT(words);

		muster_words(&t, &musters[i].a);
		CHECK(!strcmp(words, musters[i].words), "%s", words);
		CHECK(muster_settled(&musters[i].a) == musters[i].settled, "which is %ssettled", musters[i].settled ? "" : "not ");
	}
	const struct muster most = { .units = UINT32_MAX, .up = UINT32_MAX, .failed = UINT32_MAX, .waiting = UINT32_MAX, .begun = true };
	char words[160] = "";
	struct text t = TEXT(words);

	muster_words(&t, &most);
	CHECK(!t.cut, "the longest one has room: %zu bytes", t.len);
}

int main(void)
{
	test_addresses();
	test_musters();
	return tap_done();
}
