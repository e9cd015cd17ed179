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

bool validate_luhn(struct span text)
{
    return text.len >= 12 && text.len <= 19 && all_digits(text) && passes_luhn(text);
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

/* The length that IBANs of a country have, 0 for none. */
static unsigned iban_length(char first, char second)
{
    /* Country and length; ISO 13616 registry. */
    static const char registry[] =
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29"
        "ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20"
        "LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29"
        "PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20"
        "YE30";
    for (size_t i = 0; i + 3 < sizeof(registry); i += 4)
        if (registry[i] == first && registry[i + 1] == second)
            return number(span_from(registry, sizeof(registry) - 1), i + 2, 2);
    return 0;
}

bool validate_iban(struct span text)
{
    char plain[34];
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == ' ')
            continue;
        if (!is_alnum(c) || len == sizeof(plain))
            return false;
        plain[len++] = c >= 'a' ? (char)(c - 0x20) : c;
    }
    if (len < 5 || iban_length(plain[0], plain[1]) != len || !is_digit(plain[2]) ||
        !is_digit(plain[3]))
        return false;
    /* Country and check digits go to the end; letters count from 10. */
    unsigned rest = 0;
    for (size_t i = 0; i < len; i++) {
        char c = plain[(i + 4) % len];
        rest = is_digit(c) ? (rest * 10 + (unsigned)(c - '0')) % 97
                           : (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
    }
    return rest == 1;
}

bool validate_uscc(struct span text)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    unsigned sum = 0, weight = 1;
    if (text.len != 18)
        return false;
    for (size_t i = 0; i < 18; i++) {
        char c = text.data[i] >= 'a' ? (char)(text.data[i] - 0x20) : text.data[i];
        const char *at = c ? strchr(alphabet, c) : NULL;
        if (!at)
            return false;
        sum += (unsigned)(at - alphabet) * (i < 17 ? weight : 1);
        weight = weight * 3 % 31;
    }
    return sum % 31 == 0;
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

bool validate_ipv4(struct span text)
{
    struct span part = SPAN_NULL;
    unsigned parts = 0;
    if (text.len && text.data[text.len - 1] == '.')
        text = span_slice(text, 0, text.len - 1);
    if (text.len == 0 || text.data[text.len - 1] == '.')
        return false;
    for (; span_split(&text, '.', &part); parts++)
        if (parts == 4 || part.len > 3 || !all_digits(part) ||
            (part.len > 1 && part.data[0] == '0') || number(part, 0, part.len) > 255)
            return false;
    return parts == 4;
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Groups of up to four hexadecimal digits between colons, an IPv4 address counting as two at the
 * end; -1 when they are not that. None are in the empty text. */
static int count_groups(struct span text, bool tail)
{
    struct span group = SPAN_NULL;
    int n = 0;
    if (text.len && text.data[text.len - 1] == ':')
        return -1;
    while (text.len && span_split(&text, ':', &group)) {
        if (tail && text.len == 0 && span_find(group, SPAN_LIT(".")) < group.len)
            return group.data[group.len - 1] != '.' && validate_ipv4(group) ? n + 2 : -1;
        if (group.len == 0 || group.len > 4)
            return -1;
        for (size_t i = 0; i < group.len; i++)
            if (!is_hex(group.data[i]))
                return -1;
        n++;
    }
    return n;
}

bool validate_ipv6(struct span text)
{
    bool digit = false;
    for (size_t i = 0; i < text.len; i++)
        digit |= is_digit(text.data[i]);
    size_t gap = span_find(text, SPAN_LIT("::"));
    if (gap == text.len)
        return digit && count_groups(text, true) == 8;
    int before = count_groups(span_slice(text, 0, gap), false);
    int after = count_groups(span_slice(text, gap + 2, text.len), true);
    return digit && before >= 0 && after >= 0 && before + after < 8;
}

/* Whether the text has that word, which is lower case, in any case. */
static bool has_word(struct span text, struct span word)
{
    for (size_t i = 0; i + word.len <= text.len; i++) {
        size_t n = 0;
        while (n < word.len) {
            char c = text.data[i + n];
            if ((c >= 'A' && c <= 'Z' ? (char)(c + 0x20) : c) != word.data[n])
                break;
            n++;
        }
        if (n == word.len)
            return true;
    }
    return false;
}

bool validate_token(struct span text)
{
    static const char *const stand_ins[] = {
        "your",   "example", "placeholder", "sample",   "dummy",    "redacted", "changeme",
        "secret", "xxxx",    "abcdefgh",    "12345678", "deadbeef", "insert",   "replace",
    };
    bool seen[256] = {false}, digit = false, letter = false;
    unsigned different = 0, run = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        run = i && text.data[i] == text.data[i - 1] ? run + 1 : 1;
        if (run > 5 && c != '-' && c != '=')
            return false;
        different += !seen[c];
        seen[c] = true;
        digit |= is_digit(text.data[i]);
        letter |= is_alnum(text.data[i]) && !is_digit(text.data[i]);
    }
    for (size_t i = 0; i < sizeof(stand_ins) / sizeof(*stand_ins); i++)
        if (has_word(text, span_str(stand_ins[i])))
            return false;
    return digit && letter && different >= 8;
}

match_validator validate_find(struct span name)
{
    static const struct {
        const char *name;
        match_validator fn;
    } all[] = {
#define VALIDATOR_ROW(name, before) {#name, validate_##name},
        VALIDATORS(VALIDATOR_ROW)
#undef VALIDATOR_ROW
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (span_eq(name, span_str(all[i].name)))
            return all[i].fn;
    return NULL;
}
