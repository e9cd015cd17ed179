#include "cli/person.h"

#include "access/access.h"
#include "cli/setup.h"

#include <errno.h>

static bool hash_id(const struct config *c, struct span id, char ret_hex[65])
{
    struct buf messages = BUF_INIT(1u << 20);
    struct access *access = NULL;
    ret_hex[0] = '\0';
    if (access_load(c, &messages, &access) == 0)
        access_hash_end_user(access, NULL, id, ret_hex);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    access_unref(access);
    return ret_hex[0] != '\0';
}

static void complain(const char *program, const struct person_search *s,
                     const struct person_found *f, int r)
{
    if (r == -ENOENT)
        fprintf(stderr,
                "%s: nobody known has the id '%.*s', nor a hash that begins so; with --id it is "
                "taken for an id\n",
                program, SPAN_ARG(s->id));
    else if (r == -EEXIST)
        fprintf(stderr, "%s: '%.*s' may be more than one; give the whole hash, or --id:\n", program,
                SPAN_ARG(s->id));
    else if (r == -EINVAL)
        fprintf(stderr, "%s: the end user's id can't be hashed\n", program);
    else
        fprintf(stderr, "%s: who '%.*s' is can't be looked up: %s\n", program, SPAN_ARG(s->id),
                strerror(-r));
    for (size_t i = 0; r == -EEXIST && i < f->count; i++)
        fprintf(stderr, "  %s\n", f->begin[i]);
    if (r == -EEXIST && f->id_known)
        fprintf(stderr, "  %.*s (of that id)\n", SPAN_ARG(s->hash));
}

bool person_ask(const char *program, const struct config *c, struct span log_dir, struct span id,
                unsigned flags, char ret_hex[65])
{
    char hash[65];
    struct person_search s = {.id = id, .log_dir = log_dir, .flags = flags};
    struct person_found found;
    /* A whole hash takes neither key nor table. */
    int r = person_find(&s, &found);
    if (r == -EINVAL && hash_id(c, id, hash)) {
        s.hash = span_str(hash);
        r = strikes_open(c->state_dir, c->strikes.users, true, &s.strikes);
        if (r == 0 || r == -ENOENT)
            r = person_find(&s, &found);
        strikes_close(s.strikes);
    }
    if (r < 0)
        complain(program, &s, &found, r);
    else
        memcpy(ret_hex, found.hash, sizeof(found.hash));
    return r == 0;
}
