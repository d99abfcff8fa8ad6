//! Reading expressions.

use std::iter::Peekable;
use std::str::CharIndices;

use super::{MAX_BYTES, MAX_DEPTH, Node, ParseError, Problem};
use crate::tags;

const TERM: &str = "a tag, not, * or (";

/// Reads a whole expression.
pub(super) fn parse(text: &str) -> Result<Node, ParseError> {
    if text.len() > MAX_BYTES {
        return Err(ParseError {
            position: 1,
            problem: Problem::TooLong,
        });
    }
    let mut parser = Parser {
        text,
        rest: text.char_indices().peekable(),
        depth: 0,
    };
    let node = parser.or()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.unexpected("and, or or the end")),
    }
}

/// Whether a character needs no quotation marks in a value.
pub(super) fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '+')
}

struct Parser<'t> {
    text: &'t str,
    rest: Peekable<CharIndices<'t>>,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn or(&mut self) -> Result<Node, ParseError> {
        self.list("or", Node::Or, Self::and)
    }

    fn and(&mut self) -> Result<Node, ParseError> {
        self.list("and", Node::And, Self::not)
    }

    /// Parts with a word between them. One alone stands for itself, and a list in a list is one list, so that
    /// expressions that mean the same by their form are equal.
    fn list(
        &mut self,
        word: &str,
        make: fn(Vec<Node>) -> Node,
        part: fn(&mut Self) -> Result<Node, ParseError>,
    ) -> Result<Node, ParseError> {
        let first = part(self)?;
        let mut parts = vec![first];
        while self.take_word(word) {
            parts.push(part(self)?);
        }
        if parts.len() > 1 {
            let nested = |node| match (node, word) {
                (Node::And(parts), "and") | (Node::Or(parts), "or") => parts,
                (other, _) => vec![other],
            };
            return Ok(make(parts.into_iter().flat_map(nested).collect()));
        }
        parts.pop().ok_or_else(|| self.error(Problem::End(TERM)))
    }

    fn not(&mut self) -> Result<Node, ParseError> {
        if self.take_word("not") {
            return self.deeper(|parser| Ok(negated(parser.not()?)));
        }
        self.term()
    }

    fn term(&mut self) -> Result<Node, ParseError> {
        match self.peek() {
            None => Err(self.error(Problem::End(TERM))),
            Some('(') => {
                self.rest.next();
                let inner = self.deeper(Self::or)?;
                match self.peek() {
                    Some(')') => {
                        self.rest.next();
                        Ok(inner)
                    }
                    Some(_) => Err(self.unexpected("and, or or )")),
                    None => Err(self.error(Problem::End(")"))),
                }
            }
            Some('*') => {
                self.rest.next();
                Ok(Node::All)
            }
            Some(c) if is_bare(c) => self.tag(),
            Some(_) => Err(self.unexpected(TERM)),
        }
    }

    fn tag(&mut self) -> Result<Node, ParseError> {
        let at = self.position();
        let key = self.bare();
        if tags::is_word(key) {
            let found = format!("{key:?}");
            return Err(ParseError {
                position: at,
                problem: Problem::Unexpected {
                    found,
                    expected: TERM,
                },
            });
        }
        if !tags::is_key(key) {
            return Err(ParseError {
                position: at,
                problem: Problem::Key(key.to_owned()),
            });
        }
        let is = |value| Node::Is(key.to_owned(), value);
        match self.peek() {
            Some('=') => {
                self.rest.next();
                self.value().map(is)
            }
            Some('!') => {
                self.rest.next();
                match self.rest.next() {
                    Some((_, '=')) => self.value().map(|value| negated(is(value))),
                    _ => Err(self.error(Problem::Unexpected {
                        found: "! alone".to_owned(),
                        expected: "!=",
                    })),
                }
            }
            _ => Ok(Node::Has(key.to_owned())),
        }
    }

    fn value(&mut self) -> Result<String, ParseError> {
        match self.peek() {
            Some('"') => self.quoted(),
            Some(c) if is_bare(c) => Ok(self.bare().to_owned()),
            Some(_) => Err(self.unexpected("a value")),
            None => Err(self.error(Problem::End("a value"))),
        }
    }

    fn quoted(&mut self) -> Result<String, ParseError> {
        let open = self.position();
        self.rest.next();
        let mut value = String::new();
        while let Some((_, c)) = self.rest.next() {
            match c {
                '"' => return Ok(value),
                '\\' => value.extend(self.rest.next().map(|(_, c)| c)),
                c => value.push(c),
            }
        }
        Err(ParseError {
            position: open,
            problem: Problem::Open,
        })
    }

    fn bare(&mut self) -> &'t str {
        let from = self.offset();
        while self.rest.next_if(|(_, c)| is_bare(*c)).is_some() {}
        let to = self.offset();
        self.text.get(from..to).unwrap_or_default()
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.peek();
        let before = self.rest.clone();
        if self.bare().eq_ignore_ascii_case(word) {
            return true;
        }
        self.rest = before;
        false
    }

    fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(Problem::TooDeep));
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// The next character that is no white space.
    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        self.rest.peek().map(|(_, c)| *c)
    }

    fn offset(&mut self) -> usize {
        self.rest
            .peek()
            .map_or(self.text.len(), |(offset, _)| *offset)
    }

    fn position(&mut self) -> usize {
        let offset = self.offset();
        self.text.get(..offset).unwrap_or_default().chars().count() + 1
    }

    fn error(&mut self, problem: Problem) -> ParseError {
        ParseError {
            position: self.position(),
            problem,
        }
    }

    fn unexpected(&mut self, expected: &'static str) -> ParseError {
        let position = self.position();
        let word = self.bare();
        let found = match word {
            "" => self
                .rest
                .peek()
                .map_or_else(|| "the end".to_owned(), |(_, c)| format!("{c:?}")),
            word => format!("{word:?}"),
        };
        ParseError {
            position,
            problem: Problem::Unexpected { found, expected },
        }
    }
}

/// The opposite; that of an opposite is what it was.
fn negated(node: Node) -> Node {
    match node {
        Node::Not(inner) => *inner,
        other => Node::Not(Box::new(other)),
    }
}
