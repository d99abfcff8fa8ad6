//! The functions of the language: one table with names, parameters, meaning and implementation.

use crate::date::Format;
use crate::evaluate::{Arguments, Evaluated};
use crate::expression::Node;
use crate::expression::{ParseErrorKind, Problem};

mod dates;
mod diacritics;
mod lists;
mod logic;
mod numbers;
mod random;
mod replace;
mod roles;
mod table;
mod text;
mod titles;

pub use table::ALL;

/// The function whose result logs must not show.
pub(crate) const REDACT: &str = "Redact";
/// The function that asks which values are taken.
pub(crate) const SELECT_UNIQUE: &str = "SelectUniqueValue";
/// The function with the source's value in it that is replaced.
pub(crate) const SWITCH: &str = "Switch";

/// A function of the language.
#[derive(Clone, Copy)]
pub struct Function {
    /// Its name; letter case matters.
    pub name: &'static str,
    /// Its parameters, by the names that Entra's own documents use.
    pub parameters: &'static [Parameter],
    /// What it gives, in a sentence.
    pub summary: &'static str,
    pub(crate) run: for<'x, 'a> fn(Arguments<'x, 'a>) -> Evaluated<'a>,
}

/// A parameter of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// What Entra's documents call it.
    pub name: &'static str,
    /// How often it is there.
    pub presence: Presence,
}

/// How often a parameter is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Once.
    Required,
    /// Once, but its slot may be empty.
    Nullable,
    /// Once or not at all; its slot may be empty.
    Optional,
    /// Any number of times, to the end.
    Repeated,
}

/// What is worked out once, while an expression is read.
#[derive(Debug, Clone, Default)]
pub(crate) enum Prepared {
    #[default]
    Nothing,
    Replace(replace::Mode),
    /// The formats of `FormatDateTime` that are constants: of the input and of the output.
    Formats(Option<Format>, Option<Format>),
}

/// The function of that name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    ALL.iter().find(|function| function.name == name)
}

impl Function {
    /// How it is called, such as `Mid(source, start, length)`; optional parameters are in brackets.
    pub fn signature(&self) -> String {
        let names = self
            .parameters
            .iter()
            .map(|parameter| match parameter.presence {
                Presence::Required | Presence::Nullable => parameter.name.to_owned(),
                Presence::Optional => format!("[{}]", parameter.name),
                Presence::Repeated => format!("{}, …", parameter.name),
            });
        format!("{}({})", self.name, names.collect::<Vec<_>>().join(", "))
    }

    /// Checks which parameters are there, and leaves out what stands after the last pair of `Switch`.
    pub(crate) fn arrange(
        &self,
        mut arguments: Vec<Option<Node>>,
        at: usize,
    ) -> Result<Vec<Option<Node>>, Problem> {
        if self.name == SWITCH && arguments.len() % 2 == 1 && arguments.last() == Some(&None) {
            arguments.pop();
        }
        let repeated = self
            .parameters
            .iter()
            .any(|it| it.presence == Presence::Repeated);
        if !repeated && arguments.len() > self.parameters.len() {
            let kind = ParseErrorKind::TooManyParameters {
                function: self.name,
                most: self.parameters.len(),
                found: arguments.len(),
            };
            return Err(Problem::new(at, kind).hint(self.signature()));
        }
        for (index, parameter) in self.parameters.iter().enumerate() {
            let there = match parameter.presence {
                Presence::Required => matches!(arguments.get(index), Some(Some(_))),
                Presence::Nullable => index < arguments.len(),
                Presence::Optional | Presence::Repeated => true,
            };
            if !there {
                return Err(self.missing(parameter.name, at));
            }
        }
        if self.name == SWITCH && arguments.len() % 2 == 1 {
            return Err(Problem::new(at, ParseErrorKind::UnpairedKey));
        }
        Ok(arguments)
    }

    pub(crate) fn missing(&self, parameter: &'static str, at: usize) -> Problem {
        let kind = ParseErrorKind::MissingParameter {
            function: self.name,
            parameter,
        };
        Problem::new(at, kind).hint(self.signature())
    }

    /// Works out what can be worked out before there is a source object.
    pub(crate) fn prepare(
        &self,
        arguments: &[Option<Node>],
        at: usize,
    ) -> Result<Prepared, Problem> {
        match self.name {
            "Replace" => replace::prepare(arguments, at).map(Prepared::Replace),
            "FormatDateTime" => dates::prepare(self, arguments, at),
            "DateAdd" | "DateDiff" => dates::check_interval(self, arguments),
            _ => Ok(Prepared::Nothing),
        }
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.signature())
    }
}
