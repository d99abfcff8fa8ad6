//! One user.

use crate::admin::certificates::Which;
use crate::admin::sessions;
use crate::admin::users::{self, UserChange, UserView, WantedStatus};
use crate::console::certificates;
use crate::console::form::Form;
use crate::console::happening::time;
use crate::console::people::{group_page, history, source, text, user_page};
use crate::console::sessions::table;
use crate::console::trouble::Trouble;
use crate::console::visit::{Visit, shown};
use crate::console::visitors;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::pages::users::{Edit, Membership, User};
use portreeve_console::parts::{
    Alert, Certificates, Choice, Confirm, Copyable, Fact, Facts, Field, Form as Input, Shown,
};
use portreeve_console::{Address, Section};
use portreeve_directory::Permission;
use portreeve_directory::permissions::Level;
use portreeve_directory::users::Status;
use serde_json::{Map, Value};

/// Attributes that stand at the beginning, with what people call them.
const FIRST: &[(&str, &str)] = &[
    ("userName", "User name"),
    ("displayName", "Name"),
    ("emails", "E-mail"),
    ("title", "Title"),
];

/// The user that the path names.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    let shown = async {
        let user = find(&visit).await?;
        Ok(visit.page(&page(&visit, &user, None).await?))
    };
    visit.or_trouble(shown.await)
}

async fn find(visit: &Visit) -> Result<UserView, Trouble> {
    let (directory, user) = (visit.param("directory"), visit.param("user"));
    Ok(users::get(&visit.app, &visit.admin, &directory, &user).await?)
}

pub(super) async fn page(
    visit: &Visit,
    user: &UserView,
    problem: Option<Alert>,
) -> Result<User, Trouble> {
    let here = user_page(&user.directory_id, &user.id);
    let sessions = match visit.may(Permission::SessionRead) {
        true => {
            Some(sessions::list(&visit.app, &visit.admin, None, Some(&user.id), (None, 100)).await?)
        }
        false => None,
    };
    let may_end = visit.may(Permission::SessionWrite);
    let name = user.name().to_owned();
    let end_sessions = sessions
        .as_ref()
        .filter(|all| may_end && !all.is_empty())
        .map(|all| {
            ask(
                "end",
                "Sign out everywhere…",
                format!("Sign {name} out everywhere?"),
                &here,
                "sessions/end",
                "Sign out",
            )
            .effect(match all.len() {
                1 => "One session ends at once.".to_owned(),
                count => format!("{count} sessions end at once."),
            })
        });
    let groups = user.groups.iter().map(|group| Membership {
        name: group.display.clone(),
        href: group_page(&user.directory_id, &group.id),
        source: source(&group.managed_by),
        nested: !group.direct,
        until: group.expires_at.map(|at| time(at.0)),
    });
    Ok(User {
        shell: visit.shell(),
        status: super::status(user.status),
        level: shown(user.level),
        source: source(&user.managed_by),
        problem,
        profile: profile(user),
        edit: edit(visit, user, &here),
        groups: groups.collect(),
        sessions: sessions.map(|all| table(&format!("Sessions of {name}"), &all, false, may_end)),
        end_sessions: end_sessions.map(Question::confirm),
        access: super::access::of(visit, user).await?,
        certificates: certificates_of(visit, user).await?,
        history: history(visit, &user.id).await?,
        all_history: Section::Logs.address().with("object", user.id.clone()),
        change_level: change_level(visit, user, &here),
        change_status: change_status(visit, user, &here),
        delete: delete_question(visit, user, &here),
        visitors: visitors::of_user(visit, user).await?,
        name,
    })
}

async fn certificates_of(visit: &Visit, user: &UserView) -> Result<Option<Certificates>, Trouble> {
    if !visit.may(Permission::CertificateRead) {
        return Ok(None);
    }
    let which = Which {
        user: Some(user.id.clone()),
        ..Which::default()
    };
    Ok(Some(certificates::of(visit, which, user.name()).await?))
}

/// A question before something is done to somebody.
struct Question(Confirm);

fn ask(
    id: &str,
    opener: &str,
    title: String,
    here: &Address,
    path: &'static str,
    label: &str,
) -> Question {
    let action = path.split('/').fold(here.clone(), Address::join);
    Question(Confirm {
        id: id.to_owned(),
        opener: opener.to_owned(),
        title,
        effect: String::new(),
        action,
        label: label.to_owned(),
        values: Vec::new(),
        fields: Vec::new(),
        danger: true,
    })
}

impl Question {
    fn effect(mut self, effect: impl Into<String>) -> Self {
        self.0.effect = effect.into();
        self
    }

    fn harmless(mut self) -> Self {
        self.0.danger = false;
        self
    }

    fn confirm(self) -> Confirm {
        self.0
    }
}

fn change_level(visit: &Visit, user: &UserView, here: &Address) -> Option<Confirm> {
    let may_guarded = visit.may(Permission::LevelWrite);
    if !visit.may(Permission::UserWrite) || (user.level.is_guarded() && !may_guarded) {
        return None;
    }
    let levels = Level::ALL.iter().rev().map(|level| {
        let page = shown(*level);
        let mut choice =
            Choice::new(level.name(), page.label(), *level == user.level).help(page.meaning());
        choice.disabled = level.is_guarded() && !may_guarded;
        choice
    });
    let question = ask(
        "level",
        "Level…",
        format!("What may {} do?", user.name()),
        here,
        "level",
        "Change the level",
    );
    let mut confirm = question
        .effect("It holds from the next request on. Only owners make admins and owners.")
        .harmless()
        .confirm();
    confirm.fields = vec![Field::new(
        "level",
        "level",
        "Level",
        Input::One(levels.collect()),
    )];
    Some(confirm)
}

fn change_status(visit: &Visit, user: &UserView, here: &Address) -> Option<Confirm> {
    if !visit.may(Permission::UserWrite)
        || (user.level.is_guarded() && !visit.may(Permission::LevelWrite))
    {
        return None;
    }
    let name = user.name();
    let question = match user.status {
        Status::Active => ask("suspend", "Suspend…", format!("Suspend {name}?"), here, "suspend", "Suspend")
            .effect("All their sessions end at once, and nothing that their groups give them counts. They stay suspended, whatever the provider says, until somebody reinstates them here."),
        _ if user.suspended_here || source(&user.managed_by) == portreeve_console::parts::Source::Portreeve => {
            ask("reinstate", "Reinstate…", format!("Reinstate {name}?"), here, "reinstate", "Reinstate")
                .effect("What their groups give them counts again. Their level is User.")
                .harmless()
        }
        // The provider has suspended them, and only it takes that back.
        _ => return None,
    };
    Some(question.confirm())
}

fn delete_question(visit: &Visit, user: &UserView, here: &Address) -> Option<Confirm> {
    let is_here = source(&user.managed_by) == portreeve_console::parts::Source::Portreeve;
    let guarded = user.level.is_guarded() && !visit.may(Permission::LevelWrite);
    (is_here && visit.may(Permission::UserWrite) && !guarded).then(|| {
        ask(
            "delete",
            "Delete…",
            format!("Delete {}?", user.name()),
            here,
            "delete",
            "Delete",
        )
        .effect("They are gone, with memberships and sessions. What happened stays in the log.")
        .confirm()
    })
}

fn edit(visit: &Visit, user: &UserView, here: &Address) -> Option<Edit> {
    let is_here = source(&user.managed_by) == portreeve_console::parts::Source::Portreeve;
    let guarded = user.level.is_guarded() && !visit.may(Permission::LevelWrite);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    (is_here && visit.may(Permission::UserWrite) && !guarded).then(|| Edit {
        action: here.clone(),
        fields: vec![
            Field::line("user", "user_name", "User name", text(&user.user_name)).required(),
            Field::line("user", "display_name", "Name", text(&user.display_name)),
            Field::line("user", "email", "E-mail", text(&user.email)).kind("email"),
        ],
    })
}

/// Everything that is known, the most important first.
fn profile(user: &UserView) -> Facts {
    let mut facts: Vec<Fact> = FIRST
        .iter()
        .map(|(attribute, label)| {
            let value = user.resource.get(*attribute);
            Fact::text(*label, value.map(said).unwrap_or_default())
        })
        .collect();
    if let Some(id) = &user.external_id {
        facts.push(Fact::new(
            "External id",
            Shown::Copyable(Copyable::new("external id", id.clone())),
        ));
    }
    rest(&mut facts, "", &user.resource);
    facts.push(Fact::new(
        "Id",
        Shown::Copyable(Copyable::new("id", user.id.clone())),
    ));
    facts.push(Fact::new("Made", Shown::Time(time(user.created_at.0))));
    facts.push(Fact::new("Changed", Shown::Time(time(user.updated_at.0))));
    Facts(facts)
}

/// The attributes that did not stand at the beginning, by their own names.
fn rest(facts: &mut Vec<Fact>, prefix: &str, map: &Map<String, Value>) {
    let known = |name: &str| FIRST.iter().any(|(first, _)| *first == name);
    for (name, value) in map {
        match value {
            _ if prefix.is_empty()
                && (known(name) || name == "schemas" || name == "externalId") => {}
            Value::Object(inner) => {
                let short = name.rsplit(':').next().unwrap_or(name);
                let short = if name.starts_with("urn:") && short == "User" {
                    ""
                } else {
                    short
                };
                rest(facts, short, inner);
            }
            value => {
                let label = match prefix {
                    "" => name.clone(),
                    prefix => format!("{prefix}.{name}"),
                };
                facts.push(Fact::text(label, said(value)));
            }
        }
    }
}

/// A value; of several that have types, each with its own.
fn said(value: &Value) -> String {
    let Value::Array(items) = value else {
        return text(value);
    };
    let items = items
        .iter()
        .map(|item| match (item.get("value"), item.get("type")) {
            (Some(value), Some(Value::String(kind))) => format!("{} ({kind})", text(value)),
            (Some(value), _) => text(value),
            (None, _) => text(item),
        });
    items.collect::<Vec<_>>().join(", ")
}

/// Changes a user of a native directory.
pub(in crate::console) async fn save(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let wanted = UserChange {
            user_name: form.filled("user_name"),
            display_name: Some(form.filled("display_name")),
            email: Some(form.filled("email")),
            ..UserChange::default()
        };
        carry_out(&visit, wanted, "The changes are saved.").await
    };
    visit.or_trouble(done.await)
}

/// Changes the level.
pub(in crate::console) async fn level(visit: Visit, body: Body) -> Response {
    let done = async {
        let form: Form = visit.form(body).await?;
        let level = Level::parse(form.text("level"));
        let level = level.ok_or_else(|| Trouble::Invalid("choose a level".to_owned()))?;
        let wanted = UserChange {
            level: Some(level),
            ..UserChange::default()
        };
        carry_out(&visit, wanted, "The level is changed.").await
    };
    visit.or_trouble(done.await)
}

/// Keeps somebody out.
pub(in crate::console) async fn suspend(visit: Visit) -> Response {
    let done = with_status(&visit, WantedStatus::Suspended, "They are suspended.").await;
    visit.or_trouble(done)
}

/// Takes that back.
pub(in crate::console) async fn reinstate(visit: Visit) -> Response {
    let done = with_status(&visit, WantedStatus::Active, "They are reinstated.").await;
    visit.or_trouble(done)
}

async fn with_status(visit: &Visit, status: WantedStatus, said: &str) -> Result<Response, Trouble> {
    let wanted = UserChange {
        status: Some(status),
        ..UserChange::default()
    };
    carry_out(visit, wanted, said).await
}

async fn carry_out(visit: &Visit, wanted: UserChange, said: &str) -> Result<Response, Trouble> {
    let (directory, user) = (visit.param("directory"), visit.param("user"));
    match users::update(&visit.app, &visit.admin, &directory, &user, wanted).await {
        Ok(user) => Ok(visit.done(&user_page(&user.directory_id, &user.id), said)),
        Err(refusal) => {
            let problem = Trouble::from(refusal).problem()?;
            let user = find(visit).await?;
            Ok(visit.again(&page(visit, &user, Some(problem)).await?))
        }
    }
}

/// Ends all sessions of somebody.
pub(in crate::console) async fn end_sessions(visit: Visit) -> Response {
    let done = async {
        let user = find(&visit).await?;
        sessions::end_all(&visit.app, &visit.admin, None, &user.id).await?;
        let page = user_page(&user.directory_id, &user.id);
        Ok(visit.done(&page, &format!("{} is signed out everywhere.", user.name())))
    };
    visit.or_trouble(done.await)
}

/// Removes a user of a native directory.
pub(in crate::console) async fn delete(visit: Visit) -> Response {
    let done = async {
        let user = find(&visit).await?;
        users::delete(&visit.app, &visit.admin, &user.directory_id, &user.id).await?;
        Ok(visit.done(
            &Section::Users.address(),
            &format!("{} is deleted.", user.name()),
        ))
    };
    visit.or_trouble(done.await)
}
