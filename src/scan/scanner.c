#include "scan/scanner.h"

#include "base/utf8.h"
#include "json/unescape.h"

#include <errno.h>
#include <stdlib.h>

/* A stream's window is trimmed when it has grown by this much past what its hold needs. */
#define CHANNEL_SLACK 1024
/* Hits of a channel that are remembered, so that they are not told once more of a derived text. */
#define TOLD_MAX 64
/* Unknown paths of one stream that are judged joined. */
#define CHANNEL_PATHS_MAX 32

struct scanner {
    const struct matchset *set;
    enum direction direction;
    bool whole;
    scanner_hit_fn fn;
    void *ctx;
    scanner_saved_fn saved; /* NULL: nobody asks */
    void *saved_ctx;
    struct list channels;  /* continuous ones, and isolated ones that had hits */
    struct channel *alone; /* for isolated items; joins `channels` when it has a hit */
    bool alone_hit;
    uint64_t bytes;
    uint64_t passed, wanted; /* of new channels, see scanner_gate() */
    size_t keep;             /* see scanner_keep() */
};

/*
 * Tool arguments are JSON within a JSON string, often with all but ASCII escaped: what the tool
 * will read is behind one more level of escapes. A second cursor reads that. Its offsets do not map
 * to the channel's, and need not: arguments are never masked, and a frame waits for both cursors.
 */
struct inner {
    struct channel *channel;
    struct cursor *cursor;
    struct json_unescape unescape;
    struct buf text; /* scratch */
    uint64_t fed;    /* bytes given to its cursor */
    uint64_t safe;   /* channel offset up to which it was clear when it last was clear wholly */
    bool escaped;    /* an escape was seen; until then it reads what the first cursor reads */
};

struct scanner *scanner_new(const struct matchset *set, enum direction direction, bool whole,
                            scanner_hit_fn fn, void *ctx)
{
    struct scanner *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    *s = (struct scanner){.set = set, .direction = direction, .whole = whole, .fn = fn, .ctx = ctx};
    s->passed = s->wanted = UINT64_MAX;
    list_init(&s->channels);
    return s;
}

void scanner_gate(struct scanner *s, uint64_t passed, uint64_t wanted)
{
    s->passed = passed;
    s->wanted = wanted;
}

void scanner_keep(struct scanner *s, size_t bytes)
{
    s->keep = bytes;
}

void scanner_tell_saved(struct scanner *s, scanner_saved_fn fn, void *ctx)
{
    s->saved = fn;
    s->saved_ctx = ctx;
}

static void inner_free(struct inner *in)
{
    if (!in)
        return;
    cursor_free(in->cursor);
    buf_deinit(&in->text);
    free(in);
}

static struct inner *inner_new(struct channel *c)
{
    struct inner *in = calloc(1, sizeof(*in));
    if (!in)
        return NULL;
    in->channel = c;
    in->text.max = SIZE_MAX / 4; /* never longer than the piece it is made from */
    in->cursor = cursor_new(c->scanner->set, c->scanner->direction);
    if (!in->cursor) {
        free(in);
        return NULL;
    }
    return in;
}

static void channel_free(struct channel *c)
{
    if (!c)
        return;
    inner_free(c->inner);
    cursor_free(c->cursor);
    buf_deinit(&c->text);
    buf_deinit(&c->starts);
    buf_deinit(&c->told);
    free(c->masks);
    free(c);
}

void scanner_free(struct scanner *s)
{
    if (!s)
        return;
    list_for_each_safe (e, next, &s->channels)
        channel_free(list_entry(e, struct channel, link));
    channel_free(s->alone);
    free(s);
}

static void tell_saved(void *ctx, const struct saved *saved)
{
    struct channel *c = ctx;
    if (!saved->slot) /* a word of a near rule alone is no hit */
        c->scanner->saved(c->scanner->saved_ctx, c, saved);
}

/* The cursor that reads the channel's text. */
static struct cursor *open_cursor(struct channel *c)
{
    struct scanner *s = c->scanner;
    struct cursor *cursor = cursor_new(s->set, s->direction);
    if (cursor && s->whole && s->saved && cursor_tell_saved(cursor, tell_saved, c) < 0) {
        cursor_free(cursor);
        return NULL;
    }
    return cursor;
}

static struct channel *channel_new(struct scanner *s, const struct text_item *item)
{
    struct channel *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->scanner = s;
    c->cursor = open_cursor(c);
    if (!c->cursor) {
        free(c);
        return NULL;
    }
    list_init(&c->link);
    /* In whole bodies the dialect gives the decoded arguments as items of their own. */
    if (item->field == FIELD_ARGUMENTS && !s->whole) {
        c->inner = inner_new(c);
        if (!c->inner) {
            cursor_free(c->cursor);
            free(c);
            return NULL;
        }
    }
    c->role = item->role;
    c->field = item->field;
    c->choice = item->choice;
    c->part = item->part;
    c->text.max = SIZE_MAX / 4; /* whole bodies have ceilings of their own, windows are trimmed */
    c->starts.max = c->told.max = SIZE_MAX / 4;
    c->cut = c->pending = c->sealed = UINT64_MAX;
    bool plain = item->field == FIELD_OTHER || item->field == FIELD_LOGPROBS;
    c->passed = plain ? UINT64_MAX : s->passed;
    c->wanted = plain ? UINT64_MAX : s->wanted;
    return c;
}

/* Continuous texts are few: choices × fields. */
static struct channel *find_channel(struct scanner *s, const struct text_item *item)
{
    list_for_each (e, &s->channels) {
        struct channel *c = list_entry(e, struct channel, link);
        if (c->field == item->field && c->choice == item->choice && c->part == item->part &&
            c->field != FIELD_OTHER)
            return c;
    }
    struct channel *c = channel_new(s, item);
    if (c)
        list_append(&s->channels, &c->link);
    return c;
}

static int tell(void *ctx, const struct hit *hit)
{
    struct channel *c = ctx;
    struct scanner *s = c->scanner;
    if (c == s->alone)
        s->alone_hit = true;
    int r = s->fn(s->ctx, c, hit);
    if (r != 0 && hit->start < c->cut)
        c->cut = hit->start;
    if (r == 0 && s->whole && c->told.len < TOLD_MAX * sizeof(*hit))
        r = buf_append(&c->told, span_from((const char *)hit, sizeof(*hit)));
    return r;
}

/*
 * After a decisive hit an overlapping match that began earlier and still grows must not leak
 * either, and after an error nothing that is unjudged: so the text ends where the hold stood. A
 * cursor that stopped in the middle is not asked again, its further hits would be those of another
 * text.
 */
static int conclude(struct channel *c, int r)
{
    uint64_t clear = r ? cursor_clear(c->cursor) : UINT64_MAX;
    if (clear < c->cut)
        c->cut = clear;
    c->stopped = r;
    return r;
}

/* A part of a whole body's channel that is decoded and read in other ways: see scan/derived.h. */
struct behind {
    struct channel *channel;
    uint64_t start; /* of the part */
    bool joined;    /* hits that lie within one item are told of that item */
};

static size_t start_count(const struct channel *c)
{
    return c->starts.len / sizeof(uint64_t);
}

static uint64_t start_at(const struct channel *c, size_t i)
{
    return ((const uint64_t *)(const void *)c->starts.data)[i];
}

/* Does the hit cross from one item into another? */
static bool is_crossing(const struct channel *c, const struct hit *hit)
{
    uint64_t start, end;
    channel_item(c, hit->start, &start, &end);
    return end < hit->end;
}

static bool is_told(const struct channel *c, const struct hit *hit)
{
    const struct hit *told = (const struct hit *)(const void *)c->told.data;
    for (size_t i = 0; i < c->told.len / sizeof(*told); i++)
        if (told[i].rule == hit->rule && told[i].start <= hit->start && told[i].end >= hit->end)
            return true;
    return false;
}

/* The hit in the channel; false when it is another item's to tell. */
static bool locate_behind(const struct behind *b, const struct hit *hit, struct hit *ret_there)
{
    struct hit there = *hit;
    there.start += b->start;
    there.end += b->start;
    if (b->joined && !is_crossing(b->channel, &there))
        return false;
    there.layers |= b->joined ? LAYER_JOIN : 0u;
    *ret_there = there;
    return true;
}

static int tell_behind(void *ctx, const struct hit *hit, const struct derived_part *part)
{
    struct behind *b = ctx;
    struct hit there;
    if (!locate_behind(b, hit, &there) || is_told(b->channel, &there))
        return 0;
    b->channel->derived = part;
    int r = tell(b->channel, &there);
    b->channel->derived = NULL;
    return r;
}

static void tell_behind_saved(void *ctx, const struct saved *saved, const struct derived_part *part)
{
    struct behind *b = ctx;
    struct saved there = *saved;
    if (!locate_behind(b, &saved->hit, &there.hit))
        return;
    there.from += b->start;
    there.to += b->start;
    b->channel->derived = part;
    tell_saved(b->channel, &there);
    b->channel->derived = NULL;
}

static int judge_behind(struct channel *c, uint64_t from, uint64_t to, bool joined)
{
    struct behind b = {.channel = c, .start = from, .joined = joined};
    struct derived_scan d = {
        .set = c->scanner->set,
        .direction = c->scanner->direction,
        .readings = !joined,
        /* Programs escape what they hand to tools and get from them. */
        .ordinary = c->role == ROLE_TOOL || c->field == FIELD_ARGUMENTS ? LAYER_ESCAPE : 0,
        .fn = tell_behind,
        .saved = c->scanner->saved ? tell_behind_saved : NULL,
        .ctx = &b};
    return derived_judge(&d, channel_text(c, from, to));
}

/* Where two items meet: what is encoded may be parted there. As much as a hit can reach. */
static int judge_joins(struct channel *c)
{
    struct span text = buf_span(&c->text);
    int r = 0;
    for (size_t i = 1; i < start_count(c) && r == 0;) {
        uint64_t at = start_at(c, i);
        size_t from = utf8_floor(text, at > DERIVE_CONTEXT ? (size_t)at - DERIVE_CONTEXT : 0), to;
        do {
            to = utf8_floor(text, (size_t)start_at(c, i) + DERIVE_CONTEXT);
            i++;
        } while (i < start_count(c) && start_at(c, i) < to + DERIVE_CONTEXT);
        r = judge_behind(c, from, to, true);
    }
    return r;
}

static int judge_derived(struct channel *c)
{
    int r = 0;
    for (size_t i = 0; i < start_count(c) && r == 0; i++) {
        uint64_t from = start_at(c, i);
        uint64_t to = i + 1 < start_count(c) ? start_at(c, i + 1) : c->fed;
        struct span text = channel_text(c, from, to);
        /* Arguments with escapes are followed by an item without them. */
        if (text.len && (c->field != FIELD_ARGUMENTS || !memchr(text.data, '\\', text.len)))
            r = judge_behind(c, from, to, false);
    }
    return r == 0 ? judge_joins(c) : r;
}

static int tell_inner(void *ctx, const struct hit *hit)
{
    struct inner *in = ctx;
    struct channel *c = in->channel;
    if (!in->escaped)
        return 0;
    /* Named by the raw text that it stands in. */
    struct hit outer = {.start = in->safe > c->base ? in->safe : c->base,
                        .end = c->fed,
                        .rule = hit->rule,
                        .layers = hit->layers | LAYER_ESCAPE};
    int r = c->scanner->fn(c->scanner->ctx, c, &outer);
    if (r != 0 && in->safe < c->cut)
        c->cut = in->safe;
    return r;
}

/* Reads what the piece says behind its escapes; `last`: no piece follows. */
static int feed_inner(struct inner *in, struct span piece, bool last)
{
    if (piece.len && memchr(piece.data, '\\', piece.len))
        in->escaped = true;
    buf_clear(&in->text);
    int r = json_unescape_feed(&in->unescape, piece, &in->text);
    if (r == 0 && last)
        r = json_unescape_finish(&in->unescape, &in->text);
    if (r == 0)
        r = cursor_feed(in->cursor, buf_span(&in->text), tell_inner, in);
    in->fed += in->text.len;
    if (r == 0 && last)
        r = cursor_finish(in->cursor, tell_inner, in);
    if (r == 0 && (last || (in->unescape.len == 0 && cursor_clear(in->cursor) == in->fed)))
        in->safe = in->channel->fed;
    return r;
}

static void trim(struct channel *c)
{
    uint64_t clear = channel_clear(c);
    if (c->wanted < clear)
        clear = c->wanted;
    bool plain = c->field == FIELD_OTHER || c->field == FIELD_LOGPROBS;
    uint64_t more = plain ? 0 : c->scanner->keep;
    uint64_t back = CHANNEL_CONTEXT + more;
    uint64_t keep = clear > back ? clear - back : 0;
    /* What is moved is as long as what is kept: seldom enough to cost a byte's copy a byte. */
    if (c->scanner->whole || c->pinned || keep < c->base + CHANNEL_SLACK + more)
        return;
    size_t drop = utf8_floor(buf_span(&c->text), (size_t)(keep - c->base));
    buf_consume(&c->text, drop);
    c->base += drop;
}

/* Parts of one message are read as one text, and what another speaker says as another. */
static enum cursor_joint joint(const struct channel *c, const struct text_item *item)
{
    return item->role != c->speaker ? JOINT_SPEAKER
           : item->turn != c->turn  ? JOINT_MESSAGE
                                    : JOINT_PART;
}

static int feed(struct channel *c, const struct text_item *item)
{
    if (!c->cursor)
        return item->text.len ? -EPROTO : 0;
    c->scanner->bytes += item->text.len;
    int r = buf_append(&c->text, item->text);
    if (r == 0 && c->scanner->whole)
        r = buf_append(&c->starts, span_from((const char *)&c->fed, sizeof(c->fed)));
    if (r < 0)
        return r;
    /* Records name the text up to the hit's end even when the feed stops in the middle. */
    c->fed += item->text.len;
    if (c->stopped)
        return c->stopped;
    if (item->join)
        r = cursor_join(c->cursor, joint(c, item), tell, c);
    c->speaker = item->role;
    c->turn = item->turn;
    if (r == 0)
        r = cursor_feed(c->cursor, item->text, tell, c);
    if (r == 0 && c->inner)
        r = feed_inner(c->inner, item->text, false);
    return conclude(c, r);
}

/* Of a joined path's hits only those that cross into the piece: its own ones are told alone. */
static int tell_crossing(void *ctx, const struct hit *hit)
{
    struct channel *c = ctx;
    return hit->start < c->piece_start ? tell(c, hit) : 0;
}

static int finish(struct channel *c)
{
    if (!c->cursor)
        return 0;
    if (!c->stopped) {
        int r = cursor_finish(c->cursor, c->path ? tell_crossing : tell, c);
        if (r == 0 && c->inner)
            r = feed_inner(c->inner, SPAN_NULL, true);
        if (r == 0 && c->scanner->whole)
            r = judge_derived(c);
        conclude(c, r);
    }
    cursor_free(c->cursor);
    c->cursor = NULL;
    return c->stopped;
}

/*
 * Strings of a stream that belong to no known text (a provider's own field, a tool's name) are
 * judged alone, and besides joined over the events: clients put their pieces together too. One
 * channel for each path; past the ceiling they are judged alone only. Joined they are read for
 * keywords only: the e-mail pattern would hold every event that bears a plain word until the
 * stream's end.
 */
static struct channel *find_path(struct scanner *s, const struct text_item *item)
{
    static const struct span choices = SPAN_LIT("choices["), top = SPAN_LIT(".top_logprobs[");
    if (s->whole || !span_starts(item->path, choices) ||
        span_find(item->path, top) < item->path.len)
        return NULL;
    uint32_t hash = 2166136261u; /* FNV-1a, 32 bits; a collision only joins two texts more */
    for (size_t i = 0; i < item->path.len; i++)
        hash = (hash ^ (unsigned char)item->path.data[i]) * 16777619u;
    size_t count = 0;
    list_for_each (e, &s->channels) {
        struct channel *c = list_entry(e, struct channel, link);
        if (!c->path)
            continue;
        if (c->part == hash && c->choice == item->choice)
            return c;
        if (++count == CHANNEL_PATHS_MAX)
            return NULL;
    }
    struct channel *c = channel_new(s, item);
    struct cursor *keywords = c ? cursor_new_keywords(s->set, s->direction) : NULL;
    if (!keywords) {
        channel_free(c);
        return NULL; /* alone, then: memory that is out will be noticed there */
    }
    cursor_free(c->cursor);
    c->cursor = keywords;
    c->part = hash;
    c->path = true;
    list_append(&s->channels, &c->link);
    return c;
}

static int tell_within(void *ctx, const struct hit *hit)
{
    struct channel *c = ctx;
    struct hit there = *hit;
    there.start += c->piece_start;
    there.end += c->piece_start;
    return tell(c, &there);
}

static int feed_path(struct scanner *s, struct channel *c, const struct text_item *item,
                     struct piece *ret_piece)
{
    *ret_piece = (struct piece){.channel = c, .start = c->fed, .end = c->fed};
    if (!c->cursor)
        return item->text.len ? (c->stopped ? c->stopped : -EPROTO) : 0;
    int r = c->stopped ? c->stopped : buf_append(&c->text, item->text);
    if (r != 0)
        return r;
    s->bytes += item->text.len;
    c->piece_start = c->fed;
    c->fed += item->text.len;
    ret_piece->end = c->fed;
    struct cursor *alone = cursor_new(s->set, s->direction);
    if (!alone)
        return -ENOMEM;
    r = cursor_feed(alone, item->text, tell_within, c);
    if (r == 0)
        r = cursor_finish(alone, tell_within, c);
    cursor_free(alone);
    int crossing = r == 0 ? cursor_feed(c->cursor, item->text, tell_crossing, c) : r;
    if (crossing != 0) {
        conclude(c, crossing);
        return crossing;
    }
    trim(c);
    return 0;
}

/* Unknown fields are judged in isolation, to their end. */
static int feed_alone(struct scanner *s, const struct text_item *item, struct piece *ret_piece)
{
    struct channel *c = s->alone;
    if (!c) {
        c = s->alone = channel_new(s, item);
        if (!c)
            return -ENOMEM;
    } else {
        buf_clear(&c->text);
        buf_clear(&c->starts);
        buf_clear(&c->told);
        c->fed = 0;
        c->cut = UINT64_MAX;
        c->stopped = 0;
        c->role = item->role;
        c->choice = item->choice;
        c->part = item->part;
        c->cursor = open_cursor(c);
        if (!c->cursor)
            return -ENOMEM;
    }
    s->alone_hit = false;
    struct text_item alone = *item;
    alone.join = false;
    int r = feed(c, &alone);
    if (r == 0)
        r = cursor_finish(c->cursor, tell, c);
    if (r == 0 && s->whole)
        r = judge_derived(c);
    conclude(c, r);
    /* The next item begins anew; a stream at rest keeps no cursor for it. */
    cursor_free(c->cursor);
    c->cursor = NULL;
    if (s->alone_hit) {
        list_append(&s->channels, &c->link);
        s->alone = NULL;
        ret_piece->channel = c;
        ret_piece->start = 0;
        ret_piece->end = c->fed;
    }
    return r;
}

int scanner_feed(struct scanner *s, const struct text_item *item, struct piece *ret_piece)
{
    ret_piece->channel = NULL;
    ret_piece->start = ret_piece->end = 0;
    if (item->field == FIELD_OTHER) {
        struct channel *path = find_path(s, item);
        return path ? feed_path(s, path, item, ret_piece) : feed_alone(s, item, ret_piece);
    }
    struct channel *c = find_channel(s, item);
    if (!c)
        return -ENOMEM;
    ret_piece->channel = c;
    ret_piece->start = c->fed;
    int r = feed(c, item);
    ret_piece->end = c->fed;
    if (r == 0)
        trim(c);
    return r;
}

int scanner_finish(struct scanner *s, int64_t choice)
{
    int result = 0;
    list_for_each (e, &s->channels) {
        struct channel *c = list_entry(e, struct channel, link);
        if (choice >= 0 && c->choice != choice)
            continue;
        int r = finish(c);
        if (r < 0)
            return r;
        if (r > 0)
            result = r; /* the others are finished all the same */
    }
    return result;
}

int scanner_judge(const struct matchset *set, enum direction direction, struct span text,
                  scanner_hit_fn fn, void *ctx)
{
    struct scanner *s = scanner_new(set, direction, true, fn, ctx);
    if (!s)
        return -ENOMEM;
    struct text_item item = {.text = text, .field = FIELD_CONTENT, .role = ROLE_USER};
    struct piece piece;
    int r = scanner_feed(s, &item, &piece);
    if (r == 0)
        r = scanner_finish(s, -1);
    scanner_free(s);
    return r;
}

uint64_t scanner_bytes(const struct scanner *s)
{
    return s->bytes;
}

struct channel *scanner_channels(const struct scanner *s)
{
    return list_empty(&s->channels) ? NULL : list_entry(s->channels.next, struct channel, link);
}

struct channel *channel_next(const struct channel *c)
{
    return c->link.next == &c->scanner->channels ? NULL
                                                 : list_entry(c->link.next, struct channel, link);
}

uint64_t channel_judged(const struct channel *c)
{
    uint64_t clear = c->cursor ? cursor_clear(c->cursor) : c->fed;
    if (c->inner && c->inner->safe < clear)
        clear = c->inner->safe;
    return c->cut < clear ? c->cut : clear;
}

uint64_t channel_clear(const struct channel *c)
{
    uint64_t clear = channel_judged(c);
    if (c->passed < clear)
        clear = c->passed;
    return c->pending < clear ? c->pending : clear;
}
