//! What the gateway reads of clients, of subgraphs and of its operators.
use baedal_router::config::{self, LimitsConfig};
use baedal_router::{fuzzing, request as requests};
use serde_json::Value;

/// A request's body, and the same bytes as a query string.
pub fn request(input: &[u8]) {
    let limits = LimitsConfig::default();
    let from_body = requests::from_json(input, &limits);
    if let Ok(read) = &from_body {
        let json: Value = serde_json::from_slice(input).expect("what was read is JSON");
        match &read.query {
            Some(query) => assert_eq!(json["query"], query.as_str()),
            None => assert!(read.named.is_some(), "a document is there, or named"),
        }
    }
    drop(requests::from_query_string(
        &String::from_utf8_lossy(input),
        &limits,
    ));
}

/// Messages of a WebSocket, one a line.
pub fn message(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for line in text.lines().chain([&*text]) {
        for read in fuzzing::message(line) {
            let is_message = read != "closed";
            let is_json = serde_json::from_str::<Value>(line).is_ok_and(|json| json.is_object());
            assert!(is_json || !is_message, "{read} of {line}");
        }
    }
}

/// Event streams of subgraphs: the same items, whatever pieces the bytes come in.
pub fn stream(input: &[u8]) {
    for read in [fuzzing::events, fuzzing::parts] {
        let whole = read(input, input.len());
        for piece in [1, 3, 64] {
            assert_eq!(whole, read(input, piece), "in pieces of {piece}");
        }
    }
}

/// Heads of subgraphs' answers: what is read of one is the same when more bytes follow.
pub fn head(input: &[u8]) {
    let Some((length, read)) = fuzzing::head(input) else {
        return;
    };
    assert!((1..=input.len()).contains(&length), "{length}");
    assert_eq!(fuzzing::head(&input[..length]), Some((length, read)));
    assert_eq!(fuzzing::head(&input[..length - 1]), None);
}

/// A configuration file: refused with a reason, or taken.
pub fn config(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let read = config::parse(&text, &|name| (name == "HOME").then(|| "/home".to_owned()));
    if let Err(error) = read.and_then(|config| config.check()) {
        assert!(!error.to_string().is_empty());
    }
}

/// A form with files: the same parts, whatever pieces the bytes come in; and where its files belong.
pub fn form(input: &[u8]) {
    let whole = fuzzing::form(input, input.len());
    for piece in [1, 3, 64] {
        assert_eq!(whole, fuzzing::form(input, piece), "in pieces of {piece}");
    }
    for (_, data) in &whole {
        let is_object = serde_json::from_slice::<Value>(data).is_ok_and(|json| json.is_object());
        assert!(is_object || !fuzzing::map(data));
    }
}
