/* The parts of which a dossier is gathered, for the files that do it. */
#pragma once

#include "filing/dossier.h"

/* A line of d->messages: `what` could not be read, and why. */
void dossier_doubt(struct dossier *d, const char *what, int error);

/* Each 0 or -ENOMEM; what can't be read stays unknown. */
int dossier_read_traffic(struct dossier *d);
void dossier_read_log(struct dossier *d);
int dossier_read_people(struct dossier *d);
/* The run that was asked for: also -ENOENT and -EINVAL. */
int dossier_read_run(struct dossier *d);
void dossier_free_run(struct dossier *d);
