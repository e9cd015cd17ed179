/* The accounts of others, for administrators. */
#include "console/areas.h"
#include "console/guard.h"

#include "base/clock.h"
#include "crypto/secret.h"

#include <errno.h>
#include <stdlib.h>

static int get_accounts(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct account *list = calloc(ACCOUNTS_MAX, sizeof(*list));
    if (!list)
        return -ENOMEM;
    size_t count = accounts_list(api->guard->accounts, list);
    int r = buf_append_char(&a->body, '[');
    for (size_t i = 0; i < count; i++) {
        buf_append(&a->body, i ? SPAN_LIT(",{") : SPAN_LIT("{"));
        api_member(&a->body, "name", span_str(list[i].name));
        api_member(&a->body, "role", staff_name(list[i].role));
        r = buf_printf(
            &a->body, ",\"disabled\":%s,\"totp\":%s,\"created_us\":%llu,\"last_login_us\":%llu}",
            list[i].disabled ? "true" : "false", list[i].has_totp ? "true" : "false",
            (unsigned long long)list[i].created_us, (unsigned long long)list[i].last_login_us);
    }
    secret_cleanse(list, ACCOUNTS_MAX * sizeof(*list));
    free(list);
    return r < 0 ? r : buf_append_char(&a->body, ']');
}

/*
 * May he still? Somebody may have taken it from him while his call waited: two administrators who
 * remove each other at once would else leave none.
 */
static bool may_still(struct span who, const struct account *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq(span_str(list[i].name), who))
            return !list[i].disabled && staff_may(list[i].role) & MAY_ACCOUNTS;
    return false;
}

struct addition {
    struct span by;
    struct account new;
};

static int add(void *ctx, struct account *list, size_t *count)
{
    const struct addition *w = ctx;
    const struct account *new = &w->new;
    if (!may_still(w->by, list, *count))
        return -ESTALE;
    if (*count == ACCOUNTS_MAX)
        return -ENOSPC;
    for (size_t i = 0; i < *count; i++)
        if (strcmp(list[i].name, new->name) == 0)
            return -EEXIST;
    list[(*count)++] = *new;
    return 0;
}

/* "account":NAME and what is done to it, on record before it is done. */
static int record(const struct api *api, const struct api_request *q, struct span reason,
                  struct span name, struct span more)
{
    struct buf detail = BUF_INIT(1024);
    api_member(&detail, "account", name);
    if (more.len)
        buf_append_char(&detail, ',');
    int r = buf_append(&detail, more);
    if (r == 0)
        r = api_record(api, q, reason, buf_span(&detail));
    buf_deinit(&detail);
    return r;
}

static int refuse_late(struct api_answer *a)
{
    return api_error(a, 403, "wrong_role", "Your role does not allow this any more.");
}

static int post_accounts(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct addition w = {.by = q->user, .new.created_us = clock_wall_us()};
    struct span name, role, password;
    if (!api_body_text(q, "name", 0, 256, &name, a) || !api_body_text(q, "role", 0, 64, &role, a) ||
        !api_body_text(q, "password", 0, 1u << 16, &password, a))
        return 0;
    w.new.role = staff_from(role);
    if (!account_name_is_good(name))
        return api_error(a, 422, "bad_name",
                         "A name has 1 to 64 bytes of letters, digits, '.', '-', '_', '@' and "
                         "Chinese characters.");
    if (w.new.role == STAFF_NONE)
        return api_error(a, 422, "bad_role",
                         "The role is viewer, reviewer, publisher, administrator or inspector.");
    const char *fault = account_password_fault(name, password);
    if (fault)
        return api_error(a, 422, "bad_password", "%s", fault);
    struct account other;
    if (accounts_find(api->guard->accounts, name, &other))
        return api_error(a, 409, "exists", "There is an account of that name.");
    memcpy(w.new.name, name.data, name.len);
    struct buf more = BUF_INIT(128);
    api_member(&more, "to", staff_name(w.new.role));
    int r = record(api, q, SPAN_LIT("account_add"), name, buf_span(&more));
    buf_deinit(&more);
    if (r == 0)
        r = account_set_password(&w.new, password);
    if (r == 0)
        r = accounts_edit(api->guard->accounts, add, &w);
    secret_cleanse(&w, sizeof(w));
    if (r == -ESTALE)
        return refuse_late(a);
    if (r == -EEXIST)
        return api_error(a, 409, "exists", "There is an account of that name.");
    if (r == -ENOSPC)
        return api_error(a, 409, "full", "There are as many accounts as there can be.");
    return r < 0 ? r : buf_append(&a->body, SPAN_LIT("{}"));
}

struct change {
    struct span by;
    struct account new; /* name, and what is to be */
    bool role, disabled, password, totp, remove;
};

static int apply(void *ctx, struct account *list, size_t *count)
{
    const struct change *c = ctx;
    if (!may_still(c->by, list, *count))
        return -ESTALE;
    for (size_t i = 0; i < *count; i++) {
        struct account *a = &list[i];
        if (strcmp(a->name, c->new.name) != 0)
            continue;
        if (c->remove) {
            memmove(a, a + 1, (--*count - i) * sizeof(*a));
            return 0;
        }
        if (c->role)
            a->role = c->new.role;
        if (c->disabled)
            a->disabled = c->new.disabled;
        if (c->password) {
            a->cost = c->new.cost;
            memcpy(a->salt, c->new.salt, sizeof(a->salt));
            memcpy(a->hash, c->new.hash, sizeof(a->hash));
        }
        if (c->totp) {
            a->has_totp = false;
            memset(a->totp, 0, sizeof(a->totp));
        }
        return account_end_sessions(a);
    }
    return -ENOENT;
}

/* What the body asks for; false with the answer filled. */
static bool read_change(const struct api_request *q, struct change *c, struct span *ret_password,
                        struct api_answer *a)
{
    const struct json_value *v;
    struct span role;
    bool totp = true;
    if (!api_body_text(q, "role", 0, 64, &role, a) ||
        !api_body_text(q, "password", 0, 1u << 16, ret_password, a))
        return false;
    c->role = role.len > 0;
    c->password = ret_password->len > 0;
    c->new.role = staff_from(role);
    v = value_get(q->body, SPAN_LIT("disabled"));
    c->disabled = v != NULL;
    bool good = !v || value_get_boolean(v, &c->new.disabled);
    v = value_get(q->body, SPAN_LIT("remove"));
    good = good && (!v || value_get_boolean(v, &c->remove));
    v = value_get(q->body, SPAN_LIT("totp"));
    /* An administrator takes a lost device's factor away; the new one is its owner's to set up. */
    good = good && (!v || (value_get_boolean(v, &totp) && !totp));
    c->totp = v != NULL;
    if (good && (c->role || c->password || c->disabled || c->remove || c->totp) &&
        (!c->role || c->new.role != STAFF_NONE))
        return true;
    api_error(a, 400, "bad_parameter",
              "One of role, disabled (true or false), password, totp (false), remove (true)");
    return false;
}

static int record_change(const struct api *api, const struct api_request *q,
                         const struct account *old, const struct change *c)
{
    struct buf more = BUF_INIT(512);
    if (c->role) {
        api_member(&more, "from", staff_name(old->role));
        api_member(&more, "to", staff_name(c->new.role));
    }
    if (c->disabled)
        buf_printf(&more, "%s\"disabled\":%s", more.len ? "," : "",
                   c->new.disabled ? "true" : "false");
    if (c->password)
        buf_printf(&more, "%s\"password\":true", more.len ? "," : "");
    if (c->totp)
        buf_printf(&more, "%s\"totp\":false", more.len ? "," : "");
    int r = record(api, q, c->remove ? SPAN_LIT("account_remove") : SPAN_LIT("account_change"),
                   span_str(old->name), buf_span(&more));
    buf_deinit(&more);
    return r;
}

static int post_account(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct change c = {.by = q->user};
    struct account old;
    struct span name = q->parts[0], password;
    if (!accounts_find(api->guard->accounts, name, &old))
        return api_error(a, 404, "not_found", "There is no account of that name.");
    if (!read_change(q, &c, &password, a))
        return 0;
    /* So there is always one administrator left. */
    if (span_eq(name, q->user))
        return api_error(a, 409, "own_account",
                         "Nobody changes his own account so; another administrator does.");
    const char *fault = c.password ? account_password_fault(name, password) : NULL;
    if (fault)
        return api_error(a, 422, "bad_password", "%s", fault);
    memcpy(c.new.name, old.name, sizeof(c.new.name));
    int r = record_change(api, q, &old, &c);
    if (r == 0 && c.password)
        r = account_set_password(&c.new, password);
    if (r == 0)
        r = accounts_edit(api->guard->accounts, apply, &c);
    secret_cleanse(&c, sizeof(c));
    secret_cleanse(&old, sizeof(old));
    if (r == -ESTALE)
        return refuse_late(a);
    if (r == -ENOENT)
        return api_error(a, 404, "not_found", "There is no account of that name.");
    return r < 0 ? r : buf_append(&a->body, SPAN_LIT("{}"));
}

const struct api_route api_accounts_routes[] = {
    {"GET", "/api/accounts", MAY_ACCOUNTS, get_accounts},
    {"POST", "/api/accounts", MAY_ACCOUNTS, post_accounts},
    {"POST", "/api/accounts/{name}", MAY_ACCOUNTS, post_account},
    {NULL},
};
