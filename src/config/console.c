/* The keys about the console. */
#include "config/keys.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/day.h"
#include "config/value.h"
#include "crypto/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define AT(type, field) .offset = offsetof(type, field)
#define SECOND          1000ull
#define MINUTE          (60 * SECOND)
#define HOUR            (60 * MINUTE)
#define PEM_MAX         (256u << 10)
#define WARN_DAYS       14

static const char *const choices_metrics[] = {"open", "session", NULL};

/* A file as it is; it is looked at when its pair is there, see read_tls(). */
static void read_pem(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                     void *base)
{
    struct span name = reader_text(r, node);
    char path[PATH_MAX];
    if (!name.data)
        return;
    if (name.len == 0 || name.len >= sizeof(path)) {
        reader_error(r, node->at, "'%s' is not a file name", key->name);
        return;
    }
    memcpy(path, name.data, name.len);
    path[name.len] = '\0';
    cleanup(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        reader_error(r, node->at, "'%s' can't be read: %s", path, strerror(errno));
        return;
    }
    if (!S_ISREG(st.st_mode) || st.st_size > (off_t)PEM_MAX) {
        reader_error(r, node->at, "'%s' is not a regular file of at most 256 KiB", path);
        return;
    }
    if (key->offset == offsetof(struct config, console.key) && st.st_mode & S_IROTH)
        reader_warn(r, node->at, "'%s' can be read by everyone on this machine; chmod 600 it",
                    path);
    char *data = reader_alloc(r, PEM_MAX + 1, 1);
    ssize_t n = data ? read(fd, data, PEM_MAX) : 0;
    if (n < 0)
        reader_error(r, node->at, "'%s' can't be read: %s", path, strerror(errno));
    else if (data)
        *(struct span *)((char *)base + key->offset) = span_from(data, (size_t)n);
}

static void read_tls(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                     void *base)
{
    static const char *const faults[] = {
        [CERTIFICATE_UNREADABLE] = "'cert' holds no certificate in PEM",
        [CERTIFICATE_KEY] = "'key' holds no private key in PEM without a passphrase",
        [CERTIFICATE_MISMATCH] = "'key' is not the key of 'cert'"};
    const struct config_console *c = &((const struct config *)base)->console;
    int64_t expires, now = clock_wall_s();
    char day[DAY_TEXT_SIZE];
    if (!c->certificate.len || !c->key.len)
        return; /* told already */
    enum certificate_fault fault = certificate_check(c->certificate, c->key, &expires);
    if (fault) {
        reader_error(r, node->at, "%s", faults[fault]);
        return;
    }
    day_format(expires, day);
    if (expires <= now)
        reader_warn(r, node->at, "the console's certificate has expired: %s was its last day", day);
    else if (expires < now + WARN_DAYS * 86400)
        reader_warn(r, node->at, "the console's certificate expires: %s is its last day", day);
}

static void read_listen(struct reader *r, const struct schema_key *key,
                        const struct yaml_node *node, void *base)
{
    const struct config *c = base;
    if (!value_is_loopback(c->console.host) && c->console.certificate.len == 0)
        reader_error(r, node->at,
                     "without 'tls' the console must listen on a loopback address: passwords and "
                     "texts would cross the network in the open");
    if (c->console.port == c->listen_port && span_eq(c->console.host, c->listen_host))
        reader_error(r, node->at, "the console needs another address than 'listen'");
}

/* What a browser may write as Host: a name or a numeric address, and perhaps a port. */
static bool is_host(struct span text)
{
    static const char marks[] = ".-_:[]";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c && strchr(marks, c))))
            return false;
    }
    return text.len > 0 && text.len < 256;
}

static void check_hosts(struct reader *r, const struct schema_key *key,
                        const struct yaml_node *node, void *base)
{
    const struct config_console *c = &((const struct config *)base)->console;
    for (size_t i = 0; i < c->host_count; i++)
        if (!is_host(c->hosts[i]))
            reader_error(r, node->at, "'%.*s' is no host name such as console.example.com",
                         SPAN_ARG(c->hosts[i]));
}

static void read_fronts(struct reader *r, const struct schema_key *key,
                        const struct yaml_node *node, void *base)
{
    struct config_console *c = &((struct config *)base)->console;
    if (!read_networks(r, key, node, &c->fronts, &c->front_count))
        return;
    const struct network *network = c->fronts;
    for (const struct yaml_node *n = node->first; n; n = n->next, network++)
        if (network->bits == 0 || (network->bits == 96 && n->text.data && n->text.data[0] == '0'))
            reader_error(r, n->at, "anybody could then call himself anybody");
}

static void check_header(struct reader *r, const struct schema_key *key,
                         const struct yaml_node *node, void *base)
{
    struct span name = ((const struct config *)base)->console.user_header;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-')) {
            reader_error(r, node->at, "'%.*s' is no name of a header", SPAN_ARG(name));
            return;
        }
    }
}

static const struct schema_key keys_tls[] = {
    {"cert", SCHEMA_OTHER, NULL,
     "a file with the certificate and its chain, PEM; a reload reads it",
     AT(struct config, console.certificate), .read = read_pem, .form = "file name",
     .required = true},
    {"key", SCHEMA_OTHER, NULL, "a file with its private key, PEM without a passphrase",
     AT(struct config, console.key), .read = read_pem, .form = "file name", .required = true},
    {NULL},
};

static const struct schema_key keys_session[] = {
    {"idle", SCHEMA_DURATION, "30min", "a session that is not used ends",
     AT(struct config, console.idle_ms), .min = MINUTE, .max = 24 * HOUR},
    {"life", SCHEMA_DURATION, "12h", "any session ends", AT(struct config, console.life_ms),
     .min = MINUTE, .max = 168 * HOUR},
    {NULL},
};

static const struct schema_key keys_front[] = {
    {"from", SCHEMA_OTHER, NULL,
     "addresses or networks of the front; it must take that header away from what browsers send",
     AT(struct config, console.fronts), .read = read_fronts, .form = "list of CIDR",
     .required = true},
    {"user", SCHEMA_TEXT, "X-Forwarded-User", "the header with the account's name",
     AT(struct config, console.user_header), .min = 1, .max = 64, .read = check_header},
    {NULL},
};

/* `tls` stands before `listen`, which needs to know of it. */
const struct schema_key schema_console[] = {
    {"tls", SCHEMA_MAP, NULL, "HTTPS; without it 'listen' must be loopback", .keys = keys_tls,
     .read = read_tls},
    {"listen", SCHEMA_ADDRESS, NULL,
     "where review page, admin API and metrics are served; loopback unless with tls",
     AT(struct config, console.host), .offset2 = offsetof(struct config, console.port),
     .read = read_listen, .required = true, .restart = true},
    {"hosts", SCHEMA_TEXTS, NULL,
     "names by which browsers reach the console, with or without a port; any other is refused "
     "(421), "
     "so that no foreign site can pass for it. The listen address always is one",
     AT(struct config, console.hosts), .offset2 = offsetof(struct config, console.host_count),
     .read = check_hosts},
    {"behind_tls", SCHEMA_BOOL, "false",
     "a front on this machine speaks TLS with browsers and passes on to 'listen': cookies are then "
     "sent by browsers over TLS alone",
     AT(struct config, console.behind_tls)},
    {"metrics", SCHEMA_SWITCH, "open",
     "whether /metrics needs a session; /healthz and /readyz don't",
     AT(struct config, console.guarded_metrics), .choices = choices_metrics},
    {"session", SCHEMA_MAP, NULL, "how long one stays logged in", .keys = keys_session},
    {"trusted_header", SCHEMA_MAP, NULL,
     "a front that has logged people in names them in a header; their role is that of the account "
     "of that name",
     .keys = keys_front},
    {NULL},
};
