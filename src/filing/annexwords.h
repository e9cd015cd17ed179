/*
 * What the running gateway's settings mean, in formal Chinese: the same words in every annex. Each
 * says its sentences with paper_say(), without a line end.
 */
#pragma once

#include "filing/dossier.h"
#include "paper/paper.h"

/* 24 小时, 15 分钟, 30 天. */
void words_duration(struct paper *p, uint64_t ms);
/* 2026-11-26 08:00 of China's clock. */
void words_time(struct paper *p, uint64_t us);
/* Which mode holds: enforced, or only observed. */
void words_mode(struct paper *p, const struct dossier *d);
/* What is done about whatever the rules find, and through how many disguises they look. */
void words_input(struct paper *p, const struct dossier *d);
void words_output(struct paper *p, const struct dossier *d);
void words_opinions(struct paper *p, const struct dossier *d);
/* Those that speak of that direction, or of either for DIRECTION_BOTH. */
void words_opinions_of(struct paper *p, const struct dossier *d, enum direction direction);
void words_refusal(struct paper *p, const struct dossier *d);
void words_strikes(struct paper *p, const struct dossier *d);
void words_label(struct paper *p, const struct dossier *d);
void words_retention(struct paper *p, const struct dossier *d);
void words_evidence(struct paper *p, const struct dossier *d); /* hashes, checkpoints, verify */
void words_privacy(struct paper *p, const struct dossier *d);
void words_complaints(struct paper *p, const struct dossier *d);
void words_reviews(struct paper *p, const struct dossier *d);
void words_library(struct paper *p, const struct dossier *d);
void words_banks(struct paper *p, const struct dossier *d);
void words_failure(struct paper *p, const struct dossier *d); /* fail closed */
void words_update(struct paper *p, const struct dossier *d);  /* models, versions, reports */
void words_accounts(struct paper *p, const struct dossier *d);

/* Does the policy mask personal data in answers, in questions? */
bool words_masks(const struct dossier *d, enum direction direction);
