//! What happens when the broker is away, or what was there is not there any more.

use std::time::Duration;

use baedal_broker::{LogError, Position, State, Stream};

use crate::rig::{Rig, quick};
use crate::streams::next;

#[tokio::test]
async fn positions_that_are_not_kept_are_told() {
    for rig in Rig::all(1).await {
        rig.write(0, "a", 0..5).await;
        let topic = rig.topic(quick());
        for offsets in [vec![9], vec![5, 0]] {
            let mut stream = Stream::after(&topic, None, Position::at(offsets));
            assert!(matches!(stream.next().await, Err(LogError::Expired)));
        }
        let mut stream = Stream::after(&topic, None, Position::at(vec![4]));
        assert_eq!(next(&mut stream).await, (0, 4));
    }
    let rig = Rig::folder(1);
    rig.lines(0, "{\"first\": 7}\n{\"value\": 7}\n{\"value\": 8}\n");
    let topic = rig.topic(quick());
    let mut gone = Stream::after(&topic, None, Position::at(vec![6]));
    assert!(matches!(gone.next().await, Err(LogError::Expired)));
    let mut kept = Stream::after(&topic, None, Position::at(vec![7]));
    assert_eq!(next(&mut kept).await, (0, 7));
}

#[tokio::test]
async fn a_topic_that_is_not_there_is_told() {
    for rig in Rig::all(1).await {
        let topic = baedal_broker::Topic::new("nowhere", rig.log(), quick());
        let opened = Stream::open(&topic, None).await.map(drop);
        assert!(matches!(opened, Err(LogError::NoTopic(name)) if name == "nowhere"));
    }
}

#[tokio::test]
async fn streams_outlive_a_broker_that_is_away() {
    let rig = Rig::folder(1);
    let topic = rig.topic(quick());
    let mut stream = Stream::open(&topic, None).await.expect("a stream");
    rig.write(0, "a", 0..3).await;
    for wanted in 0..3 {
        assert_eq!(next(&mut stream).await, (0, wanted));
    }
    let broker = rig.file(0).ancestors().nth(2).expect("the broker").to_owned();
    let away = broker.with_extension("away");
    std::fs::rename(&broker, &away).expect("moved");
    let troubled = async {
        while !matches!(topic.state(), State::Troubled(LogError::Away(_))) {
            let more = tokio::time::timeout(Duration::from_millis(20), stream.next());
            assert!(more.await.is_err(), "nothing comes");
        }
    };
    tokio::time::timeout(Duration::from_secs(5), troubled)
        .await
        .expect("it is told");
    let refused = Stream::open(&rig.topic(quick()), None).await.map(drop);
    assert!(matches!(refused, Err(LogError::Away(_))));
    std::fs::rename(&away, &broker).expect("moved back");
    rig.write(0, "a", 3..6).await;
    for wanted in 3..6 {
        assert_eq!(next(&mut stream).await, (0, wanted));
    }
    assert!(matches!(topic.state(), State::Reading));
}

#[tokio::test]
async fn partitions_that_are_added_are_read_from_their_beginning() {
    let rig = Rig::folder(1);
    let topic = rig.topic(quick());
    let mut stream = Stream::open(&topic, None).await.expect("a stream");
    rig.write(0, "a", 0..1).await;
    assert_eq!(next(&mut stream).await, (0, 0));
    rig.write(1, "b", 0..3).await;
    for wanted in 0..3 {
        assert_eq!(next(&mut stream).await, (1, wanted));
    }
    let position = Position::at(vec![1]);
    let mut older = Stream::after(&topic, None, position);
    assert_eq!(
        next(&mut older).await,
        (1, 0),
        "a cursor from before knows nothing of it"
    );
}
