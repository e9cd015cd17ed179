/*
 * A log of many records for tests of the console, written as the gateway writes it, in seconds.
 *
 *   juyong-test-fill DIRECTORY RECORDS PERCENT DAYS < SHAPES
 *
 * PERCENT of the exchanges (two records each) are interceptions, spread evenly over DAYS up to now.
 * A shape is a line of JSON, members being those of a row of `juyong log list --json`;
 * interceptions take them in turn, the others take its subject alone. Where a text is written
 * "…#…", '#' gives way to the exchange's number.
 */
#include "audit/audit.h"
#include "audit/item.h"
#include "audit/store.h"
#include "base/clock.h"
#include "json/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP 256 /* records a commit */

static struct json_value *shapes[256];
static size_t shape_count;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "juyong-test-fill: %s\n", what);
    exit(1);
}

static void read_shapes(void)
{
    static struct buf error = BUF_INIT(1024);
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    while ((len = getline(&line, &room, stdin)) > 0 && shape_count < 256)
        if (!(shapes[shape_count++] = value_parse(span_from(line, (size_t)len), &error)))
            die("a shape is no JSON");
    free(line);
    if (!shape_count)
        die("no shapes");
}

/* Always the same ones. */
static uint64_t below(uint64_t n)
{
    static uint64_t seed = 7;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % n;
}

static struct span row_text(const struct json_value *row, const char *key)
{
    struct span text;
    return value_get_string(value_get(row, span_str(key)), &text) ? text : SPAN_NULL;
}

static struct span field(const struct json_value *shape, const char *key, const char *otherwise)
{
    return value_get(shape, span_str(key)) ? row_text(shape, key) : span_str(otherwise);
}

/* The text with the number in place of its first '#'. */
static struct span numbered(struct span text, uint64_t number, struct buf *into)
{
    struct span before;
    buf_clear(into);
    if (span_find(text, SPAN_LIT("#")) == text.len)
        return text;
    span_split(&text, '#', &before);
    char digits[24];
    snprintf(digits, sizeof(digits), "%" PRIu64, number);
    if (buf_append(into, before) < 0 || buf_append(into, span_str(digits)) < 0 ||
        buf_append(into, text) < 0)
        die("out of memory");
    return buf_span(into);
}

static enum action action_of(struct span word)
{
    static const char *const words[] = {"allow", "flag", "mask", "answer", "block"};
    for (size_t i = 0; i < 5; i++)
        if (span_eq(word, span_str(words[i])))
            return (enum action)i;
    die("no such action");
}

static void write_event(struct store *s, const struct audit_event *e, uint64_t at_us)
{
    struct item *i;
    uint64_t seq;
    if (item_new(e, 0, NULL, (struct item_limits){.text_max = 512}, &i) < 0)
        die("no item");
    i->wall_us = at_us;
    i->mono_us = at_us;
    if (store_put(s, i, &seq) < 0)
        die("the store took no record");
    item_unref(i);
}

static struct audit_hit hit_of(const struct json_value *shape, struct span context,
                               struct span text)
{
    size_t start = span_find(context, text);
    if (start == context.len)
        start = 0;
    bool answer = span_eq(row_text(shape, "direction"), SPAN_LIT("completion"));
    return (struct audit_hit){
        .direction = answer ? DIRECTION_COMPLETION : DIRECTION_PROMPT,
        .role = answer ? ROLE_ASSISTANT : ROLE_USER,
        .action = action_of(field(shape, "action", "block")),
        .path = field(shape, "path", answer ? "choices[0].delta.content" : "messages[0].content"),
        .risk = field(shape, "risk", "A1-a"),
        .rule = field(shape, "rule", "A1-a/0123456789abcdef"),
        .text = text,
        .context = context,
        .context_start = start,
        .context_end = start + text.len,
        .folded = field(shape, "folded", "folded"),
        .layers = LAYER_CASE | LAYER_SEPARATOR,
        .start = start,
        .end = start + text.len,
    };
}

static void write_exchange(struct store *s, const struct json_value *shape, bool caught,
                           uint64_t number, uint64_t at_us)
{
    static struct buf context = BUF_INIT(1 << 16), user = BUF_INIT(1 << 16);
    char id[40], session[24];
    snprintf(id, sizeof(id), "req_%012" PRIx64 "%04x", number + (UINT64_C(1) << 40),
             (unsigned)(number * 40503u & 0xffffu));
    snprintf(session, sizeof(session), "talk-%" PRIu64, number / 3 % 5000);
    struct audit_subject subject = {
        .request_id = span_str(id),
        .app = field(shape, "app", "default"),
        .key_id = field(shape, "key_id", "key_01234567"),
        .end_user = numbered(field(shape, "end_user", ""), number % 900 + 100, &user),
        .client_ip = field(shape, "client_ip", "10.1.2.3"),
        .client_port = 54321,
        .device = field(shape, "device", ""),
        .session = span_str(session),
        .model = field(shape, "model", "demo"),
        .upstream = SPAN_LIT("demo"),
        .filing_number = SPAN_LIT("Test-Demo-20250101"),
        .route = SPAN_LIT("/v1/chat/completions"),
        .ruleset = SPAN_LIT("auto-0123456789abcdef"),
        .mode = SPAN_LIT("enforce"),
        .stream = true,
    };
    struct span around = numbered(row_text(shape, "context"), number, &context);
    struct audit_hit hit = hit_of(shape, around, row_text(shape, "text"));
    enum action action = caught ? hit.action : ACTION_ALLOW;
    struct audit_event e = {
        .kind = caught ? AUDIT_ACT : AUDIT_OPEN,
        .subject = &subject,
        .hits = &hit,
        .hit_count = caught,
        .action = action,
        .received_us = at_us,
        .judge_us = 80 + below(400),
        .prompt_bytes = around.len,
    };
    write_event(s, &e, at_us);
    bool refused = action == ACTION_BLOCK && hit.direction == DIRECTION_PROMPT;
    e.kind = AUDIT_CLOSE;
    e.hit_count = 0;
    e.outcome = refused ? OUTCOME_REFUSED : action == ACTION_BLOCK ? OUTCOME_CUT : OUTCOME_COMPLETE;
    e.model_answered = refused ? SPAN_NULL : field(shape, "model_answered", "demo");
    e.finish_reason = refused ? SPAN_NULL : field(shape, "finish_reason", "stop");
    e.status = 200;
    e.held_us = below(50000);
    e.upstream_us = 900000 + below(900000);
    e.first_byte_us = 200000 + below(100000);
    e.total_us = e.upstream_us + 2000;
    e.completion_bytes = 4096;
    e.complete = true;
    write_event(s, &e, at_us + e.total_us);
}

int main(int argc, char **argv)
{
    struct store *s;
    if (argc != 5)
        die("DIRECTORY RECORDS PERCENT DAYS < SHAPES");
    uint64_t exchanges = strtoull(argv[2], NULL, 10) / 2, percent = strtoull(argv[3], NULL, 10);
    uint64_t span_us = (uint64_t)(strtod(argv[4], NULL) * 86400e6);
    read_shapes();
    if (store_open(span_str(argv[1]), SPAN_LIT("0123456789abcdef"), SPAN_LIT("test-node"), &s) < 0)
        die("the log can't be opened");
    uint64_t now_us = clock_wall_us() - 60000000, caught = 0;
    for (uint64_t i = 0; i < exchanges;) {
        if (store_begin(s, now_us - span_us + span_us / exchanges * i) < 0)
            die("no transaction");
        for (size_t n = 0; n < GROUP / 2 && i < exchanges; n++, i++) {
            uint64_t at_us = now_us - span_us + span_us / exchanges * i;
            bool hit = i * percent / 100 != (i + 1) * percent / 100;
            write_exchange(s, shapes[(hit ? caught++ : i) % shape_count], hit, i, at_us);
        }
        if (store_commit(s) < 0 || store_tidy(s) < 0)
            die("no commit");
    }
    store_close(s);
    for (size_t i = 0; i < shape_count; i++)
        value_free(shapes[i]);
    printf("%" PRIu64 "\n", caught);
}
