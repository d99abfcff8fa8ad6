//! What a grant would come to: whom it is for, which hosts it chooses, whom it lets in or shuts out.

use super::editor::wanted;
use super::holder;
use crate::admin::entry::MOST;
use crate::admin::grants::{self, GrantView, PreviewRequest};
use crate::admin::{groups, service_accounts, users};
use crate::console::form::Form;
use crate::console::hosts::{misread, page as host_page};
use crate::console::people::{directories, group_page, user_page};
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use portreeve_access::Expression;
use portreeve_access::grant::Subject as Granted;
use portreeve_console::Address;
use portreeve_console::pages::access::{Effect, Matched, Preview, Subject};
use portreeve_console::parts::{Alert, Link, Tone};
use portreeve_directory::{Refusal, access};

/// How many hosts and names are shown.
const SHOWN: usize = 12;

/// What a draft would come to.
pub(super) async fn preview(
    visit: &Visit,
    draft: &Form,
    grant: Option<&GrantView>,
) -> Result<Preview, Trouble> {
    let text = draft.text("hosts");
    let (subject, group) = match grant {
        Some(grant) => {
            let group = Some(&grant.to).filter(|to| to.kind == "group");
            let found = Subject::Found {
                link: holder(&grant.to),
                note: String::new(),
            };
            (found, group.map(|to| to.id.clone()))
        }
        None => subject(visit, draft).await?,
    };
    let mut preview = Preview {
        subject,
        ..Preview::default()
    };
    if text.is_empty() {
        return Ok(preview);
    }
    let expression = match text.parse::<Expression>() {
        Ok(expression) => expression,
        Err(error) => {
            preview.misread = Some(misread(text, &error));
            return Ok(preview);
        }
    };
    let known = visit.app.access(&visit.team.id).await?;
    let mut chosen = known.estate.chosen(&expression);
    let first: Vec<_> = chosen
        .by_ref()
        .take(SHOWN)
        .map(|host| Link::new(host.name.clone(), host_page(&host.id)))
        .collect();
    let total = first.len() + chosen.count();
    preview.notes = notes(&expression, total);
    preview.hosts = Some(Matched {
        total: counted(total, "host"),
        is_cut: total > first.len(),
        first,
    });
    if matches!(preview.subject, Subject::Found { .. }) {
        preview.effects = match is_large(visit, group).await? {
            true => vec![Effect {
                text: format!("For more than {MOST} people"),
                who: "Too many to be compared while you write. The command portreeve grant preview takes its time.".to_owned(),
            }],
            false => effects(visit, draft, grant).await?,
        };
    }
    Ok(preview)
}

/// Whether a group has more people than are compared while somebody writes.
async fn is_large(visit: &Visit, group: Option<String>) -> Result<bool, Trouble> {
    let Some(id) = group else {
        return Ok(false);
    };
    let (team, now) = (visit.team.id.clone(), visit.admin.at);
    let subject = Granted::Group(id);
    let read = visit.read(move |tx| access::is_larger(tx, &team, &subject, now, MOST));
    read.await
}

fn notes(expression: &Expression, total: usize) -> Vec<Alert> {
    match total {
        _ if *expression == Expression::all() => vec![Alert::new(
            Tone::Warn,
            "Every host",
            "Also those that are made later, whatever they are for.",
        )],
        0 => vec![Alert::new(
            Tone::Info,
            "No host is like that now",
            "The grant counts as soon as one is tagged so.",
        )],
        _ => Vec::new(),
    }
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

fn people_counted(count: usize) -> String {
    match count {
        1 => "1 person".to_owned(),
        count => format!("{count} people"),
    }
}

/// What it changes: who has it, who could log in then and cannot now, and the other way about.
async fn effects(
    visit: &Visit,
    draft: &Form,
    grant: Option<&GrantView>,
) -> Result<Vec<Effect>, Trouble> {
    let wanted = wanted(visit, draft);
    let request = PreviewRequest {
        grant: grant.map(|grant| grant.id.clone()),
        group: wanted.group.filter(|_| grant.is_none()),
        user: wanted.user.filter(|_| grant.is_none()),
        directory: wanted.directory.filter(|_| grant.is_none()),
        hosts: wanted.hosts,
        team: None,
    };
    let found = match grants::preview(&visit.app, &visit.admin, request).await {
        Ok(found) => found,
        // What is wrong is said beside the field once the form is sent.
        Err(Refusal::Invalid { .. } | Refusal::NotFound(..)) => return Ok(Vec::new()),
        Err(refusal) => return Err(refusal.into()),
    };
    let names = found.people.names.iter().take(SHOWN).cloned();
    let names: Vec<String> = names.collect();
    let more = if found.people.count > names.len() {
        ", …"
    } else {
        ""
    };
    let change = |word: &str, gained: &grants::Gained| Effect {
        text: format!("{word} {}", people_counted(gained.people)),
        who: match gained.people {
            0 => String::new(),
            _ => format!(
                "{} on {}",
                counted(gained.logins, "login"),
                counted(gained.hosts, "host")
            ),
        },
    };
    Ok(vec![
        Effect {
            text: format!("For {}", people_counted(found.people.count)),
            who: format!("{}{more}", names.join(", ")),
        },
        change("Adds", &found.adds),
        change("Removes", &found.removes),
    ])
}

/// Whom a name means, as the use case finds it, in the active directory first; and of a group the id.
async fn subject(visit: &Visit, draft: &Form) -> Result<(Subject, Option<String>), Trouble> {
    let name = draft.text("subject");
    if name.is_empty() {
        return Ok((Subject::Unsaid, None));
    }
    let is_user = draft.text("kind") == "user";
    let active = visit.team.active_directory_id.as_deref();
    for directory in directories(visit).await? {
        let found = match is_user {
            true => users::get(&visit.app, &visit.admin, &directory.id, name)
                .await
                .map(|user| {
                    let href = user_page(&directory.id, &user.id);
                    (Link::new(user.name().to_owned(), href), None)
                }),
            false => groups::get(&visit.app, &visit.admin, &directory.id, name)
                .await
                .map(|group| {
                    let href = group_page(&directory.id, &group.id);
                    (Link::new(group.display_name, href), Some(group.id))
                }),
        };
        match found {
            Ok((link, group)) => {
                let note = match active == Some(directory.id.as_str()) {
                    true => format!("in {}", directory.name),
                    false => format!(
                        "in {}, whose people reach no hosts: it is not the active SSH directory",
                        directory.name
                    ),
                };
                return Ok((Subject::Found { link, note }, group));
            }
            Err(Refusal::NotFound(..)) => {}
            Err(refusal) => return Err(refusal.into()),
        }
    }
    if !is_user {
        let unknown = Subject::Unknown(format!("There is no group {name}."));
        return Ok((unknown, None));
    }
    let found = match service_accounts::get(&visit.app, &visit.admin, None, name).await {
        Ok(account) => Subject::Found {
            link: Link::new(
                account.name,
                Address::new("/console/settings/service-accounts"),
            ),
            note: "a service account".to_owned(),
        },
        Err(Refusal::NotFound(..)) => {
            Subject::Unknown(format!("There is no user and no service account {name}."))
        }
        Err(refusal) => return Err(refusal.into()),
    };
    Ok((found, None))
}
