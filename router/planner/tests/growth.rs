//! Work grows no faster than what is asked: steps of planning are counted, not time.
use std::fmt::Write as _;

use baedal_planner::{Access, Operation, PlanError, Settings, Supergraph, plan};

use crate::support::{case, supergraph};

/// The least budget with which an operation is planned, to within a hundredth.
fn steps(sg: &Supergraph, query: &str) -> f64 {
    let operation = Operation::parse(sg, query, None).expect("the operation is valid");
    let suffices = |work_budget: u64| {
        let settings = Settings {
            work_budget,
            ..Settings::default()
        };
        let found = plan(
            sg,
            &operation,
            &Default::default(),
            &settings,
            &Access::unrestricted(),
        );
        match found {
            Ok(_) => true,
            Err(PlanError::BudgetExceeded(_)) => false,
            Err(error) => panic!("{error}"),
        }
    };
    let mut most: u64 = 64;
    while !suffices(most) {
        most *= 2;
        assert!(most < 1 << 40, "no budget suffices");
    }
    let mut least = most / 2;
    while most - least > most / 100 {
        let middle = least + (most - least) / 2;
        if suffices(middle) {
            most = middle;
        } else {
            least = middle;
        }
    }
    most as f64
}

/// Twice as much is asked each time: it takes little more than twice the steps.
fn is_linear(what: &str, sizes: &[usize], of: impl Fn(usize) -> f64) {
    grows_less(2.2, what, sizes, of);
}

fn grows_less(than: f64, what: &str, sizes: &[usize], of: impl Fn(usize) -> f64) {
    let all: Vec<f64> = sizes.iter().map(|size| of(*size)).collect();
    for (pair, size) in all.windows(2).zip(&sizes[1..]) {
        let ratio = pair[1] / pair[0];
        assert!(
            ratio < than,
            "{what}: {ratio:.2} times the steps for {size}: {all:?}"
        );
    }
}

#[test]
fn planning_is_linear_in_fields() {
    let (_, sg) = case("basics");
    is_linear("leaves", &[100, 200, 400, 800], |count| {
        let fields: String = (0..count).map(|n| format!("f{n}: name ")).collect();
        steps(&sg, &format!("{{ me {{ {fields} }} }}"))
    });
}

#[test]
fn planning_is_linear_in_places_with_a_fetch_each() {
    let (_, sg) = case("basics");
    is_linear("places", &[20, 40, 80, 160], |count| {
        let fields: String = (0..count)
            .map(|n| format!("u{n}: user(id: {n}) {{ name reviews {{ id }} }} "))
            .collect();
        steps(&sg, &format!("{{ {fields} }}"))
    });
}

/// From each of the subgraphs each other can be entered: the pairs of them are looked at, and no more.
#[test]
fn planning_grows_with_the_pairs_of_subgraphs_that_know_an_entity() {
    grows_less(4.1, "subgraphs", &[8, 16, 32], |count| {
        let mut sdl = String::from("enum join__Graph {\n");
        (0..count).for_each(|n| _ = writeln!(sdl, "G{n} @join__graph(name: \"g{n}\", url: \"http://g{n}\")"));
        sdl.push_str("}\ntype Query");
        (0..count).for_each(|n| _ = write!(sdl, " @join__type(graph: G{n})"));
        sdl.push_str(" { items: [Item!] @join__field(graph: G0) }\ntype Item");
        (0..count).for_each(|n| _ = write!(sdl, " @join__type(graph: G{n}, key: \"id\")"));
        sdl.push_str(" { id: ID!");
        (0..count).for_each(|n| _ = write!(sdl, " f{n}: Int @join__field(graph: G{n})"));
        sdl.push_str(" }");
        let fields: String = (0..count).map(|n| format!("f{n} ")).collect();
        steps(&supergraph(&sdl), &format!("{{ items {{ {fields} }} }}"))
    });
}
