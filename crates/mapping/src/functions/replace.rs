//! `Replace`, whose seven parameters select one of five things to do by being there or not.

use std::borrow::Cow;

use super::{Evaluated, Prepared};
use crate::evaluate::{Arguments, MAX_OUTPUT_BYTES, Reason, Stop};
use crate::expression::{Node, ParseErrorKind, Problem};
use crate::pattern::{Pattern, Template};
use crate::suggest::closest;
use crate::value::Value;

const OLD_VALUE: usize = 1;
const PATTERN: usize = 2;
const GROUP: usize = 3;
const REPLACEMENT: usize = 4;
const OTHER_ATTRIBUTE: usize = 5;
const TEMPLATE: usize = 6;

/// What a call does.
#[derive(Debug, Clone)]
pub(crate) enum Mode {
    /// Every `oldValue` in the source becomes `replacementValue`.
    Text,
    /// Every `oldValue` in the template becomes the source.
    Template,
    /// Every match of the pattern becomes `replacementValue`, which may name groups.
    Match(Option<Pattern>, Option<Template>),
    /// In every match the group becomes `replacementValue`.
    Group(Option<Pattern>),
    /// A source that is empty becomes the group of the pattern's match in another attribute.
    OtherAttribute(Option<Pattern>),
}

/// Finds the mode, and compiles the pattern where it is a constant.
pub(super) fn prepare(arguments: &[Option<Node>], at: usize) -> Result<Mode, Problem> {
    let node = |index: usize| arguments.get(index).and_then(Option::as_ref);
    let is = |index: usize| node(index).is_some();
    let constant = |index: usize| node(index).and_then(Node::constant);
    let whole_match = constant(GROUP) == Some("");
    let slots = [
        OLD_VALUE,
        PATTERN,
        GROUP,
        REPLACEMENT,
        OTHER_ATTRIBUTE,
        TEMPLATE,
    ]
    .map(is);
    let pattern = || match (node(PATTERN), constant(PATTERN)) {
        (Some(node), Some(text)) => Pattern::new(text)
            .map(Some)
            .map_err(|error| Problem::new(node.at, error)),
        _ => Ok(None),
    };
    let mode = match slots {
        [true, false, false, true, false, false] => Mode::Text,
        [true, false, false, false, false, true] => Mode::Template,
        [false, true, false, true, false, false] => Mode::Match(pattern()?, None),
        [false, true, true, true, false, false] if whole_match => Mode::Match(pattern()?, None),
        [false, true, true, true, false, false] => Mode::Group(pattern()?),
        [false, true, true, false, true, false] => Mode::OtherAttribute(pattern()?),
        _ => return Err(unknown_mode(slots, at)),
    };
    if constant(OLD_VALUE) == Some("") {
        let kind = ParseErrorKind::Parameter {
            function: "Replace",
            parameter: "oldValue",
            value: String::new(),
        };
        return Err(Problem::new(at, kind).hint("leave the slot empty if it is not meant"));
    }
    Ok(match mode {
        Mode::Match(Some(pattern), _) => {
            let template = constant(REPLACEMENT).map(|text| Template::new(text, &pattern));
            Mode::Match(Some(pattern), template)
        }
        Mode::Group(Some(pattern)) | Mode::OtherAttribute(Some(pattern)) => {
            if let (Some(name), Some(node)) = (constant(GROUP), node(GROUP))
                && pattern.group(name).is_none()
            {
                let problem = Problem::new(node.at, ParseErrorKind::UnknownGroup(name.to_owned()));
                return Err(problem.did_you_mean(closest(name, pattern.group_names())));
            }
            match slots[OTHER_ATTRIBUTE - 1] {
                true => Mode::OtherAttribute(Some(pattern)),
                false => Mode::Group(Some(pattern)),
            }
        }
        mode => mode,
    })
}

fn unknown_mode(slots: [bool; 6], at: usize) -> Problem {
    const NAMES: [&str; 6] = [
        "oldValue",
        "regexPattern",
        "regexGroupName",
        "replacementValue",
        "replacementAttributeName",
        "template",
    ];
    let there = NAMES
        .iter()
        .zip(slots)
        .filter_map(|(name, is)| is.then_some(*name));
    let there: Vec<&str> = there.collect();
    let what = match there.as_slice() {
        [] => "a source alone".to_owned(),
        [one] => format!("{one} alone"),
        [many @ .., last] => format!("{} and {last} together", many.join(", ")),
    };
    Problem::new(at, ParseErrorKind::ReplaceMode(what)).hint(
        "give oldValue with replacementValue or template, or regexPattern with replacementValue, with regexGroupName \
         and replacementValue, or with regexGroupName and replacementAttributeName",
    )
}

pub(super) fn replace<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let source = arguments.text(0)?;
    let Prepared::Replace(mode) = arguments.prepared() else {
        return Ok(source.map_or(Value::Null, Value::Text));
    };
    if let Mode::OtherAttribute(pattern) = mode {
        return match source.filter(|source| !source.is_empty()) {
            Some(source) => Ok(Value::Text(source)),
            None => from_other(arguments, &compiled(arguments, pattern.as_ref())?),
        };
    }
    let Some(source) = source else {
        return Ok(Value::Null);
    };
    let replaced = match mode {
        Mode::Text => {
            let new = arguments.text(REPLACEMENT)?.unwrap_or_default();
            plain(arguments, &source, &new)?
        }
        Mode::Template => {
            let template = arguments.text(TEMPLATE)?.unwrap_or_default();
            return Ok(match plain(arguments, &template, &source)? {
                Some(filled) => Value::text(filled),
                None => Value::Text(template),
            });
        }
        Mode::Match(pattern, template) => {
            let pattern = compiled(arguments, pattern.as_ref())?;
            match template {
                Some(template) => matches(arguments, &pattern, &source, template)?,
                None => {
                    let text = arguments.text(REPLACEMENT)?.unwrap_or_default();
                    matches(
                        arguments,
                        &pattern,
                        &source,
                        &Template::new(&text, &pattern),
                    )?
                }
            }
        }
        Mode::Group(pattern) => {
            groups(arguments, &compiled(arguments, pattern.as_ref())?, &source)?
        }
        Mode::OtherAttribute(_) => None,
    };
    if replaced.is_none() && !source.is_empty() {
        arguments.note_unmatched();
    }
    Ok(Value::Text(replaced.map_or(source, Cow::Owned)))
}

/// The pattern that was compiled while the expression was read, or else one compiled now.
fn compiled(arguments: Arguments<'_, '_>, prepared: Option<&Pattern>) -> Result<Pattern, Stop> {
    match prepared {
        Some(pattern) => Ok(pattern.clone()),
        None => arguments.compile(&arguments.text(PATTERN)?.unwrap_or_default()),
    }
}

/// `None` when the old value is not there.
fn plain(arguments: Arguments<'_, '_>, text: &str, new: &str) -> Result<Option<String>, Stop> {
    let old = arguments.text(OLD_VALUE)?.unwrap_or_default();
    if old.is_empty() {
        return Err(arguments.fail(Reason::NothingToFind));
    }
    if !text.contains(&*old) {
        return Ok(None);
    }
    let mut out = String::with_capacity(text.len());
    for (index, part) in text.split(&*old).enumerate() {
        if index > 0 {
            add(arguments, &mut out, new)?;
        }
        add(arguments, &mut out, part)?;
    }
    Ok(Some(out))
}

/// Every match replaced; `None` when there is none.
fn matches(
    arguments: Arguments<'_, '_>,
    pattern: &Pattern,
    text: &str,
    template: &Template,
) -> Result<Option<String>, Stop> {
    let mut out: Option<String> = None;
    let mut copied = 0;
    for found in pattern.matches(text, arguments.work(), !template.is_literal()) {
        let found = found.map_err(|_| arguments.fail(Reason::TooMuchWork))?;
        let out = out.get_or_insert_default();
        add(
            arguments,
            out,
            text.get(copied..found.start()).unwrap_or_default(),
        )?;
        for part in template.parts(text, &found) {
            add(arguments, out, part)?;
        }
        copied = found.end();
    }
    if let Some(out) = &mut out {
        add(arguments, out, text.get(copied..).unwrap_or_default())?;
    }
    Ok(out)
}

/// In every match the group replaced by the replacement as it stands; `None` when the group is nowhere.
fn groups(
    arguments: Arguments<'_, '_>,
    pattern: &Pattern,
    text: &str,
) -> Result<Option<String>, Stop> {
    let name = arguments.text(GROUP)?.unwrap_or_default();
    let new = arguments.text(REPLACEMENT)?.unwrap_or_default();
    let Some(group) = pattern.group(&name) else {
        return Err(arguments.fail(Reason::UnknownGroup(name.into_owned())));
    };
    let mut out: Option<String> = None;
    let mut copied = 0;
    for found in pattern.matches(text, arguments.work(), true) {
        let found = found.map_err(|_| arguments.fail(Reason::TooMuchWork))?;
        // A group inside a look-behind may lie in text that is copied already.
        let Some((start, end)) = found.group(group).filter(|(start, _)| *start >= copied) else {
            continue;
        };
        let out = out.get_or_insert_default();
        add(arguments, out, text.get(copied..start).unwrap_or_default())?;
        add(arguments, out, &new)?;
        copied = end;
    }
    if let Some(out) = &mut out {
        add(arguments, out, text.get(copied..).unwrap_or_default())?;
    }
    Ok(out)
}

/// The group of the first match in the other attribute; null when there is none.
fn from_other<'a>(arguments: Arguments<'_, 'a>, pattern: &Pattern) -> Evaluated<'a> {
    let Some(other) = arguments.text(OTHER_ATTRIBUTE)? else {
        return Ok(Value::Null);
    };
    let name = arguments.text(GROUP)?.unwrap_or_default();
    let Some(group) = pattern.group(&name) else {
        return Err(arguments.fail(Reason::UnknownGroup(name.into_owned())));
    };
    let found = pattern.matches(&other, arguments.work(), true).next();
    let found = found
        .transpose()
        .map_err(|_| arguments.fail(Reason::TooMuchWork))?;
    let range = found.and_then(|found| found.group(group));
    let text = range.and_then(|(start, end)| other.get(start..end));
    Ok(text.map_or(Value::Null, |text| Value::text(text.to_owned())))
}

fn add(arguments: Arguments<'_, '_>, out: &mut String, text: &str) -> Result<(), Stop> {
    if out.len() + text.len() > MAX_OUTPUT_BYTES {
        return Err(arguments.fail(Reason::TooLong));
    }
    out.push_str(text);
    Ok(())
}
