/* The form of accounts.json, and what an account is. */
#include "console/accounts.h"

#include "base/codec.h"
#include "base/utf8.h"
#include "crypto/secret.h"
#include "json/text.h"
#include "json/value.h"

#include <errno.h>

bool account_name_is_good(struct span name)
{
    bool dots = true;
    if (name.len == 0 || name.len > ACCOUNT_NAME_MAX)
        return false;
    for (size_t at = 0; at < name.len;) {
        uint32_t cp;
        int n = utf8_decode(span_slice(name, at, name.len), false, &cp);
        bool letter = (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z') ||
                      (cp >= 'A' && cp <= 'Z') || (cp >= 0x4E00 && cp <= 0x9FFF);
        if (n <= 0 || !(letter || cp == '.' || cp == '-' || cp == '_' || cp == '@'))
            return false;
        dots = dots && cp == '.';
        at += (size_t)n;
    }
    return !dots;
}

static bool contains_nocase(struct span text, struct span part)
{
    for (size_t i = 0; part.len && i + part.len <= text.len; i++)
        if (span_eq_nocase(span_slice(text, i, i + part.len), part))
            return true;
    return false;
}

const char *account_password_fault(struct span name, struct span password)
{
    if (password.len > PASSWORD_MAX)
        return "the password is longer than 1024 bytes";
    if (utf8_check(password) != password.len || memchr(password.data, '\0', password.len))
        return "the password is no text in UTF-8";
    if (utf8_count(password) < PASSWORD_MIN)
        return "the password has fewer than 10 characters";
    /* A short name occurs in good passwords by chance. */
    if (span_eq_nocase(name, password) || (name.len >= 4 && contains_nocase(password, name)))
        return "the password holds the account's name";
    size_t same = 1;
    while (same < password.len && password.data[same] == password.data[0])
        same++;
    return same == password.len ? "the password is one character, repeated" : NULL;
}

int account_end_sessions(struct account *a)
{
    return secret_random(&a->epoch, sizeof(a->epoch));
}

int account_set_password(struct account *a, struct span password)
{
    a->cost = SCRYPT_COST;
    int r = secret_random(a->salt, sizeof(a->salt));
    if (r == 0)
        r = scrypt_derive(password, span_from((const char *)a->salt, sizeof(a->salt)), &a->cost,
                          a->hash);
    return r < 0 ? r : account_end_sessions(a);
}

bool account_check_password(const struct account *a, struct span password)
{
    static const struct account nobody = {.cost = SCRYPT_COST};
    const struct account *who = a ? a : &nobody;
    unsigned char hash[SCRYPT_SIZE];
    if (password.len > PASSWORD_MAX)
        password.len = PASSWORD_MAX + 1; /* is nobody's */
    int r = scrypt_derive(password, span_from((const char *)who->salt, sizeof(who->salt)),
                          &who->cost, hash);
    bool same = r == 0 && secret_equal(span_from((const char *)hash, sizeof(hash)),
                                       span_from((const char *)who->hash, sizeof(who->hash)));
    secret_cleanse(hash, sizeof(hash));
    return same && a && password.len <= PASSWORD_MAX;
}

/* --- reading --- */

static bool get_bytes(const struct json_value *v, const char *name, unsigned char *ret, size_t size)
{
    struct span text;
    return value_get_string(value_get(v, span_str(name)), &text) && codec_unhex(text, ret, size);
}

static bool get_number(const struct json_value *v, const char *name, int64_t max,
                       uint64_t *ret_value)
{
    int64_t n;
    if (!value_get_integer(value_get(v, span_str(name)), &n) || n < 0 || n > max)
        return false;
    *ret_value = (uint64_t)n;
    return true;
}

static bool read_cost(const struct json_value *v, struct scrypt_cost *ret)
{
    uint64_t log_n, r, p;
    if (!get_number(v, "log_n", 32, &log_n) || !get_number(v, "r", 64, &r) ||
        !get_number(v, "p", 64, &p))
        return false;
    *ret = (struct scrypt_cost){(unsigned)log_n, (unsigned)r, (unsigned)p};
    return scrypt_cost_is_sound(ret);
}

static bool read_account(const struct json_value *v, struct account *a)
{
    struct span name, role;
    *a = (struct account){0};
    if (!value_get_string(value_get(v, SPAN_LIT("name")), &name) || !account_name_is_good(name) ||
        !value_get_string(value_get(v, SPAN_LIT("role")), &role) ||
        !value_get_boolean(value_get(v, SPAN_LIT("disabled")), &a->disabled))
        return false;
    memcpy(a->name, name.data, name.len);
    a->role = staff_from(role);
    a->has_totp = value_get(v, SPAN_LIT("totp")) != NULL;
    return a->role != STAFF_NONE &&
           get_bytes(v, "epoch", (unsigned char *)&a->epoch, sizeof(a->epoch)) &&
           get_number(v, "created_us", INT64_MAX, &a->created_us) &&
           get_number(v, "last_login_us", INT64_MAX, &a->last_login_us) && read_cost(v, &a->cost) &&
           get_bytes(v, "salt", a->salt, sizeof(a->salt)) &&
           get_bytes(v, "hash", a->hash, sizeof(a->hash)) &&
           (!a->has_totp || (get_bytes(v, "totp", a->totp, sizeof(a->totp)) &&
                             get_number(v, "totp_step", INT64_MAX, &a->totp_step)));
}

int accounts_parse(struct span text, struct buf *messages, struct account *ret, size_t *ret_count)
{
    struct json_value *root = value_parse(text, NULL);
    const struct json_value *list = value_get(root, SPAN_LIT("accounts"));
    int64_t version;
    size_t count = value_count(list);
    bool good = value_get_integer(value_get(root, SPAN_LIT("version")), &version) && version == 1 &&
                value_is_array(list) && count <= ACCOUNTS_MAX;
    if (!good)
        buf_printf(messages, "no file of accounts, or a damaged one");
    for (size_t i = 0; good && i < count; i++) {
        good = read_account(value_at(list, i), &ret[i]);
        for (size_t j = 0; good && j < i; j++)
            good = strcmp(ret[j].name, ret[i].name) != 0;
        if (!good)
            buf_printf(messages, "account %zu of the file is damaged, or there twice", i + 1);
    }
    value_free(root);
    *ret_count = good ? count : 0;
    return good ? 0 : -EBADMSG;
}

/* --- writing --- */

static void print_bytes(struct buf *out, const char *name, const void *bytes, size_t size)
{
    char hex[2 * 64 + 1];
    codec_hex(span_from(bytes, size), hex);
    buf_printf(out, ",\"%s\":\"%s\"", name, hex);
    secret_cleanse(hex, sizeof(hex));
}

int accounts_print(const struct account *list, size_t count, struct buf *out)
{
    buf_append(out, SPAN_LIT("{\"version\":1,\"accounts\":["));
    for (size_t i = 0; i < count; i++) {
        const struct account *a = &list[i];
        buf_printf(out, "%s\n{\"name\":\"%s\",\"role\":\"%.*s\",\"disabled\":%s", i ? "," : "",
                   a->name, SPAN_ARG(staff_name(a->role)), a->disabled ? "true" : "false");
        print_bytes(out, "epoch", &a->epoch, sizeof(a->epoch));
        buf_printf(out,
                   ",\"created_us\":%llu,\"last_login_us\":%llu,\"log_n\":%u,\"r\":%u,\"p\":%u",
                   (unsigned long long)a->created_us, (unsigned long long)a->last_login_us,
                   a->cost.log_n, a->cost.r, a->cost.p);
        print_bytes(out, "salt", a->salt, sizeof(a->salt));
        print_bytes(out, "hash", a->hash, sizeof(a->hash));
        if (a->has_totp) {
            print_bytes(out, "totp", a->totp, sizeof(a->totp));
            buf_printf(out, ",\"totp_step\":%llu", (unsigned long long)a->totp_step);
        }
        buf_append_char(out, '}');
    }
    /* Appends past the ceiling fail from some place on, and so does this one. */
    return buf_append(out, SPAN_LIT("\n]}\n"));
}
