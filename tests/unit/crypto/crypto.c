/* Known answers from the standards, and what must fail. */
#include "../unit.h"

#include "crypto/certificate.h"
#include "crypto/hmac.h"
#include "crypto/otp.h"
#include "crypto/scrypt.h"
#include "crypto/seal.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "crypto/sign.h"

#include "base/codec.h"

#include <errno.h>

static void assert_hex(const void *bytes, size_t size, const char *want)
{
    char text[2 * 128 + 1];
    assert_true(size <= 128);
    codec_hex(span_from(bytes, size), text);
    assert_string_equal(text, want);
}

/* FIPS 180-4 examples. */
static void test_sha256(void **state)
{
    (void)state;
    unsigned char d[SHA256_SIZE];
    assert_int_equal(sha256_once(SPAN_LIT("abc"), d), 0);
    assert_hex(d, sizeof(d), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct sha256 *h = sha256_new();
    assert_non_null(h);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(sha256_begin(h), 0);
        assert_int_equal(sha256_add(h, SPAN_LIT("abcdbcdecdefdefgefghfghi")), 0);
        assert_int_equal(sha256_add(h, SPAN_NULL), 0);
        assert_int_equal(sha256_add(h, SPAN_LIT("ghijhijkijkljklmklmnlmnomnopnopq")), 0);
        assert_int_equal(sha256_end(h, d), 0);
        assert_hex(d, sizeof(d),
                   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
    assert_int_equal(sha256_begin(h), 0);
    assert_int_equal(sha256_add(h, SPAN_LIT("thrown away")), 0);
    assert_int_equal(sha256_begin(h), 0);
    assert_int_equal(sha256_end(h, d), 0);
    assert_hex(d, sizeof(d), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_free(h);
    sha256_free(NULL);
}

/* RFC 4231, cases 2 and 6. */
static void test_hmac(void **state)
{
    (void)state;
    unsigned char mac[HMAC_SIZE];
    assert_int_equal(hmac_once(SPAN_LIT("Jefe"), SPAN_LIT("what do ya want for nothing?"), mac), 0);
    assert_hex(mac, sizeof(mac),
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    char key[131];
    memset(key, 0xaa, sizeof(key));
    struct hmac *h = hmac_new(span_from(key, sizeof(key)));
    assert_non_null(h);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(hmac_begin(h), 0);
        assert_int_equal(hmac_add(h, SPAN_LIT("Test Using Larger Than Block-Size Key ")), 0);
        assert_int_equal(hmac_add(h, SPAN_LIT("- Hash Key First")), 0);
        assert_int_equal(hmac_end(h, mac), 0);
        assert_hex(mac, sizeof(mac),
                   "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }
    hmac_free(h);
    assert_int_equal(hmac_once(SPAN_NULL, SPAN_NULL, mac), 0);
    assert_hex(mac, sizeof(mac),
               "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 8032 section 7.1, test 2. */
static void test_sign(void **state)
{
    (void)state;
    unsigned char secret[SIGN_SECRET_SIZE], public_key[SIGN_PUBLIC_SIZE];
    unsigned char signature[SIGN_SIGNATURE_SIZE];
    assert_true(
        codec_unhex(SPAN_LIT("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
                    secret, sizeof(secret)));
    assert_int_equal(sign_public(secret, public_key), 0);
    assert_hex(public_key, sizeof(public_key),
               "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    assert_int_equal(sign_make(secret, SPAN_LIT("\x72"), signature), 0);
    assert_hex(signature, sizeof(signature),
               "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
               "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert_true(sign_verify(public_key, SPAN_LIT("\x72"), signature));
    assert_false(sign_verify(public_key, SPAN_LIT("\x73"), signature));
    assert_false(sign_verify(public_key, SPAN_NULL, signature));
    for (size_t i = 0; i < sizeof(signature); i++) {
        signature[i] ^= 1;
        assert_false(sign_verify(public_key, SPAN_LIT("\x72"), signature));
        signature[i] ^= 1;
    }
    unsigned char other[SIGN_SECRET_SIZE];
    assert_int_equal(sign_generate(other), 0);
    assert_memory_not_equal(other, secret, sizeof(other));
    assert_int_equal(sign_make(other, SPAN_LIT("\x72"), signature), 0);
    assert_false(sign_verify(public_key, SPAN_LIT("\x72"), signature));
}

static void test_seal(void **state)
{
    (void)state;
    unsigned char key[SEAL_KEY_SIZE];
    assert_int_equal(secret_random(key, sizeof(key)), 0);
    struct buf sealed = BUF_INIT(1024), text = BUF_INIT(1024);
    assert_int_equal(buf_append(&sealed, SPAN_LIT("head")), 0);
    assert_int_equal(seal_close(key, SPAN_LIT("about"), SPAN_LIT("the text"), &sealed), 0);
    assert_int_equal(sealed.len, 4 + 8 + SEAL_OVERHEAD);
    struct span body = span_slice(buf_span(&sealed), 4, sealed.len);
    assert_int_equal(seal_open(key, SPAN_LIT("about"), body, &text), 0);
    assert_span(buf_span(&text), SPAN_LIT("the text"));
    assert_int_equal(seal_open(key, SPAN_LIT("other"), body, &text), -EBADMSG);
    for (size_t i = 4; i < sealed.len; i++) {
        sealed.data[i] ^= 0x10;
        assert_int_equal(seal_open(key, SPAN_LIT("about"), body, &text), -EBADMSG);
        sealed.data[i] ^= 0x10;
    }
    for (size_t n = 0; n < body.len; n++)
        assert_int_equal(seal_open(key, SPAN_LIT("about"), span_slice(body, 0, n), &text),
                         -EBADMSG);
    assert_span(buf_span(&text), SPAN_LIT("the text"));
    /* The empty text has a seal of its own, and two seals of one text differ. */
    buf_clear(&sealed);
    buf_clear(&text);
    assert_int_equal(seal_close(key, SPAN_NULL, SPAN_NULL, &sealed), 0);
    assert_int_equal(seal_open(key, SPAN_NULL, buf_span(&sealed), &text), 0);
    assert_int_equal(text.len, 0);
    struct buf again = BUF_INIT(1024);
    assert_int_equal(seal_close(key, SPAN_NULL, SPAN_NULL, &again), 0);
    assert_false(span_eq(buf_span(&sealed), buf_span(&again)));
    struct buf tight = BUF_INIT(SEAL_OVERHEAD);
    assert_int_equal(seal_close(key, SPAN_NULL, SPAN_LIT("x"), &tight), -EMSGSIZE);
    assert_int_equal(tight.len, 0);
    buf_deinit(&tight);
    buf_deinit(&again);
    buf_deinit(&sealed);
    buf_deinit(&text);
}

static void test_secret(void **state)
{
    (void)state;
    assert_true(secret_equal(SPAN_LIT("same"), SPAN_LIT("same")));
    assert_false(secret_equal(SPAN_LIT("same"), SPAN_LIT("samf")));
    assert_false(secret_equal(SPAN_LIT("same"), SPAN_LIT("sam")));
    assert_true(secret_equal(SPAN_NULL, SPAN_NULL));
    char bytes[16] = "not for long";
    secret_cleanse(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        assert_int_equal(bytes[i], 0);
    assert_int_equal(secret_random(bytes, sizeof(bytes)), 0);
    char zero[16] = {0};
    assert_memory_not_equal(bytes, zero, sizeof(bytes));
}

/* RFC 7914, section 12; the first half of its 64 bytes. */
static void test_scrypt(void **state)
{
    struct scrypt_cost cost = {14, 8, 1};
    unsigned char key[SCRYPT_SIZE];
    assert_int_equal(
        scrypt_derive(SPAN_LIT("pleaseletmein"), SPAN_LIT("SodiumChloride"), &cost, key), 0);
    assert_hex(key, sizeof(key),
               "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
    static const struct scrypt_cost unsound[] = {{13, 8, 1}, {19, 8, 1}, {15, 7, 1},  {15, 33, 1},
                                                 {15, 8, 0}, {15, 8, 5}, {18, 32, 1}, {0, 0, 0}};
    for (size_t i = 0; i < sizeof(unsound) / sizeof(*unsound); i++)
        assert_int_equal(scrypt_derive(SPAN_LIT("a"), SPAN_LIT("b"), &unsound[i], key), -EINVAL);
    assert_true(scrypt_cost_is_sound(&SCRYPT_COST));
    assert_true(SCRYPT_COST.log_n >= 15);
}

/* RFC 4226, appendix D, and RFC 6238, appendix B, of whose eight digits apps show six. */
static void test_otp(void **state)
{
    static const unsigned hotp[] = {755224, 287082, 359152, 969429, 338314,
                                    254676, 287922, 162583, 399871, 520489};
    static const struct {
        int64_t time;
        const char *code;
    } totp[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
                {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    struct span secret = SPAN_LIT("12345678901234567890");
    unsigned code;
    uint64_t step;
    for (size_t i = 0; i < sizeof(hotp) / sizeof(*hotp); i++) {
        assert_int_equal(otp_code(secret, i, &code), 0);
        assert_int_equal(code, hotp[i]);
    }
    for (size_t i = 0; i < sizeof(totp) / sizeof(*totp); i++) {
        struct span text = span_str(totp[i].code);
        int64_t t = totp[i].time;
        assert_true(otp_check(secret, text, t, 0, &step));
        assert_int_equal(step, t / 30);
        /* The step before and the one after, and none further. */
        assert_true(otp_check(secret, text, t + 30, 0, &step));
        assert_true(otp_check(secret, text, t < 60 ? t : t - 30, 0, &step));
        assert_false(otp_check(secret, text, t + 60, 0, &step));
        assert_false(otp_check(secret, text, t < 120 ? t + 90 : t - 60, 0, &step));
        /* Once only. */
        assert_false(otp_check(secret, text, t, (uint64_t)t / 30, &step));
        assert_false(otp_check(secret, span_slice(text, 0, 5), t, 0, &step));
    }
    assert_false(otp_check(secret, SPAN_LIT(""), 59, 0, &step));
    assert_false(otp_check(secret, SPAN_LIT("0287082"), 59, 0, &step));
}

static void test_certificate(void **state)
{
    int64_t expires;
    assert_int_equal(certificate_check(SPAN_LIT(""), SPAN_LIT(""), &expires),
                     CERTIFICATE_UNREADABLE);
    assert_int_equal(certificate_check(SPAN_LIT("-----BEGIN CERTIFICATE-----\nAAAA\n"
                                                "-----END CERTIFICATE-----\n"),
                                       SPAN_LIT("x"), &expires),
                     CERTIFICATE_UNREADABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256), cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_sign),   cmocka_unit_test(test_seal),
        cmocka_unit_test(test_secret), cmocka_unit_test(test_scrypt),
        cmocka_unit_test(test_otp),    cmocka_unit_test(test_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
