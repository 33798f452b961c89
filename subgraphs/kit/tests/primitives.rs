//! Envelopes, pages and pauses.

use crate::support::event;
use baedal_kit::{
    envelope::{Envelope, parse_rfc3339, rfc3339},
    page::{Page, decode, encode},
    retry::Backoff,
};
use std::time::Duration;

#[test]
fn an_envelope_is_camel_case_json_that_reads_back() {
    let cause = event("order-1", 1).traced(Some(
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
    ));
    let effect = event("ticket-9", 4).caused_by(&cause);
    let json: serde_json::Value = serde_json::from_str(&effect.to_json()).expect("JSON");
    assert_eq!(json["time"], "2023-11-14T22:13:20Z");
    assert_eq!(json["aggregateId"], "ticket-9");
    assert_eq!(json["correlationId"], "order-1");
    assert_eq!(json["causationId"], cause.id.to_string());
    assert_eq!(json["traceparent"], cause.traceparent.clone().expect("set"));
    assert_eq!(effect.key(), "order-1");
    assert_eq!(
        Envelope::from_json(effect.to_json().as_bytes()).expect("an envelope"),
        effect
    );
}

#[test]
fn times_survive_the_round_trip_to_the_millisecond() {
    for ms in [0, 1, 999, 1_700_000_000_123, 253_402_300_799_999, -1] {
        assert_eq!(parse_rfc3339(&rfc3339(ms)), Some(ms), "{}", rfc3339(ms));
    }
    assert_eq!(
        parse_rfc3339("2024-01-01T09:00:00+09:00"),
        parse_rfc3339("2024-01-01T00:00:00Z")
    );
    assert_eq!(parse_rfc3339("yesterday"), None);
}

#[test]
fn cursors_are_opaque_and_read_back() {
    for text in ["", "1", "2023-11-14T22:13:20Z|order-1", "통닭"] {
        assert_eq!(decode(&encode(text)).as_deref(), Some(text));
    }
    for junk in ["x", "zz", "é1", "ff", &"0".repeat(1000)] {
        assert_eq!(decode(junk), None, "{junk}");
    }
}

#[test]
fn a_page_is_bounded() {
    assert_eq!(Page::read(None, None).expect("the default").limit, 20);
    assert_eq!(Page::read(Some(100), None).expect("the most").limit, 100);
    for first in [0, -1, 101, i32::MAX, i32::MIN] {
        let error = Page::read(Some(first), None).expect_err("out of bounds");
        assert!(
            format!("{:?}", error.extensions).contains("INVALID_INPUT"),
            "{error:?}"
        );
    }
    assert!(Page::read(None, Some("not a cursor".into())).is_err());
}

#[test]
fn a_page_knows_whether_there_is_more() {
    let page = Page::read(Some(2), None).expect("a page");
    let full = page.connection(vec![1, 2, 3], |n| n.to_string());
    assert!(full.has_next_page && !full.has_previous_page);
    assert_eq!(
        full.edges.iter().map(|edge| edge.node).collect::<Vec<_>>(),
        [1, 2]
    );
    let after = full.edges[1].cursor.0.clone();
    let page = Page::read(Some(2), Some(after)).expect("a page");
    assert_eq!(page.after.as_deref(), Some("2"));
    let last = page.connection(vec![3], |n| n.to_string());
    assert!(!last.has_next_page && last.has_previous_page);
}

#[test]
fn pauses_grow_up_to_the_most() {
    let (least, most) = (Duration::from_millis(10), Duration::from_millis(500));
    let mut backoff = Backoff::new(least, most);
    for step in 0..60_u32 {
        let ceiling = least.saturating_mul(1 << step.min(20)).min(most);
        let pause = backoff.pause();
        assert!(pause <= ceiling && pause >= ceiling / 2, "{step}: {pause:?}");
    }
    backoff.reset();
    assert!(backoff.pause() <= least);
}
