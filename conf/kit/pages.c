/* pages.c - giving back pages of the program that ran once, and count as ours as long as we sleep. */
#include "conf/kit/pages.h"

#include <link.h>
#include <stddef.h>
#include <sys/mman.h>

#define STRIPE ((size_t)16384)

static int forget(struct dl_phdr_info *program, size_t size, void *striped)
{
	(void)size;
	for (int k = 0; k < program->dlpi_phnum; k++) {
		/* A copy: the headers are among what is forgotten. */
		const ElfW(Phdr) p = program->dlpi_phdr[k];
		char *start = (char *)(program->dlpi_addr + p.p_vaddr);

		if (p.p_type != PT_LOAD || p.p_flags & PF_W)
			continue;
		/* Not to be dumped is a kind of mapping, and without effect: programs are not dumped (core(5)). */
		for (size_t at = 0; striped && at + STRIPE < p.p_memsz; at += 2 * STRIPE)
			(void)madvise(start + at, STRIPE, MADV_DONTDUMP);
		(void)madvise(start, p.p_memsz, MADV_DONTNEED);
	}
	/* The program is the first; libraries are others' too. */
	return 1;
}

void pages_forget(bool striped)
{
	(void)dl_iterate_phdr(forget, striped ? &striped : NULL);
}
