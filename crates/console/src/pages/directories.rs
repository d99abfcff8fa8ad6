//! Directories: where people come from.

mod accounts;
mod connect;
mod requests;
mod sign_in;
mod tokens;

pub use accounts::{Account, Accounts, Forecast};
pub use connect::{Connect, Mapping, MappingRow, Probe, ProbeStep, Verdict};
pub use requests::{Request, Requests};
pub use sign_in::{SignIn, Trial};
pub use tokens::{Made, Token, Tokens};

use askama::Template;

use crate::parts::{Alert, Badge, Column, Confirm, Count, Empty, Field, Tab, Tabs, Time};
use crate::{Address, Crumb, Page, Section, Shell};

/// The directories of a team.
#[derive(Debug, Template)]
#[template(path = "directories/list.html")]
pub struct List {
    /// The frame.
    pub shell: Shell,
    /// The directories by name.
    pub rows: Vec<Row>,
    /// What is said when there are none.
    pub empty: Empty,
    /// Where one is made, where the person may.
    pub create: Option<Address>,
}

/// One of a [`List`].
#[derive(Debug)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its page.
    pub href: Address,
    /// Its name.
    pub name: String,
    /// Who feeds it, as people call it: "Microsoft Entra ID".
    pub provider: &'static str,
    /// How it is.
    pub state: Badge,
    /// When the provider last asked anything.
    pub last_request: Option<Time>,
    /// How many active users there are.
    pub users: Count,
    /// How many groups there are.
    pub groups: Count,
    /// Whether it decides who may reach machines.
    pub is_active: bool,
}

impl List {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("Name"),
            Column::new("Fed by"),
            Column::new("State"),
            Column::new("Last request"),
            Column::new("Users").numeric(),
            Column::new("Groups").numeric(),
        ]
    }
}

impl Page for List {
    fn title(&self) -> String {
        "Directories".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Directories)
    }
}

/// Which directory a page is about, and its other pages.
#[derive(Clone, Debug)]
pub struct Head {
    /// Its name.
    pub name: String,
    /// Its first page.
    pub href: Address,
    /// Who feeds it, as people call it.
    pub provider: &'static str,
    /// How it is.
    pub state: Badge,
    /// Whether a provider feeds it: if not, there is nothing to connect.
    pub is_fed: bool,
    /// Whether the person may see how people sign in.
    pub shows_sign_in: bool,
    /// Whether the person may see the accounts that people have on hosts.
    pub shows_accounts: bool,
}

/// The pages of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// How it is connected.
    Connect,
    /// Its secret tokens.
    Tokens,
    /// What the provider asked lately.
    Requests,
    /// Its rules.
    Rules,
    /// How its people sign in.
    SignIn,
    /// The accounts of its people on hosts.
    Accounts,
}

impl View {
    const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Connect, "Connect", ""),
        (Self::Tokens, "Secret tokens", "tokens"),
        (Self::Requests, "Requests", "requests"),
        (Self::SignIn, "Sign-in", "sign-in"),
        (Self::Accounts, "Accounts on hosts", "accounts"),
        (Self::Rules, "Rules", "rules"),
    ];
}

impl Head {
    /// The way between the pages, of which one is shown.
    pub(crate) fn tabs(&self, shown: View) -> Tabs {
        let needs_provider = |view| matches!(view, View::Connect | View::Tokens | View::Requests);
        let tab = |(view, label, path): (View, &'static str, &str)| Tab {
            label,
            href: match path {
                "" => self.href.clone(),
                path => self.href.clone().join(path),
            },
            current: view == shown,
            count: None,
        };
        let open = View::ALL.into_iter().filter(|(view, _, _)| match view {
            View::SignIn => self.shows_sign_in,
            View::Accounts => self.shows_accounts,
            view => self.is_fed || !needs_provider(*view),
        });
        Tabs {
            label: format!("Pages of {}", self.name),
            tabs: open.map(tab).collect(),
        }
    }
}

/// The rules of a directory.
#[derive(Debug, Template)]
#[template(path = "directories/rules.html")]
pub struct Rules {
    /// The frame.
    pub shell: Shell,
    /// The directory.
    pub head: Head,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// Name and rules; nobody can write into them who may not.
    pub fields: Vec<Field>,
    /// Whether the person may change them.
    pub may_change: bool,
    /// Removes it.
    pub delete: Option<Confirm>,
}

/// Pages of one directory have its name as their title.
macro_rules! of_directory {
    ($($page:ty),+) => {$(
        impl Page for $page {
            fn title(&self) -> String {
                self.head.name.clone()
            }

            fn section(&self) -> Option<Section> {
                Some(Section::Directories)
            }

            fn crumbs(&self) -> Vec<Crumb> {
                vec![all()]
            }
        }
    )+};
}

of_directory!(Accounts, Connect, Tokens, Requests, Rules, SignIn);

/// The way to all directories.
fn all() -> Crumb {
    Crumb::new("Directories", Section::Directories.address())
}
