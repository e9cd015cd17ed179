/* The parts of a .docx that are the same in every one: their names in the archive and contents. */
#pragma once

struct paper_part {
    const char *name, *content;
};
/* Ends with a NULL name. The first must stand first in the archive. */
extern const struct paper_part paper_parts[];
