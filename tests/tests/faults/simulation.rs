//! The simulation is as rough as it should be.
use baedal_tests::simulation::{Weather, run};

#[test]
fn another_seed_is_another_run() {
    let first = run(1, Weather::stormy()).expect("a sound run");
    let second = run(2, Weather::stormy()).expect("a sound run");
    assert_ne!(first.story, second.story);
    assert!(first.crashes + second.crashes > 0 && first.cuts + second.cuts > 0);
    assert!(first.acknowledged > 0 && first.story.len() > 4 * first.acknowledged);
}
