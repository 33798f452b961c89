//! JSON: nesting, floods, numbers, encodings.

use super::Case;

const FIND: &str = "query($by: Search) { find(by: $by) { id } }";

pub fn cases() -> Vec<Case> {
    [encodings(), shapes(), variables()]
        .into_iter()
        .flatten()
        .collect()
}

fn encodings() -> Vec<Case> {
    let bad = (400, "INVALID_JSON");
    vec![
        Case::body("nothing", "", bad),
        Case::body("two million spaces", " ".repeat(2_000_000), bad),
        Case::body("a byte order mark", "\u{feff}{\"query\":\"{probe}\"}", bad),
        Case::body("UTF-16", b"\xff\xfe{\0\"\0".to_vec(), bad),
        Case::body(
            "bytes that are no UTF-8",
            b"{\"query\":\"\xff\xfe\"}".to_vec(),
            bad,
        ),
        Case::body("an overlong slash", b"{\"query\":\"\xc0\xaf\"}".to_vec(), bad),
        Case::body(
            "a surrogate in UTF-8",
            b"{\"query\":\"\xed\xa0\x80\"}".to_vec(),
            bad,
        ),
        Case::body("NUL in JSON", b"{\"query\":\"{probe}\0\"}".to_vec(), bad),
        Case::body("half a surrogate pair", "{\"query\":\"\\ud800\"}", bad),
        Case::variables(
            "half a surrogate pair in a variable",
            FIND,
            "{\"by\":{\"text\":\"\\udfff\"}}",
            bad,
        ),
        Case::body(
            "an escaped NUL in a query",
            "{\"query\":\"{probe\\u0000}\"}",
            (400, "GRAPHQL_PARSE_FAILED"),
        ),
        Case::variables("1e999", FIND, "{\"by\":{\"n\":1e999}}", bad),
        Case::variables("-1e99999999999", FIND, "{\"by\":{\"n\":-1e99999999999}}", bad),
        Case::variables(
            "a number of 100 000 digits",
            FIND,
            &format!("{{\"by\":{{\"n\":{}}}}}", "9".repeat(100_000)),
            bad,
        ),
        Case::variables(
            "1e308 for an Int",
            FIND,
            "{\"by\":{\"n\":1e308}}",
            (400, "BAD_USER_INPUT"),
        ),
        Case::variables("NaN", FIND, "{\"by\":{\"n\":NaN}}", bad),
        Case::body("a body that breaks off", "{\"query\":\"{probe}\"", bad),
        Case::body(
            "two bodies",
            "{\"query\":\"{probe}\"}{\"query\":\"{probe}\"}",
            bad,
        ),
    ]
}

fn shapes() -> Vec<Case> {
    let deep = (400, "JSON_TOO_DEEP");
    let bad = (400, "BAD_REQUEST");
    let extensions = format!(
        "{{\"query\":\"{{probe}}\",\"extensions\":{}{}}}",
        "{\"a\":".repeat(90_000),
        "1".to_owned() + &"}".repeat(90_000)
    );
    let batch = format!(
        "[{}{{\"query\":\"{{probe}}\"}}]",
        "{\"query\":\"{probe}\"},".repeat(20_000)
    );
    vec![
        Case::variables(
            "100 000 nested lists",
            FIND,
            &format!("{{\"by\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000)),
            deep,
        ),
        Case::variables(
            "100 000 nested objects",
            FIND,
            &format!(
                "{{\"by\":{}1{}}}",
                "{\"deep\":".repeat(100_000),
                "}".repeat(100_000)
            ),
            deep,
        ),
        Case::body("lists that never end", "[".repeat(1_000_000), deep),
        Case::body("objects that never end", "{\"a\":".repeat(300_000), deep),
        Case::body("deep extensions", extensions, deep),
        Case::body("20 000 requests in one", batch, (400, "BATCHING_DISABLED")),
        Case::body(
            "a query twice",
            "{\"query\":\"{probe}\",\"query\":\"{probe}\"}",
            bad,
        ),
        Case::body("a list for a query", "{\"query\":[\"{probe}\"]}", bad),
        Case::body(
            "a number for a name",
            "{\"query\":\"{probe}\",\"operationName\":1e3}",
            bad,
        ),
        Case::body("no query", "{}", bad),
        Case::body(
            "10 MB",
            format!("{{\"query\":\"{}\"}}", "x".repeat(10 << 20)),
            (413, "BODY_TOO_LARGE"),
        ),
        Case::body(
            "3 MB of tokens",
            format!("{{\"query\":\"{{{}}}\"}}", "a ".repeat(1_500_000)),
            (413, "BODY_TOO_LARGE"),
        ),
        Case::body(
            "60 000 members that mean nothing",
            format!(
                "{{\"query\":\"{{probe}}\"{}}}",
                (0..60_000).map(|i| format!(",\"m{i}\":0")).collect::<String>()
            ),
            (200, ""),
        ),
    ]
}

fn variables() -> Vec<Case> {
    let many = (413, "VARIABLES_TOO_MANY_VALUES");
    let wrong = (400, "BAD_USER_INPUT");
    let tags = "query($t: [Tag!]) { find(tags: $t) { id } }";
    let list = |item: &str, count: usize| format!("[{}{item}]", format!("{item},").repeat(count - 1));
    vec![
        Case::variables(
            "a million items",
            "query($i: [Int]) { find(ids: $i) { id } }",
            &format!("{{\"i\":{}}}", list("1", 1_000_000)),
            (413, "JSON_TOO_MANY_VALUES"),
        ),
        Case::variables(
            "60 000 items",
            "query($i: [Int]) { find(ids: $i) { id } }",
            &format!("{{\"i\":{}}}", list("1", 60_000)),
            many,
        ),
        Case::variables(
            "40 000 items",
            "query($i: [Int]) { find(ids: $i) { id } }",
            &format!("{{\"i\":{}}}", list("1", 40_000)),
            (200, ""),
        ),
        Case::variables(
            "40 000 names that are not there",
            "{ probe }",
            &format!(
                "{{{}\"z\":0}}",
                (0..40_000).map(|i| format!("\"v{i}\":0,")).collect::<String>()
            ),
            (200, ""),
        ),
        Case::variables(
            "one name 40 000 times",
            "{ probe }",
            &format!("{{{}\"v\":0}}", "\"v\":0,".repeat(40_000)),
            (200, ""),
        ),
        Case::variables(
            "objects 40 deep",
            FIND,
            &format!("{{\"by\":{}{{}}{}}}", "{\"deep\":".repeat(40), "}".repeat(40)),
            (400, "VARIABLES_TOO_DEEP"),
        ),
        Case::variables(
            "objects 28 deep",
            FIND,
            &format!("{{\"by\":{}{{}}{}}}", "{\"deep\":".repeat(28), "}".repeat(28)),
            (200, ""),
        ),
        Case::variables(
            "a text of 1.5 MB",
            FIND,
            &format!("{{\"by\":{{\"text\":\"{}\"}}}}", "x".repeat(1_500_000)),
            (413, "VARIABLES_TOO_LARGE"),
        ),
        Case::variables(
            "a text of 1 MB of escapes",
            FIND,
            &format!("{{\"by\":{{\"text\":\"{}\"}}}}", "\\u0041".repeat(170_000)),
            (200, ""),
        ),
        Case::variables(
            "40 000 values of no enum",
            tags,
            &format!("{{\"t\":{}}}", list("\"Z\"", 40_000)),
            wrong,
        ),
        Case::variables(
            "40 000 fields of no input",
            FIND,
            &format!(
                "{{\"by\":{{{}\"text\":\"\"}}}}",
                (0..40_000).map(|i| format!("\"f{i}\":0,")).collect::<String>()
            ),
            wrong,
        ),
        Case::variables(
            "an object for an id",
            FIND,
            "{\"by\":{\"text\":{\"$ne\":null}}}",
            wrong,
        ),
        Case::variables("a list for variables", FIND, "[1]", (400, "INVALID_VARIABLES")),
        Case::variables("a text for variables", FIND, "\"{}\"", (400, "INVALID_VARIABLES")),
        Case::variables(
            "a wrong text of 900 kB for an Int",
            FIND,
            &format!("{{\"by\":{{\"n\":\"{}\"}}}}", "x".repeat(900_000)),
            wrong,
        ),
        Case::variables(
            "a wrong name of 900 kB",
            FIND,
            &format!("{{\"by\":{{\"{}\":1}}}}", "x".repeat(900_000)),
            wrong,
        ),
        Case::variables(
            "dear inputs",
            "query($m: [Search!]) { find(many: $m) { id } }",
            &format!("{{\"m\":{}}}", list("{}", 20_000)),
            (200, ""),
        ),
    ]
}
