//! What planning depends on besides the operation.
use std::collections::BTreeSet;

/// Settings of the planner.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Steps of work (fields expanded, candidates weighed) one plan may cost.
    pub work_budget: u64,
    /// Labels of `@override(label:)` that are active.
    pub active_labels: BTreeSet<String>,
    /// Whether whoever asks takes an answer in parts (`@defer`, `@stream`). If not, all comes at once.
    pub incremental: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            work_budget: 800_000,
            active_labels: BTreeSet::new(),
            incremental: false,
        }
    }
}

/// What authorization lets the caller see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Access {
    /// Everything is visible, whatever the directives say.
    unrestricted: bool,
    /// The caller is known.
    pub authenticated: bool,
    /// Scopes of the caller's token.
    pub scopes: BTreeSet<String>,
    /// Policies that hold for this request.
    pub policies: BTreeSet<String>,
}

impl Access {
    /// A caller of whom `@authenticated`, `@requiresScopes` and `@policy` ask nothing.
    pub fn unrestricted() -> Access {
        Access {
            unrestricted: true,
            ..Access::default()
        }
    }

    /// A caller with these rights.
    pub fn new(authenticated: bool, scopes: BTreeSet<String>, policies: BTreeSet<String>) -> Access {
        Access {
            unrestricted: false,
            authenticated,
            scopes,
            policies,
        }
    }

    /// Whether the caller sees everything.
    pub fn is_unrestricted(&self) -> bool {
        self.unrestricted
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Planning would cost more than the budget.
    #[error("the operation is too complex to plan (budget of {0} steps)")]
    BudgetExceeded(u64),
    /// The operation is nested deeper than the passes go.
    #[error("the operation is nested too deeply (limit {0})")]
    TooDeep(usize),
    /// Valid, but no way through the subgraphs leads there.
    #[error("no subgraph can answer {coordinate} at {path}{}", because(reasons))]
    Unreachable {
        /// `Type.field`.
        coordinate: String,
        /// Response keys, joined by dots.
        path: String,
        /// For each subgraph that has the field, why it cannot answer it there.
        reasons: Vec<String>,
    },
}

fn because(reasons: &[String]) -> String {
    if reasons.is_empty() {
        String::new()
    } else {
        format!(": {}", reasons.join(", "))
    }
}

impl PlanError {
    /// `extensions.code` for the client.
    pub fn code(&self) -> &'static str {
        match self {
            PlanError::BudgetExceeded(_) => "QUERY_PLAN_COMPLEXITY_EXCEEDED",
            PlanError::TooDeep(_) => "OPERATION_TOO_DEEP",
            PlanError::Unreachable { .. } => "QUERY_PLAN_UNREACHABLE",
        }
    }
}

/// Counts the work of one plan.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    left: u64,
    whole: u64,
}

impl Budget {
    pub fn new(whole: u64) -> Budget {
        Budget { left: whole, whole }
    }

    pub fn whole(&self) -> u64 {
        self.whole
    }

    pub fn left(&self) -> u64 {
        self.left
    }

    pub fn spend(&mut self, steps: usize) -> Result<(), PlanError> {
        match self.left.checked_sub(steps as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(PlanError::BudgetExceeded(self.whole)),
        }
    }
}
