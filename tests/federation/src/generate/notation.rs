//! Type references, arguments and field sets of a generated graph.
use std::fmt;

/// An argument, or a member of an input object.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Ty,
    /// Its default, as a literal.
    pub default: Option<String>,
}

/// A type reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Ty {
    /// The named type.
    pub named: String,
    /// Whether that may not be null.
    pub non_null: bool,
    /// The lists around it, from the outside in: whether each may not be null.
    pub lists: Vec<bool>,
}

/// A part of a field set.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// Only for objects of this type.
    pub on: Option<String>,
    /// The field.
    pub field: String,
    /// Literal arguments, as text.
    pub arguments: String,
    /// What of it.
    pub below: Vec<Pick>,
}

impl Pick {
    /// A field without anything.
    pub fn leaf(field: &str) -> Pick {
        Pick::of(field, Vec::new())
    }

    /// A field and something of it.
    pub fn of(field: &str, below: Vec<Pick>) -> Pick {
        Pick {
            on: None,
            field: field.to_owned(),
            arguments: String::new(),
            below,
        }
    }
}

/// A field set as SDL.
pub fn print(picks: &[Pick]) -> String {
    let one = |pick: &Pick| {
        let mut text = format!("{}{}", pick.field, pick.arguments);
        if !pick.below.is_empty() {
            text = format!("{text} {{ {} }}", print(&pick.below));
        }
        match &pick.on {
            Some(on) => format!("... on {on} {{ {text} }}"),
            None => text,
        }
    };
    let all: Vec<String> = picks.iter().map(one).collect();
    all.join(" ")
}

impl Ty {
    /// Nullable, without lists.
    pub fn named(named: &str) -> Ty {
        Ty {
            named: named.to_owned(),
            non_null: false,
            lists: Vec::new(),
        }
    }

    /// Not nullable, without lists.
    pub fn non_null(named: &str) -> Ty {
        Ty {
            non_null: true,
            ..Ty::named(named)
        }
    }

    /// What both allow: non-null only where both are.
    pub fn wider(&self, other: &Ty) -> Ty {
        let lists = self.lists.iter().zip(&other.lists);
        Ty {
            named: self.named.clone(),
            non_null: self.non_null && other.non_null,
            lists: lists.map(|(one, other)| *one && *other).collect(),
        }
    }

    /// Non-null wherever one of them is.
    pub fn narrower(&self, other: &Ty) -> Ty {
        let lists = self.lists.iter().zip(&other.lists);
        Ty {
            named: self.named.clone(),
            non_null: self.non_null || other.non_null,
            lists: lists.map(|(one, other)| *one || *other).collect(),
        }
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = |non_null: bool| if non_null { "!" } else { "" };
        let mut text = format!("{}{}", self.named, mark(self.non_null));
        for list in self.lists.iter().rev() {
            text = format!("[{text}]{}", mark(*list));
        }
        f.write_str(&text)
    }
}
