//! Visitors who are announced.

use super::visits::{nobody, show_list};
use super::{locations_of, person, visit_page};
use crate::admin::visits::{self, NewVisit};
use crate::console::form::Form;
use crate::console::settings::question;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::Section;
use portreeve_console::parts::{Choice, Confirm, Field, Form as Input};
use portreeve_directory::{Refusal, What, visit_locations};
use portreeve_scim::time::format;

/// Asks for a visitor to be announced: at one of these locations (id and name), with somebody who is given by id, directory
/// and name, else with whoever is written.
pub(super) fn expectation(
    locations: &[(String, String)],
    whom: Option<(&str, &str, &str)>,
) -> Confirm {
    let (title, effect) = match whom {
        Some((.., name)) => (
            format!("Expect a visitor of {name}"),
            "They are told now, and again when the visitor comes.",
        ),
        None => (
            "Expect a visitor".to_owned(),
            "Whom they come to see is told now, and again when they come.",
        ),
    };
    let mut expect = question(
        "expect".to_owned(),
        "Expect a visitor…",
        title,
        effect,
        Section::Visitors.address().join("visits"),
    );
    expect.label = "Announce".to_owned();
    expect.danger = false;
    let chosen = |index: usize| index == 0;
    let choices = locations
        .iter()
        .enumerate()
        .map(|(index, (id, name))| Choice::new(id.clone(), name.clone(), chosen(index)));
    let line = |name, label: &str| Field::line("visit", name, label, "");
    expect.fields = vec![
        line("name", "Visitor").required(),
        line("company", "Company"),
    ];
    match whom {
        Some((id, directory, _)) => {
            expect.values = vec![
                ("visitor_host", id.to_owned()),
                ("directory", directory.to_owned()),
            ];
        }
        None => expect.fields.push(
            line("visitor_host", "Comes to see")
                .example("ada@contoso.com")
                .help("The user name. Without one, whom the location names for that is told."),
        ),
    }
    expect.fields.extend([
        Field::new(
            "visit",
            "location",
            "Location",
            Input::Select(choices.collect()),
        ),
        line("expected_at", "When")
            .kind("datetime-local")
            .help("By the clock of the location.")
            .required(),
        line("purpose", "Purpose"),
    ]);
    expect
}

/// Announces a visitor.
pub(in crate::console) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let expected_at = expected_at(&visit, &form).await?;
        let wanted = NewVisit {
            location: form.text("location").to_owned(),
            visitor_host: form.filled("visitor_host"),
            directory: form.filled("directory"),
            name: form.text("name").to_owned(),
            company: form.filled("company"),
            purpose: form.filled("purpose"),
            expected_at,
            team: None,
        };
        match visits::create(&visit.app, &visit.admin, wanted).await {
            Ok(made) => {
                let said = format!("{} is expected.", made.visitor_name);
                Ok(visit.done(&visit_page(&made.id), &said))
            }
            Err(refusal) => refused(&visit, &form, refusal).await,
        }
    };
    visit.or_trouble(done.await)
}

/// When a visitor is expected, which a form says by the clock on the wall of the location. What is no such time is for the
/// announcement to refuse.
async fn expected_at(visit: &Visit, form: &Form) -> Result<String, Trouble> {
    let written = form.text("expected_at");
    let locations = locations_of(visit).await?;
    let location = locations.iter().find(|one| one.id == form.text("location"));
    let zone = location.and_then(|one| visit_locations::zone(&one.settings.time_zone).ok());
    let there = zone.zip(written.parse::<jiff::civil::DateTime>().ok());
    let at = there.and_then(|(zone, at)| zone.to_timestamp(at).ok());
    Ok(at.map_or_else(|| written.to_owned(), |at| format(at.as_microsecond())))
}

/// The page from which a visitor was announced again, with what was wrong.
async fn refused(visit: &Visit, form: &Form, refusal: Refusal) -> Result<Response, Trouble> {
    let problem = match refusal {
        Refusal::NotFound(What::User, name) => nobody(&name),
        other => Trouble::from(other).problem()?,
    };
    match form.text("directory") {
        "" => show_list(visit, Some(problem)).await,
        directory => {
            let whom = (directory, form.text("visitor_host"));
            person::again(visit, whom, problem).await
        }
    }
}
