/* http.c - feeds the HTTP reply reader with anything: all at once and byte by byte must be one. */
#include "health/http.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http whole = { 0 }, pieces = { 0 };
	int want = http_eat(&whole, (const char *)data, size), got = 0;

	for (size_t i = 0; i < size && !got; i++)
		got = http_eat(&pieces, (const char *)data + i, 1);
	if (want != got || want > 999 || (want > 0 && want < 100))
		abort();
	/* Nothing is settled later than the limit. */
	if (size > HTTP_MOST && !want)
		abort();
	return 0;
}

#ifdef FUZZ_SWEEP
#include "tests/fuzz/sweep.h"
#endif
