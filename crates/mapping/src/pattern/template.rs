//! Replacements that name groups, as .NET writes them.

use super::{Found, Group, Pattern};

/// What a match becomes.
#[derive(Debug, Clone)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    /// `$1`, `${name}`, `$&`, `$+`
    Group(Group),
    /// `` $` ``
    Before,
    /// `$'`
    After,
    /// `$_`
    Input,
}

impl Template {
    /// Reads a replacement. A dollar sign that names nothing stands for itself.
    pub(crate) fn new(text: &str, pattern: &Pattern) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, after) = (rest.get(..at), rest.get(at + 1..));
            literal.push_str(before.unwrap_or_default());
            rest = after.unwrap_or_default();
            if let Some(after) = rest.strip_prefix('$') {
                literal.push('$');
                rest = after;
            } else if let Some((part, after)) = substitution(rest, pattern) {
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(part);
                rest = after;
            } else {
                literal.push('$');
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Self(parts)
    }

    /// Whether it is the same for every match.
    pub(crate) fn is_literal(&self) -> bool {
        !self
            .0
            .iter()
            .any(|part| matches!(part, Part::Group(group) if *group != Group::WHOLE))
    }

    /// The texts that together replace a match.
    pub(crate) fn parts<'t>(
        &'t self,
        text: &'t str,
        found: &Found<'_>,
    ) -> impl Iterator<Item = &'t str> {
        self.0.iter().map(|part| {
            let range = match part {
                Part::Literal(literal) => return literal.as_str(),
                Part::Group(group) => found.group(*group),
                Part::Before => Some((0, found.start())),
                Part::After => Some((found.end(), text.len())),
                Part::Input => Some((0, text.len())),
            };
            range
                .and_then(|(start, end)| text.get(start..end))
                .unwrap_or_default()
        })
    }
}

/// What follows a dollar sign, and the text after it.
fn substitution<'t>(text: &'t str, pattern: &Pattern) -> Option<(Part, &'t str)> {
    if let Some(braced) = text.strip_prefix('{') {
        let (name, after) = braced.split_once('}')?;
        let group = pattern.group(name).filter(|_| !name.is_empty())?;
        return Some((Part::Group(group), after));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        let (number, after) = text.split_at_checked(digits)?;
        return Some((Part::Group(pattern.group(number)?), after));
    }
    let (sign, after) = text.split_at_checked(1)?;
    let part = match sign {
        "&" => Part::Group(Group::WHOLE),
        "+" => Part::Group(pattern.last_group()),
        "`" => Part::Before,
        "'" => Part::After,
        "_" => Part::Input,
        _ => return None,
    };
    Some((part, after))
}
