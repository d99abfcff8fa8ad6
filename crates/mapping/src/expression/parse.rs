//! The reader of expressions.
//!
//! ```text
//! expression := value [ operator value ]
//! value      := call | "[" name "]" | text | number | keyword
//! call       := Name "(" [ slot { "," slot } ] ")"      slot := expression | nothing
//! ```

use super::error::{ParseError, ParseErrorKind, Problem};
use super::{Call, Comparison, Keyword, Kind, MAX_CHARS, MAX_DEPTH, Node, Operator};
use crate::functions;
use crate::suggest::closest;
use crate::value::Number;

/// Reads a whole expression.
pub(super) fn expression(text: &str) -> Result<Node, ParseError> {
    read(text).map_err(|problem| problem.in_text(text))
}

fn read(text: &str) -> Result<Node, Problem> {
    let chars = text.chars().count();
    if chars > MAX_CHARS {
        return Err(Problem::new(0, ParseErrorKind::TooLong(chars)));
    }
    let mut reader = Reader { text, at: 0 };
    reader.skip_blanks();
    if reader.rest().is_empty() {
        return Err(Problem::new(0, ParseErrorKind::Empty));
    }
    let root = reader.expression(0)?;
    reader.skip_blanks();
    if !reader.rest().is_empty() {
        return Err(reader.unexpected("the end of the expression"));
    }
    Ok(root)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes this text, if it comes next.
    fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Takes all characters of a kind.
    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn expression(&mut self, depth: usize) -> Result<Node, Problem> {
        let left = self.value(depth)?;
        self.skip_blanks();
        let operator = Operator::ALL.iter().find(|(name, _)| self.take(name));
        let Some(&(_, operator)) = operator else {
            return Ok(left);
        };
        self.skip_blanks();
        let right = self.value(depth)?;
        let at = left.at;
        let comparison = Comparison {
            left,
            operator,
            right,
        };
        Ok(Node {
            at,
            kind: Kind::Compare(Box::new(comparison)),
        })
    }

    fn value(&mut self, depth: usize) -> Result<Node, Problem> {
        let at = self.at;
        let kind = match self.peek() {
            Some('"') => Kind::Text(self.text()?),
            Some('[') => Kind::Attribute(self.attribute()?),
            Some(c) if c.is_ascii_digit() || c == '-' || c == '&' => Kind::Number(self.number()?),
            Some(c) if c.is_alphabetic() || c == '_' => self.word(depth)?,
            _ => return Err(self.unexpected("a function, [attribute], \"text\" or number")),
        };
        Ok(Node { at, kind })
    }

    /// `\"` and `\\` are the only escapes; before anything else a backslash is a backslash, which regular
    /// expressions rely on.
    fn text(&mut self) -> Result<String, Problem> {
        let start = self.at;
        self.take("\"");
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != '"' && c != '\\'));
            match self.peek() {
                None => return Err(Problem::new(start, ParseErrorKind::OpenText)),
                Some('"') => {
                    self.take("\"");
                    return Ok(text);
                }
                Some(_) => {
                    self.take("\\");
                    match self.peek() {
                        Some(c @ ('"' | '\\')) => {
                            self.at += 1;
                            text.push(c);
                        }
                        _ => text.push('\\'),
                    }
                }
            }
        }
    }

    fn attribute(&mut self) -> Result<String, Problem> {
        let start = self.at;
        self.take("[");
        let name = self.take_while(|c| c != ']');
        if !self.take("]") {
            return Err(Problem::new(start, ParseErrorKind::OpenAttribute));
        }
        let foreign = |c: char| c == '[' || c == '"' || c.is_control();
        if name.trim() != name || name.is_empty() || name.contains(foreign) {
            let kind = ParseErrorKind::AttributeName(name.to_owned());
            return Err(Problem::new(start, kind));
        }
        Ok(name.to_owned())
    }

    fn number(&mut self) -> Result<Number, Problem> {
        let start = self.at;
        let wrong = |text: &str| Problem::new(start, ParseErrorKind::Number(text.to_owned()));
        if self.take("&H") || self.take("&h") {
            let digits = self.take_while(|c| c.is_ascii_alphanumeric());
            let number = i64::from_str_radix(digits, 16).ok();
            return number
                .map(Number::Integer)
                .ok_or_else(|| wrong(&format!("&H{digits}")));
        }
        if self.peek() == Some('&') {
            let hint = "there is no & operator; use Join or Append to put texts together";
            return Err(self.unexpected("a value").hint(hint));
        }
        self.take("-");
        self.take_while(|c| c.is_ascii_digit() || c == '.' || c.is_ascii_alphabetic());
        let text = self.text.get(start..self.at).unwrap_or_default();
        Number::parse(text).ok_or_else(|| wrong(text))
    }

    /// A function call or a keyword.
    fn word(&mut self, depth: usize) -> Result<Kind, Problem> {
        let start = self.at;
        let name = self.take_while(|c| c.is_alphanumeric() || c == '_');
        let after = self.at;
        self.skip_blanks();
        if self.take("(") {
            return self.call(name, start, depth);
        }
        self.at = after;
        let keyword = Keyword::ALL.iter().find(|(word, _)| *word == name);
        if let Some((_, keyword)) = keyword {
            return Ok(Kind::Keyword(*keyword));
        }
        let problem = Problem::new(start, ParseErrorKind::UnknownWord(name.to_owned()));
        Err(match functions::find(name) {
            Some(_) => problem.hint("a function needs parentheses"),
            None => match closest(name, Keyword::ALL.iter().map(|(word, _)| *word)) {
                Some(word) => problem.did_you_mean(Some(word)),
                None => problem.hint(format!(
                    "write [{name}] for an attribute and \"{name}\" for text"
                )),
            },
        })
    }

    fn call(&mut self, name: &str, start: usize, depth: usize) -> Result<Kind, Problem> {
        if depth >= MAX_DEPTH {
            return Err(Problem::new(start, ParseErrorKind::TooDeep));
        }
        let Some(function) = functions::find(name) else {
            let kind = ParseErrorKind::UnknownFunction(name.to_owned());
            let names = functions::ALL.iter().map(|function| function.name);
            return Err(Problem::new(start, kind).did_you_mean(closest(name, names)));
        };
        if function.name == functions::SELECT_UNIQUE && depth > 0 {
            let kind = ParseErrorKind::NotOutermost(function.name);
            return Err(Problem::new(start, kind));
        }
        let arguments = self.arguments(depth + 1)?;
        let arguments = function.arrange(arguments, start)?;
        let prepared = function.prepare(&arguments, start)?;
        Ok(Kind::Call(Box::new(Call {
            function,
            arguments,
            prepared,
        })))
    }

    /// The slots up to the closing parenthesis.
    fn arguments(&mut self, depth: usize) -> Result<Vec<Option<Node>>, Problem> {
        let mut arguments = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                // `F()` has no slot at all; `F(a,)` has two.
                Some(')') if arguments.is_empty() => {}
                Some(',' | ')') => arguments.push(None),
                _ => arguments.push(Some(self.expression(depth)?)),
            }
            self.skip_blanks();
            if self.take(")") {
                return Ok(arguments);
            }
            if !self.take(",") {
                return Err(self.unexpected("a comma or a closing parenthesis"));
            }
        }
    }

    fn unexpected(&self, expected: &'static str) -> Problem {
        let found = match self.peek() {
            None => "the end of the expression".to_owned(),
            Some(c) if c.is_alphanumeric() => {
                let word = self.rest();
                let end = word.find(|c: char| !c.is_alphanumeric());
                let word = word.get(..end.unwrap_or(word.len())).unwrap_or_default();
                word.chars().take(40).collect()
            }
            Some(c) => format!("{c:?}"),
        };
        let hint = match (self.peek(), found.to_ascii_lowercase().as_str()) {
            (Some('“' | '”' | '„' | '‘' | '’' | '\''), _) => {
                Some("texts stand between straight double quotes")
            }
            (Some('&' | '+'), _) => Some("use Join or Append to put texts together"),
            (_, "and" | "or") => Some("there is no AND or OR; nest one IIF in a branch of another"),
            _ => None,
        };
        let problem = Problem::new(self.at, ParseErrorKind::Unexpected { expected, found });
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}
