//! Settings of the team: who may come in, and by which means.

mod authority;
mod owners;
mod provisioners;
mod services;
mod team;
mod tokens;

pub(super) use authority::{rotate, save_policy, show as authority};
pub(super) use owners::{create as create_owner, remove as remove_owner, show as owners};
pub(super) use provisioners::{create as create_provisioner, remove as remove_provisioner};
pub(super) use services::{
    create as create_service, remove as remove_service, show as services,
    suspend as suspend_service,
};
pub(super) use team::{activate, rename, show as team};
pub(super) use tokens::{create as create_token, revoke as revoke_token, show as tokens};

use super::people::{self, user_page};
use super::sessions::table;
use super::trouble::Trouble;
use super::visit::{Visit, shown};
use crate::admin::{connections, sessions, users};
use crate::sso::page;
use axum::response::Response;
use portreeve_console::Address;
use portreeve_console::pages::settings::{Block, Content, Row, Settings, Table};
use portreeve_console::parts::{Badge, Choice, Confirm, Field, Form as Input, Link, Shown, Tone};
use portreeve_directory::Refusal;
use portreeve_directory::permissions::{Level, Permission};

/// The pages, with what is needed to see each.
const PAGES: &[(&str, &str, Permission)] = &[
    ("Sign-in", "sign-in", Permission::ConnectionRead),
    ("Levels", "levels", Permission::UserRead),
    ("Sessions", "sessions", Permission::SessionRead),
    ("API tokens", "api-tokens", Permission::ApiTokenRead),
    (
        "Service accounts",
        "service-accounts",
        Permission::ServiceAccountRead,
    ),
    ("Local owners", "owners", Permission::SettingsRead),
    ("Certificate authority", "authority", Permission::CaRead),
    ("Team and server", "team", Permission::SettingsRead),
];

/// The most sessions that are shown.
const SESSIONS: u64 = 200;

/// A page with some blocks.
fn settings(visit: &Visit, shown: &'static str, blocks: Vec<Block>) -> Settings {
    let pages = PAGES.iter().filter(|(_, _, needs)| visit.may(*needs));
    let pages =
        pages.map(|(label, path, _)| (*label, Address::new("/console/settings").join(path)));
    Settings {
        shell: visit.shell(),
        pages: pages.collect(),
        shown,
        problem: None,
        secret: None,
        blocks,
    }
}

/// A page again, which says what was wrong with what was sent.
async fn again(
    visit: &Visit,
    refusal: Refusal,
    page: impl Future<Output = Result<Settings, Trouble>>,
) -> Result<Response, Trouble> {
    let problem = Trouble::from(refusal).problem()?;
    let mut page = page.await?;
    page.problem = Some(problem);
    Ok(visit.again(&page))
}

pub(super) fn text(text: impl Into<String>) -> Shown {
    Shown::Text(text.into())
}

pub(super) fn badge(tone: Tone, word: &str) -> Shown {
    Shown::Badge(Badge::new(tone, word))
}

/// A question before something is done.
pub(super) fn question(
    id: String,
    opener: &str,
    title: String,
    effect: &str,
    action: Address,
) -> Confirm {
    Confirm {
        id,
        opener: opener.to_owned(),
        title,
        effect: effect.to_owned(),
        action,
        label: opener.trim_end_matches('…').to_owned(),
        values: Vec::new(),
        fields: Vec::new(),
        danger: true,
    }
}

/// The permissions that can be given: no more than the visitor has.
fn permissions_field(visit: &Visit, form: &'static str) -> Field {
    let all = Permission::ALL.iter().filter(|one| visit.may(**one));
    let choices = all.map(|one| Choice::new(one.name(), one.name(), false).help(one.meaning()));
    Field::new(
        form,
        "permissions",
        "What it may do",
        Input::Any(choices.collect()),
    )
}

/// Those that were chosen.
fn chosen_permissions(form: &super::form::Form) -> Vec<Permission> {
    form.all("permissions")
        .filter_map(Permission::parse)
        .collect()
}

/// The first page.
pub(super) async fn first(_: Visit) -> Response {
    page::see("/console/settings/sign-in", None)
}

/// How people sign in, directory by directory.
pub(super) async fn sign_in(visit: Visit) -> Response {
    let shown = async {
        let mut rows = Vec::new();
        for directory in people::directories(&visit).await? {
            let known = match connections::get(&visit.app, &visit.admin, &directory.id).await {
                Ok(view) => Some(view),
                Err(Refusal::NotFound(..)) => None,
                Err(refusal) => return Err(refusal.into()),
            };
            let href = super::attention::page(&directory).join("sign-in");
            let (state, issuer) = match known {
                Some(view) => (badge(Tone::Good, "Connected"), view.metadata_url),
                None => (badge(Tone::Neutral, "Not connected"), String::new()),
            };
            rows.push(Row {
                cells: vec![
                    Shown::Link(Link::new(directory.name, href)),
                    state,
                    text(issuer),
                ],
                actions: Vec::new(),
            });
        }
        let block = Block {
            id: "connections",
            title: "Single sign-on",
            lead: format!(
                "The people of each directory sign in at their own provider. Their address: {}/t/{}",
                visit.app.public_url(),
                visit.team.name
            ),
            actions: Vec::new(),
            content: Content::Table(Table {
                head: vec!["Directory", "State", "Metadata"],
                rows,
                empty: "There is no directory yet.",
            }),
            live: "Connection Directory",
        };
        Ok(visit.page(&settings(&visit, "Sign-in", vec![block])))
    };
    visit.or_trouble(shown.await)
}

/// Who is more than a user, and what each level may do.
pub(super) async fn levels(visit: Visit) -> Response {
    let shown_page = async {
        let mut rows = Vec::new();
        for directory in people::directories(&visit).await? {
            for user in users::above_user(&visit.app, &visit.admin, &directory.id).await? {
                let page = user_page(&user.directory_id, &user.id);
                rows.push(Row {
                    cells: vec![
                        Shown::Link(Link::new(user.name().to_owned(), page)),
                        Shown::Level(shown(user.level)),
                        Shown::Status(super::users::status(user.status)),
                        text(directory.name.clone()),
                    ],
                    actions: Vec::new(),
                });
            }
        }
        let people = Block {
            id: "people",
            title: "Who is more than a user",
            lead: "The level of somebody is changed on their page. Only owners make admins and owners.".to_owned(),
            actions: Vec::new(),
            content: Content::Table(Table {
                head: vec!["Name", "Level", "Status", "Directory"],
                rows,
                empty: "Nobody yet. Local owners have a page of their own.",
            }),
            live: "User",
        };
        let permissions = Permission::ALL.iter().map(|one| {
            let of = Level::ALL
                .iter()
                .rev()
                .filter(|level| level.permissions().has(*one));
            let of: Vec<_> = of.map(|level| shown(*level).label()).collect();
            Row {
                cells: vec![text(one.name()), text(one.meaning()), text(of.join(", "))],
                actions: Vec::new(),
            }
        });
        let may = Block {
            id: "permissions",
            title: "What each level may do",
            lead: String::new(),
            actions: Vec::new(),
            content: Content::Table(Table {
                head: vec!["Permission", "What it allows", "Levels"],
                rows: permissions.collect(),
                empty: "",
            }),
            live: "nothing",
        };
        Ok(visit.page(&settings(&visit, "Levels", vec![people, may])))
    };
    visit.or_trouble(shown_page.await)
}

/// Who is signed in.
pub(super) async fn sessions(visit: Visit) -> Response {
    let shown = async {
        let all = sessions::list(&visit.app, &visit.admin, None, None, (None, SESSIONS)).await?;
        let block = Block {
            id: "sessions",
            title: "Who is signed in",
            lead: format!("The latest {SESSIONS} sessions at most."),
            actions: Vec::new(),
            content: Content::Sessions(table(
                "Sessions of the team",
                &all,
                true,
                visit.may(Permission::SessionWrite),
            )),
            live: "AUTH SESSION",
        };
        Ok(visit.page(&settings(&visit, "Sessions", vec![block])))
    };
    visit.or_trouble(shown.await)
}

/// Ends a session of somebody.
pub(super) async fn end_session(visit: Visit) -> Response {
    let done = async {
        sessions::end(&visit.app, &visit.admin, None, &visit.param("session")).await?;
        let back = Address::new("/console/settings/sessions");
        Ok::<_, Trouble>(visit.done(&back, "The session has ended."))
    };
    visit.or_trouble(done.await)
}
