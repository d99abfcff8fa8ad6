//! One's own page. For people who are no admins it is the whole console.

use askama::Template;

use crate::parts::{
    Certificates, Code, Confirm, Facts, Field, Icon, PostButton, ReachedHosts, Sessions, Source,
    Time,
};
use crate::{Address, Page, Section, Shell};

/// What is known about oneself, where one is signed in, and with what one can sign in.
#[derive(Debug, Template)]
#[template(path = "me/me.html")]
pub struct Me {
    /// The frame.
    pub shell: Shell,
    /// Name, e-mail, department and so on.
    pub profile: Facts,
    /// Who manages that; an owner who is nobody's directory user is managed by Portreeve.
    pub source: Source,
    /// The groups one is in, directly or through others.
    pub groups: Vec<Membership>,
    /// Where one may log in, for those who are in a directory.
    pub access: Option<Access>,
    /// Where one is signed in.
    pub sessions: Sessions,
    /// What signs one out everywhere else, where there is another session.
    pub end_others: Option<Confirm>,
    /// One's passkeys, for those who may have some.
    pub passkeys: Option<Passkeys>,
}

/// A group one is in.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The group, with its page where the person may open it.
    pub name: String,
    /// Its page.
    pub href: Option<Address>,
    /// Who manages the membership.
    pub source: Source,
    /// The group through which one is in it; empty for a direct member.
    pub via: String,
    /// When it ends.
    pub until: Option<Time>,
}

/// Where one may log in, and how.
#[derive(Clone, Debug)]
pub struct Access {
    /// Why it is nowhere, and who can change that; empty where it is somewhere.
    pub nowhere: String,
    /// The hosts, each with the command that leads there.
    pub hosts: ReachedHosts,
    /// How one gets a certificate: with which program, and what is typed.
    pub commands: Vec<(&'static str, Code)>,
    /// One's certificates, the latest first.
    pub certificates: Certificates,
}

/// With what one can sign in when the provider cannot.
#[derive(Clone, Debug)]
pub struct Passkeys {
    /// What there are.
    pub rows: Vec<Passkey>,
    /// Why none can be added now, such as an address without https; empty when one can.
    pub hindrance: String,
}

/// A passkey.
#[derive(Clone, Debug)]
pub struct Passkey {
    /// The name that was given to it.
    pub name: String,
    /// When it was added.
    pub added: Time,
    /// When it was last used.
    pub last_used: Option<Time>,
    /// What takes it away.
    pub remove: PostButton,
}

impl Passkeys {
    fn name(&self) -> Field {
        let field = Field::line("passkey", "name", "Name", "");
        field
            .example("Laptop")
            .help("How you will tell it from others.")
            .required()
    }
}

impl Me {
    fn is_foreign(&self) -> bool {
        self.source.is_foreign()
    }
}

impl Page for Me {
    fn title(&self) -> String {
        self.shell.who.name.clone()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Me)
    }
}
