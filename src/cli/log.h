/* `juyong log`: reads, follows and verifies the decision log. */
#pragma once

/* argv[0] is "log". Exit codes: 0 ok, 1 bad input or a failed verification, 2 usage. */
int cli_log(int argc, char **argv);
