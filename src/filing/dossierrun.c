/* The evaluation of which a dossier speaks. */
#include "filing/dossierparts.h"

#include "evaluation/run.h"

#include <errno.h>

/* The newest that is complete; those that can't be read are passed over, with a message. */
static int find_newest(struct dossier *d)
{
    struct run_names names;
    int r = run_list(d->config->state_dir, &names);
    if (r < 0) {
        dossier_doubt(d, "evaluations", r);
        return r == -ENOMEM ? r : 0;
    }
    for (size_t i = 0; i < names.count && !d->run && r != -ENOMEM; i++) {
        r = run_open(d->config->state_dir, span_str(names.names[i]), false, &d->messages, &d->run);
        if (r < 0)
            d->run = NULL;
        else if (!run_is_complete(d->run)) {
            run_free(d->run);
            d->run = NULL;
        }
    }
    run_names_free(&names);
    return r == -ENOMEM ? r : 0;
}

int dossier_read_run(struct dossier *d)
{
    int r;
    if (d->o.run.len) {
        r = run_open(d->config->state_dir, d->o.run, false, &d->messages, &d->run);
        if (r == -ENOENT)
            buf_printf(&d->messages, "no such run: %.*s\n", SPAN_ARG(d->o.run));
        if (r < 0)
            d->run = NULL;
    } else {
        r = find_newest(d);
    }
    if (r < 0 || !d->run)
        return r;
    r = result_make(d->run, &d->result);
    if (r < 0) {
        run_free(d->run);
        d->run = NULL;
    }
    return r;
}

void dossier_free_run(struct dossier *d)
{
    if (!d->run)
        return;
    result_free(&d->result);
    run_free(d->run);
    d->run = NULL;
}
