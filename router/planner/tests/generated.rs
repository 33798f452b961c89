//! Generated operations over every case's graph: each has a plan whose fetches their subgraphs accept,
//! and whose representations are there when they are sent.
use std::collections::BTreeSet;
use std::fmt::Write as _;

use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::schema::ExtendedType;
use baedal_planner::{Access, Operation, PlanError, Settings, Supergraph, plan};

use crate::cases::check_sound;
use crate::support::{case, folders};

/// Numbers that depend only on the seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

struct Generator<'a> {
    schema: &'a Schema,
    numbers: Numbers,
}

impl Generator<'_> {
    fn selection(&mut self, name: &str, depth: usize, out: &mut String) {
        out.push('{');
        if self.numbers.below(3) == 0 || depth == 0 {
            out.push_str(" __typename");
        }
        let before = out.len();
        for _ in 0..1 + self.numbers.below(4) {
            self.part(name, depth, out);
        }
        if out.len() == before {
            out.push_str(" kind: __typename");
        }
        out.push_str(" }");
    }

    fn part(&mut self, name: &str, depth: usize, out: &mut String) {
        let fields: Vec<(String, Type, bool)> = match &self.schema.types[name] {
            ExtendedType::Object(def) => def.fields.values().map(|f| self.field(f)).collect(),
            ExtendedType::Interface(def) => def.fields.values().map(|f| self.field(f)).collect(),
            _ => Vec::new(),
        };
        let conditions = self.conditions(name);
        if depth > 0 && !conditions.is_empty() && (fields.is_empty() || self.numbers.below(3) == 0) {
            let condition = &conditions[self.numbers.below(conditions.len())];
            _ = write!(out, " ... on {condition} ");
            return self.selection(condition, depth - 1, out);
        }
        if fields.is_empty() {
            return;
        }
        let (field, ty, has_args) = fields[self.numbers.below(fields.len())].clone();
        let inner = ty.inner_named_type();
        let composite = matches!(
            self.schema.types.get(inner),
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
        );
        if has_args || (composite && depth == 0) {
            return;
        }
        out.push(' ');
        if self.numbers.below(4) == 0 {
            // The alias says which field it is, on which type: one alias never stands for two shapes.
            _ = write!(out, "{}_{field}: ", name.to_lowercase());
        }
        out.push_str(&field);
        if composite {
            self.selection(inner, depth - 1, out);
        }
    }

    fn field(&self, f: &apollo_compiler::ast::FieldDefinition) -> (String, Type, bool) {
        (
            f.name.to_string(),
            f.ty.clone(),
            f.arguments.iter().any(|a| a.is_required()),
        )
    }

    fn conditions(&self, name: &str) -> Vec<String> {
        let map = self.schema.implementers_map();
        match &self.schema.types[name] {
            ExtendedType::Union(def) => def.members.iter().map(|m| m.name.to_string()).collect(),
            ExtendedType::Interface(_) => map
                .get(name)
                .map(|i| i.iter().map(|n| n.to_string()).collect())
                .unwrap_or_default(),
            ExtendedType::Object(def) => def
                .implements_interfaces
                .iter()
                .map(|i| i.name.to_string())
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn attempt(what: &str, sdl: &str, sg: &Supergraph, text: &str, unreachable: &mut usize) -> bool {
    // Fields that can't be merged, and the like: not what is tested here.
    let Ok(operation) = Operation::parse(sg, text, None) else {
        return false;
    };
    match plan(
        sg,
        &operation,
        &Default::default(),
        &Settings::default(),
        &Access::unrestricted(),
    ) {
        Ok(plan) => check_sound(&format!("{what}: {text}"), sdl, sg, &plan),
        Err(PlanError::Unreachable { .. }) => *unreachable += 1,
        Err(error) => panic!("{what}: {error}\n{text}"),
    }
    true
}

#[test]
fn generated_operations_have_sound_plans() {
    let rounds: u64 = std::env::var("ROUNDS")
        .ok()
        .and_then(|r| r.parse().ok())
        .unwrap_or(60);
    let mut kinds = BTreeSet::new();
    for name in folders() {
        let (sdl, sg) = case(&name);
        let (mut planned, mut unreachable) = (0, 0);
        for seed in 0..rounds {
            let mut generator = Generator {
                schema: sg.api_schema(),
                numbers: Numbers(seed * 7919 + 13),
            };
            let mut text = String::new();
            generator.selection("Query", 5, &mut text);
            planned += usize::from(attempt(
                &format!("{name} seed {seed}"),
                &sdl,
                &sg,
                &text,
                &mut unreachable,
            ));
        }
        assert!(
            planned > rounds as usize / 3,
            "{name}: only {planned} of the generated operations are valid"
        );
        if unreachable > 0 {
            kinds.insert(name);
        }
    }
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        ["external-key"],
        "cases with fields that nothing can answer"
    );
}
