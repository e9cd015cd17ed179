#include "rules/ruleset.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/codec.h"
#include "rules/loader.h"
#include "rules/written.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>

#define SET_BYTES_MAX (1u << 30) /* what one set's texts take */
/* Messages that are told; more are counted. Warnings must not crowd out the errors. */
#define ERRORS_TOLD   500
#define WARNINGS_TOLD 100

void loader_error(struct loader *l, struct place at, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (l->report->errors++ < ERRORS_TOLD)
        place_printf(l->reader.messages, at, "%s", text);
}

void loader_warn(struct loader *l, struct place at, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (l->report->warnings++ < WARNINGS_TOLD)
        place_printf(l->reader.messages, at, "warning: %s", text);
}

bool loader_grow(struct loader *l, void **array, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return true;
    size_t wider = *cap ? *cap * 2 : 64;
    void *bigger = reallocarray(*array, wider, size);
    if (!bigger) {
        l->reader.memory_out = true;
        return false;
    }
    *array = bigger;
    *cap = wider;
    return true;
}

uint32_t loader_add_rule(struct loader *l, const struct rule *rule)
{
    struct ruleset *s = l->set;
    if (s->rule_count >= UINT32_MAX - 1 ||
        !loader_grow(l, (void **)&s->rules, s->rule_count, &s->rule_cap, sizeof(*s->rules)))
        return UINT32_MAX;
    s->rules[s->rule_count] = *rule;
    return (uint32_t)s->rule_count++;
}

void loader_add_sample(struct loader *l, uint32_t rule, bool hit, struct span text, struct place at)
{
    struct ruleset *s = l->set;
    if (loader_grow(l, (void **)&s->samples, s->sample_count, &s->sample_cap, sizeof(*s->samples)))
        s->samples[s->sample_count++] = (struct sample){rule, hit, at.line, at.column, text};
}

void loader_add_innocent(struct loader *l, struct span text, struct place at, bool ordinary)
{
    struct ruleset *s = l->set;
    if (loader_grow(l, (void **)&s->innocents, s->innocent_count, &s->innocent_cap,
                    sizeof(*s->innocents)))
        s->innocents[s->innocent_count++] = (struct innocent){text, at, ordinary};
}

/* ---- files ---- */

/* Reads a whole file; false after a message. */
static bool read_file(struct loader *l, struct span path, size_t max, struct buf *out)
{
    struct place at = {.file = path};
    char name[PATH_MAX];
    snprintf(name, sizeof(name), "%.*s", SPAN_ARG(path));
    cleanup(cleanup_close) int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        loader_error(l, at, "can't be read: %s", strerror(errno));
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        loader_error(l, at, "not a regular file");
        return false;
    }
    buf_init(out, max);
    for (;;) {
        char piece[16384];
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            return true;
        int e = n < 0 ? -errno : buf_append(out, span_from(piece, (size_t)n));
        if (e == -EMSGSIZE)
            loader_error(l, at, "larger than %zu MiB", max >> 20);
        else if (e < 0)
            loader_error(l, at, "can't be read: %s", strerror(-e));
        if (e < 0)
            return false;
    }
}

/* What a folder of the library holds, and who reads its files. */
struct folder {
    const char *name, *suffix;
    size_t max;
    void (*read)(struct loader *l, struct span text, struct span file);
    void (*read_named)(struct loader *l, struct span text, struct span file, struct span stem);
    void (*finish)(struct loader *l); /* behind the last file */
};

/* In the order of reading: words are spelled by the variants, and keywords are numbered first. */
static const struct folder folders[] = {
    {"variants", ".txt", LOADER_TEXT_MAX, .read_named = variants_read},
    {"allow", ".txt", LOADER_TEXT_MAX, .read_named = allow_read},
    {"answers", ".yaml", YAML_SIZE_MAX, .read = answers_read},
    {"keywords", ".txt", LOADER_TEXT_MAX, .read_named = keywords_read, .finish = keywords_finish},
    {"near", ".yaml", YAML_SIZE_MAX, .read = near_read},
    {"patterns", ".yaml", YAML_SIZE_MAX, .read = patterns_read},
    {"benign", ".txt", LOADER_TEXT_MAX, .read_named = benign_read},
};

#define FOLDERS (sizeof(folders) / sizeof(*folders))

/*
 * What a service is asked in an evaluation stands there, too. No rule comes out of it, and it is no
 * part of a version: a bank has a digest of its own (question/), and a run keeps what it asked.
 */
#define QUESTIONS "questions"

static void use_text(struct loader *l, const struct folder *f, const char *relative,
                     struct span text, struct span shown, struct span stem)
{
    if (!loader_note_file(l, span_str(relative), text))
        l->reader.memory_out = true;
    else if (f->read)
        f->read(l, text, shown);
    else if (f->read_named)
        f->read_named(l, text, shown, stem);
}

static void load_file(struct loader *l, const struct folder *f, const char *relative,
                      struct span stem)
{
    struct span file = arena_printf(l->reader.arena, "%.*s/%s", SPAN_ARG(l->source->dir), relative);
    struct span shown =
        arena_printf(l->reader.arena, "%.*s/%s", SPAN_ARG(l->source->shown), relative);
    if (!file.data || !shown.data) {
        l->reader.memory_out = true;
        return;
    }
    for (const char *c = relative; *c; c++) {
        if ((unsigned char)*c >= 0x20 && *c != 0x7f && *c != '\\')
            continue;
        loader_error(l, (struct place){.file = shown}, "no name for a file of the library");
        return;
    }
    struct buf text = BUF_INIT(0);
    if (read_file(l, file, f->max, &text))
        use_text(l, f, relative, buf_span(&text), shown, stem);
    buf_deinit(&text);
}

/* Is the file that is tried one of that folder? */
static bool is_tried_in(const struct loader *l, const struct folder *f)
{
    struct span path = l->source->replaced;
    size_t n = strlen(f->name);
    return l->source->replacement.len && path.len > n && path.data[n] == '/' &&
           span_starts(path, span_str(f->name));
}

/* What is tried in the place of a file. */
static void load_replacement(struct loader *l, const struct folder *f)
{
    const struct ruleset_source *s = l->source;
    struct span shown =
        arena_printf(l->reader.arena, "%.*s/%.*s", SPAN_ARG(s->shown), SPAN_ARG(s->replaced));
    char relative[PATH_MAX];
    snprintf(relative, sizeof(relative), "%.*s", SPAN_ARG(s->replaced));
    if (!shown.data)
        l->reader.memory_out = true;
    else
        use_text(l, f, relative, s->replacement, shown, SPAN_LIT(""));
}

/* Behind all others, so that a word's own file names it. */
static void load_urgent(struct loader *l, const struct folder *f)
{
    struct span shown =
        arena_printf(l->reader.arena, "%.*s/" URGENT_FILE, SPAN_ARG(l->source->shown));
    if (!shown.data)
        l->reader.memory_out = true;
    else if (!l->source->replace_urgent && l->urgent_there)
        load_file(l, f, URGENT_FILE, SPAN_LIT(URGENT_STEM));
    else if (l->source->replace_urgent && l->source->urgent.len)
        use_text(l, f, URGENT_FILE, l->source->urgent, shown, SPAN_LIT(URGENT_STEM));
}

/* By bytes, so that the order of reading doesn't depend on the locale. */
static int compare_entries(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* -errno; 0 with a sorted list that the caller frees with free_entries(). */
static int list(struct span path, struct dirent ***ret_entries, int *ret_count)
{
    char name[PATH_MAX];
    if (snprintf(name, sizeof(name), "%.*s", SPAN_ARG(path)) >= (int)sizeof(name))
        return -ENAMETOOLONG;
    int n = scandir(name, ret_entries, is_visible, compare_entries);
    if (n < 0)
        return -errno;
    *ret_count = n;
    return 0;
}

static void free_entries(struct dirent **entries, int count)
{
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
}

static void load_entry(struct loader *l, const struct folder *f, struct span name)
{
    size_t suffix = strlen(f->suffix);
    char relative[PATH_MAX];
    bool fits = snprintf(relative, sizeof(relative), "%s/%.*s", f->name, SPAN_ARG(name)) <
                (int)sizeof(relative);
    bool wanted = fits && name.len > suffix &&
                  span_eq(span_slice(name, name.len - suffix, name.len), span_str(f->suffix));
    if (wanted && strcmp(relative, URGENT_FILE) == 0)
        l->urgent_there = true;
    else if (wanted && span_eq(span_str(relative), l->source->replaced))
        return;
    else if (wanted)
        load_file(l, f, relative, span_slice(name, 0, name.len - suffix));
    else if (!span_starts(name, SPAN_LIT("README")))
        loader_warn(l,
                    (struct place){.file = arena_printf(l->reader.arena, "%.*s/%s",
                                                        SPAN_ARG(l->source->shown), f->name)},
                    "'%.*s' is not read: no %s file", SPAN_ARG(name), f->suffix);
}

/* The first list that is imported makes the folder. */
static bool may_be_absent(const struct loader *l, const struct folder *f)
{
    return is_tried_in(l, f);
}

static void load_folder(struct loader *l, const struct folder *f)
{
    struct span root = l->source->dir;
    struct span path = arena_printf(l->reader.arena, "%.*s/%s", SPAN_ARG(root), f->name);
    struct dirent **entries = NULL;
    int count = 0;
    int e = path.data ? list(path, &entries, &count) : -ENOMEM;
    if (e < 0 && !(e == -ENOENT && may_be_absent(l, f))) {
        loader_error(l, (struct place){.file = path}, "can't be read: %s", strerror(-e));
        return;
    }
    if (count > LOADER_FILES_MAX)
        loader_error(l, (struct place){.file = path}, "more than %d files", LOADER_FILES_MAX);
    for (int i = 0; i < count && count <= LOADER_FILES_MAX; i++)
        load_entry(l, f, span_from(entries[i]->d_name, strlen(entries[i]->d_name)));
    free_entries(entries, count);
    if (is_tried_in(l, f))
        load_replacement(l, f);
    if (f->finish == keywords_finish)
        load_urgent(l, f);
    if (f->finish)
        f->finish(l);
}

static void load_risks(struct loader *l)
{
    static const struct folder top = {"", ".yaml", YAML_SIZE_MAX, .read = risks_read};
    load_file(l, &top, "risks.yaml", SPAN_NULL);
}

static int load_all(struct loader *l)
{
    struct span root = l->source->dir;
    struct dirent **entries;
    int count;
    int e = list(root, &entries, &count);
    if (e < 0) {
        loader_error(l, (struct place){.file = root}, "can't be read: %s", strerror(-e));
        return e;
    }
    bool there[FOLDERS] = {0};
    load_risks(l); /* the others name risks */
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        size_t f = 0;
        while (f < FOLDERS && strcmp(folders[f].name, name) != 0)
            f++;
        if (f < FOLDERS)
            there[f] = true;
        else if (strcmp(name, "risks.yaml") != 0 && strcmp(name, RULE_MANIFEST) != 0 &&
                 strcmp(name, QUESTIONS) != 0 && strncmp(name, "README", 6) != 0)
            loader_warn(l, (struct place){.file = l->source->shown},
                        "'%s' is not read by this version", name);
    }
    free_entries(entries, count);
    for (size_t f = 0; f < FOLDERS && l->set->risk_count; f++)
        if (there[f] || may_be_absent(l, &folders[f]))
            load_folder(l, &folders[f]);
    return 0;
}

static void tell_rest(struct loader *l, struct span dir)
{
    struct place at = {.file = dir};
    if (l->report->errors > ERRORS_TOLD)
        place_printf(l->reader.messages, at, "%u more errors", l->report->errors - ERRORS_TOLD);
    if (l->report->warnings > WARNINGS_TOLD)
        place_printf(l->reader.messages, at, "warning: %u more warnings",
                     l->report->warnings - WARNINGS_TOLD);
}

/* ---- the set ---- */

/* Nobody writes it; by policy its risk may be dealt with as any other. */
static bool add_payload(struct loader *l)
{
    const struct risk *risk = ruleset_find_risk(l->set, SPAN_LIT(PAYLOAD_RISK));
    struct rule rule = {.id = SPAN_LIT(PAYLOAD_ID),
                        .risk = risk,
                        .source = SPAN_LIT(""),
                        .why = SPAN_LIT("a payload that decodes to something forbidden"),
                        .from = SPAN_LIT(""),
                        .file = SPAN_LIT("built in"),
                        .direction = DIRECTION_BOTH,
                        .action = ACTION_DEFAULT,
                        .kind = RULE_PAYLOAD};
    uint32_t index = risk ? loader_add_rule(l, &rule) : UINT32_MAX;
    if (index != UINT32_MAX)
        matchset_set_payload_rule(l->builder, index);
    return !l->reader.memory_out;
}

static int count_rules(struct ruleset *s)
{
    s->counts = arena_alloc(&s->arena, s->risk_count * sizeof(*s->counts));
    if (!s->counts)
        return -ENOMEM;
    for (size_t i = 0; i < s->risk_count && s->repeated; i++)
        s->counts[i].repeated = s->repeated[i];
    for (size_t i = 0; i < s->rule_count; i++) {
        struct rule_counts *c = &s->counts[s->rules[i].risk - s->risks];
        bool quarantined = s->rules[i].quarantine.len > 0;
        c->keywords += s->rules[i].kind == RULE_KEYWORD && !quarantined;
        c->quarantined += quarantined;
        c->patterns += s->rules[i].kind == RULE_PATTERN;
        c->near += s->rules[i].kind == RULE_NEAR;
    }
    return 0;
}

int loader_finish(struct loader *l)
{
    const struct ruleset_source *source = l->source;
    struct place at = {.file = source->dir};
    written_finish(l);
    while (l->set->ordinary_first < l->set->innocent_count &&
           !l->set->innocents[l->set->ordinary_first].ordinary)
        l->set->ordinary_first++;
    if (l->reader.memory_out || loader_identify(l) < 0)
        return -ENOMEM;
    /* Before any other complaint: what is wrong in a changed version is not its author's fault. */
    if (source->digest.len && !span_eq(source->digest, span_str(l->set->digest))) {
        buf_clear(l->reader.messages);
        l->report->errors = l->report->warnings = 0;
        loader_error(l, at,
                     "this version was changed after it was published: its content is %s; "
                     "it is refused",
                     l->set->digest);
    }
    if (l->report->errors == 0 && l->set->rule_count == 0 && !source->replaced.len)
        loader_error(l, (struct place){.file = source->shown}, "there is no rule in it");
    if (l->report->errors)
        return -EINVAL;
    if (!add_payload(l))
        return -ENOMEM;
    int r = count_rules(l->set);
    if (r == 0 && source->canary)
        r = canary_add(l);
    if (r == 0 && !source->uncompiled)
        r = matchset_build(l->builder, &l->set->matchset);
    return r;
}

int loader_init(struct loader *l, const struct ruleset_source *source, struct rule_report *report)
{
    struct ruleset *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    arena_init(&s->arena, SET_BYTES_MAX);
    atomic_init(&s->refs, 1);
    *l = (struct loader){
        .set = s,
        .reader = {.arena = &s->arena, .messages = &report->text},
        .report = report,
        .source = source,
        .builder = matchset_builder_new(),
        .hash = sha256_new(),
        .folded = BUF_INIT(4096),
        .variants = variants_new(),
        .now = clock_wall_s(),
    };
    if (l->builder && l->hash && l->variants) {
        matchset_use_variants(l->builder, l->variants);
        return 0;
    }
    loader_deinit(l);
    return -ENOMEM;
}

void loader_deinit(struct loader *l)
{
    ruleset_unref(l->set);
    matchset_builder_free(l->builder);
    variants_free(l->variants);
    sha256_free(l->hash);
    buf_deinit(&l->folded);
    free(l->keywords);
    free(l->names);
    free(l->contents);
}

static struct span without_slash(struct span dir)
{
    while (dir.len > 1 && dir.data[dir.len - 1] == '/')
        dir.len--;
    return dir;
}

int ruleset_read(const struct ruleset_source *given, struct rule_report *report,
                 struct ruleset **ret_set)
{
    struct ruleset_source source = *given;
    struct loader l;
    source.dir = without_slash(source.dir);
    source.shown = without_slash(source.shown.len ? source.shown : source.dir);
    int r = loader_init(&l, &source, report);
    if (r < 0)
        return r;
    r = load_all(&l);
    if (r == 0)
        r = loader_finish(&l);
    tell_rest(&l, source.shown);
    if (r == 0)
        *ret_set = take(l.set);
    loader_deinit(&l);
    return r;
}

int ruleset_load(struct span dir, struct rule_report *report, struct ruleset **ret_set)
{
    struct ruleset_source source = {.dir = dir};
    return ruleset_read(&source, report, ret_set);
}

struct ruleset *ruleset_ref(struct ruleset *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

struct ruleset *ruleset_unref(struct ruleset *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return NULL;
    if (s->matchset)
        matchset_unref(s->matchset);
    free(s->rules);
    free(s->answers);
    free(s->samples);
    free(s->innocents);
    free(s->allows);
    free(s->repeated);
    arena_deinit(&s->arena);
    free(s);
    return NULL;
}

const struct matchset *ruleset_matchset(const struct ruleset *s)
{
    return s->matchset;
}

size_t ruleset_count(const struct ruleset *s)
{
    return s->rule_count;
}

const struct rule *ruleset_rule(const struct ruleset *s, uint32_t index)
{
    return &s->rules[index];
}

struct span ruleset_version(const struct ruleset *s)
{
    return span_str(s->version);
}

struct span ruleset_digest(const struct ruleset *s)
{
    return span_str(s->digest);
}

struct span ruleset_manifest(const struct ruleset *s)
{
    return s->manifest;
}

size_t ruleset_risk_count(const struct ruleset *s)
{
    return s->risk_count;
}

const struct risk *ruleset_risk(const struct ruleset *s, size_t index)
{
    return &s->risks[index];
}

const struct standard *ruleset_standard(const struct ruleset *s)
{
    return &s->standard;
}

size_t ruleset_aspect_count(const struct ruleset *s)
{
    return s->aspect_count;
}

const struct aspect *ruleset_aspect(const struct ruleset *s, size_t index)
{
    return &s->aspects[index];
}

size_t ruleset_benign_count(const struct ruleset *s)
{
    return s->innocent_count - s->ordinary_first;
}

struct span ruleset_benign(const struct ruleset *s, size_t index, struct place *ret_place)
{
    const struct innocent *i = &s->innocents[s->ordinary_first + index];
    *ret_place = i->at;
    return i->text;
}

size_t ruleset_phrase_count(const struct ruleset *s)
{
    return s->allow_count;
}

struct span ruleset_phrase(const struct ruleset *s, size_t index, struct place *ret_place)
{
    *ret_place = s->allows[index].at;
    return s->allows[index].phrase;
}

void ruleset_phrase_id(struct span phrase, char ret_id[RULE_ID_SIZE])
{
    unsigned char digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1] = "";
    if (sha256_once(phrase, digest) == 0)
        codec_hex(span_from((const char *)digest, sizeof(digest)), hex);
    snprintf(ret_id, RULE_ID_SIZE, "allow/%.16s", hex);
}

struct rule_counts ruleset_count_risk(const struct ruleset *s, const struct risk *risk)
{
    return s->counts[risk - s->risks];
}

const struct risk *ruleset_find_risk(const struct ruleset *s, struct span id)
{
    for (size_t i = 0; i < s->risk_count; i++)
        if (span_eq(s->risks[i].id, id))
            return &s->risks[i];
    return NULL;
}

struct span ruleset_answer(const struct ruleset *s, const struct risk *risk, enum language language)
{
    const struct answer *best = NULL;
    unsigned best_rank = 0;
    for (size_t i = 0; i < s->answer_count; i++) {
        const struct answer *a = &s->answers[i];
        unsigned rank = span_eq(a->risk, risk->id)        ? 3
                        : span_eq(a->risk, risk->group)   ? 2
                        : span_eq(a->risk, SPAN_LIT("*")) ? 1
                                                          : 0;
        if (rank > best_rank) {
            best = a;
            best_rank = rank;
        }
    }
    if (!best)
        return SPAN_LIT("");
    return language == LANGUAGE_ZH ? best->zh : language == LANGUAGE_EN ? best->en : best->both;
}
