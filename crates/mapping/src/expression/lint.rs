//! What is doubtful about an expression, before there is a source object.

use std::fmt;

use super::{Call, Comparison, Expression, Kind, Node, Operator};
use crate::functions::SWITCH;
use crate::suggest::closest;

/// Functions that give True or False and nothing else.
const BOOLEAN: [&str; 7] = [
    "CBool",
    "IsNothing",
    "IsNull",
    "IsNullOrEmpty",
    "IsPresent",
    "IsString",
    "Not",
];

/// An attribute that the source does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownAttribute {
    /// As it is written.
    pub name: String,
    /// Where it stands, in bytes from the start of the text.
    pub offset: usize,
    /// One that the source has, and that may be meant.
    pub suggestion: Option<String>,
}

/// Something in an expression that can be evaluated and is hardly meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Where, in bytes from the start of the text.
    pub offset: usize,
    /// A sentence about it.
    pub what: String,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Expression {
    /// The attributes that are not among those that the source has. Names compare with case: `[Mail]` is null for
    /// everybody where the source has `mail`.
    pub fn unknown_attributes(&self, known: &[&str]) -> Vec<UnknownAttribute> {
        let mut unknown = Vec::new();
        self.root.visit(&mut |node| {
            if let Kind::Attribute(name) = &node.kind
                && !known.contains(&name.as_str())
            {
                unknown.push(UnknownAttribute {
                    name: name.clone(),
                    offset: node.at,
                    suggestion: closest(name, known.iter().copied()).map(str::to_owned),
                });
            }
        });
        unknown
    }

    /// Arms of `Switch` that are never reached, and comparisons that never hold.
    pub fn doubts(&self) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        self.root.visit(&mut |node| match &node.kind {
            Kind::Call(call) if call.function.name == SWITCH => arms(call, &mut doubts),
            Kind::Compare(comparison) => emptiness(comparison, node.at, &mut doubts),
            _ => {}
        });
        doubts
    }
}

fn arms(call: &Call, doubts: &mut Vec<Doubt>) {
    let source = call.arguments.first().and_then(Option::as_ref);
    let possible: Option<Vec<&str>> = source.and_then(|source| match &source.kind {
        Kind::Text(text) => Some(vec![text.as_str()]),
        Kind::Compare(_) => Some(vec!["True", "False"]),
        Kind::Call(inner) if BOOLEAN.contains(&inner.function.name) => Some(vec!["True", "False"]),
        _ => None,
    });
    let mut seen: Vec<String> = Vec::new();
    let keys = call.arguments.iter().skip(2).step_by(2).flatten();
    for node in keys {
        let Some(key) = key(node) else { continue };
        let what = if seen.contains(&key) {
            format!("the Switch arm {key:?} is never reached: the same key stands before it")
        } else if possible
            .as_ref()
            .is_some_and(|possible| !possible.contains(&key.as_str()))
        {
            let values = possible.iter().flatten().map(|value| format!("{value:?}"));
            let values = values.collect::<Vec<_>>().join(" or ");
            format!("the Switch arm {key:?} is never reached: the source is {values}")
        } else {
            seen.push(key);
            continue;
        };
        doubts.push(Doubt {
            offset: node.at,
            what,
        });
    }
}

fn key(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Text(text) => Some(text.clone()),
        Kind::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn emptiness(comparison: &Comparison, at: usize, doubts: &mut Vec<Doubt>) {
    let with_empty = [&comparison.left, &comparison.right]
        .into_iter()
        .any(|side| side.constant() == Some(""));
    if with_empty && matches!(comparison.operator, Operator::Equal | Operator::NotEqual) {
        doubts.push(Doubt {
            offset: at,
            what: "a missing attribute is neither equal to \"\" nor different from it; use IsNullOrEmpty or IsPresent"
                .to_owned(),
        });
    }
}
