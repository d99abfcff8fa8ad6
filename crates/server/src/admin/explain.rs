//! Who may log in where, and why: for admins about anybody, for everybody about themselves, and for certificates.

use super::view::At;
use super::{Admin, grants};
use crate::app::App;
use jiff::Timestamp;
use portreeve_access::{self as known, Link, NoAccess, Person, Reach, Step, Verdict, may};
use portreeve_directory::holders::Holder;
use portreeve_directory::hosts::{self, Host};
use portreeve_directory::{Refusal, access};
use portreeve_store::Scope;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashMap;

/// Whether somebody may log in to a host, and why.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Explanation {
    /// Whether they may log in.
    pub(crate) allowed: bool,
    /// Whether they may use `sudo` there.
    pub(crate) sudo: bool,
    /// The names that a certificate for this host has, the account first.
    pub(crate) principals: Vec<String>,
    /// POSIX groups of the host that they are in.
    pub(crate) posix_groups: Vec<String>,
    /// The grants that it rests on, by id.
    pub(crate) grants: Vec<String>,
    /// When it may come out otherwise because time has passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) changes_at: Option<At>,
    /// Who, by id.
    pub(crate) user_id: String,
    /// Where, by id.
    pub(crate) host_id: String,
    /// How it came about, in order; the last one is the verdict.
    pub(crate) reasons: Vec<ReasonView>,
}

/// One step on the way.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ReasonView {
    pub(crate) step: StepName,
    pub(crate) verdict: VerdictName,
    /// In a sentence.
    pub(crate) why: String,
    /// The page of the console about it.
    pub(crate) link: Option<String>,
}

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StepName {
    Directory,
    User,
    Group,
    Grant,
    Tags,
    Principals,
    Verdict,
}

/// How a step came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum VerdictName {
    Yes,
    No,
}

/// A host that whoever asks may log in to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ReachedView {
    pub(crate) id: String,
    /// What `ssh` calls it.
    pub(crate) name: String,
    /// The name of the account there.
    pub(crate) account: String,
    /// Whether `sudo` may be used there.
    pub(crate) sudo: bool,
    /// When it ends; without one, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<At>,
    /// The name of the host through which it is reached; without one, directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bastion: Option<String>,
}

/// Explains whether somebody may log in to a host.
pub(crate) async fn explain(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    user: &str,
    host: &str,
) -> Result<Explanation, Refusal> {
    let (user, host) = (user.to_owned(), host.to_owned());
    let found = admin.lookup(app, team, move |tx, asking, team| {
        let holder = grants::holder_of(tx, asking, team, None, &user)?;
        let host = hosts::find(tx, &team.id, &host)?;
        Ok((team.id.clone(), holder, host))
    });
    let (team_id, holder, host) = found.await?;
    decide(app, &team_id, &holder, &host, admin.at).await
}

/// Explains to whoever asks whether they may log in to a host.
pub(crate) async fn explain_own(
    app: &App,
    admin: &Admin,
    host: &str,
) -> Result<Explanation, Refusal> {
    let holder = own(admin)?;
    let host = host.to_owned();
    let found = admin.lookup(app, None, move |tx, _, team| {
        let host = hosts::find(tx, &team.id, &host)?;
        Ok((team.id.clone(), host))
    });
    let (team_id, host) = found.await?;
    decide(app, &team_id, &holder, &host, admin.at).await
}

/// The hosts that whoever asks may log in to, by name; of somebody else with [`hosts_of`].
pub(crate) async fn own_hosts(app: &App, admin: &Admin) -> Result<Vec<ReachedView>, Refusal> {
    let holder = own(admin)?;
    let asking = admin.clone();
    let team = app.store.lookup(move |tx| asking.team(tx, None)).await?;
    hosts_of(app, &team.id, &holder, admin.at).await
}

/// The hosts that somebody of a team may log in to at a time, by name.
pub(crate) async fn hosts_of(
    app: &App,
    team_id: &str,
    holder: &Holder,
    now: i64,
) -> Result<Vec<ReachedView>, Refusal> {
    let access = app.access(team_id).await?;
    let (team, of) = (team_id.to_owned(), holder.clone());
    let read = app.store.lookup(move |tx| {
        let person = access::person(tx, &team, &of, now)?;
        Ok::<_, Refusal>((person, hosts::bastions_of(tx, &team)?))
    });
    let (person, bastions): (_, HashMap<String, String>) = read.await?;
    let at = access::moment(now);
    let Ok(reach) = Reach::of(&person, &access.estate, &access.grants, at) else {
        return Ok(Vec::new());
    };
    let reached = reach.hosts().map(|reached| ReachedView {
        id: reached.host.id.clone(),
        name: reached.host.name.clone(),
        account: reached.account.to_owned(),
        sudo: reached.sudo,
        until: reached.until.map(|until| At(until.as_microsecond())),
        bastion: bastions.get(&reached.host.id).cloned(),
    });
    Ok(reached.collect())
}

fn own(admin: &Admin) -> Result<Holder, Refusal> {
    admin.holder.clone().ok_or_else(|| Refusal::Invalid {
        attribute: "user",
        reason: "the administrator of the server's machine has no access to hosts; sign in, or ask about somebody with /explain".to_owned(),
    })
}

async fn decide(
    app: &App,
    team_id: &str,
    holder: &Holder,
    host: &Host,
    now: i64,
) -> Result<Explanation, Refusal> {
    let access = app.access(team_id).await?;
    let (team, of) = (team_id.to_owned(), holder.clone());
    let read = app
        .store
        .lookup(move |tx| access::person(tx, &team, &of, now));
    let person: Person = read.await?;
    let at = access::moment(now);
    let decision = may(&person, &host.known(), &access.grants, at);
    let directory_id = holder.directory_id().map(str::to_owned);
    let reasons = decision.reasons.into_iter();
    Ok(Explanation {
        allowed: decision.allowed,
        sudo: decision.sudo,
        principals: decision.principals,
        posix_groups: decision.posix_groups,
        grants: decision.grants,
        changes_at: decision.changes_at.map(|at| At(at.as_microsecond())),
        user_id: person.id,
        host_id: host.id.clone(),
        reasons: reasons
            .map(|reason| ReasonView {
                step: reason.step.into(),
                verdict: reason.verdict.into(),
                why: reason.why,
                link: reason
                    .link
                    .and_then(|link| page_of(&link, directory_id.as_deref())),
            })
            .collect(),
    })
}

/// The page of the console about something that a person of a directory has to do with.
fn page_of(link: &Link, directory_id: Option<&str>) -> Option<String> {
    Some(match link {
        Link::Directory(id) => format!("/console/directories/{id}"),
        Link::User(id) => match directory_id {
            Some(directory_id) => format!("/console/users/{directory_id}/{id}"),
            None => "/console/settings/service-accounts".to_owned(),
        },
        Link::Group(id) => format!("/console/groups/{}/{id}", directory_id?),
        Link::Grant(id) => format!("/console/access/{id}"),
        Link::Host(id) => format!("/console/hosts/{id}"),
    })
}

impl From<Step> for StepName {
    fn from(step: Step) -> Self {
        match step {
            Step::Directory => Self::Directory,
            Step::User => Self::User,
            Step::Group => Self::Group,
            Step::Grant => Self::Grant,
            Step::Tags => Self::Tags,
            Step::Principals => Self::Principals,
            Step::Verdict => Self::Verdict,
        }
    }
}

impl From<Verdict> for VerdictName {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Yes => Self::Yes,
            Verdict::No => Self::No,
        }
    }
}

/// What a certificate of a person says.
#[derive(Debug, Clone)]
pub(crate) struct Entitlement {
    /// The facts that it rests on.
    pub(crate) person: Person,
    /// The name of the account first, then remote identities, then what grants add, and last `u:` and the person's id.
    pub(crate) principals: Vec<String>,
    /// The grants that it rests on, by id.
    pub(crate) grants: Vec<String>,
    /// When the last of that access ends; `None`: never.
    pub(crate) until: Option<Timestamp>,
}

/// Why nobody gets a certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotEntitled {
    /// There is nothing that a certificate could say.
    #[error(transparent)]
    NoAccess(#[from] NoAccess),
    /// There is no such person, or the database failed.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// What a certificate of somebody of a team says at a time (microseconds since 1970 UTC). Who has access and no account on
/// hosts yet is given one.
pub(crate) async fn entitlement(
    app: &App,
    team_id: &str,
    holder: &Holder,
    now: i64,
) -> Result<Entitlement, NotEntitled> {
    let access = app.access(team_id).await?;
    loop {
        let (team, of) = (team_id.to_owned(), holder.clone());
        let read = app
            .store
            .lookup(move |tx| access::facts(tx, &team, &of, now));
        let facts = read.await?;
        let person = facts.person;
        let at = access::moment(now);
        let said = known::entitlement(&person, &access.estate, &access.grants, at)?;
        if facts.account.is_given() {
            return Ok(Entitlement {
                principals: said.principals,
                grants: said.grants,
                until: said.until,
                person,
            });
        }
        // Somebody else may be given the name a moment earlier, so that it is looked at again.
        let (team, of) = (team_id.to_owned(), holder.clone());
        let give = app.write(Scope::of(team_id), move |tx| {
            access::give_account(tx, &team, &of, now)
        });
        give.await?;
    }
}
