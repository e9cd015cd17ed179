/*
 * What the benchmarks of matching read: files of JSON lines, whole, and a seeded generator, so that
 * two runs make the same texts.
 */
#pragma once

#include "base/buf.h"
#include "json/value.h"

struct rows {
    struct json_value **list;
    size_t count, cap;
};

/* The whole file; -errno. */
int file_read(const char *path, struct buf *out);
/* Appends one value a line; a line that can't be read is told on stderr and left out. -errno. */
int rows_load(const char *path, struct rows *rows);
void rows_free(struct rows *rows);
/* The member as a text; empty when there is none. Lives as long as the rows. */
struct span row_text(const struct json_value *row, const char *key);
bool row_is(const struct json_value *row, const char *key, const char *value);

struct rng {
    uint64_t state;
};

/* splitmix64 (Steele, Lea and Flood 2014). */
static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static inline size_t rng_below(struct rng *r, size_t n)
{
    return (size_t)(rng_next(r) % n);
}

/* For what a benchmark can't go on without. */
void die(const char *what) __attribute__((noreturn));
void *must(void *p);
void put(struct buf *b, struct span s);
void put_point(struct buf *b, uint32_t cp);
