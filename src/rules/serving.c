#include "rules/serving.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "rules/vault.h"
#include "json/value.h"
#include "json/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

#define LOOK_MS 10

struct serving {
    struct vault *vault;
    int lock;
};

int serving_open(struct span state_dir, struct serving **ret_serving)
{
    struct buf messages = BUF_INIT(4096);
    struct serving *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->lock = -1;
    int r = vault_open(state_dir, &messages, &s->vault);
    if (r == 0) {
        s->lock = openat(vault_dir(s->vault), "serving.lock",
                         O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (s->lock < 0 || fcntl(s->lock, F_OFD_SETLK, &lock) < 0)
            r = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
    }
    buf_deinit(&messages);
    if (r < 0) {
        if (s->lock >= 0)
            close(s->lock);
        vault_close(s->vault);
        free(s);
        return r;
    }
    /* What the one before told is over. */
    unlinkat(vault_dir(s->vault), "serving", 0);
    *ret_serving = s;
    return 0;
}

void serving_close(struct serving *s)
{
    if (!s)
        return;
    unlinkat(vault_dir(s->vault), "serving", 0);
    close(s->lock);
    vault_close(s->vault);
    free(s);
}

int serving_tell(struct serving *s, const struct ruleset *set, struct span refused, struct span why)
{
    struct buf text = BUF_INIT(8192);
    int r = buf_printf(&text, "{\"pid\":%d,\"version\":\"%.*s\",\"sha256\":\"%.*s\"", (int)getpid(),
                       SPAN_ARG(ruleset_version(set)), SPAN_ARG(ruleset_digest(set)));
    if (r == 0 && refused.len) {
        r = buf_printf(&text, ",\"refused\":\"%.*s\",\"why\":\"", SPAN_ARG(refused));
        if (r == 0)
            r = json_escape(&text, span_slice(why, 0, why.len < 500 ? why.len : 500));
        if (r == 0)
            r = buf_append_char(&text, '"');
    }
    if (r == 0)
        r = buf_append(&text, SPAN_LIT("}\n"));
    if (r == 0)
        r = vault_replace(s->vault, "serving", buf_span(&text), false);
    buf_deinit(&text);
    return r;
}

static void copy_text(const struct json_value *v, const char *key, char *ret_text, size_t size)
{
    struct span text = SPAN_LIT("");
    value_get_string(value_get(v, span_str(key)), &text);
    snprintf(ret_text, size, "%.*s", SPAN_ARG(text));
}

static void read_state(const struct vault *s, struct serving_state *st)
{
    char text[8192];
    int64_t pid = 0;
    cleanup(cleanup_close) int fd = openat(vault_dir(s), "serving", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    struct json_value *v = n > 0 ? value_parse(span_from(text, (size_t)n), NULL) : NULL;
    if (!v)
        return;
    value_get_integer(value_get(v, SPAN_LIT("pid")), &pid);
    st->pid = (int)pid;
    copy_text(v, "version", st->version, sizeof(st->version));
    copy_text(v, "sha256", st->digest, sizeof(st->digest));
    copy_text(v, "refused", st->refused, sizeof(st->refused));
    copy_text(v, "why", st->why, sizeof(st->why));
    value_free(v);
}

void serving_look(struct span state_dir, struct serving_state *ret_state)
{
    struct buf messages = BUF_INIT(4096);
    struct vault *s = NULL;
    *ret_state = (struct serving_state){0};
    if (vault_open(state_dir, &messages, &s) == 0) {
        cleanup(cleanup_close) int fd = openat(vault_dir(s), "serving.lock", O_RDWR | O_CLOEXEC);
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        ret_state->running =
            fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
        if (ret_state->running)
            read_state(s, ret_state);
        vault_close(s);
    }
    buf_deinit(&messages);
}

bool serving_serves(const struct serving_state *st, struct span digest)
{
    /* The same content as a working copy has another name in the records. */
    return st->running && span_eq(span_str(st->digest), digest) &&
           span_starts(span_str(st->version), SPAN_LIT("v-"));
}

void serving_wait(struct span state_dir, struct span digest, unsigned wait_ms,
                  struct serving_state *ret_state)
{
    uint64_t end = clock_mono_ms() + wait_ms;
    struct timespec pause = {.tv_nsec = LOOK_MS * 1000000};
    for (;;) {
        serving_look(state_dir, ret_state);
        if (!ret_state->running || span_eq(span_str(ret_state->refused), digest) ||
            serving_serves(ret_state, digest) || clock_mono_ms() >= end)
            return;
        nanosleep(&pause, NULL);
    }
}

const char *serving_word(const struct serving_state *st, struct span digest)
{
    return !st->running                             ? "none"
           : serving_serves(st, digest)             ? "serves"
           : span_eq(span_str(st->refused), digest) ? "refused"
                                                    : "late";
}
