//! What makes a split graph hard: fields that need others, that come along with others, that move.
use super::build::Builder;
use super::graph::{At, Field, Home, Kind, Pick, Role, Ty, Type};

/// Adds `@override`, `@requires` and `@provides`.
pub fn add(builder: &mut Builder) {
    if builder.features.overrides {
        some_times(builder, override_field);
    }
    if builder.features.requires {
        some_times(builder, require);
        some_times(builder, require);
    }
    if builder.features.provides {
        some_times(builder, provide);
    }
}

fn some_times(builder: &mut Builder, step: fn(&mut Builder, &str) -> Option<()>) {
    for name in builder.entities() {
        for _ in 0..2 {
            if builder.numbers.percent(60) {
                _ = step(builder, &name);
            }
        }
    }
}

/// Moves a field of one subgraph to another one.
fn override_field(builder: &mut Builder, name: &str) -> Option<()> {
    let ty = builder.graph.ty(name).clone();
    let plain = |field: &&Field| {
        let owner = |(at, home): (&At, &Home)| home.role == Role::Owner && !ty.in_key(&field.name, *at);
        field.homes.len() == 1 && field.homes.iter().all(owner)
    };
    let fields: Vec<&Field> = ty.fields.iter().filter(plain).collect();
    let field = builder.numbers.pick(&fields)?;
    let (from, home) = field.homes.first_key_value()?;
    // The target has what the field's type needs, so that nothing comes into a subgraph anew.
    let fits = |at: &At| {
        let known = |named: &str| {
            builder
                .graph
                .get(named)
                .is_none_or(|ty| ty.seats.contains_key(at))
        };
        at != from
            && known(&field.ty.named)
            && field.arguments.iter().all(|argument| known(&argument.ty.named))
    };
    let seats: Vec<At> = builder.seats(name).into_iter().filter(fits).collect();
    let to = builder.numbers.pick(&seats)?;
    let label = builder.numbers.percent(30).then(|| {
        let chance = if builder.numbers.percent(50) { 100 } else { 0 };
        (format!("percent({chance})"), chance == 100)
    });
    let moved = Home {
        role: Role::Override { from: *from, label },
        ..Home::owner(home.ty.clone())
    };
    let (from, name_of_field) = (*from, field.name.clone());
    let here = builder.graph.ty_mut(name).field_mut(&name_of_field)?;
    here.homes.insert(to, moved);
    here.homes.get_mut(&from)?.role = Role::Lost;
    Some(())
}

/// Adds a field that needs others of the same entity.
fn require(builder: &mut Builder, name: &str) -> Option<()> {
    let seats = builder.seats(name);
    let at = builder.numbers.pick(&seats)?;
    let enterable = builder.graph.ty(name).seats[&at]
        .keys
        .iter()
        .any(|key| key.resolvable);
    let mut picks = Vec::new();
    for _ in 0..builder.numbers.between(1, 2) {
        if let Some(pick) = requirement(builder, name, at, 2)
            && !picks.iter().any(|one: &Pick| one.field == pick.field)
        {
            picks.push(pick);
        }
    }
    if picks.is_empty() || !enterable {
        return None;
    }
    for pick in &picks {
        make_external(builder, name, pick, at);
    }
    let field = builder.fresh(&[name.to_owned()]);
    builder.add_field(name, &field, Ty::named("String"));
    let home = Home {
        requires: picks,
        ..Home::owner(Ty::named("String"))
    };
    builder
        .graph
        .ty_mut(name)
        .field_mut(&field)?
        .homes
        .insert(at, home);
    Some(())
}

/// A field that another subgraph resolves; or an own one, and something of it that another resolves.
fn requirement(builder: &mut Builder, name: &str, at: At, depth: usize) -> Option<Pick> {
    let ty = builder.graph.ty(name).clone();
    let foreign = |field: &&Field| is_foreign(&ty, field, at);
    let own = |field: &&Field| {
        let home = field.homes.get(&at);
        field.resolved_by(at)
            && field.arguments.is_empty()
            && builder.graph.get(&field.ty.named).is_some_and(Type::is_entity)
            && home.is_some_and(|home| home.role == Role::Owner && home.requires.is_empty())
            && !ty.in_key(&field.name, at)
    };
    let known = |field: &&Field| {
        let named = builder.graph.get(&field.ty.named);
        named.is_none_or(|ty| ty.seats.contains_key(&at))
    };
    let leaf = |field: &&Field| !builder.graph.is_composite(&field.ty.named);
    let entity = |field: &&Field| builder.graph.get(&field.ty.named).is_some_and(Type::is_entity);
    let foreign: Vec<&Field> = ty.fields.iter().filter(foreign).filter(known).collect();
    let leaves: Vec<&Field> = foreign.iter().copied().filter(leaf).collect();
    let mut objects: Vec<&Field> = foreign.iter().copied().filter(entity).collect();
    objects.extend(ty.fields.iter().filter(own));
    if depth > 0 && builder.numbers.percent(30) {
        let field = builder.numbers.pick(&objects)?;
        let below = requirement(builder, &field.ty.named, at, depth - 1)?;
        return Some(Pick::of(&field.name, vec![below]));
    }
    let inside = foreign
        .iter()
        .filter_map(|field| inside(builder, field, at, &leaf));
    let inside: Vec<Pick> = inside.collect();
    if builder.numbers.percent(30)
        && let Some(pick) = builder.numbers.pick(&inside)
    {
        return Some(pick);
    }
    let text: Vec<&Field> = ty
        .fields
        .iter()
        .filter(|field| is_text_of_others(&ty, field, at))
        .collect();
    if builder.numbers.percent(60)
        && let Some(field) = builder.numbers.pick(&text)
    {
        let arguments = format!("(n: {})", builder.numbers.below(3));
        return Some(Pick {
            arguments,
            ..Pick::leaf(&field.name)
        });
    }
    builder.numbers.pick(&leaves).map(|field| Pick::leaf(&field.name))
}

/// A leaf below an external field: of an object without identity, or of one of an interface's or union's types.
fn inside(builder: &Builder, field: &Field, at: At, leaf: &dyn Fn(&&Field) -> bool) -> Option<Pick> {
    let ty = builder.graph.get(&field.ty.named)?;
    let own = |ty: &Type| {
        let mut fields = ty.fields.iter().filter(|field| {
            let plain = field
                .homes
                .get(&at)
                .is_some_and(|home| home.role == Role::Owner && home.requires.is_empty());
            plain && field.arguments.is_empty() && leaf(field)
        });
        fields.next().map(|field| Pick::leaf(&field.name))
    };
    let below = match ty.kind {
        Kind::Object { .. } if !ty.is_entity() => own(ty)?,
        Kind::Interface { .. } | Kind::Union(_) => {
            let part = builder.graph.parts(&ty.name, at).into_iter().next()?;
            Pick {
                on: Some(part.clone()),
                ..own(builder.graph.ty(&part))?
            }
        }
        _ => return None,
    };
    Some(Pick::of(&field.name, vec![below]))
}

/// A field of others that repeats its arguments: it can be required with one.
fn is_text_of_others(ty: &Type, field: &Field, at: At) -> bool {
    let here = field.homes.get(&at);
    field.ty.named == "String"
        && field.arguments.iter().all(|argument| argument.name == "n")
        && !field.arguments.is_empty()
        && here.is_none_or(|home| home.role.is_external())
        && !ty.in_key(&field.name, at)
}

/// Whether others resolve a field, and this subgraph may name it as external.
fn is_foreign(ty: &Type, field: &Field, at: At) -> bool {
    let here = field.homes.get(&at);
    field.arguments.is_empty()
        && here.is_none_or(|home| home.role.is_external())
        && field.homes.values().any(|home| !home.role.is_external())
        && !ty.in_key(&field.name, at)
}

fn make_external(builder: &mut Builder, name: &str, pick: &Pick, at: At) {
    let field = builder
        .graph
        .ty_mut(name)
        .field_mut(&pick.field)
        .expect("a field that was found");
    let named = field.ty.named.clone();
    if !field.homes.contains_key(&at) {
        let home = Home {
            role: Role::External,
            ..Home::owner(field.ty.clone())
        };
        field.homes.insert(at, home);
    }
    for below in &pick.below {
        let named = below.on.as_deref().unwrap_or(&named).to_owned();
        make_external(builder, &named, below, at);
    }
}

/// Lets a field of an entity or a root type bring along fields that others resolve.
fn provide(builder: &mut Builder, name: &str) -> Option<()> {
    let target = builder.graph.ty(name).clone();
    let mut paths = Vec::new();
    for ty in &builder.graph.types {
        let gives = |field: &&Field| {
            builder
                .graph
                .concrete(&field.ty.named)
                .iter()
                .any(|part| part == name)
        };
        for field in ty.fields.iter().filter(gives) {
            let plain = |(at, home): (&At, &Home)| {
                (home.role == Role::Owner && home.provides.is_empty() && !ty.in_key(&field.name, *at))
                    .then_some(*at)
            };
            let object = matches!(ty.kind, Kind::Object { .. });
            let part = |at: &At| {
                builder
                    .graph
                    .parts(&field.ty.named, *at)
                    .iter()
                    .any(|part| part == name)
            };
            let homes = field
                .homes
                .iter()
                .filter_map(plain)
                .filter(part)
                .filter(|_| object);
            paths.extend(homes.map(|at| (ty.name.clone(), field.name.clone(), at)));
        }
    }
    let (parent, through, at) = builder.numbers.pick(&paths)?;
    let pick = provided(builder, &target, at, true)?;
    mark_provided(builder, name, &pick, at)?;
    let field = builder.graph.ty_mut(&parent).field_mut(&through)?;
    let on = (field.ty.named != name).then(|| name.to_owned());
    field.homes.get_mut(&at)?.provides = vec![Pick { on, ..pick }];
    Some(())
}

/// A leaf that others resolve; or an own object and such a leaf of it.
fn provided(builder: &mut Builder, ty: &Type, at: At, deeper: bool) -> Option<Pick> {
    let entity = |field: &Field| builder.graph.get(&field.ty.named).is_some_and(Type::is_entity);
    let own = |field: &&Field| {
        let home = field.homes.get(&at);
        let plain = home.is_some_and(|home| home.role == Role::Owner && home.requires.is_empty());
        plain && field.arguments.is_empty() && entity(field) && !ty.in_key(&field.name, at)
    };
    let objects: Vec<&Field> = ty.fields.iter().filter(own).collect();
    if deeper && builder.numbers.percent(35) {
        let field = builder.numbers.pick(&objects)?;
        let below = builder.graph.ty(&field.ty.named).clone();
        let below = provided(builder, &below, at, false)?;
        return Some(Pick::of(&field.name, vec![below]));
    }
    let leaf = |field: &&Field| {
        let named = builder.graph.get(&field.ty.named);
        !builder.graph.is_composite(&field.ty.named) && named.is_none_or(|ty| ty.seats.contains_key(&at))
    };
    let foreign = |field: &&Field| is_foreign(ty, field, at);
    let fields: Vec<&Field> = ty.fields.iter().filter(foreign).filter(leaf).collect();
    builder.numbers.pick(&fields).map(|field| Pick::leaf(&field.name))
}

fn mark_provided(builder: &mut Builder, name: &str, pick: &Pick, at: At) -> Option<()> {
    if let [below] = pick.below.as_slice() {
        let named = builder.graph.ty(name).field(&pick.field)?.ty.named.clone();
        return mark_provided(builder, &named, below, at);
    }
    make_external(builder, name, pick, at);
    let provided = builder.graph.ty_mut(name).field_mut(&pick.field)?;
    provided.homes.get_mut(&at)?.role = Role::Provided;
    Some(())
}
