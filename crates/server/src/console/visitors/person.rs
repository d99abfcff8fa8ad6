//! One visitor host: whether visitors find them, what they see, who is told.

use super::expect::expectation;
use super::visits::state;
use super::{location_page, locations_of, page_of, visibility, visit_page};
use crate::admin::visitor_hosts::{self, VisitorHostChange, VisitorHostView};
use crate::console::form::Form;
use crate::console::happening::time;
use crate::console::people::{group_page, history, source, user_page};
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::pages::visitors::{Open, Person, Seen};
use portreeve_console::parts::{
    Alert, Copyable, Fact, Facts, Field, Form as Input, Link, Shown, Tone,
};
use portreeve_console::{Address, Section};
use portreeve_directory::visit_locations::Location;
use portreeve_directory::visitor_hosts::Visibility;
use portreeve_directory::{Permission, memberships, visits};

/// The person that the path names.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    let shown = async {
        let (directory, person) = (visit.param("directory"), visit.param("person"));
        make(&visit, &find(&visit, &directory, &person).await?, None).await
    };
    visit.answer(shown.await)
}

async fn find(visit: &Visit, directory: &str, person: &str) -> Result<VisitorHostView, Trouble> {
    Ok(visitor_hosts::get(&visit.app, &visit.admin, directory, person).await?)
}

/// The page of somebody (by directory and id) again, with what was wrong.
pub(super) async fn again(
    visit: &Visit,
    (directory, person): (&str, &str),
    problem: Alert,
) -> Result<Response, Trouble> {
    let one = find(visit, directory, person).await?;
    Ok(visit.again(&make(visit, &one, Some((problem, None))).await?))
}

async fn make(
    visit: &Visit,
    one: &VisitorHostView,
    refused: Option<(Alert, Option<&Form>)>,
) -> Result<Person, Trouble> {
    let (directory, id) = (one.directory_id.as_str(), one.id.as_str());
    let may = visit.may(Permission::VisitorWrite);
    let locations = locations_of(visit).await?;
    let stored = stored(one);
    let (problem, sent) = match refused {
        Some((alert, sent)) => (Some(alert), sent),
        None => (None, None),
    };
    let user = visit
        .may(Permission::UserRead)
        .then(|| user_page(directory, id));
    let named = locations
        .iter()
        .map(|location| (location.id.clone(), location.name.clone()));
    let named: Vec<(String, String)> = named.collect();
    let may_expect = may && one.visibility == Visibility::Visible && !named.is_empty();
    Ok(Person {
        shell: visit.shell(),
        name: one.name.clone(),
        visibility: visibility(one.visibility),
        source: source(&one.managed_by),
        problem,
        why: why(one, user.as_ref()),
        profile: profile(one, may),
        seen: seen(visit, one, &locations).await?,
        groups: groups(visit, one).await?,
        open: open(visit, one, &locations).await?,
        visits: Section::Visitors.address().with("visitor_host", id),
        edit: may.then(|| (page_of(directory, id), fields(sent.unwrap_or(&stored)))),
        expect: may_expect.then(|| expectation(&named, Some((id, directory, one.name.as_str())))),
        user,
        history: history(visit, id).await?,
        all_history: Section::Logs.address().with("object", id),
    })
}

/// Why visitors do not find somebody, and what to do.
fn why(one: &VisitorHostView, user: Option<&Address>) -> Option<Alert> {
    let title = "Visitors do not find them";
    let alert = match one.visibility {
        Visibility::Visible => return None,
        Visibility::Unassigned => {
            let whose = match source(&one.managed_by).is_foreign() {
                true => {
                    "Their provider has deactivated them, or does not assign them any more. Assign them there again."
                }
                false => "They are suspended. Reinstate them on their page as a user.",
            };
            Alert::new(Tone::Warn, title, whose)
        }
        Visibility::Suspended => Alert::new(
            Tone::Warn,
            title,
            "They are suspended here. Reinstate them on their page as a user.",
        ),
        Visibility::HiddenByHand => Alert::new(
            Tone::Warn,
            title,
            "Somebody has hidden them here. Take that back where it says “Decided here”.",
        ),
    };
    let link = user.filter(|_| one.visibility != Visibility::HiddenByHand);
    Some(match link {
        Some(href) => alert.link(Link::new("As a user", href.clone())),
        None => alert,
    })
}

fn profile(one: &VisitorHostView, in_form: bool) -> Facts {
    let mut facts = vec![
        Fact::text("User name", one.user_name.clone()),
        Fact::text("Department", one.department.clone().unwrap_or_default()),
        Fact::text("Told of visitors", one.told.join(", ")),
    ];
    if !in_form {
        facts.extend([
            Fact::text("Nicknames", one.own.nicknames.clone()),
            Fact::text("Told as well", one.own.alternates.join(", ")),
        ]);
    }
    let id = Copyable::new("id", one.id.clone());
    facts.push(Fact::new("Id", Shown::Copyable(id)));
    Facts(facts)
}

/// What a visitor sees of somebody, location by location.
async fn seen(
    visit: &Visit,
    one: &VisitorHostView,
    locations: &[Location],
) -> Result<Vec<Seen>, Trouble> {
    let mut all = Vec::with_capacity(locations.len());
    for location in locations {
        let whom = (one.directory_id.as_str(), one.id.as_str());
        let (app, admin) = (&visit.app, &visit.admin);
        let preview = visitor_hosts::preview(app, admin, whom, &location.id).await?;
        let link = Link::new(location.name.clone(), location_page(&location.id));
        let why = preview.why_not.map(|hidden| hidden.sentence().to_owned());
        let (name, department) = match preview.seen {
            Some(seen) => (Some(seen.name), seen.department.unwrap_or_default()),
            None => (None, String::new()),
        };
        all.push(Seen {
            location: link,
            name,
            department,
            why: why.unwrap_or_default(),
        });
    }
    Ok(all)
}

async fn groups(visit: &Visit, one: &VisitorHostView) -> Result<Vec<Link>, Trouble> {
    let (directory, id, now) = (one.directory_id.clone(), one.id.clone(), visit.admin.at);
    let read = visit.read(move |tx| memberships::of_user(tx, &directory, &id, now));
    let mut groups = read.await?;
    groups.sort_by(|one, other| one.display.cmp(&other.display));
    let link = |group: memberships::InGroup| {
        let page = group_page(&one.directory_id, &group.id);
        Link::new(group.display, page)
    };
    Ok(groups.into_iter().map(link).collect())
}

/// Visitors who are with somebody, or expected.
async fn open(
    visit: &Visit,
    one: &VisitorHostView,
    locations: &[Location],
) -> Result<Vec<Open>, Trouble> {
    let (team, id) = (visit.team.id.clone(), one.id.clone());
    let open = visit.read(move |tx| visits::of_host(tx, &team, &id));
    let place = |id: &str| {
        let found = locations.iter().find(|location| location.id == id);
        found.map(|location| location.name.clone())
    };
    let row = |stay: visits::Visit| Open {
        href: visit_page(&stay.id),
        state: state(stay.state),
        location: place(&stay.location_id).unwrap_or_default(),
        at: time(stay.at),
        visitor: stay.visitor_name,
        company: stay.company,
    };
    Ok(open.await?.into_iter().map(row).collect())
}

/// What is decided here, as the form would send it.
fn stored(one: &VisitorHostView) -> Form {
    let own = &one.own;
    let pairs = [
        ("is_hidden", own.is_hidden.to_string()),
        ("nicknames", own.nicknames.clone()),
        ("alternates", own.alternates.join("\n")),
        ("only_alternates", own.only_alternates.to_string()),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
    Form::of(pairs.into())
}

fn fields(sent: &Form) -> Vec<Field> {
    let switch = |name, label: &str, help: &str| {
        let input = Input::Switch(sent.is_on(name));
        Field::new("person", name, label, input).help(help)
    };
    let alternates = Input::Text {
        value: sent.text("alternates").to_owned(),
        rows: 3,
    };
    vec![
        switch(
            "is_hidden",
            "Hidden from visitors",
            "They are not found, although the provider would have it.",
        ),
        Field::line("person", "nicknames", "Nicknames", sent.text("nicknames"))
            .help("By which visitors find them as well."),
        Field::new("person", "alternates", "Also told of visitors", alternates)
            .help("A mail address in each line."),
        switch(
            "only_alternates",
            "The address at work is not told",
            "But these are, and others that the provider says.",
        ),
    ]
}

/// Changes what is decided here.
pub(in crate::console) async fn save(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let (directory, person) = (visit.param("directory"), visit.param("person"));
        let alternates = form.text("alternates").lines().map(str::trim);
        let wanted = VisitorHostChange {
            is_hidden: Some(form.is_on("is_hidden")),
            alternates: Some(
                alternates
                    .filter(|line| !line.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
            only_alternates: Some(form.is_on("only_alternates")),
            nicknames: Some(form.text("nicknames").to_owned()),
        };
        let (app, admin) = (&visit.app, &visit.admin);
        match visitor_hosts::update(app, admin, &directory, &person, wanted).await {
            Ok(one) => {
                let page = page_of(&one.directory_id, &one.id);
                Ok(visit.done(&page, "The changes are saved."))
            }
            Err(refusal) => {
                let refused = (Trouble::from(refusal).problem()?, Some(&form));
                let one = find(&visit, &directory, &person).await?;
                Ok(visit.again(&make(&visit, &one, Some(refused)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}
