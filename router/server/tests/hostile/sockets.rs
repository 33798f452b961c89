//! WebSocket frames, and messages of graphql-transport-ws.

use super::frames::{
    BINARY, CLOSE, CONTINUED, LAST, MORE, PING, TEXT, ending, frame, head, init, text, upgrade,
};
use super::world::{self, World};

struct Case {
    name: &'static str,
    upgrade: Vec<u8>,
    frames: Vec<u8>,
    /// Any of these endings.
    endings: &'static [&'static str],
}

/// RFC 6455, section 7.1.7: it is said why before the connection ends.
const NO_FRAME: &[&str] = &["closed 1002"];

fn case(name: &'static str, frames: Vec<u8>, endings: &'static [&'static str]) -> Case {
    Case {
        name,
        upgrade: upgrade("graphql-transport-ws"),
        frames,
        endings,
    }
}

fn subscribe(id: &str, query: &str) -> Vec<u8> {
    let message = serde_json::json!({"id": id, "type": "subscribe", "payload": {"query": query}});
    text(&message.to_string())
}

fn frames() -> Vec<Case> {
    let unmasked = [head(TEXT, 26, false), br#"{"type":"connection_init"}"#.to_vec()].concat();
    let parts = |count: usize, part: &[u8]| {
        let more = frame(MORE, part).repeat(count);
        [init(), frame(CONTINUED, b"{"), more].concat()
    };
    let large = vec![b'x'; 2 << 20];
    vec![
        case("a frame without a mask", unmasked, NO_FRAME),
        case(
            "no frames at all",
            b"GET / HTTP/1.1\r\n\r\n".repeat(1_000),
            NO_FRAME,
        ),
        case(
            "a frame of an exabyte",
            [init(), head(TEXT, 1 << 60, true), vec![0; 64]].concat(),
            &["closed 1009"],
        ),
        case(
            "a length with its highest bit set",
            [init(), head(TEXT, u64::MAX, true), vec![0; 64]].concat(),
            &["closed 1009"],
        ),
        case(
            "a message of 2 MB",
            [init(), frame(TEXT, &large)].concat(),
            &["closed 1009"],
        ),
        case(
            "a message of 2 MB in parts",
            parts(200, &large[..10 << 10]),
            &["closed 1009"],
        ),
        case(
            "a message that never ends",
            [parts(20_000, b""), text("{}")].concat(),
            &["closed 1002", "closed 1008", "closed 1009"],
        ),
        case(
            "a part of nothing",
            [init(), frame(LAST, b"{}")].concat(),
            NO_FRAME,
        ),
        case(
            "a message within a message",
            [init(), frame(CONTINUED, b"{"), text("{}")].concat(),
            NO_FRAME,
        ),
        case(
            "reserved bits",
            [init(), frame(TEXT | 0x70, b"{}")].concat(),
            NO_FRAME,
        ),
        case(
            "an unknown kind of frame",
            [init(), frame(0x83, b"")].concat(),
            NO_FRAME,
        ),
        case(
            "an unknown frame of control",
            [init(), frame(0x8f, b"")].concat(),
            NO_FRAME,
        ),
        case("a ping in parts", [init(), frame(0x09, b"a")].concat(), NO_FRAME),
        case(
            "a ping of 4 kB",
            [init(), frame(PING, &[0; 4096])].concat(),
            NO_FRAME,
        ),
        case(
            "a close of one byte",
            [init(), frame(CLOSE, b"a")].concat(),
            NO_FRAME,
        ),
        case(
            "a close with a code of nobody",
            [init(), frame(CLOSE, &[0, 5])].concat(),
            NO_FRAME,
        ),
        case(
            "a text that is no UTF-8",
            [init(), frame(TEXT, b"\xff\xfe")].concat(),
            &["closed 1007"],
        ),
        case(
            "a text in parts that is no UTF-8, and megabytes after it",
            [
                init(),
                frame(CONTINUED, b"{\xc3"),
                frame(LAST, b"\x28}"),
                frame(TEXT, &large).repeat(3),
            ]
            .concat(),
            &["closed 1007"],
        ),
        case(
            "a mask for some only, and megabytes after it",
            [
                init(),
                head(TEXT, 2, false),
                b"{}".to_vec(),
                frame(TEXT, &large).repeat(3),
            ]
            .concat(),
            NO_FRAME,
        ),
        case(
            "bytes in place of text",
            [init(), frame(BINARY, b"{}")].concat(),
            &["closed 4400", "closed 1003"],
        ),
        case(
            "50 000 pings",
            [
                init(),
                frame(PING, b"x").repeat(50_000),
                subscribe("1", "{probe}"),
            ]
            .concat(),
            &["closed 1008", "cut", "next"],
        ),
    ]
}

fn messages() -> Vec<Case> {
    let bad = &["closed 4400"];
    let nested = format!(
        "{{\"type\":\"subscribe\",\"id\":\"1\",\"payload\":{{\"query\":\"{{probe}}\",\"variables\":{}",
        "[".repeat(100_000)
    );
    let deep = format!(
        "{{\"type\":\"subscribe\",\"id\":\"1\",\"payload\":{{\"query\":\"{{probe}}\",\"variables\":{{\"a\":{}{}}}}}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let doubled: String = (0..40)
        .map(|i| format!(" fragment F{i} on User{{...F{n} ...F{n}}}", n = i + 1))
        .collect();
    let doubled = format!("{{user{{...F0}}}}{doubled} fragment F40 on User{{id}}");
    let padded = format!(
        "{{\"type\":\"connection_init\",\"payload\":{{\"a\":\"{}\"}}}}",
        "x".repeat(900_000)
    );
    vec![
        case("no JSON", text("hello"), bad),
        case(
            "100 000 open lists",
            [init(), text(&"[".repeat(100_000))].concat(),
            bad,
        ),
        case(
            "a request that breaks off in 100 000 lists",
            [init(), text(&nested)].concat(),
            bad,
        ),
        case(
            "100 000 nested lists in a variable",
            [init(), text(&deep)].concat(),
            &["JSON_TOO_DEEP"],
        ),
        case(
            "fragments that double",
            [init(), subscribe("1", &doubled)].concat(),
            &["FIELD_LIMIT_EXCEEDED"],
        ),
        case(
            "a page of 99 999 999",
            [init(), subscribe("1", "{nodes(first:99999999){id}}")].concat(),
            &["COST_LIMIT_EXCEEDED"],
        ),
        case(
            "a message of no kind",
            [init(), text("{\"type\":\"x\"}")].concat(),
            bad,
        ),
        case("a number for a kind", text("{\"type\":1}"), bad),
        case(
            "an id of 500 kB",
            [init(), subscribe(&"x".repeat(500_000), "{nothing}")].concat(),
            &["closed 4400", "GRAPHQL_VALIDATION_FAILED"],
        ),
        case(
            "a beginning of 900 kB",
            [text(&padded), subscribe("1", "{probe}")].concat(),
            &["next"],
        ),
        case("two beginnings", [init(), init()].concat(), &["closed 4429"]),
        case(
            "5 000 requests before the beginning",
            subscribe("1", "{probe}").repeat(5_000),
            &["closed 4401"],
        ),
        case(
            "5 000 messages at once",
            [init(), text("{\"type\":\"ping\"}").repeat(5_000)].concat(),
            &["closed 1008"],
        ),
        case(
            "a token of others",
            text("{\"type\":\"connection_init\",\"payload\":{\"authorization\":\"Bearer a.b.c\"}}"),
            &["closed 4403"],
        ),
    ]
}

fn upgrades() -> Vec<Case> {
    let with = |name, upgrade: String, endings| Case {
        name,
        upgrade: upgrade.into_bytes(),
        frames: Vec::new(),
        endings,
    };
    let usual = String::from_utf8(upgrade("graphql-transport-ws")).expect("text");
    vec![
        with(
            "no known protocol",
            usual.replace("graphql-transport-ws", "mqtt"),
            &["closed 4406"],
        ),
        with(
            "1 000 protocols",
            usual.replace("graphql-transport-ws", &"a, ".repeat(1_000)),
            &["closed 4406", "400"],
        ),
        with(
            "an old version",
            usual.replace("version: 13", "version: 8"),
            &["400"],
        ),
        with("no key", usual.replace("sec-websocket-key", "x-key"), &["400"]),
        with(
            "a foreign page",
            usual.replace("host: gateway", "host: gateway\r\norigin: https://evil.example"),
            &["403"],
        ),
        with("a POST", usual.replace("GET", "POST"), &["415", "400"]),
        with(
            "a key of 15 kB",
            usual.replace("dGhlIHNhbXBsZSBub25jZQ==", &"x".repeat(15_000)),
            &["silence", "400", "closed 4408"],
        ),
    ]
}

pub async fn run() {
    let world = World::start().await;
    let cases: Vec<Case> = [frames(), messages(), upgrades()].into_iter().flatten().collect();
    let count = cases.len();
    let mut wrong = Vec::new();
    for case in cases {
        let ended = ending(world.addr, &case.upgrade, &case.frames).await;
        if !case.endings.contains(&ended.as_str()) {
            wrong.push(format!("{}: {ended}", case.name));
        }
        if let Err(why) = world.probe().await {
            wrong.push(format!("{}: afterwards {why}", case.name));
        }
    }
    wrong.extend(world.end("sockets", count).await);
    assert!(
        wrong.is_empty(),
        "(patience {:?})\n{}",
        world::patience(),
        wrong.join("\n")
    );
}
