#include "config/value.h"

#include "config/network.h"

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}, {"B", 1}, {NULL, 0}};
static const struct unit duration_units[] = {{"d", 86400000}, {"h", 3600000}, {"min", 60000},
                                             {"s", 1000},     {"ms", 1},      {NULL, 0}};

bool value_read_bool(struct span text, bool *ret_value)
{
    bool yes = span_eq(text, SPAN_LIT("true"));
    if (!yes && !span_eq(text, SPAN_LIT("false")))
        return false;
    *ret_value = yes;
    return true;
}

static bool read_unit(struct span text, const struct unit *units, uint64_t *ret_value)
{
    size_t digits = 0;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    unsigned long long number;
    if (!span_to_u64(span_slice(text, 0, digits), &number))
        return false;
    struct span unit = span_trim(span_slice(text, digits, text.len));
    if (unit.len == 0 && number == 0) {
        *ret_value = 0;
        return true;
    }
    for (; units->name; units++) {
        if (!span_eq(unit, span_str(units->name)))
            continue;
        if (number > UINT64_MAX / units->factor)
            return false;
        *ret_value = number * units->factor;
        return true;
    }
    return false;
}

bool value_read_size(struct span text, uint64_t *ret_bytes)
{
    return read_unit(text, size_units, ret_bytes);
}

bool value_read_duration(struct span text, uint64_t *ret_ms)
{
    return read_unit(text, duration_units, ret_ms);
}

bool value_read_days(struct span text, uint64_t *ret_days)
{
    static const struct unit units[] = {{"d", 1}, {NULL, 0}};
    return read_unit(text, units, ret_days);
}

bool value_read_address(struct span text, struct span *ret_host, uint16_t *ret_port)
{
    size_t colon = text.len;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    struct span host = span_slice(text, 0, colon - 1);
    bool brackets = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
    if (brackets)
        host = span_slice(host, 1, host.len - 1);
    /* 1.2.3.4 needs no brackets, ::1 would be ambiguous without them. */
    unsigned char address[16];
    if (!network_read_address(host, address) ||
        brackets != (span_find(host, SPAN_LIT(":")) < host.len))
        return false;
    unsigned long long port;
    if (!span_to_u64(span_slice(text, colon, text.len), &port) || port < 1 || port > 65535)
        return false;
    *ret_host = host;
    *ret_port = (uint16_t)port;
    return true;
}

bool value_is_loopback(struct span host)
{
    static const struct network v4 = {{[10] = 0xff, [11] = 0xff, [12] = 127}, 104};
    static const struct network v6 = {{[15] = 1}, 128};
    unsigned char address[16];
    return network_read_address(host, address) &&
           (network_contains(&v4, address) || network_contains(&v6, address));
}

bool value_is_printable(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return true;
}

static int print_unit(struct buf *out, uint64_t value, const struct unit *units)
{
    while (units[1].name && (value == 0 || value % units->factor != 0))
        units++;
    int r = buf_append_u64(out, value / units->factor);
    return r < 0 ? r : buf_append(out, span_str(units->name));
}

int value_print_size(struct buf *out, uint64_t bytes)
{
    return bytes == 0 ? buf_append_char(out, '0') : print_unit(out, bytes, size_units);
}

int value_print_duration(struct buf *out, uint64_t ms)
{
    return ms == 0 ? buf_append_char(out, '0') : print_unit(out, ms, duration_units);
}
