/*
 * What 50 patterns cost a stream: the watch alone, over chunks as a model sends them.
 *
 *   bench-patterns [ROUNDS]     nanoseconds a chunk and MB/s, for each kind of text; twice:
 *                               character by character, and with quiet text passed over
 */
#include "match/set.h"
#include "match/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TEXT_BYTES 240000

static const char common[] = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成"
                             "会可主发年动同工也能下过子说"
                             "产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理"
                             "起小物现实加量都两体制机当使"
                             "点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间"
                             "样与关各重新线内数正心反你明"
                             "看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立"
                             "代想已通并提直题党程展五果料"
                             "象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较"
                             "将组见计别她手角期根论运农指"
                             "几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领"
                             "七海口东导器压志世金增争济阶"
                             "油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身"
                             "车例真务具万每目至达走积示议"
                             "声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需"
                             "段研界拉林律叫且究观越织装影"
                             "算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响"
                             "约支般史感劳便团往酸历市克何"
                             "除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易"
                             "置派层片始却专状育厂京识适属";

static const char english[] =
    "The quick brown fox jumps over the lazy dog while the committee reviews its plans for the "
    "coming "
    "year, and nobody asked whether the budget had been approved by all of the members present. ";

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

/* Characters by chance, a comma or full stop after every dozen or so. */
static size_t make_chinese(char *text, bool digits)
{
    uint64_t seed = 88172645463325252u;
    size_t len = 0, chars = (sizeof(common) - 1) / 3;
    while (len + 16 < TEXT_BYTES) {
        memcpy(text + len, common + 3 * (random_next(&seed) % chars), 3);
        len += 3;
        if (random_next(&seed) % 12 == 0) {
            memcpy(text + len, random_next(&seed) % 3 ? "，" : "。", 3);
            len += 3;
        }
        if (digits && random_next(&seed) % 4 == 0)
            len +=
                (size_t)snprintf(text + len, 12, "%u",
                                 (unsigned)(random_next(&seed) >> (32 + random_next(&seed) % 30)));
    }
    return len;
}

static size_t make_english(char *text)
{
    size_t len = 0;
    for (; len + sizeof(english) < TEXT_BYTES; len += sizeof(english) - 1)
        memcpy(text + len, english, sizeof(english) - 1);
    return len;
}

/* 50 of the kinds that are in use: 10 numbers, 5 addresses, 35 keys and words by their beginning.
 */
static struct matchset *make_set(void)
{
    static const char *const literals[] = {"sk-",   "AKIA", "ghp_",   "LTAI",       "eyJ",
                                           "xoxb-", "AIza", "glpat-", "-----BEGIN", "npm_",
                                           "SG.",   "密码", "账号",   "微信号",     "验证码"};
    enum { LITERALS = sizeof(literals) / sizeof(*literals) };
    struct matchset_builder *b = matchset_builder_new();
    char regex[256], literal[32];
    for (uint32_t i = 0; b && i < 50; i++) {
        struct match_pattern p = {.gate = GATE_DIGITS, .width = 32};
        if (i < 10) {
            snprintf(regex, sizeof(regex), "(?<![0-9])[1-9][0-9]{%u,%u}(?![0-9])", i + 9, i + 12);
        } else if (i < 15) {
            snprintf(regex, sizeof(regex), "[a-z0-9.]{1,%u}@[a-z0-9-]{1,20}\\.[a-z]{2,6}", i + 10);
            p = (struct match_pattern){.gate = GATE_AT, .width = 64};
        } else {
            snprintf(literal, sizeof(literal), "%s%.*s", literals[i % LITERALS],
                     (int)(i / LITERALS - 1), "qz");
            snprintf(regex, sizeof(regex), "%s[A-Za-z0-9]{16,40}", literal);
            p = (struct match_pattern){
                .gate = GATE_LITERAL, .literal = span_str(literal), .width = 64};
        }
        p.regex = span_str(regex);
        const char *reason = "memory";
        if (matchset_add_pattern(b, &p, i, DIRECTION_BOTH, &reason) != 0) {
            fprintf(stderr, "%s: %s\n", regex, reason);
            exit(1);
        }
    }
    struct matchset *set = NULL;
    if (!b || matchset_build(b, &set) < 0)
        exit(1);
    matchset_builder_free(b);
    return set;
}

static int ignore(void *ctx, const struct hit *hit)
{
    ++*(uint64_t *)ctx;
    return 0;
}

/* Feeds the text in chunks of `step` bytes, each end moved to a code point's. Returns chunks. */
static uint64_t feed(struct watch *w, struct span text, size_t step, bool pass, uint64_t *hits)
{
    struct fold_reader reader = {0};
    uint64_t chunks = 0, held = 0;
    for (size_t at = 0; at < text.len; chunks++) {
        struct span chunk = span_slice(text, at, utf8_floor(text, at + step));
        at += chunk.len;
        while (chunk.len) {
            size_t n = pass && reader.tail_len == 0 ? watch_quiet(w, chunk) : 0;
            if (n) {
                watch_passed(w, span_slice(chunk, 0, n), reader.pos);
                reader.pos += n;
                chunk = span_slice(chunk, n, chunk.len);
            }
            struct fold_point point;
            if (chunk.len && fold_reader_next(&reader, &chunk, &point) > 0 &&
                watch_point(w, &point, ignore, hits) < 0)
                exit(1);
        }
        uint64_t clear = watch_clear(w);
        held += clear == UINT64_MAX ? 0 : reader.pos - clear;
    }
    *hits += held & 0; /* the answer is wanted, not its value */
    return chunks;
}

static void measure(const struct matchset *set, const char *name, struct span text, size_t step,
                    unsigned rounds)
{
    printf("%-14s %5zu bytes a chunk:", name, step);
    for (int pass = 0; pass < 2; pass++) {
        uint64_t best = UINT64_MAX, chunks = 0, hits = 0;
        for (unsigned i = 0; i < rounds; i++) {
            struct watch *w = watch_new(&set->patterns, DIRECTION_COMPLETION);
            if (!w)
                exit(1);
            uint64_t from = now_ns();
            chunks = feed(w, text, step, pass, &hits);
            uint64_t took = now_ns() - from;
            best = took < best ? took : best;
            watch_free(w);
        }
        printf("  %s %7.1f ns %7.1f MB/s", pass ? "passed over" : "by character",
               (double)best / (double)chunks, (double)text.len * 1000.0 / (double)best);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20;
    static char text[TEXT_BYTES];
    struct matchset *set = make_set();
    struct watch *w = watch_new(&set->patterns, DIRECTION_COMPLETION);
    if (!w)
        return 1;
    printf("a quiet watch has %zu bytes\n", watch_bytes(w));
    watch_free(w);
    size_t len = make_chinese(text, false);
    measure(set, "Chinese", span_from(text, len), 12, rounds);
    measure(set, "Chinese", span_from(text, len), 1200, rounds);
    len = make_english(text);
    measure(set, "English", span_from(text, len), 12, rounds);
    measure(set, "English", span_from(text, len), 1200, rounds);
    len = make_chinese(text, true);
    measure(set, "with numbers", span_from(text, len), 12, rounds);
    for (len = 0; len + 2 < TEXT_BYTES; len += 2)
        memcpy(text + len, "4-", 2);
    measure(set, "4-4-4-", span_from(text, len), 12, rounds / 10 + 1);
    matchset_unref(set);
    return 0;
}
