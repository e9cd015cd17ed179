/* The commands of `juyong log` that decide or hand out: one function each. */
#pragma once

int log_review(int argc, char **argv);
int log_queue(int argc, char **argv);
int log_summary(int argc, char **argv);
int log_export(int argc, char **argv);
