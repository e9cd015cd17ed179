#include "filing/dossier.h"

#include "base/clock.h"
#include "base/codec.h"
#include "base/file.h"
#include "crypto/sha256.h"
#include "filing/dossierparts.h"
#include "question/bankdate.h"
#include "rules/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINES_MAX  (1u << 20)
#define CONFIG_MAX (8u << 20) /* bytes of its file */

void dossier_doubt(struct dossier *d, const char *what, int error)
{
    buf_printf(&d->messages, "%s: unknown: %s\n", what,
               error == -ENOENT      ? "there is none"
               : error == -ECANCELED ? "not to its end in the time given"
                                     : strerror(-error));
}

/* --- the configuration --- */

static bool is_asked_for(const struct config_app *app, struct span id)
{
    if (app->model_count == 0)
        return true;
    for (size_t i = 0; i < app->model_count; i++)
        if (span_eq(app->models[i], id))
            return true;
    return false;
}

static int read_models(struct dossier *d)
{
    size_t all = 0;
    for (size_t i = 0; i < d->config->upstream_count; i++)
        all += d->config->upstreams[i].model_count;
    d->models = calloc(all + 1, sizeof(*d->models));
    if (!d->models)
        return -ENOMEM;
    for (size_t i = 0; i < d->config->upstream_count; i++) {
        const struct config_upstream *u = &d->config->upstreams[i];
        for (size_t j = 0; j < u->model_count; j++)
            if (is_asked_for(d->app, u->models[j].id))
                d->models[d->model_count++] = (struct dossier_model){u, &u->models[j]};
    }
    return 0;
}

/* Names the configuration as it stands in its file. */
static void read_digest(struct dossier *d)
{
    struct buf text = BUF_INIT(CONFIG_MAX);
    unsigned char hash[SHA256_SIZE];
    char path[PATH_MAX], hex[2 * SHA256_SIZE + 1];
    int n = snprintf(path, sizeof(path), "%.*s", SPAN_ARG(d->config->file));
    int fd = n < (int)sizeof(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    int r = fd < 0 ? -errno : file_read(fd, 0, &text);
    if (fd >= 0)
        close(fd);
    if (r == 0)
        r = sha256_once(buf_span(&text), hash);
    if (r == 0) {
        codec_hex(span_from((const char *)hash, sizeof(hash)), hex);
        snprintf(d->config_digest, sizeof(d->config_digest), "%.12s", hex);
    } else {
        dossier_doubt(d, "the configuration's file", r);
    }
    buf_deinit(&text);
}

static void read_weak(struct dossier *d)
{
    config_weakenings(d->config, &d->weak);
    library_weakening(d->rules, d->app, d->o.now, &d->weak);
    policy_weakenings(d->config, d->rules, &d->weak);
}

/* --- libraries --- */

static void read_since(struct dossier *d)
{
    struct vault *vault = NULL;
    struct journal j;
    int r = vault_open(d->config->state_dir, &d->messages, &vault);
    if (r == 0)
        r = journal_open(vault_dir(vault), vault_path(vault), false, &d->messages, &j);
    if (r == 0) {
        const struct journal_entry *e = journal_in_force(&j, ruleset_digest(d->rules));
        d->library_since = e ? e->time_us / 1000000 : 0;
        journal_close(&j);
    }
    vault_close(vault);
}

static int read_library(struct dossier *d)
{
    int r = library_read(d->rules, d->app, d->o.now, &d->library);
    if (r < 0)
        return r;
    read_since(d);
    r = filed_read(d->config->state_dir, &d->library, d->app, d->o.now, &d->messages, &d->filed);
    d->filed_known = r == 0;
    return r == -ENOMEM ? r : 0;
}

static int read_bank(struct dossier *d)
{
    int r = bank_read(d->config->rules_dir, d->rules, &d->messages, &d->bank);
    if (r < 0) {
        d->bank = NULL;
        dossier_doubt(d, "the question banks", r);
        return r == -ENOMEM ? r : 0;
    }
    d->bank_since = bankdate_read(d->config->state_dir, d->config->rules_dir, d->bank, d->o.now);
    return bank_count_all(d->bank, d->rules, &d->banks);
}

static void read_reviewers(struct dossier *d)
{
    struct reviewers *accounts = NULL;
    int r = reviewers_open(d->config->state_dir, &d->messages, &accounts);
    if (r < 0) {
        dossier_doubt(d, "reviewers' accounts", r);
        return;
    }
    reviewers_summary(accounts, d->o.now, &d->reviewers);
    d->reviewers_known = true;
    reviewers_close(accounts);
}

int dossier_read(const struct dossier_options *o, struct dossier *ret_dossier)
{
    struct dossier *d = ret_dossier;
    *d = (struct dossier){
        .o = *o,
        .config = o->config,
        .rules = o->rules,
        .app = o->app,
        .policy = &o->app->policy,
        .weak = BUF_INIT(LINES_MAX),
        .messages = BUF_INIT(LINES_MAX),
    };
    int r = read_models(d);
    if (r == 0)
        r = read_library(d);
    if (r == 0)
        r = read_bank(d);
    if (r == 0)
        r = dossier_read_run(d);
    if (r == 0)
        r = dossier_read_traffic(d);
    if (r < 0)
        return r;
    dossier_read_log(d);
    r = dossier_read_people(d);
    if (r < 0)
        return r;
    read_reviewers(d);
    read_weak(d);
    read_digest(d);
    return 0;
}

void dossier_free(struct dossier *d)
{
    dossier_free_run(d);
    if (d->filed_known)
        filed_free(&d->filed);
    bank_counts_free(&d->banks);
    bank_free(d->bank);
    library_free(&d->library);
    free(d->traffic.risks);
    free(d->models);
    buf_deinit(&d->weak);
    buf_deinit(&d->messages);
}

const char *dossier_day(int64_t unix_seconds, char ret_text[DOSSIER_DAY_SIZE])
{
    char text[CLOCK_TEXT_SIZE];
    if (unix_seconds <= 0)
        return "待补充";
    clock_format((uint64_t)(unix_seconds + 8 * 3600) * 1000000, text);
    snprintf(ret_text, DOSSIER_DAY_SIZE, "%.10s", text);
    return ret_text;
}

struct span dossier_model_name(const struct config_model *m)
{
    return m->display_name.len ? m->display_name : m->id;
}
