/* Keys that stand in files of their own: of evaluations, of the log, of this installation. */
#include "filing/packparts.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "crypto/secret.h"
#include "filing/packevidence.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_MIN 8
#define SECRET_MAX 65536

/* One that can't be read, or isn't there, is none that could leave. */
static int add_file(struct pack *p, const char *path)
{
    struct buf text = BUF_INIT(SECRET_MAX);
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int r = fd < 0 ? -ENOENT : file_read(fd, 0, &text);
    if (r == 0 && span_trim(buf_span(&text)).len >= SECRET_MIN) {
        struct buf *more = reallocarray(p->secrets, p->secret_count + 1, sizeof(*more));
        if (more) {
            p->secrets = more;
            p->secrets[p->secret_count++] = text;
            return 0;
        }
        r = -ENOMEM;
    }
    if (text.len)
        secret_cleanse(text.data, text.len);
    buf_deinit(&text);
    return r == -ENOMEM ? r : 0;
}

static int add_named(struct pack *p, struct span file)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%.*s", SPAN_ARG(file));
    return n <= 0 || n >= (int)sizeof(path) ? 0 : add_file(p, path);
}

/* Every *.key of a folder. */
static int add_folder(struct pack *p, struct span dir, const char *below)
{
    char path[PATH_MAX];
    int r = 0, n = snprintf(path, sizeof(path), "%.*s%s", SPAN_ARG(dir), below);
    DIR *d = n > 0 && n < (int)sizeof(path) ? opendir(path) : NULL;
    if (!d)
        return 0;
    for (struct dirent *e; r == 0 && (e = readdir(d));) {
        size_t len = strlen(e->d_name);
        if (len < 5 || strcmp(e->d_name + len - 4, ".key") != 0)
            continue;
        int m = snprintf(path + n, sizeof(path) - (size_t)n, "/%s", e->d_name);
        if (m > 0 && m < (int)sizeof(path) - n)
            r = add_file(p, path);
        path[n] = '\0';
    }
    closedir(d);
    return r;
}

int secrets_read(struct pack *p)
{
    const struct config *c = p->o.dossier->config;
    int r = add_named(p, c->evaluation.key_file);
    if (r == 0)
        r = add_named(p, c->evaluation.gateway_key_file);
    if (r == 0)
        r = add_folder(p, c->state_dir, "");
    if (r == 0)
        r = add_folder(p, c->state_dir, "/filing");
    if (r == 0)
        r = add_folder(p, c->state_dir, "/keys");
    return r < 0 ? r : add_folder(p, c->audit.dir, "/keys");
}

void secrets_forget(struct pack *p)
{
    for (size_t i = 0; i < p->secret_count; i++) {
        secret_cleanse(p->secrets[i].data, p->secrets[i].len);
        buf_deinit(&p->secrets[i]);
    }
    free(p->secrets);
}

bool secrets_are_in(const struct pack *p, struct span text)
{
    if (evidence_has_secret(p->o.dossier->config, text))
        return true;
    for (size_t i = 0; i < p->secret_count && text.len; i++) {
        struct span secret = span_trim(buf_span(&p->secrets[i]));
        if (memmem(text.data, text.len, secret.data, secret.len))
            return true;
    }
    return false;
}
