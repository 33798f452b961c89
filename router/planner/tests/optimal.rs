//! Plans against an oracle: small generated graphs, in which the fewest steps and then the fewest
//! fetches are found by trying every set of calls. The oracle knows nothing of the planner: a call
//! takes all it can get, since what is selected costs no call.
use std::collections::BTreeSet;
use std::fmt::Write as _;

use baedal_planner::{Access, Operation, PlanError, Settings, plan};

use crate::cases::check_sound;
use crate::support::{sdl, supergraph};

const TYPES: usize = 3;
const LEVELS: usize = 4;

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

    /// A set of subgraphs, not empty, mostly small.
    fn subgraphs(&mut self, all: usize) -> Vec<usize> {
        let mut set: Vec<usize> = (0..all).filter(|_| self.below(3) == 0).collect();
        if set.is_empty() {
            set.push(self.below(all));
        }
        set
    }
}

/// A field and the subgraphs that have it.
struct Field {
    name: String,
    /// The type below, for objects.
    below: Option<usize>,
    subgraphs: Vec<usize>,
}

/// An entity type: by which keys each subgraph knows it, and its other fields.
struct Entity {
    keys: Vec<Vec<&'static str>>,
    fields: Vec<Field>,
}

struct World {
    subgraphs: usize,
    roots: Vec<Field>,
    types: Vec<Entity>,
}

impl World {
    fn new(numbers: &mut Numbers) -> World {
        let subgraphs = 2 + numbers.below(3);
        let object = |n: usize, numbers: &mut Numbers| Field {
            name: format!("o{n}"),
            below: Some(n),
            subgraphs: numbers.subgraphs(subgraphs),
        };
        let types = (0..TYPES).map(|_| {
            let keys = (0..subgraphs).map(|_| match numbers.below(6) {
                0 => vec!["k"],
                1 => vec!["id", "k"],
                _ => vec!["id"],
            });
            let keys = keys.collect();
            let leaf = |n: usize| format!("f{n}");
            let mut fields: Vec<Field> = Vec::new();
            for n in 0..4 {
                let (name, subgraphs) = (leaf(n), numbers.subgraphs(subgraphs));
                fields.push(Field {
                    name,
                    below: None,
                    subgraphs,
                });
            }
            fields.extend((0..TYPES).map(|n| object(n, numbers)));
            Entity { keys, fields }
        });
        let types = types.collect();
        let roots = (0..TYPES).map(|n| object(n, numbers)).collect();
        World {
            subgraphs,
            roots,
            types,
        }
    }

    /// As a supergraph.
    fn sdl(&self) -> String {
        let mut out = String::from("enum join__Graph {\n");
        for n in 0..self.subgraphs {
            _ = writeln!(out, "  G{n} @join__graph(name: \"g{n}\", url: \"http://g{n}\")");
        }
        out.push_str("}\ntype Query");
        for n in 0..self.subgraphs {
            _ = write!(out, " @join__type(graph: G{n})");
        }
        out.push_str(" {\n");
        self.roots.iter().for_each(|field| self.field(field, &mut out));
        out.push_str("}\n");
        for (n, entity) in self.types.iter().enumerate() {
            _ = write!(out, "type T{n}");
            for (sub, keys) in entity.keys.iter().enumerate() {
                for key in keys {
                    _ = write!(out, " @join__type(graph: G{sub}, key: \"{key}\")");
                }
            }
            out.push_str(" {\n");
            for key in ["id", "k"] {
                let subgraphs = entity.having(key);
                if !subgraphs.is_empty() {
                    let name = key.to_owned();
                    self.field(
                        &Field {
                            name,
                            below: None,
                            subgraphs,
                        },
                        &mut out,
                    );
                }
            }
            entity.fields.iter().for_each(|field| self.field(field, &mut out));
            out.push_str("}\n");
        }
        out
    }

    fn field(&self, field: &Field, out: &mut String) {
        let ty = field.below.map_or("Int".to_owned(), |t| format!("T{t}"));
        _ = write!(out, "  {}: {ty}", field.name);
        for sub in &field.subgraphs {
            _ = write!(out, " @join__field(graph: G{sub})");
        }
        out.push('\n');
    }
}

impl Entity {
    /// Subgraphs that have a key field.
    fn having(&self, key: &str) -> Vec<usize> {
        let has = |sub: &usize| self.keys[*sub].contains(&key);
        (0..self.keys.len()).filter(has).collect()
    }
}

/// A place of the answer.
struct Node {
    /// `None` for the root.
    ty: Option<usize>,
    leaves: Vec<String>,
    /// By field name.
    children: Vec<(String, usize)>,
}

struct Asked {
    nodes: Vec<Node>,
}

impl Asked {
    fn new(world: &World, numbers: &mut Numbers) -> Asked {
        let mut asked = Asked { nodes: Vec::new() };
        asked.add(world, None, 3, numbers);
        asked
    }

    fn add(&mut self, world: &World, ty: Option<usize>, depth: usize, numbers: &mut Numbers) -> usize {
        let here = self.nodes.len();
        self.nodes.push(Node {
            ty,
            leaves: Vec::new(),
            children: Vec::new(),
        });
        let fields = ty.map_or(&world.roots, |t| &world.types[t].fields);
        let count = 1 + numbers.below(if ty.is_some() { 4 } else { 2 });
        let picked: BTreeSet<usize> = (0..count).map(|_| numbers.below(fields.len())).collect();
        for field in picked.into_iter().map(|n| &fields[n]) {
            match field.below {
                None => self.nodes[here].leaves.push(field.name.clone()),
                Some(t) if depth > 0 => {
                    let child = self.add(world, Some(t), depth - 1, numbers);
                    self.nodes[here].children.push((field.name.clone(), child));
                }
                Some(_) => {}
            }
        }
        if self.nodes[here].leaves.is_empty() && self.nodes[here].children.is_empty() {
            let first = fields.iter().find(|f| f.below.is_none()).map(|f| f.name.clone());
            self.nodes[here].leaves.extend(first);
        }
        here
    }

    fn text(&self, at: usize, out: &mut String) {
        out.push('{');
        for leaf in &self.nodes[at].leaves {
            _ = write!(out, " {leaf}");
        }
        for (name, child) in &self.nodes[at].children {
            _ = write!(out, " {name} ");
            self.text(*child, out);
        }
        out.push_str(" }");
    }
}

/// What is known at each place: names of fields; an object that was read has at least an empty set.
type Data = Vec<Option<BTreeSet<String>>>;

struct Oracle<'a> {
    world: &'a World,
    asked: &'a Asked,
}

impl Oracle<'_> {
    /// Fewest (steps, fetches); `None` when the levels tried do not suffice.
    fn best(&self) -> Option<(usize, usize)> {
        for levels in 1..=LEVELS {
            let bits = levels * self.world.subgraphs;
            let mut sets: Vec<u32> = (1u32..1 << bits).collect();
            sets.sort_by_key(|set| set.count_ones());
            if let Some(set) = sets.into_iter().find(|set| self.suffices(*set, levels)) {
                return Some((levels, set.count_ones() as usize));
            }
        }
        None
    }

    fn suffices(&self, set: u32, levels: usize) -> bool {
        let mut data: Data = vec![None; self.asked.nodes.len()];
        data[0] = Some(BTreeSet::new());
        for level in 0..levels {
            let before = data.clone();
            for sub in 0..self.world.subgraphs {
                if set >> (level * self.world.subgraphs + sub) & 1 == 0 {
                    continue;
                }
                if level == 0 {
                    self.read(0, sub, &mut data);
                } else {
                    self.entities(sub, &before, &mut data);
                }
            }
        }
        self.asked.nodes.iter().zip(&data).all(|(node, known)| {
            known
                .as_ref()
                .is_some_and(|known| node.leaves.iter().all(|leaf| known.contains(leaf)))
        })
    }

    fn entities(&self, sub: usize, before: &Data, data: &mut Data) {
        for (at, node) in self.asked.nodes.iter().enumerate().skip(1) {
            let (Some(t), Some(known)) = (node.ty, &before[at]) else {
                continue;
            };
            if self.world.types[t].keys[sub]
                .iter()
                .any(|key| known.contains(*key))
            {
                self.read(at, sub, data);
            }
        }
    }

    /// Takes all that a subgraph has at a place and below.
    fn read(&self, at: usize, sub: usize, data: &mut Data) {
        let node = &self.asked.nodes[at];
        let known = data[at].get_or_insert_default();
        let fields = match node.ty {
            None => &self.world.roots,
            Some(t) => {
                known.extend(self.world.types[t].keys[sub].iter().map(|key| (*key).to_owned()));
                &self.world.types[t].fields
            }
        };
        let here = fields.iter().filter(|f| f.subgraphs.contains(&sub));
        for field in here {
            match field.below {
                None => _ = data[at].get_or_insert_default().insert(field.name.clone()),
                Some(_) => {
                    let below = node.children.iter().filter(|(name, _)| *name == field.name);
                    below.for_each(|(_, child)| self.read(*child, sub, data));
                }
            }
        }
    }
}

#[test]
fn plans_have_the_fewest_steps_and_then_the_fewest_fetches() {
    let rounds: u64 = std::env::var("ROUNDS")
        .ok()
        .and_then(|r| r.parse().ok())
        .unwrap_or(60);
    let (mut planned, mut worse) = (0, Vec::new());
    for seed in 0..rounds {
        let mut numbers = Numbers(seed * 7919 + 17);
        let world = World::new(&mut numbers);
        let asked = Asked::new(&world, &mut numbers);
        let mut text = String::new();
        asked.text(0, &mut text);
        let (body, oracle) = (
            world.sdl(),
            Oracle {
                world: &world,
                asked: &asked,
            },
        );
        let sg = supergraph(&body);
        let operation = Operation::parse(&sg, &text, None).expect("a generated operation is valid");
        let (variables, settings) = (Default::default(), Settings::default());
        let found = plan(&sg, &operation, &variables, &settings, &Access::unrestricted());
        match (found, oracle.best()) {
            (Ok(plan), Some(best)) => {
                planned += 1;
                check_sound(&format!("seed {seed}: {text}"), &sdl(&body), &sg, &plan);
                let figures = plan.figures();
                if (figures.steps, figures.fetches) != best {
                    worse.push(format!("seed {seed}: {best:?} suffices for {text}\n{plan}"));
                }
            }
            (Err(PlanError::Unreachable { .. }), None) => {}
            (Ok(plan), None) => assert!(
                plan.figures().steps > LEVELS,
                "seed {seed}: more than there is\n{plan}"
            ),
            (Err(error), best) => panic!("seed {seed}: {error}, but {best:?} suffices: {text}\n{body}"),
        }
    }
    assert!(planned * 2 > rounds, "only {planned} operations can be answered");
    assert!(
        worse.is_empty(),
        "{} of {planned} plans are not the best\n{}",
        worse.len(),
        worse.iter().take(6).cloned().collect::<Vec<_>>().join("\n")
    );
}
