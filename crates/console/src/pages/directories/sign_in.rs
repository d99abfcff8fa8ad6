//! How the people of a directory sign in.

use askama::Template;

use super::{Head, Probe, View};
use crate::parts::{Alert, Confirm, Copyable, Facts, Field, PostButton};
use crate::{Page, Shell};

/// The connection of a directory to an identity provider.
#[derive(Debug, Template)]
#[template(path = "directories/sign_in.html")]
pub struct SignIn {
    /// The frame.
    pub shell: Shell,
    /// The directory.
    pub head: Head,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// Whether there is a connection.
    pub is_connected: bool,
    /// What is to be registered at the provider.
    pub redirect_uri: Copyable,
    /// Where people sign in, once there is a connection.
    pub sign_in_url: Option<Copyable>,
    /// What is to be filled in; nobody can write into it who may not.
    pub fields: Vec<Field>,
    /// Whether the person may change it.
    pub may_change: bool,
    /// Examines the connection.
    pub test: Option<PostButton>,
    /// What the examination found.
    pub probe: Option<Probe>,
    /// A sign-in that was tried out, or is to be.
    pub trial: Option<Trial>,
    /// Removes the connection.
    pub delete: Option<Confirm>,
}

/// Trying out a sign-in, which signs nobody in.
#[derive(Debug)]
pub enum Trial {
    /// Where it begins, in any browser.
    Begin {
        /// The address, for oneself or somebody else to open.
        url: Copyable,
        /// Looks what became of it.
        look: PostButton,
    },
    /// What became of it.
    Done {
        /// Whom it resolved to, or why to nobody.
        summary: Alert,
        /// What the provider said of the person.
        claims: Facts,
    },
}
