/*
 * Build-time generator of the table of common words (rules/common.h). Writes one C file from two of
 * jieba's: its dictionary, a line a word with its frequency in some sixty million words of text,
 * most of them old; and its table of inverse document frequencies, of a million newer documents,
 * which knows the words of which the dictionary only knows that there are such.
 *
 *   wordgen DICTIONARY IDF FILE
 *
 * Words are folded as texts are, so that only folded characters need be looked up.
 */
#include "rules/common.h"
#include "text/fold.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX     1200000
#define DOCUMENTS_MIN 10 /* in so many documents a word is as common as the rarest of the table */
#define LETTERS_MAX   31

struct word {
    uint16_t letters[LETTERS_MAX + 1]; /* 0 behind the last */
    double frequency;
};

static struct word *words;
static size_t count;

static void fatal(const char *what, const char *which)
{
    fprintf(stderr, "wordgen: %s: %s\n", what, which);
    exit(1);
}

/* False when it has something else than Han characters of the first plane, or is too long. */
static bool fold_word(struct span text, struct word *ret_word)
{
    size_t n = 0;
    while (text.len) {
        uint32_t cp, cps[FOLD_EXPANSION_MAX];
        int len = utf8_decode(text, false, &cp);
        if (len <= 0)
            fatal("the dictionary is not UTF-8", "it should be jieba's dict.txt");
        unsigned folded = fold_code_point(cp, cps);
        if (folded != 1 || cps[0] > 0xFFFF || n == LETTERS_MAX ||
            fold_entry_class(fold_entry(cps[0])) != FOLD_HAN)
            return false;
        ret_word->letters[n++] = (uint16_t)cps[0];
        text = span_slice(text, (size_t)len, text.len);
    }
    ret_word->letters[n] = 0;
    return n > 0;
}

/* Cuts the number off a line; the word stays. False when there is none. */
static bool read_number(char *line, double *ret)
{
    char *blank = strchr(line, ' '), *end;
    if (!blank)
        return false;
    *ret = strtod(blank + 1, &end);
    *blank = '\0';
    return end != blank + 1 && *ret >= 0;
}

static void add_word(const char *word, double frequency)
{
    if (count == WORDS_MAX)
        fatal("too many words", word);
    if (fold_word(span_str(word), &words[count]))
        words[count++].frequency = frequency;
}

/* The frequencies of all words. */
static double read_dictionary(FILE *in)
{
    char line[1024];
    double total = 0, frequency;
    while (fgets(line, sizeof(line), in)) {
        if (!read_number(line, &frequency))
            fatal("no frequency", line);
        add_word(line, frequency);
        total += frequency;
    }
    return total;
}

/* The rarest words of the table are in one document, which tells how many there are in all. */
static void read_documents(FILE *in)
{
    char line[1024];
    double most = 0, idf;
    while (fgets(line, sizeof(line), in))
        if (read_number(line, &idf) && idf > most)
            most = idf;
    rewind(in);
    while (fgets(line, sizeof(line), in))
        if (read_number(line, &idf) && idf <= most - log(DOCUMENTS_MIN))
            add_word(line, COMMON_RAREST);
}

static int compare(const void *a, const void *b)
{
    const uint16_t *x = ((const struct word *)a)->letters, *y = ((const struct word *)b)->letters;
    while (*x && *x == *y) {
        x++;
        y++;
    }
    return (*x > *y) - (*x < *y);
}

/* Words that fold to one are one, as common as the commonest of them. */
static void merge(void)
{
    size_t kept = 0;
    qsort(words, count, sizeof(*words), compare);
    for (size_t i = 0; i < count; i++) {
        if (kept && compare(&words[kept - 1], &words[i]) == 0)
            words[kept - 1].frequency = fmax(words[kept - 1].frequency, words[i].frequency);
        else
            words[kept++] = words[i];
    }
    count = kept;
}

static size_t length(const struct word *w)
{
    size_t n = 0;
    while (w->letters[n])
        n++;
    return n;
}

static unsigned octave(double frequency)
{
    unsigned o = 0;
    while (o < 15 && frequency >= COMMON_RAREST * 2.0 * (1 << o))
        o++;
    return o;
}

static size_t written;

static void write_byte(FILE *out, unsigned byte)
{
    fprintf(out, "%s%u,", written++ % 24 ? "" : "\n", byte & 0xFF);
}

static void write_word(FILE *out, const struct word *w, const struct word *before)
{
    size_t n = length(w), same = 0;
    while (before && same < 3 && same + 1 < n && w->letters[same] == before->letters[same])
        same++;
    size_t more = n - same - 1;
    write_byte(out, (unsigned)(same << 6 | (more < 3 ? more : 3) << 4 | octave(w->frequency)));
    if (more >= 3)
        write_byte(out, (unsigned)more);
    for (size_t i = same; i < n; i++) {
        write_byte(out, w->letters[i]);
        write_byte(out, w->letters[i] >> 8);
    }
}

static void write_table(FILE *out, double total)
{
    const struct word *before = NULL;
    fprintf(out, "/* Written by wordgen.c. */\n#include \"rules/common.h\"\n\n"
                 "const unsigned char common_table[] = {");
    for (size_t i = 0; i < count; i++) {
        if (words[i].frequency < COMMON_RAREST)
            continue;
        write_word(out, &words[i], before);
        before = &words[i];
    }
    fprintf(out, "\n};\nconst size_t common_table_size = %zu;\n", written);
    fprintf(out, "const double common_total = %.0f;\n", total);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: wordgen DICTIONARY IDF FILE\n");
        return 2;
    }
    FILE *dictionary = fopen(argv[1], "r"), *documents = fopen(argv[2], "r");
    FILE *out = fopen(argv[3], "w");
    if (!dictionary || !documents || !out) {
        perror(!dictionary ? argv[1] : !documents ? argv[2] : argv[3]);
        return 1;
    }
    words = calloc(WORDS_MAX, sizeof(*words));
    if (!words)
        fatal("memory is out", argv[1]);
    double total = read_dictionary(dictionary);
    if (total < 1e6)
        fatal("too few words to tell anything", argv[1]);
    read_documents(documents);
    merge();
    write_table(out, total);
    free(words);
    bool bad = ferror(dictionary) || ferror(documents);
    return fclose(dictionary) || fclose(documents) || fclose(out) || bad;
}
