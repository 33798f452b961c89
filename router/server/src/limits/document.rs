//! Depth, aliases, root fields, directives, fragments and expanded size of a parsed document, before it is validated.
//!
//! Each fragment is measured once, however often it is spread; sums saturate. So the cost is linear in the document,
//! also for fragments that would expand exponentially.

use std::collections::HashMap;

use apollo_compiler::ast::{Definition, DirectiveList, Document, OperationDefinition, Selection};

use super::text::too_high;
use crate::config::LimitsConfig;
use crate::errors::{Code, Refusal};

/// What a selection set amounts to, fragments expanded.
#[derive(Clone, Copy, Default)]
struct Size {
    /// Nesting of fields.
    depth: usize,
    /// Nesting of anything, fragments included.
    height: usize,
    aliases: usize,
    /// Fields at this level.
    here: usize,
    /// Fields at all levels.
    fields: usize,
    /// Fragments at all levels.
    fragments: usize,
    /// Nesting of fields below `__schema` and `__type`.
    introspection: usize,
}

impl Size {
    /// One selection after another.
    fn and(self, other: Size) -> Size {
        Size {
            depth: self.depth.max(other.depth),
            height: self.height.max(other.height),
            aliases: self.aliases.saturating_add(other.aliases),
            here: self.here.saturating_add(other.here),
            fields: self.fields.saturating_add(other.fields),
            fragments: self.fragments.saturating_add(other.fragments),
            introspection: self.introspection.max(other.introspection),
        }
    }

    /// The same in a fragment.
    fn in_fragment(self) -> Size {
        Size {
            fragments: self.fragments.saturating_add(1),
            ..self
        }
    }

    /// The limit that it is above: what is counted there, and the key.
    fn over(&self, limits: &LimitsConfig) -> Option<(Code, usize, &'static str, &'static str)> {
        let counts = [
            (
                self.depth,
                limits.depth,
                Code::TooDeep,
                "levels of fields",
                "depth",
            ),
            (
                self.aliases,
                limits.aliases,
                Code::TooManyAliases,
                "aliases",
                "aliases",
            ),
            (
                self.here,
                limits.root_fields,
                Code::TooManyRootFields,
                "root fields",
                "root_fields",
            ),
            (
                self.fields,
                limits.fields,
                Code::TooManyFields,
                "fields with its fragments expanded",
                "fields",
            ),
            (
                self.fragments,
                limits.fragments,
                Code::TooManyFragments,
                "fragments, expanded",
                "fragments",
            ),
            (
                self.introspection,
                limits.introspection_depth,
                Code::IntrospectionTooDeep,
                "levels of introspection",
                "introspection_depth",
            ),
        ];
        let over = counts.into_iter().find(|(found, limit, ..)| found > limit);
        over.map(|(_, limit, code, what, key)| (code, limit, what, key))
    }
}

/// Refuses a document of which any operation is too large.
pub fn check_document(document: &Document, limits: &LimitsConfig) -> Result<(), Refusal> {
    let mut measure = Measure {
        limits,
        fragments: HashMap::new(),
        bodies: HashMap::new(),
    };
    check_operations(document, limits)?;
    for definition in &document.definitions {
        if let Definition::FragmentDefinition(fragment) = definition {
            measure.check_directives(&fragment.directives)?;
            measure.bodies.insert(&fragment.name, &fragment.selection_set);
        }
    }
    for definition in &document.definitions {
        if let Definition::OperationDefinition(operation) = definition {
            measure.check_operation(operation)?;
        }
    }
    let names: Vec<&str> = measure.bodies.keys().copied().collect();
    names
        .into_iter()
        .try_for_each(|name| measure.fragment(name, 0).map(drop))
}

fn check_operations(document: &Document, limits: &LimitsConfig) -> Result<(), Refusal> {
    let is_operation = |definition: &&Definition| matches!(definition, Definition::OperationDefinition(_));
    if document.definitions.iter().filter(is_operation).count() > limits.operations {
        let message = format!(
            "the document has more than {} operations (limits.operations)",
            limits.operations
        );
        return Err(Refusal::new(Code::DocumentTooLarge, message));
    }
    Ok(())
}

struct Measure<'a> {
    limits: &'a LimitsConfig,
    bodies: HashMap<&'a str, &'a [Selection]>,
    /// `None` while a fragment is being measured: a cycle, which validation refuses.
    fragments: HashMap<&'a str, Option<Size>>,
}

impl<'a> Measure<'a> {
    fn check_operation(&mut self, operation: &'a OperationDefinition) -> Result<(), Refusal> {
        self.check_directives(&operation.directives)?;
        let size = self.selections(&operation.selection_set, 1)?;
        let limits = self.limits;
        if let Some((code, limit, what, key)) = size.over(limits) {
            let message = format!("the query has more than {limit} {what} (limits.{key})");
            return Err(Refusal::new(code, message));
        }
        if size.height > limits.height {
            return Err(too_high(limits.height));
        }
        Ok(())
    }

    fn selections(&mut self, selections: &'a [Selection], level: usize) -> Result<Size, Refusal> {
        if level > self.limits.height {
            return Err(too_high(self.limits.height));
        }
        let mut sum = Size::default();
        for selection in selections {
            sum = sum.and(self.selection(selection, level)?);
        }
        sum.height += 1;
        Ok(sum)
    }

    fn selection(&mut self, selection: &'a Selection, level: usize) -> Result<Size, Refusal> {
        match selection {
            Selection::Field(field) => {
                self.check_directives(&field.directives)?;
                let inner = self.selections(&field.selection_set, level + 1)?;
                // Introspection is nested by nature, and has a limit of its own.
                let (depth, introspection) = match field.name.starts_with("__") {
                    true => (0, inner.depth),
                    false => (inner.depth, inner.introspection),
                };
                Ok(Size {
                    depth: depth + 1,
                    aliases: inner.aliases.saturating_add(usize::from(field.alias.is_some())),
                    here: 1,
                    fields: inner.fields.saturating_add(1),
                    introspection,
                    ..inner
                })
            }
            Selection::InlineFragment(fragment) => {
                self.check_directives(&fragment.directives)?;
                Ok(self.selections(&fragment.selection_set, level + 1)?.in_fragment())
            }
            Selection::FragmentSpread(spread) => {
                self.check_directives(&spread.directives)?;
                Ok(self.fragment(&spread.fragment_name, level)?.in_fragment())
            }
        }
    }

    fn fragment(&mut self, name: &str, level: usize) -> Result<Size, Refusal> {
        let Some((name, body)) = self.bodies.get_key_value(name).map(|(name, body)| (*name, *body)) else {
            return Ok(Size::default());
        };
        if let Some(known) = self.fragments.get(name) {
            return Ok(known.unwrap_or_default());
        }
        self.fragments.insert(name, None);
        let size = self.selections(body, level + 1)?;
        self.fragments.insert(name, Some(size));
        Ok(size)
    }

    fn check_directives(&self, directives: &DirectiveList) -> Result<(), Refusal> {
        let limit = self.limits.directives;
        if directives.len() > limit {
            let message =
                format!("the query has more than {limit} directives in one place (limits.directives)");
            return Err(Refusal::new(Code::TooManyDirectives, message));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str) -> Result<(), Code> {
        let limits = LimitsConfig {
            depth: 3,
            aliases: 3,
            root_fields: 3,
            directives: 2,
            height: 20,
            fields: 50,
            fragments: 6,
            operations: 2,
            introspection_depth: 6,
            ..LimitsConfig::default()
        };
        let document = Document::parse(query, "query").expect("a document");
        check_document(&document, &limits).map_err(|refusal| refusal.code)
    }

    #[test]
    fn each_limit_counts_through_fragments() {
        assert_eq!(check("{a{b{c}}}"), Ok(()));
        assert_eq!(check("{a{b{...F}}} fragment F on T{c}"), Ok(()));
        assert_eq!(check("{a{b{...F}}} fragment F on T{c{d}}"), Err(Code::TooDeep));
        assert_eq!(check("{a{...F x:a} b{...F}} fragment F on T{c:d}"), Ok(()));
        assert_eq!(
            check("{a{...F x:a} b{...F x:a}} fragment F on T{c:d}"),
            Err(Code::TooManyAliases)
        );
        assert_eq!(
            check("{...F ...F} fragment F on T{a b}"),
            Err(Code::TooManyRootFields)
        );
        assert_eq!(
            check("{a{...F} b{...F}} fragment F on T{...G ...G} fragment G on T{c}"),
            Ok(())
        );
        assert_eq!(
            check("{a{...F} b{...F ...{d}}} fragment F on T{...G ...G} fragment G on T{c}"),
            Err(Code::TooManyFragments)
        );
        assert_eq!(check("query A{a} query B{a}"), Ok(()));
        assert_eq!(
            check("query A{a} query B{a} mutation C{a}"),
            Err(Code::DocumentTooLarge)
        );
        assert_eq!(check("{a @x @x @x}"), Err(Code::TooManyDirectives));
        assert_eq!(
            check("{a ...F} fragment F on T @x @x @x {b}"),
            Err(Code::TooManyDirectives)
        );
    }

    #[test]
    fn exponential_fragments_are_refused_in_linear_time() {
        let mut query = "{a{...F0}}".to_owned();
        for i in 0..60 {
            query.push_str(&format!(" fragment F{i} on T{{...F{n} ...F{n}}}", n = i + 1));
        }
        query.push_str(" fragment F60 on T{x}");
        let started = std::time::Instant::now();
        let code = check(&query).expect_err("too large");
        assert!(matches!(
            code,
            Code::TooManyFields | Code::TooHigh | Code::TooManyFragments
        ));
        assert!(started.elapsed().as_millis() < 500);
    }

    #[test]
    fn long_chains_and_cycles_of_fragments_end() {
        let chain: String = (0..5000)
            .map(|i| format!(" fragment F{i} on T{{...F{}}}", i + 1))
            .collect();
        assert_eq!(check(&format!("{{...F0}}{chain}")), Err(Code::TooHigh));
        assert_eq!(
            check("{...A} fragment A on T{...B} fragment B on T{...A}"),
            Ok(())
        );
    }

    #[test]
    fn introspection_is_not_counted_as_depth() {
        assert_eq!(
            check("{__schema{types{fields{type{ofType{ofType{name}}}}}}}"),
            Ok(())
        );
        assert_eq!(
            check("{__schema{types{fields{type{ofType{ofType{ofType{name}}}}}}}}"),
            Err(Code::IntrospectionTooDeep)
        );
    }
}
