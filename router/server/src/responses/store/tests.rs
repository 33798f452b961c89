use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn tag(name: &str) -> Tag {
    Tag::Named(name.into())
}

fn answer(asked: Moment, tags: &[&str]) -> Kept {
    Kept::Answer(Answer {
        body: Bytes::from_static(b"{}"),
        asked,
        fresh: HOUR,
        stale: Duration::ZERO,
        own: false,
        age: Duration::ZERO,
        tags: tags.iter().map(|name| tag(name)).collect(),
    })
}

fn key(number: u8) -> Key {
    [number; 32]
}

#[test]
fn what_has_a_tag_is_dropped_and_nothing_else() {
    let (store, now) = (Store::new(1 << 20, HOUR), Instant::now());
    for (number, tags) in [(1, &["a"][..]), (2, &["a", "b"]), (3, &["b"])] {
        assert!(store.put(key(number), answer(store.moment(now), tags)));
    }
    assert_eq!(store.drop_tags(&[tag("a")], now), 2);
    assert!(store.get(&key(1)).is_none() && store.get(&key(2)).is_none());
    assert!(store.get(&key(3)).is_some());
    assert_eq!(store.drop_tags(&[tag("a"), tag("b")], now), 1);
    assert_eq!(store.drop_tags(&[tag("b")], now), 0);
}

#[test]
fn what_was_under_way_while_its_tag_was_dropped_is_not_kept() {
    let (store, now) = (Store::new(1 << 20, HOUR), Instant::now());
    let before = store.moment(now);
    store.drop_tags(&[tag("a")], now);
    assert!(!store.put(key(1), answer(before, &["a"])));
    assert!(store.put(key(2), answer(before, &["b"])), "of another tag");
    assert!(
        store.put(key(1), answer(store.moment(now), &["a"])),
        "asked for after it"
    );
    let before = store.moment(now);
    store.drop_all(now);
    assert!(!store.put(key(3), answer(before, &[])));
    assert!(store.get(&key(1)).is_none() && store.get(&key(2)).is_none());
}

#[test]
fn an_entry_that_was_replaced_is_still_found_by_its_tag() {
    let (store, now) = (Store::new(1 << 20, HOUR), Instant::now());
    for _ in 0..100 {
        assert!(store.put(key(1), answer(store.moment(now), &["a"])));
        store.kept.run_pending_tasks();
    }
    store.put(key(2), answer(store.moment(now), &["b"]));
    assert_eq!(store.drop_tags(&[tag("a")], now), 1);
    assert!(store.get(&key(1)).is_none());
}

#[test]
fn entries_that_go_by_themselves_leave_no_trace() {
    let (store, now) = (Store::new(16 << 10, HOUR), Instant::now());
    for number in 0..10_000_u32 {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_le_bytes());
        store.put(key, answer(store.moment(now), &[&number.to_string(), "all"]));
    }
    store.kept.run_pending_tasks();
    store.put(key(255), answer(store.moment(now), &["last"]));
    let (entries, bytes, evicted) = store.size();
    assert!(
        bytes <= 16 << 10 && entries < 100 && evicted > 9_000,
        "{entries} {bytes} {evicted}"
    );
    let ledger = lock(&store.ledger);
    assert!(ledger.index.len() < 200, "{}", ledger.index.len());
    assert!(ledger.index.get(&tag("all")).is_none_or(|keys| keys.len() < 100));
}

#[test]
fn a_caller_who_changed_something_is_given_what_was_asked_for_after_it() {
    let (store, now) = (Store::new(1 << 20, HOUR), Instant::now());
    let before = store.moment(now);
    store.changed(key(1), "a", now);
    assert!(store.fence(key(1), "a") > before.drops);
    assert!(store.fence(key(1), "a") <= store.moment(now).drops);
    assert_eq!(store.fence(key(1), "b"), 0, "of another subgraph");
    assert_eq!(store.fence(key(2), "a"), 0, "another caller");
}

#[test]
fn too_much_to_remember_drops_all() {
    let (mut store, now) = (Store::new(1 << 20, HOUR), Instant::now());
    store.remembered = 100;
    store.put(key(1), answer(store.moment(now), &["kept"]));
    let before = store.moment(now);
    for number in 0..=store.remembered {
        store.drop_tags(&[tag(&number.to_string())], now);
    }
    assert!(store.get(&key(1)).is_none());
    assert!(
        !store.put(key(2), answer(before, &["other"])),
        "what was under way, too"
    );
    assert!(lock(&store.ledger).dropped.len() < store.remembered);
    let late = now + HOUR + HOUR;
    for number in 0..store.remembered {
        store.drop_tags(&[tag(&number.to_string())], late);
    }
    assert!(store.put(key(3), answer(store.moment(late), &["kept"])));
    store.drop_tags(&[tag("one more")], late);
    store.drop_tags(&[tag("and another")], late);
    assert!(lock(&store.ledger).dropped.len() <= store.remembered);
}
