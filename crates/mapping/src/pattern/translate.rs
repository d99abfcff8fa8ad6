//! From .NET's notation to the engine's.
//!
//! Every character is written out in a form that means nothing else to the engine, groups lose their names, and
//! options are applied where they hold, so that no difference between the two notations is left to chance.

use super::PatternError;
use super::class::{self, Class};

/// A pattern in parts, until the groups are numbered.
#[derive(Debug, Default)]
pub(super) struct Translation {
    pieces: Vec<Piece>,
    /// The name of each capturing group, in the order of their opening parentheses.
    pub(super) captures: Vec<CaptureName>,
    /// Whether the pattern has what only backtracking can match.
    pub(super) backtracks: bool,
    /// Whether `$` or `\Z` occurs.
    pub(super) has_end: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum CaptureName {
    None,
    Number(u32),
    Name(String),
}

#[derive(Debug)]
enum Piece {
    Text(String),
    /// The end of the text, or before the line feed that ends it.
    End,
    /// A reference back to a group, by name or number.
    Back {
        name: String,
        position: usize,
        ignore_case: bool,
        /// What stands there if there is no such group: a character by its octal number.
        otherwise: Option<String>,
    },
    /// The start of a condition on a group.
    Condition {
        name: String,
        position: usize,
    },
}

impl Translation {
    pub(super) fn of(pattern: &str) -> Result<Self, PatternError> {
        let mut translator = Translator {
            chars: pattern.chars().collect(),
            at: 0,
            options: Options::default(),
            open: Vec::new(),
            last: Last::Nothing,
            out: Self::default(),
        };
        translator.run()?;
        Ok(translator.out)
    }

    /// The pattern for the engine. `slots` gives the engine's slots of a group, `end` is what `$` means.
    pub(super) fn text<'s>(
        &self,
        slots: &impl Fn(&str) -> Option<&'s [usize]>,
        end: &str,
    ) -> Result<String, PatternError> {
        let mut text = String::new();
        for piece in &self.pieces {
            let (name, position) = match piece {
                Piece::Text(part) => {
                    text.push_str(part);
                    continue;
                }
                Piece::End => {
                    text.push_str(end);
                    continue;
                }
                Piece::Back { name, position, .. } | Piece::Condition { name, position } => {
                    (name, *position)
                }
            };
            let problem = |problem: String| PatternError { position, problem };
            let slot = match slots(name) {
                None if let Piece::Back {
                    otherwise: Some(text_of),
                    ..
                } = piece =>
                {
                    text.push_str(text_of);
                    continue;
                }
                None => return Err(problem(format!("there is no group {name}"))),
                Some([slot]) => slot,
                Some(_) => {
                    let text = format!(
                        "the group {name} is there twice, and a reference to it is not supported"
                    );
                    return Err(problem(text));
                }
            };
            text.push_str(&match piece {
                Piece::Back {
                    ignore_case: true, ..
                } => format!(r"(?i:\{slot})"),
                Piece::Back { .. } => format!(r"(?:\{slot})"),
                _ => format!("(?({slot})"),
            });
        }
        Ok(text)
    }
}

/// `(?imnsx)`.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    ignore_case: bool,
    multi_line: bool,
    explicit_capture: bool,
    single_line: bool,
    ignore_blanks: bool,
}

/// What a quantifier would apply to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Atom,
    Quantified,
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    options: Options,
    /// The options to go back to at each closing parenthesis.
    open: Vec<Options>,
    last: Last,
    out: Translation,
}

impl Translator {
    fn run(&mut self) -> Result<(), PatternError> {
        while let Some(c) = self.next() {
            match c {
                '(' => self.open_group()?,
                ')' => {
                    let Some(options) = self.open.pop() else {
                        return Err(self.error("a closing parenthesis without an opening one"));
                    };
                    self.options = options;
                    self.atom(")");
                }
                '|' => self.after("|", Last::Nothing),
                '[' => {
                    let class = Class::read(&self.chars, &mut self.at)?;
                    self.cased(&class.to_string());
                }
                '.' if self.options.single_line => self.atom("(?s:.)"),
                '.' => self.atom(r"[^\n]"),
                '^' if self.options.multi_line => self.atom("(?m:^)"),
                '^' => self.atom(r"\A"),
                '$' if self.options.multi_line => self.atom("(?m:$)"),
                '$' => self.end(),
                '*' | '+' | '?' => self.quantifier(&c.to_string())?,
                '{' => match self.counts() {
                    Some(counts) => self.quantifier(&counts)?,
                    None => self.cased(&class::literal('{')),
                },
                '\\' => self.escape()?,
                c if self.options.ignore_blanks && c.is_ascii_whitespace() => {}
                '#' if self.options.ignore_blanks => {
                    while self.next().is_some_and(|c| c != '\n') {}
                }
                c => self.cased(&class::literal(c)),
            }
        }
        match self.open.is_empty() {
            true => Ok(()),
            false => Err(self.error("a parenthesis is not closed")),
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    fn take(&mut self, text: &str) -> bool {
        let length = text.chars().count();
        let found = self.chars.get(self.at..self.at + length);
        let found = found.is_some_and(|found| found.iter().copied().eq(text.chars()));
        if found {
            self.at += length;
        }
        found
    }

    fn error(&self, problem: impl Into<String>) -> PatternError {
        PatternError {
            position: self.at.max(1),
            problem: problem.into(),
        }
    }

    fn after(&mut self, text: &str, last: Last) {
        self.last = last;
        match self.out.pieces.last_mut() {
            Some(Piece::Text(part)) => part.push_str(text),
            _ => self.out.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    fn atom(&mut self, text: &str) {
        self.after(text, Last::Atom);
    }

    /// An atom to which letter case may matter.
    fn cased(&mut self, text: &str) {
        match self.options.ignore_case {
            true => self.atom(&format!("(?i:{text})")),
            false => self.atom(text),
        }
    }

    fn end(&mut self) {
        self.out.has_end = true;
        self.out.pieces.push(Piece::End);
        self.last = Last::Atom;
    }

    fn quantifier(&mut self, text: &str) -> Result<(), PatternError> {
        match self.last {
            Last::Nothing => return Err(self.error("there is nothing to repeat")),
            Last::Quantified => return Err(self.error("a quantifier follows another one")),
            Last::Atom => {}
        }
        self.after(text, Last::Quantified);
        if self.take("?") {
            self.after("?", Last::Quantified);
        }
        Ok(())
    }

    /// What follows `{`, if that makes it a quantifier; anything else is a brace.
    fn counts(&mut self) -> Option<String> {
        let rest: String = self.chars.get(self.at..)?.iter().take(24).collect();
        let (counts, _) = rest.split_once('}')?;
        let (least, most) = counts.split_once(',').unwrap_or((counts, "0"));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if least.is_empty() || !digits(least) || !digits(most) {
            return None;
        }
        self.at += counts.chars().count() + 1;
        Some(format!("{{{counts}}}"))
    }

    fn push_group(&mut self, text: &str) {
        self.open.push(self.options);
        self.after(text, Last::Nothing);
    }

    fn open_group(&mut self) -> Result<(), PatternError> {
        if !self.take("?") {
            match self.options.explicit_capture {
                true => self.push_group("(?:"),
                false => self.capture(CaptureName::None),
            }
            return Ok(());
        }
        if self.take("#") {
            while let Some(c) = self.next() {
                if c == ')' {
                    return Ok(());
                }
            }
            return Err(self.error("a comment is not closed"));
        }
        if self.take(":") {
            self.push_group("(?:");
            return Ok(());
        }
        for special in ["<=", "<!", "=", "!", ">"] {
            if self.take(special) {
                self.out.backtracks = true;
                self.push_group(&format!("(?{special}"));
                return Ok(());
            }
        }
        if self.take("<") {
            return self.named('>');
        }
        if self.take("'") {
            return self.named('\'');
        }
        if self.take("(") {
            return self.condition();
        }
        self.inline_options()
    }

    fn capture(&mut self, name: CaptureName) {
        self.out.captures.push(name);
        self.push_group("(");
    }

    /// A group's name up to its closing sign.
    fn name(&mut self, close: char) -> Result<String, PatternError> {
        let mut name = String::new();
        loop {
            match self.next() {
                Some(c) if c == close && !name.is_empty() => return Ok(name),
                Some(c) if c.is_alphanumeric() || c == '_' => name.push(c),
                Some('-') => return Err(self.error("balancing groups are not supported")),
                _ => return Err(self.error("a group has no proper name")),
            }
        }
    }

    fn named(&mut self, close: char) -> Result<(), PatternError> {
        let name = self.name(close)?;
        let name = match name.parse() {
            Ok(0) => return Err(self.error("group 0 is the whole match")),
            Ok(number) => CaptureName::Number(number),
            Err(_) if name.starts_with(|c: char| c.is_ascii_digit()) => {
                return Err(self.error("a group's name starts with a letter, or is a number"));
            }
            Err(_) => CaptureName::Name(name),
        };
        self.capture(name);
        Ok(())
    }

    /// `(?(name)yes|no)`.
    fn condition(&mut self) -> Result<(), PatternError> {
        let position = self.at;
        let name = self.name(')').map_err(|_| PatternError {
            position,
            problem: "a condition that is not the name or number of a group is not supported"
                .into(),
        })?;
        self.out.backtracks = true;
        self.open.push(self.options);
        self.out.pieces.push(Piece::Condition { name, position });
        self.last = Last::Nothing;
        Ok(())
    }

    /// `(?i)`, which holds to the end of the group, or `(?i-s:…)`.
    fn inline_options(&mut self) -> Result<(), PatternError> {
        let mut options = self.options;
        let mut on = true;
        loop {
            match self.next() {
                Some('-') => on = false,
                Some('i') => options.ignore_case = on,
                Some('m') => options.multi_line = on,
                Some('n') => options.explicit_capture = on,
                Some('s') => options.single_line = on,
                Some('x') => options.ignore_blanks = on,
                Some(')') => break self.options = options,
                Some(':') => {
                    self.push_group("(?:");
                    break self.options = options;
                }
                _ => return Err(self.error("unknown option of a group")),
            }
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), PatternError> {
        let Some(c) = self.peek() else {
            return Err(self.error("a backslash at the end"));
        };
        let position = self.at;
        match c {
            'b' => self.whole(r"\b"),
            'B' => self.whole(r"\B"),
            'A' => self.whole(r"\A"),
            'z' => self.whole(r"\z"),
            'Z' => {
                self.at += 1;
                self.end();
            }
            'G' => {
                self.out.backtracks = true;
                self.whole(r"\G");
            }
            'k' => {
                self.at += 1;
                let name = match (self.take("<"), self.peek()) {
                    (true, _) => self.name('>')?,
                    (false, Some('\'')) => {
                        self.at += 1;
                        self.name('\'')?
                    }
                    _ => return Err(self.error("a reference to a group has no name")),
                };
                self.back(name, position, None);
            }
            '1'..='9' => {
                let rest = self.chars.get(self.at..).unwrap_or_default();
                let digits: String = rest.iter().take_while(|c| c.is_ascii_digit()).collect();
                self.at += digits.len();
                let octal = self.octal(&digits);
                self.back(digits, position, octal);
            }
            _ => {
                let item = class::escape(&self.chars, &mut self.at)?;
                self.cased(&item.outside_class());
            }
        }
        Ok(())
    }

    /// An escape of one letter that the engine knows as well.
    fn whole(&mut self, text: &str) {
        self.at += 1;
        self.atom(text);
    }

    /// `\103`, where that is no reference to a group; one digit alone always is.
    fn octal(&self, digits: &str) -> Option<String> {
        let octal = digits
            .bytes()
            .take(3)
            .take_while(|b| matches!(b, b'0'..=b'7'))
            .count();
        let (octal, rest) = digits
            .split_at_checked(octal)
            .filter(|_| digits.len() > 1)?;
        let code = u32::from_str_radix(octal, 8)
            .ok()
            .and_then(char::from_u32)?;
        let c = class::literal(code);
        Some(match self.options.ignore_case {
            true => format!("(?i:{c}){rest}"),
            false => format!("{c}{rest}"),
        })
    }

    fn back(&mut self, name: String, position: usize, otherwise: Option<String>) {
        self.out.backtracks = true;
        self.out.pieces.push(Piece::Back {
            name,
            position,
            ignore_case: self.options.ignore_case,
            otherwise,
        });
        self.last = Last::Atom;
    }
}
