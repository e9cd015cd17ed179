/*
 * What a pack shows besides papers: who changed the rules when, what the log counted, complaints
 * and incidents with their times, the configuration as it counts. Personal data stays out: neither
 * who complained nor what he wrote leaves by this way. Each appends; 0, or a negative error.
 */
#pragma once

#include "filing/dossier.h"

/* The journal of rule versions as CSV for Excel; with nothing published only its header. */
int evidence_versions(const struct dossier *d, struct buf *out);
/* The dossier's figures about the log, reviews and people as one JSON object. */
int evidence_figures(const struct dossier *d, struct buf *out);
/* CSV; without a casebook only the header. */
int evidence_complaints(const struct dossier *d, struct buf *out);
int evidence_incidents(const struct dossier *d, struct buf *out);
/*
 * packconfig.c: the configuration as one JSON object, by a list of what may be told: no key, no
 * token, no address that is a password, no header.
 */
int evidence_configuration(const struct config *c, struct buf *out);
/* packconfig.c: does the text hold one of the configuration's own secrets? O(secrets * text). */
bool evidence_has_secret(const struct config *c, struct span text);
/* packconfig.c: or what has the form of an app's key, or is a private key? */
bool evidence_looks_secret(struct span text);
