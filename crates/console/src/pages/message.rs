//! A page that only says something: what is not there, what is not allowed, what went wrong, what is done.

use askama::Template;

use crate::parts::{Copyable, Link, Tone};
use crate::{Page, Plain, Section};

/// A message.
#[derive(Debug, Template)]
#[template(path = "sign_in/message.html")]
pub struct Message {
    /// The frame.
    pub plain: Plain,
    /// What is so: "There is nothing here".
    pub title: String,
    /// Why, and what to do.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// What an admin finds it by in the log: the request id.
    pub reference: Option<String>,
    /// Where one goes on.
    pub link: Option<Link>,
}

impl Message {
    /// Something is done, and nothing is left to do here.
    pub fn done(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            plain: Plain::default(),
            title: title.into(),
            text: text.into(),
            tone: Tone::Good,
            reference: None,
            link: None,
        }
    }

    /// Something is wrong.
    pub fn failed(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            tone: Tone::Bad,
            ..Self::done(title, text)
        }
    }

    /// 404: it is not there, or not for this person.
    pub fn not_found() -> Self {
        let text =
            "It was removed, or it belongs to another team, or the address has a typing mistake.";
        Self::failed("There is nothing here", text).link(Self::home())
    }

    /// 403: the person lacks this permission.
    pub fn forbidden(permission: &str) -> Self {
        let text = format!(
            "It needs the permission {permission}. An owner or admin of your team can give it to you."
        );
        Self::failed("You may not do this", text).link(Self::home())
    }

    /// 429: so many seconds are to be waited.
    pub fn too_many_requests(seconds: u64) -> Self {
        let text = match seconds {
            0 | 1 => "Wait a second and try again.".to_owned(),
            seconds => format!("Wait {seconds} seconds and try again."),
        };
        Self::failed("Too many requests", text)
    }

    /// 500: it is the server's fault, and the log has the rest.
    pub fn internal(request_id: impl Into<String>) -> Self {
        let text = "Something went wrong on this server, and nothing was changed. Try again; if it stays so, the log of the server has the rest by this reference.";
        let message = Self::failed("That did not work", text);
        message.reference(request_id).link(Self::home())
    }

    /// With what an admin finds it by.
    #[must_use]
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }

    /// With where one goes on.
    #[must_use]
    pub fn link(mut self, link: Link) -> Self {
        self.link = Some(link);
        self
    }

    fn home() -> Link {
        Link::new("To the console", Section::Overview.address())
    }
}

impl Page for Message {
    fn title(&self) -> String {
        self.title.clone()
    }
}
