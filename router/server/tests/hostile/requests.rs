//! HTTP/1.1 as no browser sends it.

use super::Case;
use super::raw::post_with;

const BODY: &[u8] = br#"{"query":"{ probe }"}"#;

pub fn cases() -> Vec<Case> {
    [heads(), lengths(), others()].into_iter().flatten().collect()
}

fn numbered(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect()
}

/// A POST with these lines after the first, and this behind the head.
fn request(lines: &str, rest: &str) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\ncontent-type: application/json\r\n{lines}\r\n{rest}"
    )
}

fn heads() -> Vec<Case> {
    let large = (431, "HEADERS_TOO_LARGE");
    vec![
        Case::raw(
            "a header of 20 kB",
            post_with(&format!("x-a: {}\r\n", "x".repeat(20_000)), BODY),
            large,
        ),
        Case::raw(
            "90 headers of 200 bytes",
            post_with(&numbered(90, |i| format!("x-{i}: {}\r\n", "x".repeat(200))), BODY),
            large,
        ),
        Case::raw(
            "5 000 headers",
            post_with(&numbered(5_000, |i| format!("x-{i}: 1\r\n")), BODY),
            (431, ""),
        ),
        Case::raw(
            "a header of 1 MB",
            post_with(&format!("x-a: {}\r\n", "x".repeat(1_000_000)), BODY),
            (431, ""),
        ),
        Case::raw(
            "an address of 100 kB",
            format!(
                "GET /graphql?query={} HTTP/1.1\r\nhost: a\r\n\r\n",
                "x".repeat(100_000)
            ),
            (414, ""),
        ),
        Case::raw("a NUL in a header", post_with("x-a: a\0b\r\n", BODY), (400, "")),
        Case::raw("a header without a name", post_with(": a\r\n", BODY), (400, "")),
        Case::raw(
            "a header with a space in its name",
            post_with("x a: b\r\n", BODY),
            (400, ""),
        ),
        Case::raw("a folded header", post_with("x-a: a\r\n b\r\n", BODY), (400, "")),
        Case::raw(
            "no HTTP at all",
            "\0\u{1}\u{2}garbage\r\n\r\n".repeat(100),
            (400, ""),
        ),
        Case::raw(
            "a hello of TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
            (400, ""),
        ),
        Case::raw("HTTP/9.9", "GET /graphql HTTP/9.9\r\nhost: a\r\n\r\n", (400, "")),
        Case::raw(
            "a method of 60 kB",
            format!("{} /graphql HTTP/1.1\r\nhost: a\r\n\r\n", "A".repeat(60_000)),
            (405, "METHOD_NOT_ALLOWED"),
        ),
        Case::raw(
            "a method of nobody",
            "BREW /graphql HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            (405, "METHOD_NOT_ALLOWED"),
        ),
        Case::raw(
            "a line feed in an id",
            post_with("x-request-id: a\nset-cookie: b=c\r\n", BODY),
            (200, ""),
        ),
    ]
}

fn lengths() -> Vec<Case> {
    let text = String::from_utf8_lossy(BODY);
    let chunk = format!("{:x}\r\n{text}\r\n0\r\n\r\n", BODY.len());
    let chunked = "transfer-encoding: chunked\r\n";
    vec![
        // RFC 9112, section 6.1.
        Case::raw(
            "a length and chunks",
            request(&format!("content-length: 4\r\n{chunked}"), &chunk),
            (400, "BAD_REQUEST"),
        ),
        Case::raw(
            "chunks and a length",
            request(&format!("{chunked}Content-LENGTH: 4\r\n"), &chunk),
            (400, "BAD_REQUEST"),
        ),
        Case::raw(
            "chunks and the length of all of them",
            request(
                &format!("{chunked}x-between: 1\r\ncontent-length: {}\r\n", chunk.len()),
                &chunk,
            ),
            (400, "BAD_REQUEST"),
        ),
        Case::raw(
            "a length that is no number, and chunks",
            request(&format!("{chunked}content-length: x\r\n"), &chunk),
            (400, "BAD_REQUEST"),
        ),
        Case::raw(
            "a length twice",
            request(
                &format!("content-length: {0}\r\ncontent-length: {0}\r\n", text.len()),
                &text,
            ),
            (200, ""),
        ),
        Case::raw(
            "two lengths",
            request("content-length: 4\r\ncontent-length: 22\r\n", &text),
            (400, ""),
        ),
        Case::raw(
            "a negative length",
            request("content-length: -1\r\n", &text),
            (400, ""),
        ),
        Case::raw(
            "a length with a sign",
            request("content-length: +21\r\n", &text),
            (400, ""),
        ),
        Case::raw(
            "a length in hexadecimal",
            request("content-length: 0x15\r\n", &text),
            (400, ""),
        ),
        Case::raw(
            "a length of 20 digits",
            request("content-length: 99999999999999999999\r\n", &text),
            (400, ""),
        ),
        Case::raw(
            "a length of 4 GB",
            request("content-length: 4294967296\r\n", &text),
            (413, "BODY_TOO_LARGE"),
        ),
        Case::raw("chunks", request(chunked, &chunk), (200, "")),
        Case::raw(
            "a chunk of no number",
            request(chunked, "zz\r\nabc\r\n0\r\n\r\n"),
            (400, "BAD_REQUEST"),
        ),
        Case::raw(
            "a chunk larger than all memory",
            request(chunked, "ffffffffffffffffff\r\nabc"),
            (400, "BAD_REQUEST"),
        ),
        Case::raw(
            "10 000 chunks of one byte",
            request(chunked, &format!("{}0\r\n\r\n", "1\r\n \r\n".repeat(10_000))),
            (400, "INVALID_JSON"),
        ),
        Case::raw(
            "a chunk with an extension of 100 kB",
            request(chunked, &format!("1;{}\r\n \r\n0\r\n\r\n", "x".repeat(100_000))),
            (400, "BAD_REQUEST"),
        ),
        Case::raw(
            "chunks twice over",
            request("transfer-encoding: chunked, chunked\r\n", &chunk),
            (200, ""),
        ),
        Case::raw(
            "chunks of nobody",
            request("transfer-encoding: cow\r\n", &chunk),
            (400, ""),
        ),
        Case::raw(
            "a body that never comes",
            request("content-length: 30\r\n", ""),
            (408, "BODY_TOO_SLOW"),
        ),
    ]
}

fn others() -> Vec<Case> {
    let get = |query: &str| {
        format!(
            "GET /graphql?{query} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ngraphql-require-preflight: 1\r\n\r\n"
        )
    };
    vec![
        Case::raw(
            "a form",
            "POST /graphql HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 13\r\n\r\nquery={probe}",
            (415, "UNSUPPORTED_MEDIA_TYPE"),
        ),
        Case::raw(
            "a GET that any page could send",
            "GET /graphql?query={probe} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            (400, "CSRF_REFUSED"),
        ),
        Case::raw("a broken escape", get("query=%7"), (400, "BAD_REQUEST")),
        Case::raw(
            "an escape that is no UTF-8",
            get("query=%ff%fe"),
            (400, "BAD_REQUEST"),
        ),
        Case::raw(
            "2 000 parameters",
            get(&numbered(2_000, |i| format!("a{i}=1&"))),
            (400, "BAD_REQUEST"),
        ),
        Case::raw(
            "one parameter 1 000 times",
            get(&"query={probe}&".repeat(1_000)),
            (400, "BAD_REQUEST"),
        ),
        Case::raw(
            "deep variables by GET",
            get(&format!("query={{probe}}&variables={}", "[".repeat(8_000))),
            (400, "VARIABLES_TOO_DEEP"),
        ),
        Case::raw(
            "a mutation by GET",
            get("query=mutation{put}"),
            (405, "MUTATION_BY_GET"),
        ),
        Case::raw(
            "an Accept of 3 000 types",
            post_with(&format!("accept: {}\r\n", "a/b;q=0.1,".repeat(1_400)), BODY),
            (200, ""),
        ),
        Case::raw(
            "an upgrade to nothing",
            "GET /graphql HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
            (400, "BAD_REQUEST"),
        ),
    ]
}
