#include "rules/validate.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool all_digits(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.data[i]))
            return false;
    return s.len > 0;
}

static unsigned number(struct span s, size_t from, size_t count)
{
    unsigned n = 0;
    for (size_t i = from; i < from + count; i++)
        n = n * 10 + (unsigned)(s.data[i] - '0');
    return n;
}

static bool is_date(unsigned year, unsigned month, unsigned day)
{
    static const unsigned char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1900 || year > 2049 || month < 1 || month > 12 || day < 1 || day > days[month - 1])
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month != 2 || day < 29 || leap;
}

static bool is_province(unsigned code)
{
    static const unsigned char codes[] = {11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34,
                                          35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
                                          53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83, 91};
    for (size_t i = 0; i < sizeof(codes); i++)
        if (codes[i] == code)
            return true;
    return false;
}

bool validate_idcard(struct span text)
{
    static const unsigned char weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    if (text.len != 18 || !all_digits(span_slice(text, 0, 17)))
        return false;
    if (!is_province(number(text, 0, 2)) ||
        !is_date(number(text, 6, 4), number(text, 10, 2), number(text, 12, 2)))
        return false;
    unsigned sum = 0;
    for (size_t i = 0; i < 17; i++)
        sum += weights[i] * (unsigned)(text.data[i] - '0');
    char want = "10X98765432"[sum % 11], have = text.data[17];
    return have == want || (want == 'X' && have == 'x');
}

bool validate_phone(struct span text)
{
    if (text.len < 11)
        return false;
    struct span n = span_slice(text, text.len - 11, text.len);
    if (!all_digits(n) || n.data[0] != '1')
        return false;
    /* Third digits in use, by the second one; bit d for digit d. */
    static const unsigned short third[10] = {
        [3] = 0x3ff,                                                                 /* all */
        [4] = 1 << 0 | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 9, /* no 2, 3 */
        [5] = 0x3ff & ~(1 << 4),
        [6] = 1 << 2 | 1 << 5 | 1 << 6 | 1 << 7,
        [7] = 0x3ff & ~(1 << 9),
        [8] = 0x3ff,
        [9] = 0x3ff & ~(1 << 4),
    };
    return third[n.data[1] - '0'] >> (n.data[2] - '0') & 1;
}

static bool passes_luhn(struct span digits)
{
    unsigned sum = 0;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned d = (unsigned)(digits.data[digits.len - 1 - i] - '0');
        if (i % 2)
            d = d < 5 ? d * 2 : d * 2 - 9;
        sum += d;
    }
    return sum % 10 == 0;
}

bool validate_bankcard(struct span text)
{
    /* Leading six digits from..to, and the lengths in use as bits. */
    static const struct {
        unsigned from, to, lengths;
    } schemes[] = {
        {620000, 629999, 1 << 16 | 1 << 17 | 1 << 18 | 1 << 19}, /* UnionPay */
        {400000, 499999, 1 << 13 | 1 << 16 | 1 << 19},           /* Visa */
        {510000, 559999, 1 << 16},                               /* Mastercard */
        {222100, 272099, 1 << 16},                               /* Mastercard */
        {340000, 349999, 1 << 15},                               /* American Express */
        {370000, 379999, 1 << 15},                               /* American Express */
        {352800, 358999, 1 << 16 | 1 << 17 | 1 << 18 | 1 << 19}, /* JCB */
        {300000, 305999, 1 << 14 | 1 << 16},                     /* Diners Club */
        {360000, 369999, 1 << 14},                               /* Diners Club */
        {380000, 399999, 1 << 14 | 1 << 16},                     /* Diners Club */
        {601100, 601199, 1 << 16 | 1 << 19},                     /* Discover */
        {601382, 601382, 1 << 19},                               /* Bank of China, older debit */
        {603000, 603999, 1 << 16 | 1 << 19},                     /* city banks, older debit */
        {955880, 955889, 1 << 19},                               /* ICBC, older debit */
    };
    if (text.len < 13 || text.len > 19 || !all_digits(text) || !passes_luhn(text))
        return false;
    unsigned lead = number(text, 0, 6);
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
        if (lead >= schemes[i].from && lead <= schemes[i].to &&
            (schemes[i].lengths >> text.len & 1))
            return true;
    return false;
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool validate_email(struct span text)
{
    size_t at = span_find(text, SPAN_LIT("@"));
    if (at == 0 || at > 64 || at == text.len || text.len > 254)
        return false;
    struct span local = span_slice(text, 0, at), domain = span_slice(text, at + 1, text.len);
    if (local.data[0] == '.' || local.data[at - 1] == '.' ||
        span_find(local, SPAN_LIT("..")) < local.len)
        return false;
    struct span label = SPAN_NULL;
    unsigned labels = 0;
    if (domain.len == 0 || domain.data[domain.len - 1] == '.')
        return false;
    while (span_split(&domain, '.', &label)) {
        if (label.len == 0 || label.len > 63 || !is_alnum(label.data[0]) ||
            !is_alnum(label.data[label.len - 1]))
            return false;
        labels++;
    }
    if (labels < 2 || label.len < 2)
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (is_digit(label.data[i])) /* a top-level domain has letters */
            return false;
    return true;
}

match_validator validate_find(struct span name)
{
    static const struct {
        const char *name;
        match_validator fn;
    } all[] = {
        {"idcard", validate_idcard},
        {"phone", validate_phone},
        {"bankcard", validate_bankcard},
        {"email", validate_email},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (span_eq(name, span_str(all[i].name)))
            return all[i].fn;
    return NULL;
}
