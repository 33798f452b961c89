//! A plan for people.
use std::fmt::{self, Display, Formatter};

use crate::plan::{
    ContextSource, Entry, Fetch, PathStep, Plan, Representation, RepresentationField, Target, TypeSet,
};

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.fetches.is_empty() {
            writeln!(f, "No fetch: answered by the gateway.")?;
        }
        for (id, fetch) in self.fetches.iter().enumerate() {
            self.fetch(id, fetch, f)?;
        }
        for error in &self.errors {
            writeln!(
                f,
                "withheld {}: {} ({})",
                error.path.join("."),
                error.message,
                error.code
            )?;
        }
        Ok(())
    }
}

impl Plan {
    fn fetch(&self, id: usize, fetch: &Fetch, f: &mut Formatter<'_>) -> fmt::Result {
        let after: Vec<String> = fetch.after.iter().map(|a| format!("#{a}")).collect();
        let after = if after.is_empty() {
            String::new()
        } else {
            format!(" after {}", after.join(", "))
        };
        writeln!(f, "#{id} {}{after}", fetch.subgraph)?;
        writeln!(f, "  {}", fetch.query)?;
        if let Entry::Queries(group) = &fetch.entry {
            for target in &group.targets {
                writeln!(f, "  into {}", self.path(&target.path))?;
            }
        }
        if let Entry::Entities(groups) = &fetch.entry {
            for group in groups {
                for target in &group.targets {
                    writeln!(f, "  ${} = {}", group.variable, self.target(target))?;
                }
                for variable in &group.context {
                    for (target, sources) in group.targets.iter().zip(&variable.sources) {
                        writeln!(f, "  ${} = {}", variable.name, self.sources(target, sources))?;
                    }
                }
                for known in &group.known {
                    let target = self.target(&known.target);
                    writeln!(f, "  ${} known from #{} {target}", group.variable, known.fetch)?;
                }
            }
        }
        if let Some(fallback) = &fetch.fallback {
            writeln!(f, "  or apart {}", fallback.query)?;
        }
        Ok(())
    }

    /// `.a.b{value}`, or alternatives.
    fn sources(&self, target: &Target, sources: &[ContextSource]) -> String {
        let one = |source: &ContextSource| {
            let mut steps = target.path[..source.depth].to_vec();
            match steps.last_mut() {
                Some(last) if source.on.is_some() => last.on.clone_from(&source.on),
                _ => {}
            }
            format!("{}{{{}}}", self.path(&steps), self.members(&source.fields))
        };
        sources.iter().map(one).collect::<Vec<_>>().join(" | ")
    }

    fn path(&self, steps: &[PathStep]) -> String {
        let step = |step: &PathStep| {
            let slot = &self.slots[step.slot.0 as usize];
            format!(".{slot}{}", self.condition(&step.on))
        };
        steps.iter().map(step).collect()
    }

    fn target(&self, target: &Target) -> String {
        let path = self.path(&target.path);
        let all: Vec<String> = target
            .representations
            .iter()
            .map(|r| self.representation(r))
            .collect();
        format!("{path}: {}", all.join(" | "))
    }

    fn representation(&self, r: &Representation) -> String {
        format!(
            "{}{{{} {}}}",
            self.condition(&r.on).replace(['[', ']'], ""),
            r.typename,
            self.members(&r.fields)
        )
    }

    fn members(&self, fields: &[RepresentationField]) -> String {
        let one = |field: &RepresentationField| {
            let slot = &self.slots[field.slot.0 as usize];
            let from = if *slot == field.name {
                String::new()
            } else {
                format!("={slot}")
            };
            let inner = field
                .fields
                .as_ref()
                .map(|f| format!("{{{}}}", self.members(f)))
                .unwrap_or_default();
            let null = if field.nullable { "?" } else { "" };
            format!("{}{from}{null}{}{inner}", field.name, self.condition(&field.on))
        };
        fields.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn condition(&self, on: &Option<TypeSet>) -> String {
        let names = |set: &TypeSet| {
            set.iter()
                .map(|t| &*self.types[t.0 as usize])
                .collect::<Vec<_>>()
                .join("|")
        };
        on.as_ref()
            .map(|set| format!("[{}]", names(set)))
            .unwrap_or_default()
    }
}
