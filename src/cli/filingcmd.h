/* The verbs of `juyong filing`, one file each. argv[0] is replaced for their messages. */
#pragma once

int filing_coverage(int argc, char **argv);
int filing_disclosure(int argc, char **argv);
