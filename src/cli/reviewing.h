/* Reviewers' accounts as a running gateway has them: read anew when the file changes, and told. */
#pragma once

#include "access/reviewers.h"
#include "audit/audit.h"
#include "base/loop.h"

struct reviewing;

/* 0 or -errno, with a log line. Records what is in force. */
int reviewing_open(struct loop *l, struct audit *audit, struct span state_dir,
                   struct reviewing **ret_reviewing);
void reviewing_close(struct reviewing *r);
struct reviewers *reviewing_accounts(struct reviewing *r);
/* A line for what is weaker by them. */
int reviewing_weakenings(struct reviewing *r, bool served, struct buf *out);
