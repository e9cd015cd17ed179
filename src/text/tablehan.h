/* Own tables of Han forms for the table generator: pairs of two characters, parted by spaces. */
#pragma once

extern const char han_variants[];
extern const char han_martian[];
extern const char han_radicals[];
