/* `upstreams:`: addresses, keys, headers, and what two of them may not share. */
#include "config/keys.h"

#include "base/cleanup.h"
#include "config/value.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define KEY_FILE_MAX     4096
#define HEADERS_MAX      32
#define HEADER_VALUE_MAX 8192
#define MODELS_MAX       4096 /* over all upstreams */

static bool read_port(struct span text)
{
    unsigned long long port;
    return span_to_u64(text, &port) && port >= 1 && port <= 65535;
}

/* host, host:port or [v6]:port; *ret_host without brackets. */
static bool read_authority(struct span text, struct span *ret_host)
{
    if (text.len && text.data[0] == '[') {
        size_t end = span_find(text, SPAN_LIT("]"));
        unsigned char address[16];
        if (end == text.len)
            return false;
        struct span rest = span_slice(text, end + 1, text.len);
        *ret_host = span_slice(text, 1, end);
        return network_read_address(*ret_host, address) &&
               (rest.len == 0 || (rest.data[0] == ':' && read_port(span_slice(rest, 1, rest.len))));
    }
    size_t colon = span_find(text, SPAN_LIT(":"));
    *ret_host = span_slice(text, 0, colon);
    for (size_t i = 0; i < colon; i++) {
        char c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '-' || c == '_'))
            return false;
    }
    return colon > 0 && (colon == text.len || read_port(span_slice(text, colon + 1, text.len)));
}

/*
 * Why it is no base URL, or, with `whole`, no URL that may have a query; or NULL. *ret_url is
 * trimmed, *ret_clear says that it lacks TLS.
 */
static const char *check_url(struct span text, bool whole, struct span *ret_url, bool *ret_clear)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] <= 0x20 || (unsigned char)text.data[i] >= 0x7f ||
            text.data[i] == '\\')
            return "only ASCII without spaces";
    bool https = span_starts(text, SPAN_LIT("https://"));
    if (!https && !span_starts(text, SPAN_LIT("http://")))
        return "it begins with http:// or https://";
    size_t query = span_find(text, SPAN_LIT("?"));
    if ((query < text.len && !whole) || span_find(text, SPAN_LIT("#")) < text.len)
        return whole ? "no fragment" : "no query and no fragment";
    struct span rest = span_slice(text, https ? 8 : 7, query);
    size_t slash = span_find(rest, SPAN_LIT("/"));
    struct span authority = span_slice(rest, 0, slash), host;
    if (span_find(authority, SPAN_LIT("@")) < authority.len)
        return "no user and password; the provider's key belongs in api_key_file";
    if (!read_authority(authority, &host))
        return "its host or port is malformed";
    struct span path = span_slice(rest, slash, rest.len);
    if (span_find(path, SPAN_LIT("/.")) < path.len)
        return "no path segment begins with a dot";
    while (!whole && text.len && text.data[text.len - 1] == '/')
        text.len--;
    *ret_url = text;
    *ret_clear = !https && !value_is_loopback(host) && !span_eq(host, SPAN_LIT("localhost"));
    return NULL;
}

void read_base_url(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base)
{
    struct span text = reader_text(r, node), url;
    if (!text.data)
        return;
    bool clear;
    const char *why = check_url(text, false, &url, &clear);
    if (why) {
        reader_error(r, node->at, "'%s' is not usable: %s", key->name, why);
        return;
    }
    if (clear)
        reader_warn(r, node->at, "http:// sends keys and prompts over the network unencrypted");
    *(struct span *)((char *)base + key->offset) = reader_keep(r, url);
}

void read_api_key_file(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                       void *base)
{
    struct span name = reader_text(r, node);
    if (!name.data)
        return;
    char path[1024];
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
    if (!S_ISREG(st.st_mode)) {
        reader_error(r, node->at, "'%s' is not a regular file", path);
        return;
    }
    if (st.st_mode & S_IROTH)
        reader_warn(r, node->at, "'%s' can be read by everyone on this machine; chmod 600 it",
                    path);
    char data[KEY_FILE_MAX + 1];
    ssize_t n = read(fd, data, sizeof(data));
    if (n < 0) {
        reader_error(r, node->at, "'%s' can't be read: %s", path, strerror(errno));
        return;
    }
    struct span secret = span_trim(span_from(data, (size_t)n));
    bool good = n <= KEY_FILE_MAX && secret.len > 0;
    for (size_t i = 0; good && i < secret.len; i++)
        good = secret.data[i] > 0x20 && secret.data[i] < 0x7f;
    if (good)
        *(struct span *)((char *)base + key->offset) = reader_keep(r, secret);
    else
        reader_error(r, node->at, "'%s' must hold one line with the key and nothing else", path);
    explicit_bzero(data, sizeof(data));
}

void read_whole_url(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                    void *base)
{
    struct span text = reader_text(r, node), url;
    if (!text.data)
        return;
    bool clear;
    const char *why = check_url(text, true, &url, &clear);
    if (why) {
        reader_error(r, node->at, "'%s' is not usable: %s", key->name, why);
        return;
    }
    if (clear)
        reader_warn(r, node->at, "http:// sends what is told over the network unencrypted");
    *(struct span *)((char *)base + key->offset) = reader_keep(r, url);
}

void read_url_file(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base)
{
    struct span *field = (struct span *)((char *)base + key->offset), url;
    unsigned before = r->errors;
    bool clear;
    read_api_key_file(r, key, node, base);
    if (r->errors > before || field->len == 0)
        return;
    const char *why = check_url(*field, true, &url, &clear);
    if (why) {
        reader_error(r, node->at, "what '%s' holds is no usable URL: %s", key->name, why);
        return;
    }
    if (clear)
        reader_warn(r, node->at, "http:// sends what is told over the network unencrypted");
    *field = url; /* the front of what was kept */
}

/* RFC 9110, 5.6.2. */
static bool is_token(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return name.len > 0 && name.len <= 64;
}

/* Headers that the gateway sets itself or that belong to one connection (RFC 9110, 7.6.1). */
static const char *const reserved_headers[] = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "proxy-connection",
    "accept-encoding",
    "expect",
    "x-request-id",
};

static void check_header(struct reader *r, const struct yaml_node *node)
{
    if (!is_token(node->key)) {
        reader_error(r, node->key_at, "'%.*s' is not a header name", SPAN_ARG(node->key));
        return;
    }
    if (span_eq_nocase(node->key, SPAN_LIT("authorization"))) {
        reader_error(r, node->key_at, "the provider's key belongs in api_key_file");
        return;
    }
    for (size_t i = 0; i < sizeof(reserved_headers) / sizeof(*reserved_headers); i++) {
        if (span_eq_nocase(node->key, span_str(reserved_headers[i]))) {
            reader_error(r, node->key_at, "the header '%.*s' is the gateway's own",
                         SPAN_ARG(node->key));
            return;
        }
    }
}

void read_headers(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base)
{
    struct config_upstream *u = base;
    if (node->kind != YAML_MAP || node->count > HEADERS_MAX) {
        reader_error(r, node->at, "'headers' must be a map with at most %d names", HEADERS_MAX);
        return;
    }
    struct config_header *headers =
        node->count ? reader_alloc(r, node->count, sizeof(*headers)) : NULL;
    if (node->count && !headers)
        return;
    size_t i = 0;
    for (const struct yaml_node *n = node->first; n; n = n->next, i++) {
        check_header(r, n);
        struct span value = reader_text(r, n);
        if (value.len > HEADER_VALUE_MAX)
            reader_error(r, n->at, "longer than %d bytes", HEADER_VALUE_MAX);
        for (const struct yaml_node *m = node->first; m != n; m = m->next)
            if (span_eq_nocase(m->key, n->key))
                reader_error(r, n->key_at, "the header '%.*s' is there twice", SPAN_ARG(n->key));
        headers[i].name = reader_keep(r, n->key);
        headers[i].value = value.data ? reader_keep(r, value) : SPAN_LIT("");
    }
    u->headers = headers;
    u->header_count = node->count;
}

static void check_model(struct reader *r, const struct config_model *m,
                        const struct yaml_node *node)
{
    if (m->filing_number.len > 0 || m->id.len == 0)
        return;
    if (r->config->allow_unfiled)
        reader_warn(r, node->at, "the model '%.*s' has no filing number", SPAN_ARG(m->id));
    else
        reader_error(r, node->at,
                     "the model '%.*s' has no filing_number; calling an unfiled model needs "
                     "allow_unfiled: true",
                     SPAN_ARG(m->id));
}

void read_upstreams(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                    void *base)
{
    struct config *c = base;
    size_t models = 0;
    for (size_t i = 0; i < c->upstream_count; i++)
        models += c->upstreams[i].model_count;
    if (models > MODELS_MAX) {
        reader_error(r, node->at, "more than %d models", MODELS_MAX);
        return;
    }
    const struct yaml_node *n = node->first;
    for (size_t i = 0; i < c->upstream_count; i++, n = n->next) {
        struct config_upstream *u = &c->upstreams[i];
        for (size_t j = 0; j < i; j++)
            if (span_eq(c->upstreams[j].name, u->name))
                reader_error(r, yaml_get(n, SPAN_LIT("name"))->at,
                             "two upstreams have the name '%.*s'", SPAN_ARG(u->name));
        if (c->auth == AUTH_KEYS && u->api_key.len == 0)
            reader_error(r, n->at, "with auth: keys the upstream '%.*s' needs an api_key_file",
                         SPAN_ARG(u->name));
        if (c->auth == AUTH_PASSTHROUGH && u->api_key.len > 0)
            reader_warn(r, yaml_get(n, SPAN_LIT("api_key_file"))->at,
                        "not used with auth: passthrough");
        const struct yaml_node *m = yaml_get(n, SPAN_LIT("models"))->first;
        for (size_t j = 0; j < u->model_count; j++, m = m->next) {
            check_model(r, &u->models[j], m);
            if (config_find_model(c, u->models[j].id, NULL) != &u->models[j])
                reader_error(r, m->at, "the model '%.*s' is listed twice",
                             SPAN_ARG(u->models[j].id));
        }
    }
}
