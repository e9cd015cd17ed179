#include "cli/banks.h"

#include "audit/files.h"
#include "base/clock.h"
#include "question/bankcoverage.h"
#include "question/bankdate.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

int banks_read(const struct setup *s, struct bank **ret_bank)
{
    struct buf messages = BUF_INIT(4u << 20);
    int r = bank_read(s->config->rules_dir, s->rules, &messages, ret_bank);
    setup_print_messages(stderr, &messages);
    if (r < 0 && messages.len == 0)
        fprintf(stderr, "juyong: the question banks can't be read: %s\n", strerror(-r));
    buf_deinit(&messages);
    return r < 0 ? CLI_BAD : CLI_GOOD;
}

int banks_check(const struct setup *s)
{
    struct bank *b = NULL;
    int r = banks_read(s, &b);
    bank_free(b);
    return r;
}

static int print(const struct setup *s, const struct bank *b, const struct bank_counts *counts,
                 bool json)
{
    char good[16], bad[16], off[16];
    struct buf out = BUF_INIT(4u << 20);
    int64_t now = clock_wall_s();
    struct bank_coverage c = {
        .counts = counts,
        .standard = ruleset_standard(s->rules),
        .changed = bankdate_read(s->config->state_dir, s->config->rules_dir, b, now),
        .now = now,
        .good = setup_colour(stdout, "32;1", good),
        .bad = setup_colour(stdout, "31;1", bad),
        .off = setup_colour(stdout, "0", off),
    };
    int r = json ? bank_coverage_json(&c, &out) : bank_coverage_table(&c, &out);
    bool written = r == 0 && setup_write(stdout, &out);
    buf_deinit(&out);
    return !written ? CLI_BAD : bank_coverage_is_met(&c) ? CLI_GOOD : CLI_UNMET;
}

int banks_print_coverage(const struct setup *s, bool json)
{
    struct bank *b = NULL;
    struct bank_counts counts;
    int r = banks_read(s, &b);
    if (r == CLI_GOOD && bank_count_all(b, s->rules, &counts) < 0) {
        fprintf(stderr, "juyong: %s\n", strerror(ENOMEM));
        r = CLI_BAD;
    } else if (r == CLI_GOOD) {
        r = print(s, b, &counts, json);
        bank_counts_free(&counts);
    }
    bank_free(b);
    return r;
}

bool banks_is_file(struct span path, const struct stat *file)
{
    char name[PATH_MAX];
    struct stat st;
    return snprintf(name, sizeof(name), "%.*s", SPAN_ARG(path)) < (int)sizeof(name) &&
           stat(name, &st) == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

bool banks_is_target(const struct setup *s, const char *command, const char *path)
{
    char folder[PATH_MAX], banks[PATH_MAX];
    struct stat st;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t len = strlen(name);
    if (len > 6 && name[0] != '.' && strcmp(name + len - 6, ".jsonl") == 0)
        return true;
    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    if (stat(folder, &st) < 0 ||
        snprintf(banks, sizeof(banks), "%.*s/" BANK_FOLDER, SPAN_ARG(s->config->rules_dir)) >=
            (int)sizeof(banks) ||
        !banks_is_file(span_str(banks), &st))
        return true;
    fprintf(stderr, "%s: %s: the name of a file of the question banks ends in .jsonl\n", command,
            path);
    return false;
}

int banks_write(const char *path, struct span text)
{
    char other[PATH_MAX + 8];
    int r = files_replace(path, text, 0644);
    if (r < 0) {
        /* A full disk needs no half of a file beside. */
        snprintf(other, sizeof(other), "%s.new", path);
        unlink(other);
        return r;
    }
    snprintf(other, sizeof(other), "%s", path);
    char *slash = strrchr(other, '/');
    if (slash)
        slash[slash == other] = '\0';
    return files_sync_dir(slash ? other : ".");
}
