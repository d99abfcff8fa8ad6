//! What is decided about a location: as it is known, as a form asks for it, and as a form says it.

use super::hours;
use crate::admin::visit_locations::{LocationChange, LocationView};
use crate::console::form::Form;
use crate::console::trouble::Trouble;
use portreeve_console::pages::visitors::Part;
use portreeve_console::parts::{Choice, Fact, Field, Form as Input};
use portreeve_directory::visit_locations::{Fallback, Language, NameStyle};

/// What is decided, for whoever may not change it.
pub(super) fn decided(location: &LocationView) -> Vec<Fact> {
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
pub(super) fn stored(location: &LocationView) -> Form {
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

/// What it is called.
pub(super) fn name_field(sent: &Form) -> Field {
    Field::line("location", "name", "Name", sent.text("name"))
        .example("Vienna, main entrance")
        .help("Visitors read it.")
        .required()
}

/// Where it is.
pub(super) fn zone_field(sent: &Form) -> Field {
    let zone = sent.filled("time_zone").unwrap_or_else(|| "UTC".to_owned());
    Field::line("location", "time_zone", "Time zone", zone)
        .example("Europe/Vienna")
        .help("By whose clock it opens.")
        .required()
}

/// Who is told where nobody else can be.
pub(super) fn fallback_fields(sent: &Form) -> [Field; 2] {
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

/// All that is to be filled in.
pub(super) fn parts(sent: &Form) -> Vec<Part> {
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

/// Who that is, as a form says; `None` where it says nothing.
pub(super) fn fallback(form: &Form) -> Option<Fallback> {
    let (name, email) = (form.text("fallback_name"), form.text("fallback_email"));
    let is_any = !name.is_empty() || !email.is_empty();
    is_any.then(|| Fallback {
        name: name.to_owned(),
        email: email.to_owned(),
    })
}

/// The change that a form asks for.
pub(super) fn change(form: &Form) -> Result<LocationChange, Trouble> {
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
