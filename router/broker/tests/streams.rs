//! What a stream gives: everything after where it begins, once, in the order of each partition.

use std::sync::Arc;
use std::time::Duration;

use baedal_broker::{Log, Position, Settings, Stream, Topic};
use bytes::Bytes;

use crate::rig::{Counting, Rig, TOPIC, quick};

/// The number in the next record, and its partition.
pub async fn next(stream: &mut Stream) -> (usize, u64) {
    let next = tokio::time::timeout(Duration::from_secs(20), stream.next());
    let record = next.await.expect("a record in 20 s").expect("a record");
    let number = record.json().and_then(serde_json::Value::as_u64);
    (record.partition, number.expect("a number"))
}

async fn numbers(stream: &mut Stream, count: usize) -> Vec<u64> {
    let mut found = Vec::new();
    for _ in 0..count {
        found.push(next(stream).await.1);
    }
    found
}

#[tokio::test]
async fn a_stream_begins_with_what_comes_after_it() {
    for rig in Rig::all(2).await {
        rig.write(0, "a", 0..5).await;
        let topic = rig.topic(quick());
        let mut all = Stream::open(&topic, None).await.expect("a stream");
        let mut of_b = Stream::open(&topic, Some(Bytes::from_static(b"b")))
            .await
            .expect("a stream");
        rig.write(0, "a", 10..13).await;
        assert_eq!(numbers(&mut all, 3).await, [10, 11, 12]);
        rig.write(1, "b", 20..22).await;
        rig.write(0, "a", 13..14).await;
        assert_eq!(numbers(&mut of_b, 2).await, [20, 21]);
        let mut rest = numbers(&mut all, 3).await;
        rest.sort_unstable();
        assert_eq!(rest, [13, 20, 21]);
        let more = tokio::time::timeout(Duration::from_millis(200), of_b.next());
        assert!(more.await.is_err(), "nothing else has that key");
    }
}

#[tokio::test]
async fn a_stream_that_is_taken_up_again_and_again_misses_nothing_and_repeats_nothing() {
    const EACH: u64 = 150;
    for rig in Rig::all(3).await {
        let rig = Arc::new(rig);
        let topic = rig.topic(quick());
        let begin = Stream::open(&topic, None).await.expect("a stream");
        let mut cursor = begin.position().cursor(TOPIC);
        drop(begin);
        let writer = Arc::clone(&rig);
        let writing = tokio::spawn(async move {
            for number in 0..EACH {
                for partition in 0..3 {
                    writer.write(partition, "k", number..number + 1).await;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        let mut expected = [0; 3];
        let mut round = 0;
        while expected.iter().sum::<u64>() < 3 * EACH {
            round += 1;
            // Now by the same gateway, now by one that was just started.
            let topic = match round % 2 {
                0 => Arc::clone(&topic),
                _ => rig.topic(quick()),
            };
            let position = Position::of_cursor(&cursor, TOPIC).expect("a cursor");
            let mut stream = Stream::after(&topic, None, position);
            let left = 3 * EACH - expected.iter().sum::<u64>();
            for _ in 0..left.min(7 * round) {
                let (partition, number) = next(&mut stream).await;
                assert_eq!(
                    number, expected[partition],
                    "partition {partition}, round {round}"
                );
                expected[partition] += 1;
                cursor = stream.position().cursor(TOPIC);
            }
        }
        writing.await.expect("written");
        assert!(round > 3);
    }
}

#[tokio::test]
async fn the_cursor_of_one_keys_stream_is_past_all_that_others_got() {
    let rig = Rig::folder(2);
    let topic = rig.topic(quick());
    let mut of_b = Stream::open(&topic, Some(Bytes::from_static(b"b")))
        .await
        .expect("a stream");
    rig.write(0, "a", 0..50).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    rig.write(1, "b", 0..1).await;
    assert_eq!(next(&mut of_b).await, (1, 0));
    assert_eq!(of_b.position(), &Position::at(vec![50, 1]));
}

#[tokio::test]
async fn a_follower_that_is_too_slow_reads_by_itself_and_misses_nothing() {
    let settings = Settings {
        queue: 4,
        recent_bytes: 1,
        ..quick()
    };
    for rig in Rig::all(1).await {
        let topic = rig.topic(settings.clone());
        let mut slow = Stream::open(&topic, None).await.expect("a stream");
        let mut quick = Stream::open(&topic, None).await.expect("a stream");
        for hundred in 0..3 {
            rig.write(0, "a", hundred * 100..hundred * 100 + 100).await;
            let wanted: Vec<u64> = (hundred * 100..hundred * 100 + 100).collect();
            assert_eq!(numbers(&mut quick, 100).await, wanted);
        }
        assert_eq!(numbers(&mut slow, 300).await, (0..300).collect::<Vec<_>>());
        rig.write(0, "a", 300..303).await;
        assert_eq!(
            numbers(&mut slow, 3).await,
            [300, 301, 302],
            "and goes on with the others"
        );
    }
}

#[tokio::test]
async fn waiting_for_the_next_record_can_be_given_up_at_any_moment() {
    let rig = Rig::folder(2);
    let topic = rig.topic(Settings {
        recent_bytes: 1,
        ..quick()
    });
    rig.write(0, "a", 0..300).await;
    let mut stream = Stream::after(&topic, None, Position::at(vec![0, 0]));
    let mut found = Vec::new();
    let mut given_up = 0;
    while found.len() < 300 {
        // Patience that differs, so that it is given up in every place.
        let patience = Duration::from_micros(100 + given_up * 997 % 30_000);
        match tokio::time::timeout(patience, stream.next()).await {
            Ok(record) => found.push(record.expect("a record").offset),
            Err(_) => given_up += 1,
        }
        assert!(given_up < 10_000, "it never gets anywhere");
    }
    assert_eq!(found, (0..300).collect::<Vec<_>>());
    assert!(given_up > 0);
}

#[tokio::test]
async fn many_streams_have_one_reader_and_who_comes_back_soon_needs_none() {
    let rig = Rig::folder(1);
    let counting = Counting::of(&rig);
    let topic = Topic::new(TOPIC, Arc::clone(&counting) as Arc<dyn Log>, quick());
    let mut streams = Vec::new();
    for _ in 0..50 {
        streams.push(Stream::open(&topic, None).await.expect("a stream"));
    }
    rig.write(0, "a", 0..10).await;
    for stream in &mut streams {
        assert_eq!(numbers(stream, 10).await.len(), 10);
    }
    assert_eq!(counting.readers(), 1);
    let position = Position::at(vec![4]);
    streams.clear();
    let mut back = Stream::after(&topic, None, position);
    assert_eq!(numbers(&mut back, 6).await, [4, 5, 6, 7, 8, 9]);
    assert_eq!(counting.readers(), 1);
    drop(back);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(
        matches!(topic.state(), baedal_broker::State::Idle),
        "nobody follows any more"
    );
}
