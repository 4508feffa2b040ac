/*
 * check.c - the exact words of `coppice check`, one case to a file in tests/golden/check.
 *
 * A case has files, each under "== NAME", and what is said of them under "== says", then the
 * exit status under "== status". A word behind the name makes it special: crlf, nul (a NUL for each @),
 * long (a line of 2 MiB for @), big (5 MiB), fifo, dir, socket, link TARGET. "== args ..." names what is checked, in
 * place of the directory. With the argument "write", what is said now is written into the cases: read
 * the difference before you commit it.
 */
#include "conf/check.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/lib/tap.h"
#include "tests/lib/units.h"

#define CASES "tests/golden/check"

static void fill(char c, size_t n, FILE *f)
{
	while (n--)
		fputc(c, f);
}

/* Writes a file with its special bytes. */
static void put_special(const struct units *u, const char *name, const char *how, const char *text, size_t n)
{
	char *data = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&data, &size);

	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n' && !strcmp(how, "crlf"))
			fputc('\r', f);
		if (text[i] == '@' && !strcmp(how, "nul"))
			fputc('\0', f);
		else if (text[i] == '@' && !strcmp(how, "long"))
			fill('x', 2u << 20, f);
		else
			fputc(text[i], f);
	}
	if (!strcmp(how, "big"))
		fill('#', 5u << 20, f);
	fclose(f);
	units_write(u, name, data, size);
	free(data);
}

static void put_file(const struct units *u, char *head, const char *text, size_t n)
{
	char path[256], *how = strchr(head, ' ');
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (how)
		*how++ = '\0';
	snprintf(path, sizeof(path), "%s/%s", u->dir, head);
	if (how && !strcmp(how, "fifo")) {
		mkfifo(path, 0600);
	} else if (how && !strcmp(how, "dir")) {
		mkdir(path, 0700);
	} else if (how && !strcmp(how, "socket")) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		snprintf(sun.sun_path, sizeof(sun.sun_path), "%.100s", path);
		(void)bind(fd, (const struct sockaddr *)&sun, sizeof(sun));
		close(fd);
	} else if (how && !strncmp(how, "link ", 5)) {
		(void)!symlink(how + 5, path);
	} else {
		put_special(u, head, how ? how : "", text, n);
	}
}

/* Where tests are run from must not show. */
static char *without_dir(const char *said, const char *dir)
{
	char *out = calloc(1, strlen(said) + 1), *to = out;
	size_t n = strlen(dir);

	for (const char *s = said; *s;)
		if (!strncmp(s, dir, n)) {
			*to++ = '.';
			s += n;
		} else {
			*to++ = *s++;
		}
	return out;
}

/* Puts what was said, and the status, in place of what the case has. */
static void write_case(const char *path, const char *text, const char *got, int status)
{
	const char *says = strstr(text, "\n== says");
	FILE *f = fopen(path, "wb");

	fprintf(f, "%.*s\n== says\n%s\n== status\n%d\n", says ? (int)(says - text) : (int)strlen(text), text,
		got, status);
	fclose(f);
}

static void run_case(const char *name, char *text, const char *write_to)
{
	struct units u;
	char *original = strdup(text);
	struct check_options options = { .root = strstr(name, "root") != NULL,
					.json = strstr(name, "json") != NULL };
	char args[8][256], *said = NULL, *want = NULL, *status = NULL;
	const char *paths[8];
	size_t n_args = 0, size = 0;

	units_open(&u);
	for (char *part = strncmp(text, "== ", 3) ? NULL : text, *next; part; part = next) {
		char *head = part + 3, *body = strchr(part, '\n');

		if (!body)
			break;
		*body++ = '\0';
		next = strncmp(body, "== ", 3) ? strstr(body, "\n== ") : body;
		size_t n = next ? (size_t)(next - body) + (*next == '\n') : strlen(body);

		if (next && *next == '\n')
			*next++ = '\0', body[n - 1] = '\0';
		/* The newline that was cut off belongs to the file. */
		if (!strcmp(head, "says")) {
			want = body;
		} else if (!strcmp(head, "status")) {
			status = body;
		} else if (!strncmp(head, "args ", 5)) {
			for (char *word = strtok(head + 5, " "); word; word = strtok(NULL, " "))
				snprintf(args[n_args++], sizeof(args[0]), "%s/%s", u.dir, word);
		} else {
			char *whole = calloc(1, n + 2);

			memcpy(whole, body, n);
			if (n && !whole[n - 1])
				whole[n - 1] = '\n';
			put_file(&u, head, whole, n);
			free(whole);
		}
	}
	if (!n_args)
		snprintf(args[n_args++], sizeof(args[0]), "%s", u.dir);
	for (size_t i = 0; i < n_args; i++)
		paths[i] = args[i];

	FILE *out = open_memstream(&said, &size);
	int r = check_paths(paths, n_args, &options, out);

	fclose(out);

	char *got = without_dir(said, u.dir);
	size_t n_got = strlen(got);

	if (n_got && got[n_got - 1] == '\n')
		got[n_got - 1] = '\0';
	if (write_to)
		write_case(write_to, original, got, r);
	else if (!CHECK(want && !strcmp(got, want), "%s: the words", name))
		printf("# wanted:\n%s\n# got:\n%s\n", want ? want : "nothing", got);
	CHECK(write_to || (status && r == atoi(status)), "%s: the exit status is %d", name, r);
	free(original);
	free(got);
	free(said);
	units_close(&u);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
	bool writing = argc > 1 && !strcmp(argv[1], "write");
	DIR *d = opendir(CASES);
	char *names[200], path[512];
	size_t n = 0;

	for (const struct dirent *e; d && n < 200 && (e = readdir(d));)
		if (e->d_name[0] != '.')
			names[n++] = strdup(e->d_name);
	if (d)
		closedir(d);
	static const char *const examples[] = { "conf/examples" };
	char *said = NULL;
	size_t size;
	FILE *out = open_memstream(&said, &size);
	int r = check_paths(examples, 1, &(struct check_options){ 0 }, out);

	fclose(out);
	CHECK(r == CHECK_CLEAN, "the examples are clean: %s", said);
	free(said);
	CHECK(n >= 20, "%zu cases in " CASES, n);
	qsort(names, n, sizeof(*names), compare);
	for (size_t i = 0; i < n; i++) {
		static char text[65536];

		snprintf(path, sizeof(path), CASES "/%s", names[i]);
		FILE *f = fopen(path, "rb");
		size = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

		if (f)
			fclose(f);
		text[size] = '\0';
		if (size && text[size - 1] == '\n')
			text[size - 1] = '\0';
		run_case(names[i], text, writing ? path : NULL);
		free(names[i]);
	}
	return tap_done();
}
