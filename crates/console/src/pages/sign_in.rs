//! Signing in, and being told why that was not possible.

use askama::Template;

use crate::parts::{Alert, Field, Icon, Time};
use crate::{Address, Page, Plain};

/// Where one says who one is.
#[derive(Debug, Template)]
#[template(path = "sign_in/sign_in.html")]
pub struct SignIn {
    /// The frame.
    pub plain: Plain,
    /// Something to know first, such as that one has signed out.
    pub notice: Option<Alert>,
    /// The providers to choose from.
    pub providers: Vec<Provider>,
    /// The form that finds the provider by the domain of an e-mail address, where that is possible.
    pub by_email: Option<ByEmail>,
    /// Whether owners may sign in with a passkey.
    pub passkey: bool,
    /// Where one goes afterwards: a path of this server.
    pub return_to: String,
}

/// A provider that signs people in. The link leads to it by way of this server.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its name: "Contoso Entra".
    pub name: String,
    /// Where signing in with it begins.
    pub href: Address,
}

/// The form that asks for an e-mail address.
#[derive(Clone, Debug)]
pub struct ByEmail {
    /// Where it is sent, with GET: the parameters `email` and `return_to`.
    pub action: Address,
    /// What was written.
    pub email: String,
    /// What was wrong with it; empty when nothing was.
    pub error: String,
}

impl SignIn {
    fn field(&self) -> Option<Field> {
        let form = self.by_email.as_ref()?;
        let field = Field::line("sign-in", "email", "E-mail", form.email.clone());
        let field = field.kind("email").autocomplete("username").required();
        Some(field.error(form.error.clone()))
    }
}

impl Page for SignIn {
    fn title(&self) -> String {
        match &self.plain.team {
            Some(team) => format!("Sign in to {team}"),
            None => "Sign in".to_owned(),
        }
    }
}

/// Somebody could not be signed in.
#[derive(Debug, Template)]
#[template(path = "sign_in/refused.html")]
pub struct Refused {
    /// The frame.
    pub plain: Plain,
    /// Why, in the words of the person who wanted in.
    pub why: String,
    /// What the person can do, the best first.
    pub advice: Vec<String>,
    /// What the admin finds the event by.
    pub reference: String,
    /// When it was.
    pub at: Time,
    /// Where one tries again.
    pub again: Address,
}

impl Page for Refused {
    fn title(&self) -> String {
        "You could not be signed in".to_owned()
    }
}
