/*
 * Build-time generator of the folding table (text/fold.h), the only user of ICU. Writes one C file
 * to the path given as argument. Runs on the build machine.
 *
 * For each code point it decides a class and a folded form:
 *   - NFKC case folding (Unicode, chapter 3.13), then NFKD without combining marks, so that
 *     canonically equivalent spellings fold alike; Hangul syllables stay composed
 *   - Han characters: ICU's Traditional-Simplified transliterator, one character at a time, so that
 *     nothing depends on context, and own tables of its gaps (text/tablehan.c)
 *   - digits of every script and style become ASCII digits
 *   - Latin letters drawn differently (small capitals, enclosed or turned letters,
 *     strokes and hooks) by their names
 *   - letters of scripts that borrow Latin shapes (Unicode TR39's skeleton) become that Latin
 *     letter. A letter's two cases always fold alike, or genuine Cyrillic and Greek words would
 *     depend on case; the lower case decides.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

#include "terms/terms.h"
#include "text/fold.h"
#include "text/tablehan.h"

#define FORM_MAX 32 /* longest folded form while it is worked on; U+FDFA has 18 */

struct form {
    UChar32 cps[FORM_MAX];
    int len;
};

static const UNormalizer2 *nfkc, *nfkc_cf, *nfkd, *nfc;
static UTransliterator *simplify;
static USpoofChecker *spoof;
static UChar32 simplified[0x110000];

static void must(UErrorCode err, const char *what)
{
    if (U_FAILURE(err)) {
        fprintf(stderr, "tablegen: %s: %s\n", what, u_errorName(err));
        exit(1);
    }
}

static void fatal(const char *what, UChar32 cp)
{
    fprintf(stderr, "tablegen: U+%04X: %s\n", (unsigned)cp, what);
    exit(1);
}

static void form_push(struct form *f, UChar32 cp)
{
    if (f->len == FORM_MAX)
        fatal("folded form too long", cp);
    f->cps[f->len++] = cp;
}

static bool form_eq(const struct form *a, const struct form *b)
{
    return a->len == b->len && memcmp(a->cps, b->cps, sizeof(*a->cps) * (size_t)a->len) == 0;
}

static struct form form_of(UChar32 cp)
{
    return (struct form){.cps = {cp}, .len = 1};
}

static int form_units(const struct form *f, UChar units[2 * FORM_MAX])
{
    int n = 0;
    for (int i = 0; i < f->len; i++)
        U16_APPEND_UNSAFE(units, n, f->cps[i]);
    return n;
}

static struct form form_read(const UChar *units, int n)
{
    struct form f = {.len = 0};
    for (int i = 0; i < n;) {
        UChar32 cp;
        U16_NEXT(units, i, n, cp);
        form_push(&f, cp);
    }
    return f;
}

static struct form form_normalise(const struct form *f, const UNormalizer2 *how)
{
    UErrorCode err = U_ZERO_ERROR;
    UChar from[2 * FORM_MAX], to[4 * FORM_MAX];
    int n = form_units(f, from);
    int m = unorm2_normalize(how, from, n, to, 4 * FORM_MAX, &err);
    must(err, "normalise");
    return form_read(to, m);
}

static bool is_surrogate(UChar32 cp)
{
    return cp >= 0xD800 && cp <= 0xDFFF;
}

static bool is_mark(UChar32 cp)
{
    return U_GET_GC_MASK(cp) & (U_GC_MN_MASK | U_GC_ME_MASK);
}

static bool is_ignorable(UChar32 cp)
{
    return u_hasBinaryProperty(cp, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

static bool is_dash(UChar32 cp)
{
    return (U_GET_GC_MASK(cp) & U_GC_PD_MASK) || cp == 0x2212;
}

static UScriptCode script_of(UChar32 cp)
{
    UErrorCode err = U_ZERO_ERROR;
    UScriptCode s = uscript_getScript(cp, &err);
    must(err, "script");
    return s;
}

/* The class by what the character itself is, before any folding. */
static enum fold_class class_of(UChar32 cp)
{
    uint32_t gc = U_GET_GC_MASK(cp);
    if (is_surrogate(cp))
        return FOLD_SEPARATOR;
    if (is_ignorable(cp) || (cp & 0xFFFE) == 0xFFFE || (cp >= 0xFDD0 && cp <= 0xFDEF))
        return FOLD_INVISIBLE;
    if (gc & U_GC_CC_MASK)
        return u_isUWhiteSpace(cp) ? FOLD_BLANK : FOLD_INVISIBLE;
    if (gc & U_GC_CF_MASK)
        return u_hasBinaryProperty(cp, UCHAR_PREPENDED_CONCATENATION_MARK) ? FOLD_SEPARATOR
                                                                           : FOLD_INVISIBLE;
    if ((gc & U_GC_Z_MASK) || cp == 0x2800)
        return FOLD_BLANK;
    if (is_mark(cp))
        return FOLD_MARK;
    if (script_of(cp) == USCRIPT_HAN)
        return FOLD_HAN;
    /* Modifier letters such as U+02BC stand for punctuation far more often than for letters. */
    if (cp >= 0x2B0 && cp <= 0x2FF)
        return FOLD_SEPARATOR;
    if (gc & (U_GC_L_MASK | U_GC_N_MASK | U_GC_MC_MASK))
        return FOLD_WORD;
    return FOLD_SEPARATOR;
}

/* The Latin letter that the character's name says it is a drawing of, or 0. */
static UChar32 latin_by_name(UChar32 cp)
{
    static const char *const prefixes[] = {
        "LATIN LETTER SMALL CAPITAL ",
        "NEGATIVE CIRCLED LATIN CAPITAL LETTER ",
        "NEGATIVE SQUARED LATIN CAPITAL LETTER ",
        "LATIN SMALL LETTER SCRIPT ",
        "LATIN SMALL LETTER DOTLESS ",
        "LATIN SMALL LETTER TURNED ",
    };
    UErrorCode err = U_ZERO_ERROR;
    char name[128];
    u_charName(cp, U_UNICODE_CHAR_NAME, name, sizeof(name), &err);
    if (U_FAILURE(err))
        return 0;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
        size_t n = strlen(prefixes[i]);
        if (strncmp(name, prefixes[i], n) == 0 && name[n] >= 'A' && name[n] <= 'Z' && !name[n + 1])
            return name[n] - 'A' + 'a';
    }
    return cp == 0x212E ? 'e' : 0; /* the estimated sign is drawn as one, and has no other name */
}

/* The letter below the stroke, hook or tail that the name tells of, or 0. */
static UChar32 latin_marked(UChar32 cp)
{
    static const char prefix[] = "LATIN SMALL LETTER ";
    size_t n = sizeof(prefix) - 1;
    UErrorCode err = U_ZERO_ERROR;
    char name[128];
    u_charName(cp, U_UNICODE_CHAR_NAME, name, sizeof(name), &err);
    bool marked = U_SUCCESS(err) && strncmp(name, prefix, n) == 0 && name[n] >= 'A' &&
                  name[n] <= 'Z' && strncmp(name + n + 1, " WITH ", 6) == 0;
    return marked ? name[n] - 'A' + 'a' : 0;
}

/* The ASCII letter that TR39 says it looks like, lower case, or 0. */
static UChar32 skeleton_letter(UChar32 cp, bool *ret_marked)
{
    UErrorCode err = U_ZERO_ERROR;
    struct form one = form_of(cp);
    UChar from[2 * FORM_MAX], to[4 * FORM_MAX];
    int n = form_units(&one, from);
    int m = uspoof_getSkeleton(spoof, 0, from, n, to, 4 * FORM_MAX, &err);
    must(err, "skeleton");
    struct form f = form_read(to, m);
    UChar32 letter = 0;
    int letters = 0;
    for (int i = 0; i < f.len; i++) {
        if (is_mark(f.cps[i]))
            continue;
        letter = f.cps[i];
        letters++;
    }
    *ret_marked = f.len > letters;
    bool ascii = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
    return letters == 1 && ascii ? letter | 0x20 : 0;
}

static bool borrows_latin_shapes(UScriptCode s)
{
    return s == USCRIPT_CYRILLIC || s == USCRIPT_GREEK || s == USCRIPT_COPTIC ||
           s == USCRIPT_ARMENIAN || s == USCRIPT_CHEROKEE || s == USCRIPT_LISU;
}

/* What one character of a normalised form becomes; adds the layers that this means. */
static UChar32 fold_char(UChar32 cp, uint32_t *layers)
{
    if (cp < 0x80)
        return cp;
    if (simplified[cp] != cp) {
        *layers |= LAYER_TRADITIONAL;
        return simplified[cp];
    }
    if (u_charType(cp) == U_DECIMAL_DIGIT_NUMBER) {
        *layers |= LAYER_WIDTH;
        return '0' + u_charDigitValue(cp);
    }
    UChar32 latin = latin_by_name(cp);
    if (latin) {
        *layers |= LAYER_WIDTH;
        return latin;
    }
    if (!u_isalpha(cp))
        return cp;
    UScriptCode script = script_of(cp);
    bool marked;
    if (script == USCRIPT_LATIN) {
        UChar32 letter = latin_marked(cp);
        if (letter) {
            *layers |= LAYER_MARK;
            return letter;
        }
        letter = skeleton_letter(cp, &marked);
        if (letter)
            *layers |= marked ? LAYER_MARK : LAYER_WIDTH;
        return letter ? letter : cp;
    }
    if (!borrows_latin_shapes(script))
        return cp;
    UChar32 lower = u_foldCase(u_tolower(u_foldCase(cp, U_FOLD_CASE_DEFAULT)), U_FOLD_CASE_DEFAULT);
    UChar32 letter = skeleton_letter(u_tolower(lower), &marked);
    if (!letter)
        letter = skeleton_letter(u_toupper(lower), &marked);
    if (letter)
        *layers |= LAYER_LOOKALIKE;
    return letter ? letter : cp;
}

/* Dingbat, enclosed and Suzhou numbers without a compatibility decomposition, such as U+2776. */
static int enclosed_number(UChar32 cp)
{
    bool block = (cp >= 0x2460 && cp <= 0x24FF) || (cp >= 0x2776 && cp <= 0x2793) ||
                 (cp >= 0x1F100 && cp <= 0x1F10C) || (cp >= 0x3021 && cp <= 0x3029) ||
                 (cp >= 0x3248 && cp <= 0x324F);
    double v = u_getNumericValue(cp);
    return block && v != U_NO_NUMERIC_VALUE && v >= 0 && v < 100 ? (int)v : -1;
}

static struct form fold_form(UChar32 source, uint32_t *layers)
{
    struct form f = form_of(source);
    int number = enclosed_number(source);
    if (number >= 0) {
        *layers |= LAYER_WIDTH;
        f.len = 0;
        if (number >= 10)
            form_push(&f, '0' + number / 10);
        form_push(&f, '0' + number % 10);
        return f;
    }
    struct form compat = form_normalise(&f, nfkc), canon = form_normalise(&f, nfc);
    if (!form_eq(&compat, &canon))
        *layers |= LAYER_WIDTH;
    else if (!form_eq(&canon, &f) && class_of(source) == FOLD_HAN)
        *layers |= LAYER_TRADITIONAL; /* compatibility ideographs */
    struct form lower = form_normalise(&compat, nfkc_cf);
    if (!form_eq(&lower, &compat))
        *layers |= LAYER_CASE;
    for (int round = 0;; round++) {
        struct form before = f;
        struct form cf = form_normalise(&f, nfkc_cf);
        f.len = 0;
        for (int i = 0; i < cf.len; i++) {
            struct form part = form_of(cf.cps[i]);
            if (!(cf.cps[i] >= 0xAC00 && cf.cps[i] <= 0xD7A3))
                part = form_normalise(&part, nfkd);
            for (int j = 0; j < part.len; j++) {
                if (is_mark(part.cps[j]) || is_ignorable(part.cps[j]))
                    *layers |= LAYER_MARK;
                else
                    form_push(&f, fold_char(part.cps[j], layers));
            }
        }
        if (form_eq(&f, &before))
            return f;
        if (round == 8)
            fatal("folding does not settle", source);
    }
}

/* Parentheses and full stops of U+2474, U+2488 and the like belong to the drawing. */
static void form_trim(struct form *f)
{
    while (f->len && class_of(f->cps[f->len - 1]) == FOLD_SEPARATOR)
        f->len--;
    int lead = 0;
    while (lead < f->len && class_of(f->cps[lead]) == FOLD_SEPARATOR)
        lead++;
    f->len -= lead;
    memmove(f->cps, f->cps + lead, sizeof(*f->cps) * (size_t)f->len);
}

static uint32_t *expansions;
static size_t expansion_count;

static size_t expansion_add(const struct form *f)
{
    for (size_t at = 0; at < expansion_count; at += 1 + expansions[at])
        if (expansions[at] == (uint32_t)f->len &&
            memcmp(expansions + at + 1, f->cps, sizeof(*f->cps) * (size_t)f->len) == 0)
            return at;
    size_t at = expansion_count;
    expansion_count += 1 + (size_t)f->len;
    expansions = realloc(expansions, expansion_count * sizeof(*expansions));
    if (!expansions)
        exit(1);
    expansions[at] = (uint32_t)f->len;
    memcpy(expansions + at + 1, f->cps, sizeof(*f->cps) * (size_t)f->len);
    return at;
}

static uint32_t entry_make(enum fold_class class, UChar32 source, UChar32 target, uint32_t layers)
{
    uint32_t folded =
        target == source ? 0 : (layers & FOLD_LAYERS) << FOLD_LAYER_SHIFT | (uint32_t)target;
    return (uint32_t) class << FOLD_CLASS_SHIFT | folded;
}

static uint32_t entry_of(UChar32 cp)
{
    enum fold_class class = class_of(cp);
    uint32_t layers = 0;
    if (class == FOLD_INVISIBLE || class == FOLD_MARK || is_surrogate(cp) || cp == 0x2122 ||
        cp == 0x2120)
        return entry_make(class, cp, cp, 0);
    if (class == FOLD_BLANK) {
        bool line = u_charType(cp) == U_CONTROL_CHAR || cp == 0x2028 || cp == 0x2029;
        return line ? entry_make(class, cp, cp, 0) : entry_make(class, cp, ' ', LAYER_WIDTH);
    }
    if (is_dash(cp))
        return entry_make(class, cp, '-', LAYER_WIDTH);
    struct form f = fold_form(cp, &layers);
    bool text = false;
    for (int i = 0; i < f.len; i++) {
        enum fold_class part = class_of(f.cps[i]);
        text |= part == FOLD_HAN || part == FOLD_WORD;
    }
    if (f.len == 0) /* a mark that stands alone, such as U+FF9E */
        return entry_make(FOLD_MARK, cp, cp, 0);
    if (!text) { /* spacing clones such as U+00A8 fold to a blank and marks: they stay themselves */
        bool same = f.len == 1 && class_of(f.cps[0]) == FOLD_SEPARATOR;
        UChar32 to = same ? f.cps[0] : cp;
        return entry_make(FOLD_SEPARATOR, cp, is_dash(to) ? '-' : to, LAYER_WIDTH);
    }
    form_trim(&f);
    if (f.len == 1)
        return entry_make(class_of(f.cps[0]), cp, f.cps[0], f.cps[0] == cp ? 0 : layers);
    uint32_t at = (uint32_t)expansion_add(&f);
    return FOLD_EXPANDS | entry_make(FOLD_WORD, -1, (UChar32)at, layers);
}

static UChar32 simplify_one(UChar32 cp)
{
    UErrorCode err = U_ZERO_ERROR;
    UChar units[16];
    int32_t len = 0, limit;
    U16_APPEND_UNSAFE(units, len, cp);
    limit = len;
    utrans_transUChars(simplify, units, &len, 16, 0, &limit, &err);
    must(err, "simplify");
    struct form f = form_read(units, len);
    return f.len == 1 && script_of(f.cps[0]) == USCRIPT_HAN ? f.cps[0] : cp;
}

/* Adds pairs that the transliterator leaves alone; whoever lists one twice learns it here. */
static void simplify_more(const char *pairs)
{
    int32_t len = (int32_t)strlen(pairs);
    for (int32_t i = 0; i < len;) {
        UChar32 from, to;
        U8_NEXT(pairs, i, len, from);
        U8_NEXT(pairs, i, len, to);
        if (from < 0 || to < 0 || pairs[i++] != ' ')
            fatal("pairs are out of step", from);
        if (script_of(from) != USCRIPT_HAN || script_of(to) != USCRIPT_HAN)
            fatal("not Han", from);
        if (simplified[from] != from)
            fatal("folds already", from);
        simplified[from] = to;
    }
}

static void simplify_all(void)
{
    for (UChar32 cp = 0; cp < 0x110000; cp++) {
        simplified[cp] = cp;
        if (!is_surrogate(cp) && script_of(cp) == USCRIPT_HAN)
            simplified[cp] = simplify_one(cp);
    }
    simplify_more(han_variants);
    simplify_more(han_martian);
    simplify_more(han_radicals);
    /* Chains are followed to their end; a circle means that neither form is the simple one. */
    for (UChar32 cp = 0; cp < 0x110000; cp++) {
        UChar32 to = simplified[cp];
        int steps = 0;
        while (simplified[to] != to && steps++ < 4)
            to = simplified[to];
        simplified[cp] = simplified[to] == to ? to : cp;
    }
    for (UChar32 cp = 0; cp < 0x110000; cp++)
        if (simplified[simplified[cp]] != simplified[cp])
            fatal("simplification does not settle", cp);
}

static uint32_t entries[0x110000];

static void write_table(FILE *out)
{
    enum { PAGE = 1 << FOLD_PAGE_BITS, PAGES = 0x110000 / PAGE };
    static unsigned index[PAGES], first[PAGES];
    unsigned unique = 0;
    for (unsigned p = 0; p < PAGES; p++) {
        unsigned u = 0;
        while (u < unique && memcmp(entries + first[u] * (size_t)PAGE, entries + p * (size_t)PAGE,
                                    PAGE * sizeof(*entries)) != 0)
            u++;
        if (u == unique)
            first[unique++] = p;
        index[p] = u;
    }
    fprintf(out, "/* Written by tablegen.c with Unicode %s. */\n#include \"text/fold.h\"\n\n",
            U_UNICODE_VERSION);
    fprintf(out, "const uint16_t fold_index[%u] = {", (unsigned)PAGES);
    for (unsigned p = 0; p < PAGES; p++)
        fprintf(out, "%s%u,", p % 16 ? "" : "\n", index[p]);
    fprintf(out, "\n};\n\nconst uint32_t fold_pages[][%u] = {", (unsigned)PAGE);
    for (unsigned u = 0; u < unique; u++) {
        fprintf(out, "\n{");
        for (unsigned i = 0; i < PAGE; i++)
            fprintf(out, "%s0x%x,", i % 8 ? "" : "\n", entries[first[u] * (size_t)PAGE + i]);
        fprintf(out, "\n},");
    }
    fprintf(out, "\n};\n\nconst uint32_t fold_expansions[%zu] = {", expansion_count);
    for (size_t i = 0; i < expansion_count; i++)
        fprintf(out, "%s0x%x,", i % 8 ? "" : "\n", expansions[i]);
    fprintf(out, "\n};\n");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: tablegen FILE\n");
        return 2;
    }
    UErrorCode err = U_ZERO_ERROR;
    nfkc = unorm2_getNFKCInstance(&err);
    nfkc_cf = unorm2_getNFKCCasefoldInstance(&err);
    nfkd = unorm2_getNFKDInstance(&err);
    nfc = unorm2_getNFCInstance(&err);
    spoof = uspoof_open(&err);
    static const UChar id[] = u"Traditional-Simplified";
    simplify = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &err);
    must(err, "open");
    simplify_all();
    for (UChar32 cp = 0; cp < 0x110000; cp++)
        entries[cp] = entry_of(cp);
    FILE *out = fopen(argv[1], "w");
    if (!out) {
        perror(argv[1]);
        return 1;
    }
    write_table(out);
    utrans_close(simplify);
    uspoof_close(spoof);
    free(expansions);
    return fclose(out) ? 1 : 0;
}
