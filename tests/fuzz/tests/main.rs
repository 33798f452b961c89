//! Each target, for a few seconds; under libFuzzer (`cargo xtask fuzz`) for as long as it is told.
use baedal_fuzz::watch::Watch;
use baedal_fuzz::{corpus, mutate, targets};

fn fuzz(target: &'static str, judge: fn(&[u8])) {
    let watch = Watch::start(target);
    let corpus = corpus::of(target);
    corpus.iter().for_each(|input| watch.run(input, judge));
    #[cfg(fuzzing_libfuzzer)]
    bolero::check!().for_each(|input: &[u8]| watch.run(input, judge));
    #[cfg(not(fuzzing_libfuzzer))]
    bolero::check!()
        .with_iterations(400)
        .with_test_time(std::time::Duration::from_secs(3))
        .with_type::<u64>()
        .for_each(|&seed| watch.run(&mutate::mutated(&corpus, seed), judge));
}

macro_rules! tests {
    ($($target:ident)*) => {$(
        #[test]
        fn $target() {
            fuzz(stringify!($target), targets::$target);
        }
    )*};
}

tests! { answer composition operation supergraph }

#[cfg(feature = "router")]
tests! { config form head message request stream }

/// Where a fetch answers, there is something to fuzz behind it.
#[test]
fn the_corpus_gets_past_the_first_checks() {
    let composed = corpus::of("composition")
        .iter()
        .filter(|input| composes(input))
        .count();
    assert!(composed >= 5, "{composed} inputs compose");
}

fn composes(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let subgraph = |(number, sdl): (usize, &str)| baedal_composition::Subgraph {
        name: format!("s{number}"),
        url: "http://s.invalid".into(),
        sdl: sdl.into(),
    };
    let subgraphs: Vec<_> = text.split("\n---\n").enumerate().map(subgraph).collect();
    baedal_composition::compose(&subgraphs).is_ok()
}
