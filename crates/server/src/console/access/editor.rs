//! The form of a grant, and what it would come to.

use super::explain::people;
use super::preview::preview;
use super::{holder, page, revoke_question, state};
use crate::admin::grants::{self, GrantChange, GrantState, GrantView, LevelName, NewGrant};
use crate::console::form::Form;
use crate::console::people::{directories, history};
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use portreeve_console::pages::access::{Editor, Preview};
use portreeve_console::parts::{Alert, Choice, Fact, Facts, Field, Form as Input, Shown};
use portreeve_console::{Address, Section};
use portreeve_directory::{Permission, Refusal, search};

/// How many names are offered.
const OFFERED: usize = 12;

/// How long temporary access may be said to last: the hours, and how people say it.
const SPANS: [(&str, &str); 6] = [
    ("1", "1 hour"),
    ("4", "4 hours"),
    ("8", "8 hours"),
    ("24", "1 day"),
    ("168", "7 days"),
    ("720", "30 days"),
];

/// What was wrong with a form, and with which of its fields.
struct Wrong {
    field: &'static str,
    said: Alert,
}

impl Wrong {
    fn of(refusal: Refusal) -> Result<Self, Trouble> {
        let field = match &refusal {
            Refusal::Invalid { attribute, .. } => attribute,
            Refusal::NotFound(..) => "subject",
            _ => "",
        };
        let trouble = match Trouble::from(refusal) {
            Trouble::NotFound => Trouble::Invalid("there is nobody of that name".to_owned()),
            other => other,
        };
        Ok(Self {
            said: trouble.problem()?,
            field: match field {
                "group" | "user" => "subject",
                field => field,
            },
        })
    }

    /// What was wrong with a field; empty where nothing was.
    fn with(this: Option<&Self>, field: &str) -> String {
        let found = this.filter(|wrong| wrong.field == field);
        found.map_or_else(String::new, |wrong| wrong.said.text.clone())
    }
}

/// The form of a new grant, with what is filled in so far in its address.
pub(in crate::console) async fn new(visit: Visit) -> Response {
    let draft = Form::of(visit.pairs.clone());
    visit.answer(of_new(&visit, &draft, None).await)
}

/// Makes a grant.
pub(in crate::console) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        match grants::create(&visit.app, &visit.admin, wanted(&visit, &form)).await {
            Ok(grant) => {
                let said = format!(
                    "{} may log in to the hosts {}.",
                    holder(&grant.to).label,
                    grant.hosts
                );
                Ok(visit.done(&Section::Access.address(), &said))
            }
            Err(refusal) => {
                let wrong = Wrong::of(refusal)?;
                Ok(visit.again(&of_new(&visit, &form, Some(&wrong)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}

/// The grant that the path names; in the address may be how it is to be.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    let shown = async {
        let grant = find(&visit).await?;
        let draft = match visit.query("hosts") {
            "" => as_stored(&grant),
            _ => Form::of(visit.pairs.clone()),
        };
        of_known(&visit, &grant, &draft, None).await
    };
    visit.answer(shown.await)
}

/// Changes a grant.
pub(in crate::console) async fn save(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let grant = find(&visit).await?;
        let wanted = GrantChange {
            hosts: Some(form.text("hosts").to_owned()),
            sudo: Some(form.is_on("sudo")),
            posix_groups: Some(words(&form, "posix_groups")),
            principals: Some(words(&form, "principals")),
            from: Some(form.moment("from")),
            until: Some(until(&visit, &form)),
            note: Some(form.text("note").to_owned()),
        };
        match grants::update(&visit.app, &visit.admin, None, &grant.id, wanted).await {
            Ok(grant) => Ok(visit.done(&page(&grant.id), "The grant is changed.")),
            Err(refusal) => {
                let wrong = Wrong::of(refusal)?;
                Ok(visit.again(&of_known(&visit, &grant, &form, Some(&wrong)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}

async fn find(visit: &Visit) -> Result<GrantView, Trouble> {
    Ok(grants::get(&visit.app, &visit.admin, None, &visit.param("grant")).await?)
}

/// The grant that a form says.
pub(super) fn wanted(visit: &Visit, form: &Form) -> NewGrant {
    let subject = form.filled("subject");
    let (group, user) = match form.text("kind") {
        "user" => (None, subject),
        _ => (subject, None),
    };
    NewGrant {
        group,
        user,
        directory: form.filled("directory"),
        hosts: form.text("hosts").to_owned(),
        sudo: form.is_on("sudo"),
        posix_groups: words(form, "posix_groups"),
        principals: words(form, "principals"),
        from: form.moment("from"),
        until: until(visit, form),
        note: form.text("note").to_owned(),
        team: None,
    }
}

fn words(form: &Form, name: &str) -> Vec<String> {
    let words = form.text(name).split([' ', ',']);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The end that a form says: after some hours, or at a moment.
fn until(visit: &Visit, form: &Form) -> Option<String> {
    match form.text("lasts").parse::<i64>() {
        Ok(hours) => {
            let hours = SignedDuration::from_hours(hours.clamp(0, 10_000));
            let begins = form
                .moment("from")
                .and_then(|from| from.parse::<Timestamp>().ok());
            let begins = begins.unwrap_or_else(|| visit.admin.time());
            begins.checked_add(hours).ok().map(|end| end.to_string())
        }
        Err(_) => form
            .moment("until")
            .filter(|_| form.text("lasts") == "until"),
    }
}

/// A grant as its form would have been filled in.
fn as_stored(grant: &GrantView) -> Form {
    let local = |at: Option<crate::admin::view::At>| {
        at.map(|at| {
            let at = portreeve_directory::access::moment(at.0);
            at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
        })
    };
    let lasts = grant.until.map_or("", |_| "until");
    let sudo = grant.level == LevelName::LoginSudo;
    let fields = [
        ("hosts", grant.hosts.clone()),
        ("sudo", sudo.to_string()),
        ("note", grant.note.clone()),
        ("posix_groups", grant.posix_groups.join(" ")),
        ("principals", grant.principals.join(" ")),
        ("from", local(grant.from).unwrap_or_default()),
        ("lasts", lasts.to_owned()),
        ("until", local(grant.until).unwrap_or_default()),
    ];
    Form::of(
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec(),
    )
}

async fn of_new(visit: &Visit, draft: &Form, wrong: Option<&Wrong>) -> Result<Editor, Trouble> {
    let is_user = draft.text("kind") == "user";
    let kinds = vec![
        Choice::new("group", "A group", !is_user).help("Whoever is in it, as long as they are."),
        Choice::new("user", "One person or service account", is_user)
            .help("Temporary access: it ends by itself."),
    ];
    let mut fields = vec![
        Field::new("grant", "kind", "Who", Input::One(kinds)),
        Field::line("grant", "subject", "Name", draft.text("subject"))
            .help("Of the group, or the user name.")
            .list("known")
            .required()
            .error(Wrong::with(wrong, "subject")),
    ];
    fields.extend(common(draft, wrong, !is_user));
    let text = draft.text("subject");
    let known = match is_user {
        true => people(visit, text).await?,
        false => groups_like(visit, text).await?,
    };
    Ok(Editor {
        shell: visit.shell(),
        title: "New grant".to_owned(),
        state: None,
        action: Address::new("/console/access/new"),
        problem: wrong.map(|wrong| wrong.said.clone()),
        subject: None,
        fields,
        more: seldom(draft, wrong),
        shows_more: shows_more(draft, wrong),
        save: "Grant",
        may_change: true,
        known,
        preview: preview(visit, draft, None).await?,
        revoke: None,
        history: Vec::new(),
    })
}

async fn of_known(
    visit: &Visit,
    grant: &GrantView,
    draft: &Form,
    wrong: Option<&Wrong>,
) -> Result<Editor, Trouble> {
    let may = visit.may(Permission::GrantWrite);
    let is_over = matches!(grant.state, GrantState::Expired | GrantState::Revoked);
    let who = holder(&grant.to);
    let subject = Facts(vec![
        Fact::new(
            if grant.to.kind == "group" {
                "Group"
            } else {
                "Who"
            },
            Shown::Link(who.clone()),
        ),
        Fact::text("Made by", grant.made_by.clone()),
    ]);
    Ok(Editor {
        shell: visit.shell(),
        title: format!("{}: {}", who.label, grant.hosts),
        state: Some(state(grant)),
        action: page(&grant.id),
        problem: wrong.map(|wrong| wrong.said.clone()),
        subject: Some(subject),
        fields: common(draft, wrong, grant.to.kind == "group"),
        more: seldom(draft, wrong),
        shows_more: shows_more(draft, wrong),
        save: "Save",
        may_change: may && !is_over,
        known: Vec::new(),
        preview: match is_over {
            true => Preview::default(),
            false => preview(visit, draft, Some(grant)).await?,
        },
        revoke: (may && !is_over).then(|| revoke_question(grant)),
        history: history(visit, &grant.id).await?,
    })
}

/// What is to be filled in for new grants and others alike.
fn common(draft: &Form, wrong: Option<&Wrong>, is_group: bool) -> Vec<Field> {
    let lasts = draft.text("lasts");
    let span = |(value, label): (&str, &str)| Choice::new(value, label, lasts == value);
    let no_end = Choice::new(
        "",
        if is_group { "No end" } else { "Choose…" },
        lasts.is_empty(),
    );
    let at = Choice::new("until", "Until the moment below", lasts == "until");
    let spans: Vec<Choice> = std::iter::once(no_end)
        .chain(SPANS.map(span))
        .chain([at])
        .collect();
    vec![
        Field::line("grant", "hosts", "Hosts", draft.text("hosts"))
            .example("env=prod and role=web")
            .help("A tag expression; * is every host.")
            .code()
            .required()
            .error(Wrong::with(wrong, "hosts")),
        Field::new(
            "grant",
            "sudo",
            "With sudo",
            Input::Switch(draft.is_on("sudo")),
        )
        .help("They may do everything there."),
        Field::new("grant", "lasts", "For how long", Input::Select(spans))
            .error(Wrong::with(wrong, "until")),
        Field::line("grant", "until", "Until", draft.text("until"))
            .kind("datetime-local")
            .help("In UTC; where it is to end at a moment."),
        Field::line("grant", "note", "Why", draft.text("note"))
            .example("incident 4711")
            .help("For those who ask later.")
            .error(Wrong::with(wrong, "note")),
    ]
}

/// What is seldom needed.
fn seldom(draft: &Form, wrong: Option<&Wrong>) -> Vec<Field> {
    vec![
        Field::line(
            "grant",
            "posix_groups",
            "POSIX groups",
            draft.text("posix_groups"),
        )
        .example("docker adm")
        .help("Groups of the host that they are in there, with blanks between them."),
        Field::line(
            "grant",
            "principals",
            "Principals",
            draft.text("principals"),
        )
        .help("Names that their certificates get besides their own.")
        .error(Wrong::with(wrong, "principals")),
        Field::line("grant", "from", "From", draft.text("from"))
            .kind("datetime-local")
            .help("In UTC; empty: at once.")
            .error(Wrong::with(wrong, "from")),
    ]
}

fn shows_more(draft: &Form, wrong: Option<&Wrong>) -> bool {
    let names = ["posix_groups", "principals", "from"];
    let is_wrong = wrong.is_some_and(|wrong| names.contains(&wrong.field));
    is_wrong || names.iter().any(|name| !draft.text(name).is_empty())
}

async fn groups_like(visit: &Visit, text: &str) -> Result<Vec<String>, Trouble> {
    if !visit.may(Permission::GroupRead) {
        return Ok(Vec::new());
    }
    let (all, text) = (directories(visit).await?, text.to_owned());
    let read = visit.read(move |tx| {
        let mut names = Vec::new();
        for directory in &all {
            let found = search::groups(tx, &directory.id, &text, OFFERED)?;
            names.extend(found.into_iter().map(|group| group.display_name));
        }
        names.truncate(OFFERED);
        Ok(names)
    });
    read.await
}
