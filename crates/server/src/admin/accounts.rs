//! Accounts on hosts: the names and numbers that people have there, what is wrong with them, and what another rule for names
//! would come to.

use super::{Admin, Object, change, users, version};
use crate::app::App;
use portreeve_access::posix::{Dots, NameRule, Part};
use portreeve_access::{Expression, RemoteIdentity};
use portreeve_directory::accounts::{self, Found, Problem};
use portreeve_directory::events::{self, Category};
use portreeve_directory::{Refusal, What, remote_identities};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How account names are made from user names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PosixNames {
    #[serde(default)]
    pub(crate) part: PartName,
    #[serde(default)]
    pub(crate) dots: DotsName,
}

/// Which part of a user name counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PartName {
    /// What stands before the last `@`.
    #[default]
    Local,
    /// All of it.
    Whole,
}

/// What becomes of dots, which account names cannot have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DotsName {
    /// They are left out.
    #[default]
    Drop,
    /// `ada_lovelace`.
    Underscore,
    /// `ada-lovelace`.
    Hyphen,
    /// They stay, so that the name is reported as one that cannot be used.
    Refuse,
}

impl From<PosixNames> for NameRule {
    fn from(names: PosixNames) -> Self {
        Self {
            part: match names.part {
                PartName::Local => Part::Local,
                PartName::Whole => Part::Whole,
            },
            dots: match names.dots {
                DotsName::Drop => Dots::Drop,
                DotsName::Underscore => Dots::Underscore,
                DotsName::Hyphen => Dots::Hyphen,
                DotsName::Refuse => Dots::Refuse,
            },
        }
    }
}

impl From<NameRule> for PosixNames {
    fn from(rule: NameRule) -> Self {
        Self {
            part: match rule.part {
                Part::Local => PartName::Local,
                Part::Whole => PartName::Whole,
            },
            dots: match rule.dots {
                Dots::Drop => DotsName::Drop,
                Dots::Underscore => DotsName::Underscore,
                Dots::Hyphen => DotsName::Hyphen,
                Dots::Refuse => DotsName::Refuse,
            },
        }
    }
}

/// The account of somebody.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct AccountView {
    pub(crate) user_id: String,
    pub(crate) user_name: String,
    /// The name that they have, or would have once they need one; without one, `problems` says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Number of the user, where it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uid: Option<u32>,
    /// Number of the user's own group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gid: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<ProblemView>,
}

/// What is wrong with an account.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ProblemView {
    /// Does not change with the wording.
    pub(crate) code: &'static str,
    /// What is wrong.
    pub(crate) detail: String,
}

/// What a rule for names would come to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct NamesPreview {
    /// How many people there are.
    pub(crate) people: usize,
    /// How many of them would have a name.
    pub(crate) named: usize,
    /// How many would have another name than they have been given, or none any more.
    pub(crate) renamed: usize,
    /// The first of those.
    pub(crate) renames: Vec<RenameView>,
    /// The first who would have no name, and why.
    pub(crate) problems: Vec<NoNameView>,
}

/// Somebody who would have another name.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct RenameView {
    pub(crate) user_name: String,
    pub(crate) old: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) new: Option<String>,
}

/// Somebody who would have no name.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct NoNameView {
    pub(crate) user_id: String,
    pub(crate) user_name: String,
    #[serde(flatten)]
    pub(crate) problem: ProblemView,
}

/// The account name of somebody on hosts that do not take the usual one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoteIdentityView {
    /// Which hosts, as a tag expression.
    pub(crate) hosts: String,
    /// The name there.
    pub(crate) name: String,
}

impl ProblemView {
    fn of(problem: &Problem) -> Self {
        Self {
            code: problem.code(),
            detail: problem.to_string(),
        }
    }
}

impl AccountView {
    fn of(user_id: String, user_name: String, found: &Found) -> Self {
        let problems = found.name.as_ref().err().into_iter().chain(&found.number);
        Self {
            user_id,
            user_name,
            name: found.name.as_ref().ok().cloned(),
            uid: found.numbers.map(|(uid, _)| uid),
            gid: found.numbers.map(|(_, gid)| gid),
            problems: problems.map(ProblemView::of).collect(),
        }
    }
}

/// The accounts of the next people of a directory after an id (empty for the first), by id.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    directory: &str,
    (after, limit): (&str, u64),
) -> Result<Vec<AccountView>, Refusal> {
    let (admin, which, after) = (admin.clone(), directory.to_owned(), after.to_owned());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let read = app.store.read(move |tx| {
        let directory = admin.directory(tx, &which)?;
        let page = accounts::page(tx, &directory, &after, limit)?;
        page.into_iter()
            .map(|one| {
                let resource = one.user.parsed()?;
                let name = resource.user_name().unwrap_or_default().to_owned();
                Ok(AccountView::of(one.user.id.clone(), name, &one.account))
            })
            .collect()
    });
    read.await
}

/// The account of one user.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    (directory, user): (&str, &str),
) -> Result<AccountView, Refusal> {
    let (admin, which, wanted) = (admin.clone(), directory.to_owned(), user.to_owned());
    let read = app.store.lookup(move |tx| {
        let directory = admin.directory(tx, &which)?;
        let user = users::find(tx, &directory, &wanted, admin.at)?;
        let name = user.parsed()?.user_name().unwrap_or_default().to_owned();
        let found = accounts::find(tx, &directory, &user)?;
        Ok(AccountView::of(user.id, name, &found))
    });
    read.await
}

/// What it would come to if the names of a directory were made by a rule.
pub(crate) async fn preview(
    app: &App,
    admin: &Admin,
    directory: &str,
    names: Option<PosixNames>,
) -> Result<NamesPreview, Refusal> {
    let (admin, which) = (admin.clone(), directory.to_owned());
    let read = app.store.read(move |tx| {
        let directory = admin.directory(tx, &which)?;
        let rule = names.map_or(directory.settings.posix_names, NameRule::from);
        let preview = accounts::preview(tx, &directory, rule)?;
        let renames = preview.renames.into_iter();
        let without = preview.without.into_iter();
        Ok(NamesPreview {
            people: preview.people,
            named: preview.named,
            renamed: preview.renamed,
            renames: renames
                .map(|(user_name, old, new)| RenameView {
                    user_name,
                    old,
                    new,
                })
                .collect(),
            problems: without
                .map(|(user_id, user_name, problem)| NoNameView {
                    user_id,
                    user_name,
                    problem: ProblemView::of(&problem),
                })
                .collect(),
        })
    });
    read.await
}

/// The remote identities of a user.
pub(crate) async fn remote_identities(
    app: &App,
    admin: &Admin,
    (directory, user): (&str, &str),
) -> Result<Vec<RemoteIdentityView>, Refusal> {
    let (admin, which, wanted) = (admin.clone(), directory.to_owned(), user.to_owned());
    let read = app.store.lookup(move |tx| {
        let directory = admin.directory(tx, &which)?;
        let user = users::find(tx, &directory, &wanted, admin.at)?;
        let all = remote_identities::list(tx, &directory.team_id, &user.id)?;
        Ok(all.iter().map(shown).collect())
    });
    read.await
}

/// Puts others in the place of the remote identities of a user.
pub(crate) async fn set_remote_identities(
    app: &App,
    admin: &Admin,
    (directory, user): (&str, &str),
    wanted: Vec<RemoteIdentityView>,
) -> Result<Vec<RemoteIdentityView>, Refusal> {
    let (admin, which, named) = (admin.clone(), directory.to_owned(), user.to_owned());
    let wanted = wanted
        .into_iter()
        .map(|one| {
            Ok(RemoteIdentity {
                hosts: one.hosts.parse::<Expression>()?,
                name: one.name.trim().to_owned(),
            })
        })
        .collect::<Result<Vec<_>, Refusal>>()?;
    let set = change(app, move |tx| {
        let directory = admin.directory(tx, &which)?;
        let user = users::find(tx, &directory, &named, admin.at)?;
        let before = remote_identities::list(tx, &directory.team_id, &user.id)?;
        let old: Vec<_> = before.iter().map(shown).collect();
        admin.expect(What::User, &version(&old))?;
        let now: Vec<_> = wanted.iter().map(shown).collect();
        if before == wanted {
            return Ok(now);
        }
        let holder = (Some(directory.id.as_str()), user.id.as_str());
        remote_identities::set(tx, &directory.team_id, holder, &wanted)?;
        let changes = json!([{"attribute": "remote_identities", "old": old, "new": now}]);
        let name = user.parsed()?.user_name().unwrap_or_default().to_owned();
        let object = Object {
            kind: "User",
            id: &user.id,
            name: &name,
        };
        let cause = admin.cause(&directory.team_id, Some(&directory.id));
        let changes = changes.to_string();
        let event = object.event(Category::Access, "changed", Some(&changes));
        events::record_of(tx, &cause, &event)?;
        Ok(now)
    });
    set.await
}

fn shown(identity: &RemoteIdentity) -> RemoteIdentityView {
    RemoteIdentityView {
        hosts: identity.hosts.to_string(),
        name: identity.name.clone(),
    }
}
