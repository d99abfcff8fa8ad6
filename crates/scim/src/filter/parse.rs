//! The grammar of filters and PATCH paths, by recursive descent with a depth limit.

use serde_json::Number;

use super::{Filter, Literal, MAX_BYTES, MAX_DEPTH, MAX_TERMS, Op};
use crate::path::{self, AttributePath, PatchPath};
use crate::{Error, ErrorKind};

pub(super) fn filter(text: &str) -> Result<Filter, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::invalid_filter(format!(
            "The filter is {} bytes long; at most {MAX_BYTES} are read. Split it, or use fewer terms",
            text.len()
        )));
    }
    let mut parser = Parser::new(text);
    let filter = parser.or()?;
    parser.skip_blanks();
    if parser.peek().is_some() {
        return Err(parser.expected("`and`, `or` or the end of the filter"));
    }
    Ok(filter)
}

pub(super) fn patch_path(text: &str) -> Result<PatchPath, Error> {
    let mut parser = Parser::new(text);
    parser.skip_blanks();
    let attribute = parser.path().map_err(as_path_error)?;
    let filter = if parser.peek() == Some('[') {
        Some(parser.brackets()?)
    } else {
        None
    };
    let sub = match filter {
        Some(_) => parser.sub_attribute().map_err(as_path_error)?,
        None => None,
    };
    parser.skip_blanks();
    if parser.peek().is_some() {
        return Err(as_path_error(parser.expected("the end of the path")));
    }
    Ok(PatchPath {
        attribute,
        filter,
        sub,
    })
}

/// Outside of the brackets the same mistake is one of the path (RFC 7644 table 9).
fn as_path_error(error: Error) -> Error {
    Error {
        kind: ErrorKind::InvalidPath,
        ..error
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Byte offset of the next character.
    at: usize,
    depth: usize,
    terms: usize,
    in_brackets: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            terms: 0,
            in_brackets: false,
        }
    }

    fn or(&mut self) -> Result<Filter, Error> {
        let mut terms = Vec::new();
        loop {
            match self.and()? {
                Filter::Or(more) => terms.extend(more),
                one => terms.push(one),
            }
            if !self.eat_keyword("or") {
                return Ok(if terms.len() == 1 {
                    terms.remove(0)
                } else {
                    Filter::Or(terms)
                });
            }
        }
    }

    fn and(&mut self) -> Result<Filter, Error> {
        let mut terms = Vec::new();
        loop {
            match self.factor()? {
                Filter::And(more) => terms.extend(more),
                one => terms.push(one),
            }
            if !self.eat_keyword("and") {
                return Ok(if terms.len() == 1 {
                    terms.remove(0)
                } else {
                    Filter::And(terms)
                });
            }
        }
    }

    fn factor(&mut self) -> Result<Filter, Error> {
        self.skip_blanks();
        if self.peek() == Some('(') {
            return self.enclosed(')');
        }
        if self.eat_keyword("not") {
            self.skip_blanks();
            if self.peek() != Some('(') {
                return Err(self.expected("`(` after `not`"));
            }
            return Ok(Filter::Not(Box::new(self.enclosed(')')?)));
        }
        self.term()
    }

    /// A filter between the bracket at hand and `close`.
    fn enclosed(&mut self, close: char) -> Result<Filter, Error> {
        if self.depth == MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        self.at += 1;
        let inner = self.or()?;
        self.skip_blanks();
        if self.peek() != Some(close) {
            return Err(self.expected(&format!("`and`, `or` or `{close}`")));
        }
        self.at += 1;
        self.depth -= 1;
        Ok(inner)
    }

    fn brackets(&mut self) -> Result<Filter, Error> {
        if self.in_brackets {
            return Err(self.error("brackets cannot stand inside brackets"));
        }
        self.in_brackets = true;
        let inner = self.enclosed(']');
        self.in_brackets = false;
        inner
    }

    fn term(&mut self) -> Result<Filter, Error> {
        self.count_term()?;
        let path = self.path()?;
        if self.peek() != Some('[') {
            return self.comparison(path);
        }
        let inner = self.brackets()?;
        let filter = match self.sub_attribute()? {
            Some(sub) => self.with_sub_attribute(inner, &sub)?,
            None => inner,
        };
        Ok(Filter::Value {
            path,
            filter: Box::new(filter),
        })
    }

    /// `[inner].sub eq …`, which is `[inner and sub eq …]`. It is held to the limits in that form.
    fn with_sub_attribute(&mut self, inner: Filter, sub: &str) -> Result<Filter, Error> {
        self.count_term()?;
        let sub = AttributePath::parse(sub).map_err(|e| self.error(&e.detail))?;
        let comparison = self.comparison(sub)?;
        let filter = inner.and(comparison);
        if self.depth + 1 + nesting(&filter) > MAX_DEPTH {
            return Err(self.too_deep());
        }
        Ok(filter)
    }

    fn count_term(&mut self) -> Result<(), Error> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(self.error(&format!("the filter has more than {MAX_TERMS} comparisons")));
        }
        Ok(())
    }

    fn too_deep(&self) -> Error {
        self.error(&format!("the filter nests deeper than {MAX_DEPTH} levels"))
    }

    /// The operator and value that follow a path.
    fn comparison(&mut self, path: AttributePath) -> Result<Filter, Error> {
        self.skip_blanks();
        let start = self.at;
        let word = self.word();
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let Some(op) = Op::by_name(word) else {
            self.at = start;
            return Err(self.unknown_operator(word, &path));
        };
        self.skip_blanks();
        let value = self.literal(op)?;
        Ok(Filter::Compare { path, op, value })
    }

    fn path(&mut self) -> Result<AttributePath, Error> {
        let start = self.at;
        let end = self
            .rest()
            .find(|c| !path::is_path_char(c))
            .map_or(self.text.len(), |n| start + n);
        if start == end {
            return Err(self.expected("the name of an attribute"));
        }
        let text = &self.text[start..end];
        match AttributePath::parse(text) {
            Ok(path) => {
                self.at = end;
                Ok(path)
            }
            Err(problem) => Err(self.error(&problem.detail)),
        }
    }

    /// `.name` after a closing bracket.
    fn sub_attribute(&mut self) -> Result<Option<String>, Error> {
        if self.peek() != Some('.') {
            return Ok(None);
        }
        self.at += 1;
        let start = self.at;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '$');
        let end = self
            .rest()
            .find(|c| !is_name(c))
            .map_or(self.text.len(), |n| start + n);
        let name = &self.text[start..end];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$')
            || name.len() > path::MAX_PATH_BYTES
        {
            return Err(self.expected("the name of a sub-attribute"));
        }
        self.at = end;
        Ok(Some(name.to_owned()))
    }

    fn literal(&mut self, op: Op) -> Result<Literal, Error> {
        if self.peek() == Some('"') {
            return self.string().map(Literal::String);
        }
        let start = self.at;
        let word = self.word();
        let known = if word.eq_ignore_ascii_case("true") {
            Some(Literal::Bool(true))
        } else if word.eq_ignore_ascii_case("false") {
            Some(Literal::Bool(false))
        } else if word.eq_ignore_ascii_case("null") {
            Some(Literal::Null)
        } else {
            number(word).map(Literal::Number)
        };
        known.ok_or_else(|| {
            self.at = start;
            let hint = if word.is_empty() {
                ""
            } else {
                "; strings stand in double quotes"
            };
            self.expected(&format!(
                "a value after `{op}` (a string, number, true, false or null{hint})"
            ))
        })
    }

    fn string(&mut self) -> Result<String, Error> {
        let mut escaped = false;
        let end = self.rest().char_indices().skip(1).find_map(|(i, c)| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes.then_some(self.at + i + 1)
        });
        let Some(end) = end else {
            return Err(self.error("this string has no closing double quote"));
        };
        match serde_json::from_str::<String>(&self.text[self.at..end]) {
            Ok(text) if text.contains('\0') => {
                Err(self.error("this string contains a NUL character"))
            }
            Ok(text) => {
                self.at = end;
                Ok(text)
            }
            Err(_) => {
                Err(self.error("this string has an escape or a character that JSON does not allow"))
            }
        }
    }

    /// A keyword as a whole word, with the blanks before it.
    fn eat_keyword(&mut self, keyword: &str) -> bool {
        let start = self.at;
        self.skip_blanks();
        if self.word().eq_ignore_ascii_case(keyword) {
            return true;
        }
        self.at = start;
        false
    }

    /// Everything up to a blank, quote or bracket.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| is_blank(c) || "\"()[]".contains(c))
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn error(&self, what: &str) -> Error {
        let position = self.text[..self.at].chars().count() + 1;
        Error::invalid_filter(format!("At position {position}: {what}"))
    }

    fn expected(&self, what: &str) -> Error {
        self.error(&format!("expected {what}, found {}", self.found()))
    }

    /// What stands at the current place, cut to a length that is good to read.
    fn found(&self) -> String {
        let word: String = self
            .rest()
            .chars()
            .take_while(|&c| !is_blank(c))
            .take(24)
            .collect();
        if word.is_empty() {
            "the end".into()
        } else {
            format!("{word:?}")
        }
    }

    fn unknown_operator(&self, word: &str, path: &AttributePath) -> Error {
        let guess = did_you_mean(word)
            .map(|op| format!("; did you mean `{op}`?"))
            .unwrap_or_default();
        let names = "eq, ne, co, sw, ew, pr, gt, ge, lt or le";
        self.error(&format!(
            "expected an operator after {path} ({names}), found {}{guess}",
            self.found()
        ))
    }
}

/// How deep the canonical text of a filter nests.
fn nesting(filter: &Filter) -> usize {
    match filter {
        Filter::And(terms) => {
            let level = |term: &Filter| nesting(term) + usize::from(matches!(term, Filter::Or(_)));
            terms.iter().map(level).max().unwrap_or(0)
        }
        Filter::Or(terms) => terms.iter().map(nesting).max().unwrap_or(0),
        Filter::Not(inner) | Filter::Value { filter: inner, .. } => 1 + nesting(inner),
        Filter::Compare { .. } | Filter::Present(_) => 0,
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// A number by JSON's grammar. Fractions go through the standard library, which reads back exactly what is printed.
fn number(word: &str) -> Option<Number> {
    let number: Number = serde_json::from_str(word).ok()?;
    if !number.is_f64() {
        return Some(number);
    }
    Number::from_f64(word.parse().ok()?)
}

/// The operator somebody probably meant who comes from another language or made a slip.
fn did_you_mean(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    let meant = match lower.as_str() {
        "=" | "==" | "===" | "is" | "equal" | "equals" | "equalto" => "eq",
        "!=" | "<>" | "neq" | "not" | "notequal" | "notequals" => "ne",
        ">" => "gt",
        ">=" | "=>" | "gte" => "ge",
        "<" => "lt",
        "<=" | "=<" | "lte" => "le",
        "like" | "in" | "contain" | "contains" | "includes" => "co",
        "startswith" | "starts" | "beginswith" => "sw",
        "endswith" | "ends" => "ew",
        "present" | "exists" | "has" => "pr",
        other => {
            return Op::ALL
                .into_iter()
                .map(Op::name)
                .chain(["pr"])
                .find(|op| one_slip(other, op));
        }
    };
    Some(meant)
}

/// Whether a two-letter operator differs in its order or one letter.
fn one_slip(word: &str, op: &str) -> bool {
    let swapped: String = op.chars().rev().collect();
    word == swapped || (word.len() == 3 && (word.starts_with(op) || word.ends_with(op)))
}
