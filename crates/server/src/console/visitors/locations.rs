//! Locations: the list, one of them with its settings and devices, and what can be done about it.

use super::hours;
use super::{devices, location_page};
use crate::admin::visit_locations::{self, LocationChange, LocationView, NewLocation};
use crate::console::form::Form;
use crate::console::happening::time;
use crate::console::people::history;
use crate::console::settings::question;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::pages::new::{Kind, New};
use portreeve_console::pages::visitors::{Location, LocationRow, Locations, Part};
use portreeve_console::parts::{
    Alert, Badge, Choice, Copyable, Count, Empty, Fact, Facts, Field, Form as Input, Icon, Link,
    PostButton, Secret, Shown, Tone,
};
use portreeve_console::{Address, Section};
use portreeve_directory::visit_locations::{Fallback, Language, NameStyle};
use portreeve_directory::visits::{self, State};
use portreeve_directory::{Permission, Refusal, What, visit_devices, visitor_hosts};
use secrecy::ExposeSecret;

fn here() -> Address {
    Section::Visitors.address().join("locations")
}

/// The locations of the team.
pub(in crate::console) async fn list(visit: Visit) -> Response {
    visit.answer(make_list(&visit).await)
}

async fn make_list(visit: &Visit) -> Result<Locations, Trouble> {
    let all = visit_locations::list(&visit.app, &visit.admin, None).await?;
    let team = visit.team.id.clone();
    let ids: Vec<String> = all.iter().map(|one| one.id.clone()).collect();
    let counts = visit.read(move |tx| {
        let mut counts = Vec::with_capacity(ids.len());
        for id in &ids {
            let open = visits::open(tx, &team, id)?;
            let here = open.iter().filter(|stay| stay.state == State::Here).count();
            let devices = visit_devices::list(tx, &team, id)?;
            let devices = devices.iter().filter(|one| one.revoked_at.is_none());
            counts.push([here, open.len() - here, devices.count()].map(count));
        }
        Ok(counts)
    });
    let row = |(one, [here, expected, devices]): (&LocationView, [Count; 3])| LocationRow {
        id: one.id.clone(),
        href: location_page(&one.id),
        name: one.name.clone(),
        state: state(one),
        time_zone: one.settings.time_zone.clone(),
        here,
        expected,
        devices,
    };
    let may = visit.may(Permission::VisitorWrite);
    let new = here().join("new");
    Ok(Locations {
        shell: visit.shell(),
        rows: all.iter().zip(counts.await?).map(row).collect(),
        empty: Empty {
            icon: Icon::Visitor,
            title: "No location yet".to_owned(),
            text: "A location is where visitors are received: an entrance with a tablet, its opening hours, and the people whom visitors find there.".to_owned(),
            link: may.then(|| Link::new("New location", new.clone())),
        },
        create: may.then_some(new),
    })
}

fn count(number: usize) -> Count {
    Count(u64::try_from(number).unwrap_or(u64::MAX))
}

fn state(location: &LocationView) -> Badge {
    match location.is_open {
        true => Badge::new(Tone::Good, "Open"),
        false => Badge::new(Tone::Neutral, "Closed"),
    }
}

/// The form for a new one.
pub(in crate::console) async fn new(visit: Visit) -> Response {
    visit.page(&form(&visit, &Form::default(), None))
}

fn form(visit: &Visit, sent: &Form, problem: Option<Alert>) -> New {
    let [fallback, email] = fallback_fields(sent);
    New {
        shell: visit.shell(),
        kind: Kind::Location,
        problem,
        fields: vec![name_field(sent), zone_field(sent), fallback, email],
    }
}

/// Makes a location.
pub(in crate::console) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let wanted = NewLocation {
            name: form.text("name").to_owned(),
            time_zone: form.filled("time_zone"),
            fallback: fallback(&form),
            ..NewLocation::default()
        };
        match visit_locations::create(&visit.app, &visit.admin, wanted).await {
            Ok(made) => {
                let said = format!("{} is made. Make the device for its door next.", made.name);
                Ok(visit.done(&location_page(&made.id), &said))
            }
            Err(refusal) => {
                let problem = Trouble::from(refusal).problem()?;
                Ok(visit.again(&self::form(&visit, &form, Some(problem))))
            }
        }
    };
    visit.or_trouble(done.await)
}

/// The location that the path names.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    let shown = async {
        let location = find(&visit).await?;
        make(&visit, &location, None).await
    };
    visit.answer(shown.await)
}

pub(super) async fn find(visit: &Visit) -> Result<LocationView, Trouble> {
    let wanted = visit.param("location");
    Ok(visit_locations::get(&visit.app, &visit.admin, None, &wanted).await?)
}

/// The page of a location; with what was wrong with what was sent, and that again.
pub(super) async fn make(
    visit: &Visit,
    location: &LocationView,
    refused: Option<(Alert, Option<&Form>)>,
) -> Result<Location, Trouble> {
    let may = visit.may(Permission::VisitorWrite);
    let stored = stored(location);
    let (problem, sent) = match refused {
        Some((alert, sent)) => (Some(alert), sent),
        None => (None, None),
    };
    let here = location_page(&location.id);
    Ok(Location {
        shell: visit.shell(),
        name: location.name.clone(),
        state: state(location),
        problem,
        alerts: alerts(visit, location).await?,
        secrets: Vec::<Secret>::new(),
        profile: profile(location, may),
        show_secret: (may && location.settings.webhook.is_some()).then(|| PostButton {
            action: here.clone().join("webhook-secret"),
            label: "Show the secret of the webhook".to_owned(),
            values: Vec::new(),
            class: "small",
        }),
        roll_call: Link::new(
            "Roll call",
            Section::Visitors
                .address()
                .join("roll-call")
                .with("location", location.id.clone()),
        ),
        devices: devices::block(visit, location).await?,
        edit: may.then(|| (here.clone(), parts(sent.unwrap_or(&stored)))),
        history: history(visit, &location.id).await?,
        all_history: Section::Logs
            .address()
            .with("object", location.id.clone()),
        delete: may.then(|| {
            question(
                "delete".to_owned(),
                "Delete…",
                format!("Delete {}?", location.name),
                "Its devices show nothing any more. Its past visits stay. While visitors are signed in or expected there, it is not deleted.",
                here.join("delete"),
            )
        }),
    })
}

async fn alerts(visit: &Visit, location: &LocationView) -> Result<Vec<Alert>, Trouble> {
    let team = visit.team.id.clone();
    let directories = visit.read(move |tx| visitor_hosts::directories(tx, &team));
    let mut alerts = Vec::new();
    if directories.await?.is_empty() {
        let people = Section::Visitors.address().join("people");
        alerts.push(
            Alert::new(
                Tone::Warn,
                "Visitors find nobody here",
                "No directory of the team is for visitors.",
            )
            .link(Link::new("Visitor hosts", people)),
        );
    }
    if location.settings.fallback.is_none() {
        alerts.push(Alert::new(
            Tone::Info,
            "Nobody is told of visitors who do not know whom they come to see",
            "Say below who is.",
        ));
    }
    Ok(alerts)
}

/// What is known; with what is decided, where it is not in a form beside it.
fn profile(location: &LocationView, in_form: bool) -> Facts {
    let url = Copyable::new("the address of its page", location.url.clone());
    let mut facts = vec![Fact::new("Page for the device", Shown::Copyable(url))];
    if !in_form {
        facts.extend(decided(location));
    }
    facts.extend([
        Fact::new(
            "Id",
            Shown::Copyable(Copyable::new("id", location.id.clone())),
        ),
        Fact::new("Made", Shown::Time(time(location.created_at.0))),
        Fact::new("Changed", Shown::Time(time(location.updated_at.0))),
    ]);
    Facts(facts)
}

fn decided(location: &LocationView) -> Vec<Fact> {
    let settings = &location.settings;
    let yes = |on: bool| if on { "yes" } else { "no" };
    let or = |text: String, otherwise: &str| match text.is_empty() {
        true => otherwise.to_owned(),
        false => text,
    };
    let languages = settings.languages.iter().map(|one| language(*one));
    let told = settings.fallback.as_ref();
    let told = told.map(|one| format!("{}, {}", one.name, one.email));
    vec![
        Fact::text("Time zone", settings.time_zone.clone()),
        Fact::text(
            "Open",
            or(
                hours::written(&settings.hours).replace('\n', "; "),
                "always",
            ),
        ),
        Fact::text(
            "Whom visitors find",
            or(groups(location).join(", "), "everybody who is visible"),
        ),
        Fact::text(
            "Names",
            match settings.names {
                NameStyle::Full => "in full",
                NameStyle::Short => "first name and a letter",
            },
        ),
        Fact::text("Departments are shown", yes(settings.departments)),
        Fact::text("Languages", languages.collect::<Vec<_>>().join(", ")),
        Fact::text("Company is asked", yes(settings.ask_company)),
        Fact::text("Purpose is asked", yes(settings.ask_purpose)),
        Fact::text("Picture", yes(settings.photo_consent.is_some())),
        Fact::text("Fallback", told.unwrap_or_default()),
        Fact::text("Webhook", settings.webhook.clone().unwrap_or_default()),
    ]
}

/// The groups of a location: by name, or by id where one has none any more.
fn groups(location: &LocationView) -> Vec<String> {
    let names = location.group_names.iter().zip(&location.settings.groups);
    let said = names.map(|(name, id)| if name.is_empty() { id } else { name });
    said.cloned().collect()
}

fn language(language: Language) -> &'static str {
    match language {
        Language::En => "English",
        Language::De => "German",
        Language::Fr => "French",
        Language::Es => "Spanish",
    }
}

/// The settings as the form would send them.
fn stored(location: &LocationView) -> Form {
    let settings = &location.settings;
    let fallback = settings.fallback.as_ref();
    let fallback = |part: fn(&Fallback) -> &String| fallback.map(part).cloned().unwrap_or_default();
    let mut pairs = vec![
        ("name", location.name.clone()),
        ("time_zone", settings.time_zone.clone()),
        ("hours", hours::written(&settings.hours)),
        ("groups", groups(location).join("\n")),
        ("names", name_style(settings.names).to_owned()),
        ("departments", settings.departments.to_string()),
        ("fallback_name", fallback(|one| &one.name)),
        ("fallback_email", fallback(|one| &one.email)),
        ("ask_company", settings.ask_company.to_string()),
        ("ask_purpose", settings.ask_purpose.to_string()),
        (
            "photo_consent",
            settings.photo_consent.clone().unwrap_or_default(),
        ),
        ("webhook", settings.webhook.clone().unwrap_or_default()),
    ];
    let first = settings.languages.first();
    pairs.extend(first.map(|one| ("language", one.code().to_owned())));
    let all = settings.languages.iter();
    pairs.extend(all.map(|one| ("languages", one.code().to_owned())));
    let pairs = pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Form::of(pairs.collect())
}

fn name_style(style: NameStyle) -> &'static str {
    match style {
        NameStyle::Full => "full",
        NameStyle::Short => "short",
    }
}

fn name_field(sent: &Form) -> Field {
    Field::line("location", "name", "Name", sent.text("name"))
        .example("Vienna, main entrance")
        .help("Visitors read it.")
        .required()
}

fn zone_field(sent: &Form) -> Field {
    let zone = sent.filled("time_zone").unwrap_or_else(|| "UTC".to_owned());
    Field::line("location", "time_zone", "Time zone", zone)
        .example("Europe/Vienna")
        .help("By whose clock it opens.")
        .required()
}

fn fallback_fields(sent: &Form) -> [Field; 2] {
    let (name, email) = (sent.text("fallback_name"), sent.text("fallback_email"));
    [
        Field::line("location", "fallback_name", "Who is told otherwise", name)
            .example("Reception")
            .help("Of visitors who know nobody here."),
        Field::line("location", "fallback_email", "Their address", email)
            .kind("email")
            .example("reception@contoso.com")
            .help("A mailbox."),
    ]
}

fn parts(sent: &Form) -> Vec<Part> {
    let [fallback, email] = fallback_fields(sent);
    let webhook = Field::line("location", "webhook", "Webhook", sent.text("webhook"))
        .kind("url")
        .example("https://chat.contoso.com/hooks/visitors")
        .help("A program that is told of each visit as well. It begins with https://.");
    vec![
        Part {
            title: "Where and when",
            fields: vec![
                name_field(sent),
                zone_field(sent),
                several(
                    "hours",
                    "Opening hours",
                    sent,
                    "A line for each part, such as Mon-Fri 08:30-17:00. Without any it is always open. Outside of them nobody signs in; signing out works.",
                ),
            ],
        },
        Part {
            title: "Whom visitors find",
            fields: vec![
                several(
                    "groups",
                    "Groups",
                    sent,
                    "The name of one in each line: their people are found here. Without any, everybody is who is visible.",
                ),
                names_field(sent),
                switch("departments", "Departments are shown", sent, ""),
            ],
        },
        Part {
            title: "What visitors are asked",
            fields: vec![
                language_field(sent),
                languages_field(sent),
                switch("ask_company", "Whom they work for", sent, ""),
                switch("ask_purpose", "What they come for", sent, ""),
                several(
                    "photo_consent",
                    "Consent to a picture",
                    sent,
                    "What they agree to when a picture of them is taken. Without it, none is taken.",
                ),
            ],
        },
        Part {
            title: "Who is told",
            fields: vec![fallback, email, webhook],
        },
    ]
}

fn several(name: &'static str, label: &str, sent: &Form, help: &str) -> Field {
    let text = Input::Text {
        value: sent.text(name).to_owned(),
        rows: 4,
    };
    Field::new("location", name, label, text).help(help)
}

fn switch(name: &'static str, label: &str, sent: &Form, help: &str) -> Field {
    Field::new("location", name, label, Input::Switch(sent.is_on(name))).help(help)
}

fn names_field(sent: &Form) -> Field {
    let choice = |style, label: &str, help: &str| {
        let value = name_style(style);
        Choice::new(value, label, sent.text("names") == value).help(help)
    };
    let choices = vec![
        choice(NameStyle::Full, "In full", "Jane Doe"),
        choice(NameStyle::Short, "First name and a letter", "Jane D."),
    ];
    Field::new("location", "names", "Names are shown", Input::One(choices))
}

fn language_field(sent: &Form) -> Field {
    let choices = Language::ALL.map(|one| {
        let chosen = sent.text("language") == one.code();
        Choice::new(one.code(), language(one), chosen)
    });
    let choices = Input::Select(choices.into());
    Field::new("location", "language", "Language at first", choices)
        .help("Mails to the people who are visited are in it, too.")
}

fn languages_field(sent: &Form) -> Field {
    let choices = Language::ALL.map(|one| {
        let chosen = sent.all("languages").any(|code| code == one.code());
        Choice::new(one.code(), language(one), chosen)
    });
    let choices = Input::Any(choices.into());
    Field::new("location", "languages", "Languages to choose from", choices)
}

fn fallback(form: &Form) -> Option<Fallback> {
    let (name, email) = (form.text("fallback_name"), form.text("fallback_email"));
    let is_any = !name.is_empty() || !email.is_empty();
    is_any.then(|| Fallback {
        name: name.to_owned(),
        email: email.to_owned(),
    })
}

/// The change that a form asks for.
fn change(form: &Form) -> Result<LocationChange, Trouble> {
    let first = form.text("language").to_owned();
    let chosen = |one: &Language| {
        first == one.code() || form.all("languages").any(|code| code == one.code())
    };
    let mut languages: Vec<Language> = Language::ALL.into_iter().filter(chosen).collect();
    languages.sort_by_key(|one| one.code() != first);
    let groups = form.text("groups").lines().map(str::trim);
    Ok(LocationChange {
        name: Some(form.text("name").to_owned()),
        time_zone: Some(form.text("time_zone").to_owned()),
        hours: Some(hours::read(form.text("hours"))?),
        groups: Some(
            groups
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
        ),
        names: Some(match form.text("names") {
            "short" => NameStyle::Short,
            _ => NameStyle::Full,
        }),
        departments: Some(form.is_on("departments")),
        fallback: Some(fallback(form)),
        languages: Some(languages),
        ask_company: Some(form.is_on("ask_company")),
        ask_purpose: Some(form.is_on("ask_purpose")),
        // A form sends the ends of lines as mails have them.
        photo_consent: Some(
            form.filled("photo_consent")
                .map(|text| text.replace("\r\n", "\n")),
        ),
        webhook: Some(form.filled("webhook")),
    })
}

/// Shows with what messages to its program are signed.
pub(in crate::console) async fn show_secret(visit: Visit) -> Response {
    let shown = async {
        let location = find(&visit).await?;
        let (app, admin) = (&visit.app, &visit.admin);
        let shown = visit_locations::webhook_secret(app, admin, None, &location.id).await?;
        let secret = Copyable::new("the secret", shown.secret.0.expose_secret());
        let fact = Fact::new("Secret of the webhook", Shown::Copyable(secret));
        let mut page = make(&visit, &location, None).await?;
        let note = "Messages are signed with it (Standard Webhooks).";
        page.profile.0.insert(1, fact.note(note));
        page.show_secret = None;
        Ok(page)
    };
    visit.answer(shown.await)
}

/// Changes it.
pub(in crate::console) async fn save(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let location = find(&visit).await?;
        let changed = async {
            let wanted = change(&form)?;
            let (app, admin) = (&visit.app, &visit.admin);
            let changed = visit_locations::update(app, admin, None, &location.id, wanted);
            changed.await.map_err(trouble)
        };
        match changed.await {
            Ok(changed) => Ok(visit.done(&location_page(&changed.id), "The settings are saved.")),
            Err(trouble) => {
                let refused = (trouble.problem()?, Some(&form));
                Ok(visit.again(&make(&visit, &location, Some(refused)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}

/// A group that is not there is no page that is not there.
fn trouble(refusal: Refusal) -> Trouble {
    match refusal {
        Refusal::NotFound(What::Group, name) => Trouble::Invalid(format!(
            "no directory for visitors has a group “{name}”; write one in each line"
        )),
        other => other.into(),
    }
}

/// Removes it.
pub(in crate::console) async fn delete(visit: Visit) -> Response {
    let done = async {
        let location = find(&visit).await?;
        match visit_locations::delete(&visit.app, &visit.admin, None, &location.id).await {
            Ok(()) => Ok(visit.done(&here(), &format!("{} is deleted.", location.name))),
            Err(refusal) => {
                let refused = (Trouble::from(refusal).problem()?, None);
                Ok(visit.again(&make(&visit, &location, Some(refused)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}
