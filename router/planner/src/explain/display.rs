//! An explanation for people.
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use super::{ExplainedFetch, Explanation, Need, Role, Use};
use crate::plan::FetchId;

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.fetches.is_empty() {
            writeln!(f, "No fetch: answered by the gateway.")?;
        }
        for fetch in &self.fetches {
            write!(f, "{fetch}")?;
        }
        for path in &self.withheld {
            writeln!(
                f,
                "withheld {path}: the caller may not see it, so nothing is asked for it"
            )?;
        }
        Ok(())
    }
}

impl Display for ExplainedFetch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let after = match numbers(&self.after) {
            none if none.is_empty() => String::new(),
            after => format!(" after {after}"),
        };
        writeln!(f, "#{} {}{after}", self.id, self.subgraph)?;
        section(f, "because", &self.reasons())?;
        section(
            f,
            "needs",
            &self.needs.iter().map(Need::to_string).collect::<Vec<_>>(),
        )?;
        let yields: Vec<&str> = self.yields.iter().map(|one| one.path.as_str()).collect();
        section(f, "yields", &[yields.join(", ")])
    }
}

impl ExplainedFetch {
    /// Who uses what it yields.
    fn reasons(&self) -> Vec<String> {
        let mut by_use: BTreeMap<&Use, Vec<&str>> = BTreeMap::new();
        for one in &self.yields {
            one.uses
                .iter()
                .for_each(|user| by_use.entry(user).or_default().push(&one.path));
        }
        let reason = |(user, paths): (&Use, Vec<&str>)| {
            let paths = paths.join(", ");
            match user {
                Use::Answer => format!("the client selects {paths}"),
                Use::Type => format!("{paths} tells which objects there are"),
                Use::Fetch { id, role } => format!("#{id} needs {paths} ({role})"),
            }
        };
        by_use.into_iter().map(reason).collect()
    }
}

impl Display for Need {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) from {}", self.path, self.role, numbers(&self.from))
    }
}

impl Display for Role {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Role::Key(ty) => write!(f, "@key of {ty}"),
            Role::Requires(of) if of.is_empty() => f.write_str("@requires"),
            Role::Requires(of) => write!(f, "@requires of {}", of.join(", ")),
            Role::Context(variable) => write!(f, "@fromContext as ${variable}"),
        }
    }
}

fn numbers(ids: &[FetchId]) -> String {
    ids.iter()
        .map(|id| format!("#{id}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn section(f: &mut Formatter<'_>, title: &str, lines: &[String]) -> fmt::Result {
    for (n, line) in lines.iter().enumerate() {
        writeln!(f, "  {:<8}{line}", if n == 0 { title } else { "" })?;
    }
    Ok(())
}
