//! Smaller graphs.
use crate::generate::graph::{At, Datum, Graph, Kind, Pick, Role};

/// The graph made smaller by one step, of which there are so many; none: no such step.
/// The large steps come first.
pub fn smaller(graph: &Graph, step: usize) -> Option<Graph> {
    let mut edit = Edit {
        left: step,
        done: false,
    };
    let mut graph = graph.clone();
    edit.subgraphs(&mut graph);
    edit.types(&mut graph);
    edit.fields(&mut graph);
    edit.seats(&mut graph);
    edit.homes(&mut graph);
    edit.data(&mut graph);
    if !edit.done {
        return None;
    }
    settle(&mut graph);
    Some(graph)
}

/// One edit of a graph.
struct Edit {
    left: usize,
    done: bool,
}

impl Edit {
    /// Whether the next possible edit is the one to make.
    fn is_next(&mut self) -> bool {
        if self.done {
            return false;
        }
        self.done = self.left == 0;
        self.left = self.left.saturating_sub(1);
        self.done
    }

    fn subgraphs(&mut self, graph: &mut Graph) {
        for at in 0..graph.subgraphs {
            if graph.has(at) && self.is_next() {
                leave(graph, at);
            }
        }
    }

    fn types(&mut self, graph: &mut Graph) {
        for index in 0..graph.types.len() {
            if graph.types[index].name != "Query" && self.is_next() {
                graph.types.remove(index);
                return;
            }
        }
        for index in 0..graph.types.len() {
            let all = match &mut graph.types[index].kind {
                Kind::Object { implements, .. } => implements,
                Kind::Union(members) if members.len() > 1 => members,
                _ => continue,
            };
            for part in 0..all.len() {
                if self.is_next() {
                    all.remove(part);
                    return;
                }
            }
        }
    }

    fn fields(&mut self, graph: &mut Graph) {
        for ty in &mut graph.types {
            for index in 0..ty.fields.len() {
                if self.is_next() {
                    ty.fields.remove(index);
                    return;
                }
            }
        }
        for field in graph.types.iter_mut().flat_map(|ty| &mut ty.fields) {
            if !field.arguments.is_empty() && self.is_next() {
                field.arguments.pop();
            }
        }
    }

    fn seats(&mut self, graph: &mut Graph) {
        for ty in &mut graph.types {
            let seats: Vec<At> = ty.seats.keys().copied().collect();
            for at in seats {
                if self.is_next() {
                    ty.seats.remove(&at);
                    ty.fields
                        .iter_mut()
                        .for_each(|field| drop(field.homes.remove(&at)));
                    return;
                }
                let keys = ty.seats.get_mut(&at).map(|seat| &mut seat.keys);
                let keys = keys.expect("a seat that was listed");
                for index in 0..keys.len() {
                    if keys.len() > 1 && self.is_next() {
                        keys.remove(index);
                        return;
                    }
                }
            }
        }
    }

    fn homes(&mut self, graph: &mut Graph) {
        for field in graph.types.iter_mut().flat_map(|ty| &mut ty.fields) {
            let homes: Vec<At> = field.homes.keys().copied().collect();
            for at in homes {
                let home = field.homes.get_mut(&at).expect("a home that was listed");
                if !home.provides.is_empty() && self.is_next() {
                    home.provides.clear();
                }
                for index in 0..home.requires.len() {
                    if home.requires.len() > 1 && self.is_next() {
                        home.requires.remove(index);
                        return;
                    }
                }
                if self.is_next() {
                    field.homes.remove(&at);
                    return;
                }
            }
        }
    }

    fn data(&mut self, graph: &mut Graph) {
        for index in 0..graph.instances.len() {
            let root = ["Query", "Mutation", ""].contains(&graph.instances[index].ty.as_str());
            if !root && self.is_next() {
                graph.instances[index].ty.clear();
            }
        }
        for datum in graph.instances.iter_mut().flat_map(|one| one.values.values_mut()) {
            self.datum(datum);
        }
    }

    fn datum(&mut self, datum: &mut Datum) {
        match datum {
            Datum::List(items) => {
                for index in 0..items.len() {
                    if self.is_next() {
                        items.remove(index);
                        return;
                    }
                }
                items.iter_mut().for_each(|item| self.datum(item));
            }
            Datum::Switch(_, cases) => {
                let case = cases.values().next().cloned().filter(|_| self.is_next());
                if let Some(case) = case {
                    *datum = case;
                }
            }
            _ => {}
        }
    }
}

fn leave(graph: &mut Graph, at: At) {
    for ty in &mut graph.types {
        ty.seats.remove(&at);
        ty.fields
            .iter_mut()
            .for_each(|field| drop(field.homes.remove(&at)));
    }
}

/// Drops what makes no sense any more.
fn settle(graph: &mut Graph) {
    for _ in 0..4 {
        dangling(graph);
        overrides(graph);
        field_sets(graph);
        externals(graph);
        graph.prune();
    }
    merge_types(graph);
    let whole = graph.clone();
    for number in 0..graph.instances.len() {
        let Some(ty) = whole.get(&graph.instances[number].ty) else {
            continue;
        };
        for field in &ty.fields {
            if let Some(datum) = graph.instances[number].values.get_mut(&field.name) {
                references(&whole, &field.ty.named, datum);
            }
        }
    }
}

/// Fields of types that are gone; names of types that are gone.
fn dangling(graph: &mut Graph) {
    let names: Vec<String> = graph.types.iter().map(|ty| ty.name.clone()).collect();
    let known = |name: &String| {
        names.contains(name) || ["Int", "Float", "String", "Boolean", "ID"].contains(&name.as_str())
    };
    for ty in &mut graph.types {
        ty.fields.retain(|field| known(&field.ty.named));
        for field in &mut ty.fields {
            field.arguments.retain(|argument| known(&argument.ty.named));
        }
        match &mut ty.kind {
            Kind::Object { implements, .. } => implements.retain(known),
            Kind::Union(members) => members.retain(known),
            Kind::Input(members) => members.retain(|member| known(&member.ty.named)),
            _ => {}
        }
    }
}

fn overrides(graph: &mut Graph) {
    for field in graph.types.iter_mut().flat_map(|ty| &mut ty.fields) {
        let pairs: Vec<(At, At)> = field
            .homes
            .iter()
            .filter_map(|(at, home)| match &home.role {
                Role::Override { from, .. } => Some((*at, *from)),
                _ => None,
            })
            .filter(|(_, from)| field.homes.contains_key(from))
            .collect();
        for (at, home) in &mut field.homes {
            let stays = match home.role {
                Role::Override { .. } => pairs.iter().any(|(to, _)| to == at),
                Role::Lost => pairs.iter().any(|(_, from)| from == at),
                _ => true,
            };
            if !stays {
                home.role = Role::Owner;
            }
        }
    }
}

/// Field sets that name fields that are gone.
fn field_sets(graph: &mut Graph) {
    let whole = graph.clone();
    for ty in &mut graph.types {
        let name = ty.name.clone();
        for field in &mut ty.fields {
            let named = field.ty.named.clone();
            for (at, home) in &mut field.homes {
                home.requires.retain(|pick| stands(&whole, &name, pick, *at));
                home.provides.retain(|pick| stands(&whole, &named, pick, *at));
            }
        }
        for (at, seat) in &mut ty.seats {
            seat.keys
                .retain(|key| key.picks.iter().all(|pick| stands(&whole, &name, pick, *at)));
        }
    }
}

fn stands(graph: &Graph, ty: &str, pick: &Pick, at: At) -> bool {
    let ty = pick.on.as_deref().unwrap_or(ty);
    let field = graph.get(ty).and_then(|ty| ty.field(&pick.field));
    field.is_some_and(|field| {
        let below = |below: &Pick| stands(graph, &field.ty.named, below, at);
        field.homes.contains_key(&at) && pick.below.iter().all(below)
    })
}

/// External fields that nothing needs.
fn externals(graph: &mut Graph) {
    let mut needed: Vec<(String, String, At, bool)> = Vec::new();
    for ty in &graph.types {
        for field in &ty.fields {
            for (at, home) in &field.homes {
                collect(graph, &ty.name, &home.requires, *at, false, &mut needed);
                collect(graph, &field.ty.named, &home.provides, *at, true, &mut needed);
            }
        }
    }
    for ty in &mut graph.types {
        let name = ty.name.clone();
        for field in &mut ty.fields {
            let field_name = field.name.clone();
            field.homes.retain(|at, home| {
                let wanted = |provided| needed.contains(&(name.clone(), field_name.clone(), *at, provided));
                match (home.role.is_external(), wanted(true), wanted(false)) {
                    (false, ..) => true,
                    (true, true, _) => true,
                    (true, false, true) => {
                        home.role = Role::External;
                        true
                    }
                    (true, false, false) => false,
                }
            });
        }
    }
}

fn collect(
    graph: &Graph,
    ty: &str,
    picks: &[Pick],
    at: At,
    provided: bool,
    needed: &mut Vec<(String, String, At, bool)>,
) {
    for pick in picks {
        for name in graph.concrete(pick.on.as_deref().unwrap_or(ty)) {
            needed.push((name.clone(), pick.field.clone(), at, provided));
            if let Some(field) = graph.get(&name).and_then(|ty| ty.field(&pick.field)) {
                collect(graph, &field.ty.named, &pick.below, at, provided, needed);
            }
        }
    }
}

/// The public type of each field is what all its homes allow.
fn merge_types(graph: &mut Graph) {
    for field in graph.types.iter_mut().flat_map(|ty| &mut ty.fields) {
        let merged = field.homes.values().map(|home| home.ty.clone());
        if let Some(merged) = merged.reduce(|one, other| one.wider(&other)) {
            field.ty = merged;
        }
    }
}

/// References to objects that are gone.
fn references(graph: &Graph, declared: &str, datum: &mut Datum) {
    let gone = |datum: &Datum| matches!(datum, Datum::Instance(number) if !graph.concrete(declared).contains(&graph.instances[*number].ty));
    match datum {
        Datum::List(items) => {
            items.retain(|item| !gone(item));
            items
                .iter_mut()
                .for_each(|item| references(graph, declared, item));
        }
        Datum::Switch(_, cases) => cases
            .values_mut()
            .for_each(|case| references(graph, declared, case)),
        other if gone(other) => *other = Datum::Leaf(serde_json::Value::Null),
        _ => {}
    }
}
