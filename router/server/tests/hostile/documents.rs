//! Query texts: tokens, literals, fragments, aliases, directives, definitions.

use super::Case;

const SYNTAX: (u16, &str) = (400, "GRAPHQL_PARSE_FAILED");
const INVALID: (u16, &str) = (400, "GRAPHQL_VALIDATION_FAILED");
const HIGH: (u16, &str) = (400, "HEIGHT_LIMIT_EXCEEDED");
const TOKENS: (u16, &str) = (400, "TOKEN_LIMIT_EXCEEDED");
const FIELDS: (u16, &str) = (400, "FIELD_LIMIT_EXCEEDED");
const FINE: (u16, &str) = (200, "");

pub fn cases() -> Vec<Case> {
    [
        texts(),
        literals(),
        fragments(),
        selections(),
        overlaps(),
        directives(),
        definitions(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn numbered(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect()
}

fn texts() -> Vec<Case> {
    vec![
        Case::query("no text", "", SYNTAX),
        Case::query("1.9 MB of commas", &",".repeat(1_900_000), TOKENS),
        Case::query("600 000 comments", &"#\n".repeat(600_000), TOKENS),
        Case::query(
            "one comment of 1.9 MB",
            &format!("#{}\n{{probe}}", "x".repeat(1_900_000)),
            FINE,
        ),
        Case::query("100 000 tokens", &format!("{{{}}}", "a ".repeat(100_000)), TOKENS),
        Case::query("a million brackets", &"{".repeat(1_000_000), HIGH),
        Case::query("14 000 closing brackets", &"}".repeat(14_000), SYNTAX),
        Case::query("14 000 exclamation marks", &"!".repeat(14_000), SYNTAX),
        Case::query("14 000 dollars", &"$".repeat(14_000), SYNTAX),
        Case::query(
            "7 000 spreads of nothing",
            &format!("{{{}}}", "... ".repeat(7_000)),
            SYNTAX,
        ),
        Case::query("characters of no grammar", &"\u{1F600}".repeat(10_000), SYNTAX),
        Case::query("control characters", &"{\u{1}\u{2}\u{7f}}".repeat(1_000), SYNTAX),
        Case::query(
            "a name of 1 MB",
            &format!("{{{}}}", "x".repeat(1_000_000)),
            INVALID,
        ),
        Case::query("a name with an accent", "{ prob\u{e9} }", SYNTAX),
        Case::query(
            "a schema in place of a query",
            &"type Query { a: Int } ".repeat(1_500),
            INVALID,
        ),
    ]
}

fn literals() -> Vec<Case> {
    let echo = |text: &str| format!("{{ echo(text: {text}) }}");
    vec![
        Case::query(
            "a string of 1.8 MB",
            &echo(&format!("\"{}\"", "x".repeat(1_800_000))),
            FINE,
        ),
        Case::query(
            "200 000 escapes",
            &echo(&format!("\"{}\"", "\\u0041".repeat(200_000))),
            FINE,
        ),
        Case::query("half a surrogate in a string", &echo("\"\\uD800\""), SYNTAX),
        Case::query(
            "a string that never ends",
            &echo(&format!("\"{}", "x".repeat(1_800_000))),
            SYNTAX,
        ),
        Case::query(
            "a block string that never ends",
            &echo(&format!("\"\"\"{}", "x\n".repeat(500_000))),
            SYNTAX,
        ),
        Case::query(
            "a block string of 100 000 lines",
            &echo(&format!("\"\"\"{}\"\"\"", "\n  x".repeat(100_000))),
            FINE,
        ),
        Case::query(
            "a block string of 100 000 quotes",
            &echo(&format!("\"\"\" {} \"\"\"", "\\\"\"\"".repeat(100_000))),
            FINE,
        ),
        Case::query(
            "a block string of indents",
            &echo(&format!(
                "\"\"\"\n{}\"\"\"",
                format!("{}x\n", " ".repeat(1_000)).repeat(1_500)
            )),
            FINE,
        ),
        Case::query(
            "an integer of 1 MB",
            &format!("{{ echo(number: {}) }}", "9".repeat(1_000_000)),
            INVALID,
        ),
        Case::query("1e999 as a literal", "{ echo(number: 1e999) }", INVALID),
        Case::query(
            "lists 300 deep",
            &format!(
                "{{ find(ids: {}1{}) {{ id }} }}",
                "[".repeat(300),
                "]".repeat(300)
            ),
            HIGH,
        ),
        Case::query(
            "lists 150 deep",
            &format!(
                "{{ find(ids: {}1{}) {{ id }} }}",
                "[".repeat(150),
                "]".repeat(150)
            ),
            INVALID,
        ),
        Case::query(
            "7 000 items",
            &format!("{{ find(ids: [{}]) {{ id }} }}", "1 ".repeat(7_000)),
            FINE,
        ),
        Case::query(
            "inputs 190 deep",
            &format!(
                "{{ find(by: {}{{}}{}) {{ id }} }}",
                "{deep: ".repeat(190),
                "}".repeat(190)
            ),
            FINE,
        ),
        Case::query(
            "14 000 values of no enum",
            &format!("{{ find(tags: [{}]) {{ id }} }}", "Z ".repeat(14_000)),
            INVALID,
        ),
        Case::query(
            "4 000 fields of no input",
            &format!(
                "{{ find(by: {{{}}}) {{ id }} }}",
                numbered(4_000, |i| format!("f{i}: 1 "))
            ),
            INVALID,
        ),
        Case::query(
            "one argument 4 000 times",
            &format!("{{ find({}) {{ id }} }}", "text: \"\" ".repeat(4_000)),
            INVALID,
        ),
        Case::query(
            "4 000 unknown arguments",
            &format!(
                "{{ find({}) {{ id }} }}",
                numbered(4_000, |i| format!("a{i}: 1 "))
            ),
            INVALID,
        ),
    ]
}

/// Each spreads the next twice.
fn doubling(count: usize, ty: &str, each: impl Fn(&str) -> String) -> String {
    let mut text = numbered(count, |i| {
        format!(" fragment F{i} on {ty} {{{}}}", each(&format!("...F{}", i + 1)))
    });
    text.push_str(&format!(" fragment F{count} on {ty} {{id}}"));
    text
}

fn fragments() -> Vec<Case> {
    let twice = |next: &str| format!("{next} {next}");
    let chain = |count: usize| {
        let links = numbered(count, |i| format!(" fragment F{i} on User{{...F{}}}", i + 1));
        format!("{{user{{...F0}}}}{links} fragment F{count} on User{{id}}")
    };
    vec![
        Case::query(
            "fragments that double 40 times",
            &format!("{{user{{...F0}}}}{}", doubling(40, "User", twice)),
            FIELDS,
        ),
        Case::query(
            "fragments that double at the root",
            &format!(
                "{{...F0}}{}",
                doubling(40, "Query", twice).replace("{id}", "{probe}")
            ),
            (400, "ROOT_FIELD_LIMIT_EXCEEDED"),
        ),
        Case::query(
            "fragments that double with each level of fields",
            &format!(
                "{{user{{...F0}}}}{}",
                doubling(13, "User", |next| format!("friend{{{next}}} friends{{{next}}}"))
            ),
            FIELDS,
        ),
        Case::query(
            "fragments that double below the limit",
            &format!("{{user{{...F0}}}}{}", doubling(11, "User", twice)),
            FINE,
        ),
        Case::query(
            "fragments that double with each level below the limit",
            &format!(
                "{{user{{...F0}}}}{}",
                doubling(10, "User", |next| format!("friend{{{next}}} friends{{{next}}}"))
            ),
            (400, "COST_LIMIT_EXCEEDED"),
        ),
        Case::query(
            "5 001 spreads",
            &format!(
                "{{user{{{}}}}} fragment F on User{{...G ...G ...G ...G}} fragment G on User{{id}}",
                "...F ".repeat(1_001)
            ),
            (400, "FRAGMENT_LIMIT_EXCEEDED"),
        ),
        Case::query(
            "1 000 spreads of one fragment",
            &format!("{{user{{{}}}}} fragment F on User{{id}}", "...F ".repeat(1_000)),
            FINE,
        ),
        Case::query("a chain of 10 000 fragments", &chain(10_000), TOKENS),
        Case::query("a chain of 1 500 fragments", &chain(1_500), HIGH),
        Case::query("a chain of 90 fragments", &chain(90), FINE),
        Case::query(
            "a fragment that spreads itself",
            "{user{...F}} fragment F on User{...F}",
            INVALID,
        ),
        Case::query(
            "a fragment that spreads itself with fields",
            "{user{...F}} fragment F on User{friend{...F}}",
            INVALID,
        ),
        Case::query(
            "a cycle of 150 fragments",
            &format!(
                "{{user{{...F0}}}}{}",
                numbered(150, |i| format!(
                    " fragment F{i} on User{{...F{}}}",
                    (i + 1) % 150
                ))
            ),
            INVALID,
        ),
        Case::query(
            "all fragments spread all others",
            &format!(
                "{{user{{...F0}}}}{}",
                numbered(50, |i| format!(
                    " fragment F{i} on User{{{}}}",
                    numbered(50, |j| format!("...F{j} "))
                ))
            ),
            (400, "FRAGMENT_LIMIT_EXCEEDED"),
        ),
        Case::query(
            "1 600 fragments that nobody spreads",
            &format!(
                "{{probe}}{}",
                numbered(1_600, |i| format!(" fragment F{i} on User{{id}}"))
            ),
            INVALID,
        ),
        Case::query(
            "one fragment 1 600 times",
            &format!("{{user{{...F}}}}{}", " fragment F on User{id}".repeat(1_600)),
            INVALID,
        ),
        Case::query(
            "2 500 spreads of no fragment",
            &format!("{{user{{{}}}}}", numbered(2_500, |i| format!("...F{i} "))),
            INVALID,
        ),
        Case::query(
            "2 000 fragments on no type",
            &format!("{{user{{{}}}}}", numbered(2_000, |i| format!("...on X{i}{{id}}"))),
            INVALID,
        ),
        Case::query(
            "inline fragments 10 000 deep",
            &format!("{{user{{{}id{}}}}}", "...{".repeat(10_000), "}".repeat(10_000)),
            HIGH,
        ),
        Case::query(
            "inline fragments 150 deep",
            &format!("{{user{{{}id{}}}}}", "...{".repeat(150), "}".repeat(150)),
            FINE,
        ),
        Case::query(
            "2 000 inline fragments",
            &format!("{{user{{{}}}}}", "...on User{id}".repeat(2_000)),
            FINE,
        ),
        Case::query(
            "fragments on types that never meet",
            &format!("{{node{{{}}}}}", "...on T0{...on T1{id}}".repeat(800)),
            INVALID,
        ),
    ]
}

fn selections() -> Vec<Case> {
    let aliases = (400, "ALIAS_LIMIT_EXCEEDED");
    let roots = (400, "ROOT_FIELD_LIMIT_EXCEEDED");
    vec![
        Case::query(
            "4 000 aliases",
            &format!("{{user{{{}}}}}", numbered(4_000, |i| format!("a{i}:id "))),
            aliases,
        ),
        Case::query(
            "aliases in a fragment",
            &format!(
                "{{user{{...F ...F}}}} fragment F on User{{{}}}",
                numbered(16, |i| format!("a{i}:id "))
            ),
            aliases,
        ),
        Case::query(
            "14 000 root fields",
            &format!("{{{}}}", "probe ".repeat(14_000)),
            roots,
        ),
        Case::query(
            "14 000 names of a type at the root",
            &format!("{{{}}}", "__typename ".repeat(14_000)),
            roots,
        ),
        Case::query(
            "9 000 names of a type",
            &format!("{{user{{{}}}}}", "__typename ".repeat(9_000)),
            FINE,
        ),
        Case::query(
            "9 000 times one field",
            &format!("{{user{{{}}}}}", "id ".repeat(9_000)),
            FINE,
        ),
        Case::query(
            "14 000 times one field",
            &format!("{{user{{{}}}}}", "id ".repeat(14_000)),
            FIELDS,
        ),
        Case::query(
            "fields 16 deep",
            &format!("{{user{}{{id}}{}}}", "{friend".repeat(16), "}".repeat(16)),
            (400, "DEPTH_LIMIT_EXCEEDED"),
        ),
        Case::query(
            "7 000 unknown fields",
            &format!("{{user{{{}}}}}", numbered(7_000, |i| format!("x{i} "))),
            INVALID,
        ),
        Case::query(
            "4 000 fields without a selection",
            &format!("{{user{{{}}}}}", "friend ".repeat(4_000)),
            INVALID,
        ),
        Case::query(
            "3 000 leaves with a selection",
            &format!("{{user{{{}}}}}", "id{x} ".repeat(3_000)),
            INVALID,
        ),
        Case::query(
            "20 mutations too many",
            &format!("mutation{{{}}}", numbered(29, |i| format!("a{i}:put "))),
            roots,
        ),
        Case::query(
            "entities through the gateway",
            &format!(
                "{{_entities(representations:[{}]){{__typename}}}}",
                "{} ".repeat(3_000)
            ),
            INVALID,
        ),
        Case::query("the SDL through the gateway", "{_service{sdl}}", INVALID),
        Case::query(
            "a subscription by POST",
            "subscription{tick}",
            (400, "SUBSCRIPTION_NEEDS_WEBSOCKET"),
        ),
    ]
}

/// Fields that would have to be compared in pairs.
fn overlaps() -> Vec<Case> {
    vec![
        Case::query(
            "3 000 fields in conflict",
            &format!("{{user{{{}}}}}", numbered(1_400, |i| format!("name(n:{i}) "))),
            INVALID,
        ),
        Case::query(
            "1 000 objects in conflict",
            &format!(
                "{{user{{{}}}}}",
                numbered(1_000, |i| format!("friend(n:{i}){{id}} "))
            ),
            INVALID,
        ),
        Case::query(
            "1 400 equal objects",
            &format!("{{user{{{}}}}}", "friend{id name} ".repeat(1_400)),
            FINE,
        ),
        Case::query(
            "equal objects that double with each level",
            &format!(
                "{{user{}}}",
                (0..9).fold("{id}".to_owned(), |inner, _| format!(
                    "{{friend{inner} friend{inner}}}"
                ))
            ),
            FINE,
        ),
        Case::query(
            "fields in conflict below fragments",
            &format!(
                "{{user{{{}}}}}{}",
                numbered(300, |i| format!("...F{i} ")),
                numbered(300, |i| format!(
                    " fragment F{i} on User{{friend{{friend{{name(n:{i})}}}}}}"
                ))
            ),
            INVALID,
        ),
        Case::query(
            "600 fragments of the same object",
            &format!(
                "{{user{{{}}}}}{}",
                numbered(600, |i| format!("...F{i} ")),
                numbered(600, |i| format!(
                    " fragment F{i} on User{{friend{{friend{{id}}}}}}"
                ))
            ),
            FINE,
        ),
        Case::query(
            "types that exclude each other",
            &format!(
                "{{node{{{}}}}}",
                numbered(20, |i| format!("...on T{i}{{{}}}", "child{id size} ".repeat(30)))
            ),
            FINE,
        ),
        Case::query(
            "types that exclude each other, in conflict",
            &format!(
                "{{node{{{}}}}}",
                numbered(20, |i| format!(
                    "...on T{i}{{{}}}",
                    numbered(30, |j| format!("child{{size(unit:{j})}} "))
                ))
            ),
            INVALID,
        ),
    ]
}

fn directives() -> Vec<Case> {
    let over = (400, "DIRECTIVE_LIMIT_EXCEEDED");
    let variables = |count: usize| numbered(count, |i| format!("$v{i}:Boolean!"));
    let values = |count: usize| format!("{{{}\"z\":0}}", numbered(count, |i| format!("\"v{i}\":true,")));
    vec![
        Case::query(
            "3 000 directives on a field",
            &format!("{{probe {}}}", "@skip(if:true)".repeat(2_000)),
            over,
        ),
        Case::query(
            "3 000 directives on an operation",
            &format!("query {}{{probe}}", "@a".repeat(3_000)),
            over,
        ),
        Case::query(
            "3 000 directives on a fragment",
            &format!("{{user{{...F}}}} fragment F on User {}{{id}}", "@a".repeat(3_000)),
            over,
        ),
        Case::query(
            "3 000 directives on a variable",
            &format!("query($a:Int {}){{probe}}", "@a".repeat(3_000)),
            INVALID,
        ),
        Case::query(
            "50 directives on each of 130 fields",
            &format!("{{user{{{}}}}}", format!("id {} ", "@a".repeat(50)).repeat(130)),
            INVALID,
        ),
        Case::query(
            "a directive 40 times on each of 40 fields",
            &format!(
                "{{user{{{}}}}}",
                format!("id {} ", "@skip(if:false)".repeat(40)).repeat(40)
            ),
            INVALID,
        ),
        Case::variables(
            "500 conditions",
            &format!(
                "query({}){{user{{{}}}}}",
                variables(500),
                numbered(500, |i| format!("...@include(if:$v{i}){{id}}"))
            ),
            &values(500),
            FINE,
        ),
        Case::variables(
            "400 conditions in one another's way",
            &format!(
                "query({}){{user{{{}}}}}",
                variables(400),
                numbered(400, |i| format!(
                    "friend@skip(if:$v{i}){{id @include(if:$v{})}}",
                    (i * 7) % 400
                ))
            ),
            &values(400),
            FINE,
        ),
        Case::query(
            "a condition that is no variable",
            &format!("{{user{{{}}}}}", "id@skip(if:$no)".repeat(1_000)),
            INVALID,
        ),
    ]
}

fn definitions() -> Vec<Case> {
    let operations = (400, "OPERATION_LIMIT_EXCEEDED");
    vec![
        Case::query(
            "2 000 operations",
            &numbered(2_000, |i| format!("query A{i}{{probe}}")),
            operations,
        ),
        Case::query(
            "2 000 operations without a name",
            &"{probe}".repeat(2_000),
            operations,
        ),
        Case::query(
            "two operations of one name",
            "query A{probe} query A{probe}",
            INVALID,
        ),
        Case::body(
            "a name of 1 MB that is not there",
            format!(
                "{{\"query\":\"query A{{probe}}\",\"operationName\":\"{}\"}}",
                "x".repeat(1_000_000)
            ),
            (400, "OPERATION_RESOLUTION_FAILURE"),
        ),
        Case::query(
            "2 800 variables that nobody uses",
            &format!("query({}){{probe}}", numbered(2_800, |i| format!("$v{i}:Int "))),
            INVALID,
        ),
        Case::query(
            "one variable 2 800 times",
            &format!("query({}){{find(text:$v){{id}}}}", "$v:Int ".repeat(2_800)),
            INVALID,
        ),
        Case::query(
            "2 500 variables of no type",
            &format!("query({}){{probe}}", numbered(2_500, |i| format!("$v{i}:X{i} "))),
            INVALID,
        ),
        Case::query(
            "1 700 variables, all used",
            &format!(
                "query({}){{find(ids:[{}]){{id}}}}",
                numbered(1_700, |i| format!("$v{i}:Int ")),
                numbered(1_700, |i| format!("$v{i} "))
            ),
            FINE,
        ),
        Case::query(
            "a variable 6 000 times",
            &format!("query($v:Int){{find(ids:[{}]){{id}}}}", "$v ".repeat(6_000)),
            FINE,
        ),
        Case::query(
            "6 000 variables that are not there",
            &format!("{{find(ids:[{}]){{id}}}}", numbered(6_000, |i| format!("$v{i} "))),
            INVALID,
        ),
        Case::query(
            "a type 300 lists deep",
            &format!("query($v:{}Int{}){{probe}}", "[".repeat(300), "]".repeat(300)),
            HIGH,
        ),
        Case::query(
            "a type 190 lists deep",
            &format!(
                "query($v:{}Int{}){{find(ids:$v){{id}}}}",
                "[".repeat(190),
                "]".repeat(190)
            ),
            INVALID,
        ),
        Case::query(
            "a variable's default 190 deep",
            &format!(
                "query($v:Search={}{{}}{}){{find(by:$v){{id}}}}",
                "{deep:".repeat(180),
                "}".repeat(180)
            ),
            FINE,
        ),
        Case::query(
            "a variable in a variable's default",
            "query($a:Int=1,$b:[Int]=[$a]){find(ids:$b){id}}",
            SYNTAX,
        ),
    ]
}
