/* What a robot answers, from any bytes: no crash, a reason that ends, and taken only what says so.
 */
#include "alert/robot.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* What must stand in an answer that was taken; of Feishu's code and StatusCode the common end.
     */
    static const char *const words[] = {"errcode", "errcode", "ode"};
    struct span answer = span_from((const char *)data, size);
    for (unsigned kind = ALERT_DINGTALK; kind <= ALERT_FEISHU; kind++) {
        char why[COURIER_WHY_SIZE];
        memset(why, 'x', sizeof(why));
        bool taken = robot_judge(kind)(answer, why);
        if (!taken && !memchr(why, '\0', sizeof(why)))
            abort();
        /* Names may be escaped, so that only an answer without escapes must hold the word. */
        if (taken && !memchr(answer.data, '\\', size) &&
            span_find(answer, span_str(words[kind])) == size)
            abort();
    }
    return 0;
}
