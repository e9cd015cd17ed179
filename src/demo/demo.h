/* `juyong demo`: a stand-in model server, for trying out and for tests. */
#pragma once

/* Runs the subcommand; argv[0] is its name. Returns the exit status. */
int cli_demo(int argc, char **argv);
