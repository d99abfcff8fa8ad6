//! Fields of forms, each with its label, a help and what was wrong with it.

use askama::Template;

use super::{Icon, markup};

/// A field. Its id is `form-name`, so that two forms on a page may have fields of one name.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/field.html")]
pub struct Field {
    /// The form that it belongs to: a word, unique on the page.
    pub form: &'static str,
    /// The name under which it is sent.
    pub name: &'static str,
    /// What is to be filled in.
    pub label: String,
    /// How it is filled in, and with what it is now.
    pub input: Form,
    /// What is expected, and what for.
    pub help: String,
    /// What was wrong with what was sent; empty when nothing was.
    pub error: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// What a browser may fill in itself (`autocomplete`); `off` is for what is nobody's own data.
    pub autocomplete: &'static str,
    /// The `datalist` with what may be chosen; empty without one. Of a line only.
    pub list: &'static str,
    /// Whether it is code, in which every character counts.
    pub is_code: bool,
}

/// How a field is filled in.
#[derive(Clone, Debug)]
pub enum Form {
    /// A line of text of a type of HTML: `text`, `email`, `url`, `number`, `search`, `datetime-local`.
    Line {
        /// The type.
        kind: &'static str,
        /// The text.
        value: String,
        /// An example.
        placeholder: String,
    },
    /// A secret, which is never shown again.
    Password,
    /// Several lines.
    Text {
        /// The text.
        value: String,
        /// How many lines are seen.
        rows: u8,
    },
    /// One of some; few are shown all at once.
    One(Vec<Choice>),
    /// One of some, in a list that opens.
    Select(Vec<Choice>),
    /// Any of some.
    Any(Vec<Choice>),
    /// Yes or no; `true` is sent for yes and nothing for no.
    Switch(bool),
}

/// What can be chosen.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What it is called.
    pub label: String,
    /// What it means.
    pub help: String,
    /// Whether it is chosen.
    pub chosen: bool,
    /// Whether it cannot be chosen now.
    pub disabled: bool,
}

impl Choice {
    /// A choice without an explanation.
    pub fn new(value: impl Into<String>, label: impl Into<String>, chosen: bool) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
            chosen,
            ..Self::default()
        }
    }

    /// With an explanation.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

impl Field {
    /// A field that is filled in as `input` says.
    pub fn new(
        form: &'static str,
        name: &'static str,
        label: impl Into<String>,
        input: Form,
    ) -> Self {
        Self {
            form,
            name,
            label: label.into(),
            input,
            help: String::new(),
            error: String::new(),
            required: false,
            autocomplete: "off",
            list: "",
            is_code: false,
        }
    }

    /// A line of text.
    pub fn line(
        form: &'static str,
        name: &'static str,
        label: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        let input = Form::Line {
            kind: "text",
            value: value.into(),
            placeholder: String::new(),
        };
        Self::new(form, name, label, input)
    }

    /// A line of another type of HTML, such as `email` or `url`; of no effect on fields that are no lines.
    #[must_use]
    pub fn kind(mut self, of: &'static str) -> Self {
        if let Form::Line { kind, .. } = &mut self.input {
            *kind = of;
        }
        self
    }

    /// With an example in it; of no effect on fields that are no lines.
    #[must_use]
    pub fn example(mut self, example: impl Into<String>) -> Self {
        if let Form::Line { placeholder, .. } = &mut self.input {
            *placeholder = example.into();
        }
        self
    }

    /// With a help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// With what was wrong.
    #[must_use]
    pub fn error(mut self, error: impl Into<String>) -> Self {
        self.error = error.into();
        self
    }

    /// That must be filled in.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// That a browser may fill in.
    #[must_use]
    pub fn autocomplete(mut self, what: &'static str) -> Self {
        self.autocomplete = what;
        self
    }

    /// Whose values may be chosen from the `datalist` of that id; of no effect on fields that are no lines.
    #[must_use]
    pub fn list(mut self, id: &'static str) -> Self {
        self.list = id;
        self
    }

    /// In which every character counts.
    #[must_use]
    pub fn code(mut self) -> Self {
        self.is_code = true;
        self
    }

    fn id(&self) -> String {
        format!("{}-{}", self.form, self.name)
    }

    /// The ids of help and error, for the field to refer to.
    fn described_by(&self) -> String {
        let id = self.id();
        let help = (!self.help.is_empty()).then(|| format!("{id}-help"));
        let error = (!self.error.is_empty()).then(|| format!("{id}-error"));
        let ids: Vec<String> = help.into_iter().chain(error).collect();
        ids.join(" ")
    }

    /// Whether it may be left empty; something is always chosen of a list.
    fn is_optional(&self) -> bool {
        !self.required && !matches!(self.input, Form::Select(_))
    }

    fn is_switch(&self) -> bool {
        matches!(self.input, Form::Switch(_))
    }

    fn is_group(&self) -> bool {
        matches!(self.input, Form::One(_) | Form::Any(_))
    }
}

markup!(Field);
