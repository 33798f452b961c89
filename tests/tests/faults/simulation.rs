//! The simulation is as rough as it should be, and a seed is one run.
use baedal_tests::simulation::{Weather, run};

#[test]
fn another_seed_is_another_run() {
    let first = run(1, Weather::stormy()).expect("a sound run");
    let second = run(2, Weather::stormy()).expect("a sound run");
    assert_ne!(first.story, second.story);
    assert!(first.crashes + second.crashes > 0 && first.cuts + second.cuts > 0);
    assert!(first.acknowledged > 0 && first.story.len() > 4 * first.acknowledged);
}

#[test]
fn a_seed_is_the_same_run_whatever_else_the_process_does() {
    let elsewhere = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    for seed in [3, 4, 5] {
        let first = run(seed, Weather::stormy()).expect("a sound run");
        assert!(first.crashes > 0, "seed {seed} has crashes");
        for _ in 0..3 {
            // The order in which a crash drops tasks comes from how many there were before, four in a round.
            elsewhere
                .block_on(async { tokio::spawn(async {}).await })
                .expect("a task");
            let again = run(seed, Weather::stormy()).expect("a sound run");
            let differ = first
                .story
                .iter()
                .zip(&again.story)
                .position(|(one, other)| one != other);
            if let Some(at) = differ {
                panic!("seed {seed}, {at}: {} or {}", first.story[at], again.story[at]);
            }
            assert_eq!(first.story.len(), again.story.len(), "seed {seed}");
            assert_eq!(first.ends, again.ends, "seed {seed}");
        }
    }
}
