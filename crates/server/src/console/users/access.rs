//! Where a user may log in, and as whom.

use crate::admin::accounts::{self, AccountView, RemoteIdentityView};
use crate::admin::users::{self, UserView};
use crate::admin::{entry, explain};
use crate::console::happening::time;
use crate::console::hosts::page as host_page;
use crate::console::people::user_page;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::Address;
use portreeve_console::pages::users::{Access, Identity};
use portreeve_console::parts::{
    Badge, Confirm, Fact, Facts, Field, Reached, ReachedHosts, Shown, Tone,
};
use portreeve_directory::Permission;
use portreeve_directory::holders::Holder;

/// How many hosts a page shows.
const SHOWN: usize = 50;

/// What of it the visitor may see.
pub(super) async fn of(visit: &Visit, user: &UserView) -> Result<Option<Access>, Trouble> {
    if !visit.may(Permission::GrantRead) {
        return Ok(None);
    }
    let holder = Holder::User {
        directory_id: user.directory_id.clone(),
        id: user.id.clone(),
    };
    let (app, admin) = (&visit.app, &visit.admin);
    let who = (user.directory_id.as_str(), user.id.as_str());
    let account = accounts::get(app, admin, who).await?;
    let identities = accounts::remote_identities(app, admin, who).await?;
    let nowhere = entry::nowhere(app, &visit.team.id, &holder, admin.at).await?;
    let may = visit.may(Permission::GrantWrite);
    let here = user_page(who.0, who.1);
    let identity = |(place, one): (usize, &RemoteIdentityView)| Identity {
        name: one.name.clone(),
        hosts: one.hosts.clone(),
        remove: may.then(|| remove_question(place, one, &here)),
    };
    let user_name = user.user_name.clone().unwrap_or_default();
    Ok(Some(Access {
        nowhere: nowhere.map_or_else(String::new, |why| format!("None. They are told: “{why}”")),
        hosts: reached(visit, &holder, &format!("Hosts of {}", user.name()), false).await?,
        explain: Address::new("/console/access/explain").with("user", user_name.clone()),
        grant: may.then(|| {
            Address::new("/console/access/new")
                .with("kind", "user")
                .with("subject", user_name)
        }),
        account: facts(&account),
        identities: identities.iter().enumerate().map(identity).collect(),
        add: may.then(|| add_question(&here)),
        offboarding: here.clone().join("offboarding"),
    }))
}

/// The hosts that somebody may log in to.
pub(in crate::console) async fn reached(
    visit: &Visit,
    holder: &Holder,
    caption: &str,
    with_commands: bool,
) -> Result<ReachedHosts, Trouble> {
    let all = explain::hosts_of(&visit.app, &visit.team.id, holder, visit.admin.at).await?;
    let may = visit.may(Permission::HostRead);
    let row = |host: &explain::ReachedView| Reached {
        name: host.name.clone(),
        href: may.then(|| host_page(&host.id)),
        account: host.account.clone(),
        sudo: host.sudo,
        until: host.until.map(|at| time(at.0)),
        command: with_commands.then(|| {
            portreeve_console::parts::Copyable::new("command", format!("ssh {}", host.name))
        }),
    };
    Ok(ReachedHosts {
        caption: caption.to_owned(),
        rows: all.iter().take(SHOWN).map(row).collect(),
        more: all.len().saturating_sub(SHOWN),
    })
}

/// The name and the numbers, and what is wrong with them.
fn facts(account: &AccountView) -> Facts {
    let name = match &account.name {
        Some(name) => Fact::text("Name", name.clone()),
        None => Fact::new("Name", Shown::Badge(Badge::new(Tone::Bad, "None"))),
    };
    let numbers = match (account.uid, account.gid) {
        (Some(uid), Some(gid)) if uid == gid => uid.to_string(),
        (Some(uid), Some(gid)) => format!("{uid}, group {gid}"),
        _ => "not given yet".to_owned(),
    };
    let problems = account.problems.iter();
    let problems: Vec<String> = problems.map(|one| format!("{}.", one.detail)).collect();
    let mut facts = vec![name.note(problems.join(" "))];
    facts.push(Fact::text("Number", numbers));
    Facts(facts)
}

fn add_question(here: &Address) -> Confirm {
    Confirm {
        id: "add-identity".to_owned(),
        opener: "Another name…".to_owned(),
        title: "Another account name on some hosts".to_owned(),
        effect: "For hosts on which they do not have the usual name. The first one that fits a host counts.".to_owned(),
        action: here.clone().join("identities"),
        label: "Add".to_owned(),
        values: Vec::new(),
        fields: vec![
            Field::line("identity", "name", "Account name", "")
                .example("deploy")
                .required(),
            Field::line("identity", "hosts", "Hosts", "")
                .example("role=legacy")
                .help("A tag expression.")
                .code()
                .required(),
        ],
        danger: false,
    }
}

fn remove_question(place: usize, one: &RemoteIdentityView, here: &Address) -> Confirm {
    Confirm {
        id: format!("remove-identity-{place}"),
        opener: "Remove…".to_owned(),
        title: format!("Remove the name {} on {}?", one.name, one.hosts),
        effect: "They have the usual name there from then on.".to_owned(),
        action: here.clone().join("identities").join("remove"),
        label: "Remove".to_owned(),
        values: vec![("name", one.name.clone()), ("hosts", one.hosts.clone())],
        fields: Vec::new(),
        danger: true,
    }
}

/// Adds another name.
pub(in crate::console) async fn add_identity(visit: Visit, body: Body) -> Response {
    change(visit, body, "The name is added.", |all, one| all.push(one)).await
}

/// Takes one away.
pub(in crate::console) async fn remove_identity(visit: Visit, body: Body) -> Response {
    let remove = |all: &mut Vec<RemoteIdentityView>, one: RemoteIdentityView| {
        all.retain(|other| *other != one);
    };
    change(visit, body, "The name is removed.", remove).await
}

async fn change(
    visit: Visit,
    body: Body,
    said: &str,
    change: impl Fn(&mut Vec<RemoteIdentityView>, RemoteIdentityView),
) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let (directory, user) = (visit.param("directory"), visit.param("user"));
        let who = (directory.as_str(), user.as_str());
        let (app, admin) = (&visit.app, &visit.admin);
        let mut all = accounts::remote_identities(app, admin, who).await?;
        let one = RemoteIdentityView {
            hosts: form.text("hosts").to_owned(),
            name: form.text("name").to_owned(),
        };
        change(&mut all, one);
        match accounts::set_remote_identities(app, admin, who, all).await {
            Ok(_) => Ok(visit.done(&user_page(who.0, who.1), said)),
            Err(refusal) => {
                let problem = Trouble::from(refusal).problem()?;
                let user = users::get(app, admin, who.0, who.1).await?;
                Ok(visit.again(&super::one::page(&visit, &user, Some(problem)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}
