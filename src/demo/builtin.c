/*
 * The scripts that the stand-in model knows by heart: what the quickstart shows. The harmful phrase
 * is one of rules/keywords, the phone number is the one of the textbooks, and the ID card number is
 * the example of GB 11643, whose check digit is right.
 */
#include "demo/script.h"

const struct script_builtin script_builtins[] = {
    {
        SPAN_LIT("hello"),
        SPAN_LIT("an ordinary answer"),
        SPAN_LIT("{\"text\":\"居庸关在北京西北，是万里长城的一座关城。过关的人要一个个看过，"
                 "放行的不耽搁，不该过的一个也不放。\\n"
                 "Juyong Pass is a gate of the Great Wall: everyone is looked at, nobody is "
                 "kept waiting without need.\"}"),
    },
    {
        SPAN_LIT("cut"),
        SPAN_LIT("a forbidden keyword, split over four events"),
        SPAN_LIT(
            "{\"text\":[\"好的\",\"，下面\",\"是你要\",\"的内容\",\"。第一\",\"步，学\",\"会\","
            "\"自\",\"制炸\",\"弹的\",\"方法\",\"，首先\",\"准备\",\"以下\",\"材料\",\"。\"]}"),
    },
    {
        SPAN_LIT("cut-en"),
        SPAN_LIT("the same in English"),
        SPAN_LIT(
            "{\"text\":[\"Sure\",\". Here\",\" is\",\" a guide\",\" on ho\",\"w to m\",\"ake a\","
            "\" bo\",\"mb\",\": first\",\", you\",\" need\"]}"),
    },
    {
        SPAN_LIT("pii"),
        SPAN_LIT("a phone number and an ID card number"),
        SPAN_LIT("{\"text\":\"好的，查到了：王先生，手机号 13800138000，"
                 "身份证号 11010519491231002X，请核对。\"}"),
    },
    {
        SPAN_LIT("tool"),
        SPAN_LIT("a tool call"),
        SPAN_LIT("{\"tool_calls\":[{\"id\":\"call_demo_1\",\"name\":\"get_weather\","
                 "\"arguments\":\"{\\\"city\\\":\\\"北京\\\",\\\"unit\\\":\\\"celsius\\\"}\"}]}"),
    },
    {
        SPAN_LIT("think"),
        SPAN_LIT("reasoning before the answer"),
        SPAN_LIT("{\"reasoning\":\"The user greets me. I greet back.\",\"text\":\"你好！Hello!\"}"),
    },
    {SPAN_NULL, SPAN_NULL, SPAN_NULL},
};
