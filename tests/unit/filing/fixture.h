/* A library in a folder of its own and a configuration for it. */
#pragma once

#include "../unit.h"

#include "filing/library.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW 1800000000 /* 2027-01-15 */

static char folder[] = "/tmp/juyong-filing-XXXXXX";
static struct config *config;
static struct ruleset *rules;

static inline void write_text(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static inline int set_up(void **state)
{
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    mkdir("r", 0700);
    mkdir("r/keywords", 0700);
    mkdir("r/near", 0700);
    mkdir("r/patterns", 0700);
    write_text("r/risks.yaml",
               "standard: {name: GB/T 45654-2025, zh: 标准, keyword_min: 4}\n"
               "groups: [{id: A1, zh: 包含违反社会主义核心价值观的内容, en: g},\n"
               "         {id: A2, zh: 包含歧视性内容, en: g}, {id: attack, zh: 攻击, en: g}]\n"
               "risks: [{id: A1-a, group: A1, zh: 甲类, en: kind a, keyword_min: 2},\n"
               "        {id: A1-b, group: A1, zh: 乙类, en: kind b, keyword_min: 3},\n"
               "        {id: A2-a, group: A2, zh: 丙类, en: kind c},\n"
               "        {id: attack-x, group: attack, zh: 丁类, en: kind d}]\n");
    write_text("r/keywords/A1-a.txt", "#!why=Says the harmful thing\n坏词语\n坏词语\n"
                                      "很坏的坏词语\n\"引号,逗号\"的词\n可疑词语\taction=flag\n");
    write_text("r/keywords/A1-b.txt",
               "坏词语\n旧的词语\texpires=2020-01-01\n店里的词\tapps=shop\n观察的词\n");
    write_text("r/keywords/list.txt", "#!source=imported: 五月的表\n#!risk=A1-b\n"
                                      "信息\tquarantine=日常用语\n另一个坏词\n只管回答的词"
                                      "\tdirection=completion\n");
    write_text("r/keywords/attack-x.txt", "忽略指令吧\n");
    write_text("r/near/A2-a.yaml",
               "near: [{id: A2-a/near-x, risk: A2-a, why: w, within: 9, slots: [[怎么], [炸弹]],\n"
               "        hit: [怎么炸弹], miss: [炸弹]}]\n");
    write_text("r/patterns/A2-a.yaml",
               "patterns: [{id: A2-a/p, risk: A2-a, why: w, regex: 'abc[0-9]', gate: literal,\n"
               "            literal: abc, width: 4, hit: [abc1], miss: [abc]}]\n");
    write_text(
        "c.yaml",
        "upstreams: [{name: u, base_url: 'https://x/v1', models: [{id: m, filing_number: F}]}]\n"
        "rules_dir: r\n"
        "policy: { observe: { A1-b/PLACE: 2999-12-31 } }\n");
    return 0;
}

/* After set_up(): the id of 观察的词 goes into the configuration. */
static inline void load(void)
{
    struct buf messages = BUF_INIT(65536);
    struct rule_report report = RULE_REPORT_INIT;
    assert_int_equal(ruleset_load(SPAN_LIT("r"), &report, &rules), 0);
    for (uint32_t i = 0; i < ruleset_count(rules); i++) {
        const struct rule *r = ruleset_rule(rules, i);
        char text[512];
        if (!span_eq(r->source, SPAN_LIT("观察的词")))
            continue;
        snprintf(text, sizeof(text),
                 "upstreams: [{name: u, base_url: 'https://x/v1',\n"
                 "             models: [{id: m, filing_number: F}]}]\nrules_dir: r\n"
                 "policy: { observe: { '%.*s': 2999-12-31 } }\n",
                 SPAN_ARG(r->id));
        write_text("c.yaml", text);
    }
    if (config_load(SPAN_LIT("c.yaml"), &messages, &config) != 0)
        fail_msg("%s", buf_cstr(&messages));
    buf_deinit(&messages);
    buf_deinit(&report.text);
}

/* Stored versions are read-only, their folders too. */
static inline int open_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return type == FTW_D ? chmod(path, 0700) : 0;
}

static inline int tear_down(void **state)
{
    rules = ruleset_unref(rules);
    config = config_unref(config);
    if (nftw(folder, open_entry, 8, FTW_PHYS) < 0)
        return -1;
    return chdir("/") == 0 ? nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) : -1;
}
