/* The scanner: however a text is cut into items, the outcome is that of the uncut text. */
#include "fixture.h"

#include "base/utf8.h"

static const char *const tokens[] = {"甲", "乙", "丙",     "a",  "b",          " ",
                                     "大", "麻", "烦",     ".",  "1380013800", "1",
                                     "😀",  "乙", "\u200B", "丙", "文",         "дд"};
enum { TOKENS = sizeof(tokens) / sizeof(*tokens) };

static struct span random_text(uint64_t *seed, unsigned count, char *out)
{
    size_t len = 0;
    for (unsigned i = 0; i < count; i++) {
        const char *t = tokens[random_next(seed) % TOKENS];
        memcpy(out + len, t, strlen(t));
        len += strlen(t);
    }
    return span_from(out, len);
}

/* --- splits --- */

/* What is fed: three continuous texts, told apart by field or by choice. */
static const struct {
    enum field field;
    uint32_t choice;
} places[] = {{FIELD_CONTENT, 0}, {FIELD_REASONING, 0}, {FIELD_CONTENT, 1}};
enum { PLACES = 3 };

struct result {
    struct watcher w;
    int answer; /* of the last call */
    struct {
        uint64_t clear, cut, fed;
        struct mask masks[SEEN_MAX];
        size_t mask_count;
    } channels[PLACES];
};

static unsigned place_of(enum field field, uint32_t choice)
{
    for (unsigned i = 0; i < PLACES; i++)
        if (places[i].field == field && places[i].choice == choice)
            return i;
    fail_msg("no such place");
    return 0;
}

/* A record can show the text around the hit: the window still holds it. */
static void context_is_kept(struct watcher *w, struct channel *c, const struct hit *hit)
{
    if (!w->source.data)
        return;
    uint64_t from = hit->start > CHANNEL_CONTEXT ? hit->start - CHANNEL_CONTEXT : 0;
    assert_true(hit->end <= c->fed && hit->start < hit->end);
    assert_span(channel_text(c, from, hit->end),
                span_slice(w->source, (size_t)from, (size_t)hit->end));
    if (hit->start < w->clear)
        fail_msg("hit at %d behind clear %d", (int)hit->start, (int)w->clear);
}

/*
 * Feeds every text in items of up to `most` bytes; with several texts, in turns as they come. The
 * first answer that is not 0 ends it, as it ends an exchange.
 */
static void run(const struct span *texts, unsigned count, bool whole, size_t most, uint64_t *seed,
                struct result *ret)
{
    struct watcher *w = &ret->w;
    struct scanner *s = new_scanner(w, whole);
    size_t at[PLACES] = {0};
    uint64_t clear[PLACES] = {0}, left = 0, all;
    w->check = context_is_kept;
    ret->answer = 0;
    for (unsigned i = 0; i < count; i++)
        left += texts[i].len;
    for (all = left; left && ret->answer == 0;) {
        unsigned i = (unsigned)(random_next(seed) % count);
        size_t n = 1 + random_next(seed) % most, rest = texts[i].len - at[i];
        struct piece p;
        n = n < rest ? n : rest;
        w->source = texts[i];
        w->clear = clear[i];
        ret->answer =
            feed(s, places[i].field, places[i].choice, span_slice(texts[i], at[i], at[i] + n), &p);
        assert_int_equal(p.start, at[i]);
        assert_int_equal(p.end, at[i] + n);
        at[i] += n;
        left -= n;
        uint64_t now = channel_clear(p.channel);
        if (ret->answer == 0 && now < clear[i] && !w->mask)
            fail_msg("clear fell from %d to %d", (int)clear[i], (int)now);
        assert_true(now <= p.end);
        clear[i] = w->mask ? 0 : now;
    }
    w->source = SPAN_NULL;
    if (ret->answer == 0) {
        assert_int_equal(scanner_bytes(s), all);
        ret->answer = scanner_finish(s, -1);
    }
    for (struct channel *c = scanner_channels(s); c; c = channel_next(c)) {
        unsigned i = place_of(c->field, c->choice);
        ret->channels[i].clear = channel_clear(c);
        ret->channels[i].cut = c->cut;
        ret->channels[i].fed = c->fed;
        ret->channels[i].mask_count = c->mask_count;
        if (c->mask_count)
            memcpy(ret->channels[i].masks, c->masks, c->mask_count * sizeof(*c->masks));
    }
    scanner_free(s);
}

/* The hits of each place, in their order. */
static void same_hits(const struct watcher *got, const struct watcher *want)
{
    assert_int_equal(got->count, want->count);
    for (unsigned p = 0; p < PLACES; p++) {
        size_t g = 0;
        for (size_t i = 0; i < want->count; i++) {
            const struct seen *x = &want->hits[i];
            if (place_of(x->field, x->choice) != p)
                continue;
            while (g < got->count && place_of(got->hits[g].field, got->hits[g].choice) != p)
                g++;
            assert_true(g < got->count);
            assert_memory_equal(&got->hits[g].hit, &x->hit, sizeof(x->hit));
            g++;
        }
    }
}

static void splits_change_nothing(void **state)
{
    static struct result whole, pieces;
    static char bytes[PLACES][16384];
    uint64_t seed = 7, masks = 0, hits = 0;
    for (int round = 0; round < 3000; round++) {
        bool large = round % 50 == 0;
        struct span texts[PLACES];
        for (unsigned i = 0; i < PLACES; i++)
            texts[i] = random_text(&seed, 1 + (unsigned)(random_next(&seed) % (large ? 3000 : 20)),
                                   bytes[i]);
        whole.w = pieces.w = (struct watcher){.mask = round % 2};
        run(texts, PLACES, true, SIZE_MAX, &seed, &whole);
        run(texts, PLACES, round % 3 == 0, large ? 1 + random_next(&seed) % 2000 : 7, &seed,
            &pieces);
        assert_int_equal(whole.answer, 0);
        assert_int_equal(pieces.answer, 0);
        same_hits(&pieces.w, &whole.w);
        hits += whole.w.count;
        for (unsigned i = 0; i < PLACES; i++) {
            size_t n = whole.channels[i].mask_count;
            uint64_t end = texts[i].len;
            if (n && whole.channels[i].masks[0].start < end)
                end = whole.channels[i].masks[0].start; /* none is on record */
            assert_int_equal(whole.channels[i].clear, end);
            assert_int_equal(pieces.channels[i].clear, end);
            assert_int_equal(pieces.channels[i].mask_count, n);
            if (n)
                assert_memory_equal(pieces.channels[i].masks, whole.channels[i].masks,
                                    n * sizeof(struct mask));
            masks += n;
        }
    }
    assert_true(hits > 1000 && masks > 500); /* the texts are worth it */
}

static void a_stop_comes_at_the_same_place(void **state)
{
    static struct result whole, pieces;
    static char bytes[4096];
    uint64_t seed = 8, stops = 0;
    for (int round = 0; round < 2000; round++) {
        struct span text = random_text(&seed, 1 + (unsigned)(random_next(&seed) % 24), bytes);
        for (size_t stop = 1;; stop++, stops++) {
            whole.w = pieces.w = (struct watcher){.stop_at = stop};
            run(&text, 1, true, SIZE_MAX, &seed, &whole);
            run(&text, 1, false, 6, &seed, &pieces);
            assert_int_equal(pieces.answer, whole.answer);
            same_hits(&pieces.w, &whole.w);
            assert_int_equal(pieces.channels[0].cut, whole.channels[0].cut);
            assert_int_equal(pieces.channels[0].clear, whole.channels[0].clear);
            if (whole.answer == 0)
                break;
            assert_int_equal(whole.channels[0].clear, whole.channels[0].cut);
            for (size_t i = 0; i < whole.w.count; i++) /* what was only told has gone out */
                assert_true(whole.channels[0].cut <= whole.w.hits[stop - 1].hit.start);
        }
    }
    assert_true(stops > 500);
}

/* After the decisive hit the exchange is closed, which must not move the cut nor tell more. */
static void a_stop_is_final(void **state)
{
    static char bytes[4096];
    uint64_t seed = 9;
    for (int round = 0; round < 4000; round++) {
        struct span text = random_text(&seed, 1 + (unsigned)(random_next(&seed) % 24), bytes);
        struct watcher w = {.stop_at = 1, .mask = false};
        struct scanner *s = new_scanner(&w, false);
        struct piece p;
        size_t cut = random_next(&seed) % (text.len + 1);
        int first = feed(s, FIELD_CONTENT, 0, span_slice(text, 0, cut), &p);
        uint64_t clear = channel_clear(p.channel), ended = p.channel->cut;
        if (first == 1) {
            w.stop_at = 2;
            assert_int_equal(feed(s, FIELD_CONTENT, 0, span_slice(text, cut, text.len), &p), 1);
            assert_int_equal(p.end, text.len); /* it stands behind the cut */
            assert_int_equal(scanner_finish(s, -1), 1);
            assert_int_equal(w.count, 1);
            assert_int_equal(p.channel->cut, ended);
            assert_int_equal(channel_clear(p.channel), clear);
            assert_int_equal(scanner_finish(s, -1), 0);
        }
        scanner_free(s);
    }
}

/* What could not be judged is not clear, even when all is over. */
static void an_error_leaves_nothing_clear(void **state)
{
    struct watcher w = {0};
    struct scanner *s = new_scanner(&w, false);
    struct piece p;
    assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("文甲乙\xE6"), &p), 0);
    assert_int_equal(channel_clear(p.channel), 3);
    assert_int_equal(scanner_finish(s, 0), -EILSEQ); /* ends within a character */
    assert_int_equal(channel_clear(p.channel), 3);
    assert_int_equal(feed(s, FIELD_CONTENT, 1, SPAN_LIT("文a\xFF"), &p), -EILSEQ);
    uint64_t clear = channel_clear(p.channel);
    assert_true(clear <= 4);
    assert_int_equal(feed(s, FIELD_CONTENT, 1, SPAN_LIT("fine"), &p), -EILSEQ);
    assert_int_equal(scanner_finish(s, 1), -EILSEQ);
    assert_int_equal(channel_clear(p.channel), clear);
    /* Errors of the owner likewise. */
    w.stop_at = w.count + 1;
    w.answer = -ENOMEM;
    assert_int_equal(feed(s, FIELD_CONTENT, 2, SPAN_LIT("文乙丙"), &p), -ENOMEM);
    assert_int_equal(channel_clear(p.channel), 3);
    assert_int_equal(scanner_finish(s, 2), -ENOMEM);
    assert_int_equal(channel_clear(p.channel), 3);
    scanner_free(s);
}

/* --- single properties --- */

static void unknown_fields_stand_alone(void **state)
{
    struct watcher w = {0};
    struct scanner *s = new_scanner(&w, true);
    struct piece p, q;
    assert_int_equal(feed(s, FIELD_OTHER, 0, SPAN_LIT("文甲乙"), &p), 0);
    assert_null(p.channel); /* judged to its end, clear */
    struct text_item joined = {.text = SPAN_LIT("丙"), .join = true};
    assert_int_equal(scanner_feed(s, &joined, &p), 0);
    assert_null(p.channel);
    assert_int_equal(w.count, 0);
    assert_null(scanner_channels(s));
    /* Each with a hit has a channel of its own; "ab" is certain only at the end. */
    assert_int_equal(feed(s, FIELD_OTHER, 3, SPAN_LIT("x 乙丙"), &p), 0);
    assert_int_equal(feed(s, FIELD_OTHER, 0, SPAN_LIT("ab"), &q), 0);
    assert_int_equal(w.count, 2);
    assert_non_null(p.channel);
    assert_ptr_not_equal(p.channel, q.channel);
    assert_ptr_equal(scanner_channels(s), p.channel);
    assert_ptr_equal(channel_next(p.channel), q.channel);
    assert_null(channel_next(q.channel));
    assert_int_equal(p.channel->choice, 3);
    assert_span(channel_text(p.channel, 2, 8), SPAN_LIT("乙丙"));
    assert_int_equal(q.start, 0);
    assert_int_equal(q.end, 2);
    assert_int_equal(channel_clear(q.channel), 2);
    assert_int_equal(scanner_finish(s, -1), 0);
    assert_int_equal(scanner_bytes(s), 9 + 3 + 8 + 2);
    /* A decisive one ends its item, and the next item is judged on its own. */
    w.stop_at = w.count + 1;
    assert_int_equal(feed(s, FIELD_OTHER, 0, SPAN_LIT("文乙丙"), &p), 1);
    assert_int_equal(channel_clear(p.channel), 3);
    assert_int_equal(feed(s, FIELD_OTHER, 0, SPAN_LIT("文\xFF"), &q), -EILSEQ);
    assert_int_equal(feed(s, FIELD_OTHER, 0, SPAN_LIT("文"), &q), 0);
    scanner_free(s);
}

static void each_choice_is_finished_for_itself(void **state)
{
    struct watcher w = {0};
    struct scanner *s = new_scanner(&w, false);
    struct piece a, b, other;
    assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("文ab"), &a), 0);
    assert_int_equal(feed(s, FIELD_CONTENT, 1, SPAN_LIT("文ab"), &b), 0);
    assert_int_equal(feed(s, FIELD_REASONING, 1, SPAN_LIT("甲乙"), &other), 0);
    assert_int_equal(w.count, 0);
    assert_int_equal(channel_clear(a.channel), 3);
    assert_int_equal(scanner_finish(s, 1), 0);
    assert_int_equal(w.count, 1);
    assert_int_equal(w.hits[0].choice, 1);
    assert_int_equal(channel_clear(a.channel), 3);
    assert_int_equal(channel_clear(b.channel), 5);
    assert_int_equal(channel_clear(other.channel), 6);
    assert_int_equal(feed(s, FIELD_CONTENT, 1, SPAN_LIT("x"), NULL), -EPROTO);
    assert_int_equal(feed(s, FIELD_REASONING, 1, SPAN_LIT("x"), NULL), -EPROTO);
    assert_int_equal(feed(s, FIELD_CONTENT, 1, SPAN_NULL, NULL), 0);
    assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("c"), NULL), 0); /* "abc" is no hit */
    assert_int_equal(scanner_finish(s, -1), 0);
    assert_int_equal(w.count, 1);
    assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("x"), NULL), -EPROTO);
    scanner_free(s);
}

/* A decisive hit at the end of one choice does not leave the others undecided. */
static void every_choice_is_finished(void **state)
{
    struct watcher w = {.stop_at = 1};
    struct scanner *s = new_scanner(&w, false);
    struct piece p[3];
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(feed(s, FIELD_CONTENT, i, SPAN_LIT("文ab"), &p[i]), 0);
    assert_int_equal(scanner_finish(s, -1), 1);
    assert_int_equal(w.count, 3);
    assert_int_equal(channel_clear(p[0].channel), 3);
    assert_int_equal(channel_clear(p[1].channel), 5);
    assert_int_equal(channel_clear(p[2].channel), 5);
    scanner_free(s);
}

static void joins_bind_items(void **state)
{
    struct watcher w = {0};
    struct scanner *s = new_scanner(&w, true);
    struct text_item first = {.text = SPAN_LIT("甲"), .field = FIELD_CONTENT},
                     next = {.text = SPAN_LIT("乙丙"), .field = FIELD_CONTENT, .join = true};
    struct piece p;
    assert_int_equal(scanner_feed(s, &first, &p), 0);
    assert_int_equal(scanner_feed(s, &next, &p), 0);
    assert_int_equal(p.start, 3);
    assert_int_equal(w.count, 2);
    assert_int_equal(w.hits[0].hit.start, 0);
    assert_int_equal(w.hits[0].hit.end, 9);
    assert_true(w.hits[0].hit.layers & LAYER_JOIN);
    assert_int_equal(w.hits[1].hit.layers, 0);
    scanner_free(s);
}

static void a_pinned_window_is_not_trimmed(void **state)
{
    static char filler[3000];
    memset(filler, '.', sizeof(filler));
    struct watcher w = {0};
    struct scanner *s = new_scanner(&w, false);
    struct piece p;
    assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("文乙丙"), &p), 0);
    p.channel->pinned = true;
    assert_int_equal(feed(s, FIELD_CONTENT, 0, span_from(filler, sizeof(filler)), &p), 0);
    assert_int_equal(p.channel->base, 0);
    assert_span(channel_text(p.channel, 3, 9), SPAN_LIT("乙丙"));
    p.channel->pinned = false;
    assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("."), &p), 0);
    assert_true(p.channel->base > 2000 && p.channel->base <= 9 + 3001 - CHANNEL_CONTEXT);
    assert_span(channel_text(p.channel, 0, 9), SPAN_NULL);
    assert_int_equal(channel_text(p.channel, 0, UINT64_MAX).len, 3010 - p.channel->base);
    scanner_free(s);
}

/* --- masks --- */

static void masks_merge(void **state)
{
    uint64_t seed = 10;
    for (int round = 0; round < 2000; round++) {
        struct watcher w = {0};
        struct scanner *s = new_scanner(&w, false);
        struct piece p;
        bool model[64] = {false};
        assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("文"), &p), 0);
        for (unsigned n = 1 + (unsigned)(random_next(&seed) % 12); n; n--) {
            uint64_t start = random_next(&seed) % 60, end = start + 1 + random_next(&seed) % 4;
            assert_int_equal(channel_mask(p.channel, start, end), 0);
            for (uint64_t i = start; i < end && i < 64; i++)
                model[i] = true;
        }
        bool got[64] = {false};
        for (size_t i = 0; i < p.channel->mask_count; i++) {
            const struct mask *m = &p.channel->masks[i];
            if (i) /* a gap stands between two */
                assert_true(m->start > p.channel->masks[i - 1].end);
            for (uint64_t k = m->start; k < m->end && k < 64; k++)
                got[k] = true;
        }
        assert_memory_equal(got, model, sizeof(model));
        scanner_free(s);
    }
}

/* An answer full of telephone numbers must not cost quadratic time. */
static void many_masks_are_cheap(void **state)
{
    struct watcher w = {0};
    struct scanner *s = new_scanner(&w, true);
    struct piece p;
    assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("文"), &p), 0);
    for (uint64_t i = 0; i < 400000; i++)
        assert_int_equal(channel_mask(p.channel, i * 12, i * 12 + 11), 0);
    assert_int_equal(p.channel->mask_count, 400000);
    scanner_free(s);
}

static void masks_wait_for_their_record(void **state)
{
    struct watcher w = {.mask = true};
    struct scanner *s = new_scanner(&w, false);
    struct piece p;
    assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("文乙丙文"), &p), 0);
    assert_int_equal(channel_clear(p.channel), 3);
    assert_false(hold_clear(&p, 1));
    assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("文"), NULL), 0);
    assert_int_equal(channel_clear(p.channel), 3);
    channel_masks_recorded(p.channel);
    assert_int_equal(channel_clear(p.channel), 15);
    assert_true(hold_clear(&p, 1));
    assert_int_equal(p.channel->mask_count, 1); /* it is still to be drawn */
    assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("乙丙"), &p), 0);
    assert_int_equal(channel_clear(p.channel), 15);
    scanner_free(s);
}

/* --- tool arguments --- */

struct escaped {
    char plain[2048], raw[16384];
    size_t plain_len, raw_len;
    size_t place[2049]; /* of each byte of `plain` in `raw` */
};

/* Writes each character as it is or as an escape. */
static void escape(struct escaped *e, struct span text, uint64_t *seed, unsigned one_of)
{
    e->plain_len = e->raw_len = 0;
    for (size_t at = 0; at < text.len;) {
        uint32_t cp;
        size_t n = (size_t)utf8_decode(span_slice(text, at, text.len), true, &cp);
        for (size_t i = 0; i < n; i++)
            e->place[e->plain_len + i] = e->raw_len;
        memcpy(e->plain + e->plain_len, text.data + at, n);
        e->plain_len += n;
        if (random_next(seed) % one_of) {
            memcpy(e->raw + e->raw_len, text.data + at, n);
            e->raw_len += n;
        } else if (cp > 0xFFFF) {
            e->raw_len += (size_t)snprintf(e->raw + e->raw_len, 13, "\\u%04x\\u%04X",
                                           0xD800 + ((cp - 0x10000) >> 10),
                                           0xDC00 + ((cp - 0x10000) & 0x3FF));
        } else {
            e->raw_len += (size_t)snprintf(e->raw + e->raw_len, 7, "\\u%04x", cp);
        }
        at += n;
    }
    e->place[e->plain_len] = e->raw_len;
}

static int collect(void *ctx, const struct hit *hit)
{
    struct watcher *w = ctx;
    w->hits[w->count++].hit = *hit;
    return 0;
}

/*
 * The word behind the escapes is found wherever they are cut, and before that not one byte of it
 * was clear.
 */
static void arguments_are_read_behind_their_escapes(void **state)
{
    static struct escaped e;
    static struct watcher plain;
    static char bytes[2048];
    uint64_t seed = 11, stops = 0, misses = 0;
    for (int round = 0; round < 6000; round++) {
        escape(&e, random_text(&seed, 1 + (unsigned)(random_next(&seed) % 16), bytes), &seed,
               1 + round % 3);
        plain.count = 0;
        struct cursor *c = cursor_new(set, DIRECTION_COMPLETION);
        assert_int_equal(cursor_feed(c, span_from(e.plain, e.plain_len), collect, &plain), 0);
        assert_int_equal(cursor_finish(c, collect, &plain), 0);
        cursor_free(c);
        uint64_t least = UINT64_MAX;
        for (size_t i = 0; i < plain.count; i++)
            if (e.place[plain.hits[i].hit.start] < least)
                least = e.place[plain.hits[i].hit.start];

        struct watcher w = {.stop_at = 1};
        struct scanner *s = new_scanner(&w, false);
        struct piece p;
        int r = 0;
        for (size_t at = 0; at < e.raw_len && r == 0;) {
            size_t n = 1 + random_next(&seed) % 9;
            n = n < e.raw_len - at ? n : e.raw_len - at;
            r = feed(s, FIELD_ARGUMENTS, 0, span_from(e.raw + at, n), &p);
            at += n;
            if (channel_clear(p.channel) > least)
                fail_msg("clear %d, hit at %d in \"%.*s\"", (int)channel_clear(p.channel),
                         (int)least, (int)e.raw_len, e.raw);
        }
        if (r == 0)
            r = scanner_finish(s, -1);
        if (plain.count && r != 1)
            fail_msg("missed in \"%.*s\"", (int)e.raw_len, e.raw);
        assert_true(channel_clear(p.channel) <= least);
        if (r == 0)
            assert_int_equal(channel_clear(p.channel), e.raw_len);
        stops += r == 1;
        misses += r == 0;
        scanner_free(s);
    }
    assert_true(stops > 1000 && misses > 300);
}

static void hits_behind_escapes_are_named_by_their_raw_text(void **state)
{
    struct watcher w = {0};
    struct scanner *s = new_scanner(&w, false);
    struct piece p;
    assert_int_equal(feed(s, FIELD_ARGUMENTS, 0, SPAN_LIT("{\"q\":\"\\u4e59"), &p), 0);
    assert_int_equal(feed(s, FIELD_ARGUMENTS, 0, SPAN_LIT("\\u4e19\"}"), &p), 0);
    assert_int_equal(w.count, 1);
    assert_int_equal(w.hits[0].hit.rule, 1);
    assert_int_equal(w.hits[0].hit.layers, LAYER_ESCAPE);
    assert_true(w.hits[0].hit.start <= 6);
    assert_int_equal(w.hits[0].hit.end, 20);
    /* Another call, and a whole body, whose dialect decodes arguments itself. */
    struct text_item other = {.text = SPAN_LIT("\\u4e59"), .field = FIELD_ARGUMENTS, .part = 1};
    assert_int_equal(scanner_feed(s, &other, &p), 0);
    assert_int_equal(p.start, 0);
    scanner_free(s);
    s = new_scanner(&w, true);
    assert_int_equal(feed(s, FIELD_ARGUMENTS, 0, SPAN_LIT("\\u4e59\\u4e19"), &p), 0);
    assert_int_equal(scanner_finish(s, -1), 0);
    assert_int_equal(w.count, 1);
    scanner_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_change_nothing),
        cmocka_unit_test(a_stop_comes_at_the_same_place),
        cmocka_unit_test(a_stop_is_final),
        cmocka_unit_test(an_error_leaves_nothing_clear),
        cmocka_unit_test(unknown_fields_stand_alone),
        cmocka_unit_test(each_choice_is_finished_for_itself),
        cmocka_unit_test(every_choice_is_finished),
        cmocka_unit_test(joins_bind_items),
        cmocka_unit_test(a_pinned_window_is_not_trimmed),
        cmocka_unit_test(masks_merge),
        cmocka_unit_test(many_masks_are_cheap),
        cmocka_unit_test(masks_wait_for_their_record),
        cmocka_unit_test(arguments_are_read_behind_their_escapes),
        cmocka_unit_test(hits_behind_escapes_are_named_by_their_raw_text),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
