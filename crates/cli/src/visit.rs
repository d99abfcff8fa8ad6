//! `portreeve visit`: who came to see whom, and who is in the house.

use crate::Global;
use crate::body;
use crate::client::{Api, page_size};
use crate::failure::Failure;
use crate::live;
use crate::output::{self, Column, Format, Shape, plain};
use crate::scope::{AtLocation, OfTeam};
use crate::time;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List visits, the latest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// At most so many [default: 50; with --state here all]
        #[arg(long, value_name = "NUMBER")]
        limit: Option<usize>,
    },
    /// Show a visit
    Get(Which),
    /// Announce a visitor: whoever is visited is told, and the reception knows of them
    Expect(New),
    /// Sign a visitor out, or take back that one is expected
    SignOut(Which),
    /// Write visits out, the latest first: CSV with -o csv, else one JSON object per line
    Export(Filter),
    /// Show what people and programs are still to be told of visitors
    Notices(OfTeam),
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Id of the visit
    visit: String,
    #[command(flatten)]
    team: OfTeam,
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The visitor
    name: String,
    /// When: in how long, such as 2h, or a time such as 2027-01-31T09:30:00+01:00
    #[arg(long, value_name = "WHEN")]
    at: String,
    /// Who is visited, by user name or id [default: whoever the location has for that]
    #[arg(long, value_name = "USER", add = live::users())]
    visitor_host: Option<String>,
    /// Their directory, by id or name; needed only where several have such a person
    #[arg(long, short, value_name = "ID|NAME", add = live::directories())]
    directory: Option<String>,
    /// Whom the visitor works for
    #[arg(long)]
    company: Option<String>,
    /// What for
    #[arg(long)]
    purpose: Option<String>,
    #[command(flatten)]
    location: AtLocation,
}

/// Which visits.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Only at this location, by name or id
    #[arg(long, short, value_name = "NAME", add = live::visit_locations())]
    location: Option<String>,
    /// Only those
    #[arg(long, value_parser = ["expected", "here", "gone"])]
    state: Option<String>,
    /// Only with this person, by user name or id
    #[arg(long, value_name = "USER", add = live::users())]
    visitor_host: Option<String>,
    /// Only from this time on: how long ago, such as 7d, or a date
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// Only before this time: how long ago, such as 1d, or a date
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    #[command(flatten)]
    team: OfTeam,
}

/// How many visits are listed where nobody says.
const USUAL: usize = 50;

const LIST: Shape = Shape {
    columns: &[
        Column::text("VISITOR", "visitor_name"),
        Column::text("COMPANY", "company"),
        Column::made("VISITS", "visitor_host.name", visited),
        Column::text("LOCATION", "location.name"),
        Column::text("STATE", "state"),
        Column::time("EXPECTED", "expected_at", ""),
        Column::time("CAME", "came_at", ""),
        Column::time("LEFT", "left_at", ""),
        Column::text("ID", "id"),
    ],
    name: "id",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("Id", "id"),
        Column::text("Visitor", "visitor_name"),
        Column::text("Company", "company"),
        Column::text("Purpose", "purpose"),
        Column::text("Visits", "visitor_host.name"),
        Column::time("Not to be found since", "visitor_host_is_gone_since", ""),
        Column::text("Location", "location.name"),
        Column::text("State", "state"),
        Column::time("Expected", "expected_at", ""),
        Column::time("Came", "came_at", ""),
        Column::time("Left", "left_at", ""),
        Column::text("Answer", "answer.what"),
        Column::text("Picture", "has_photo"),
        Column::text("Anonymous", "is_anonymous"),
    ],
    name: "id",
};

const NOTICES: Shape = Shape {
    columns: &[
        Column::text("Mails", "mails.waiting"),
        Column::time("Oldest mail", "mails.oldest_at", ""),
        Column::text("Trouble with mails", "mails.last_error"),
        Column::text("Webhooks", "webhooks.waiting"),
        Column::time("Oldest webhook", "webhooks.oldest_at", ""),
        Column::text("Trouble with webhooks", "webhooks.last_error"),
    ],
    name: "mails.waiting",
};

/// Whom, and whether they can still be found.
fn visited(visit: &Value) -> String {
    let name = plain(&visit["visitor_host"]["name"]);
    match visit["visitor_host_is_gone_since"].is_null() || name.is_empty() {
        true => name,
        false => format!("{name} (not to be found)"),
    }
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::List { filter, limit } => {
            let given = filter.given()?;
            // In an emergency nobody may be left out.
            let usual = match filter.state.as_deref() {
                Some("here") => usize::MAX,
                _ => USUAL,
            };
            let limit = limit.unwrap_or(usual);
            let size = page_size(limit);
            let mut query = pairs(&given);
            query.push(("limit", &size));
            let found = api.walk(&["visits"], &query, limit).await;
            output::list(format, &LIST, &found.map_err(missing_place)?)
        }
        Command::Get(which) => {
            let path = ["visits", which.visit.as_str()];
            let found = api.get(&path, &which.team.query()).await;
            output::one(format, &ONE, &found.map_err(missing)?)
        }
        Command::Expect(new) => expect(&api, format, &new).await,
        Command::SignOut(which) => {
            let path = ["visits", which.visit.as_str(), "sign-out"];
            let gone = api.post_where(&path, &which.team.query(), &json!({})).await;
            output::one(format, &ONE, &gone.map_err(missing)?)
        }
        Command::Export(filter) => export(&api, format, &filter).await,
        Command::Notices(team) => {
            let waiting = api.get(&["visits", "notices"], &team.query()).await?;
            output::one(format, &NOTICES, &waiting)
        }
    }
}

async fn expect(api: &Api, format: Format, new: &New) -> Result<(), Failure> {
    let location = new.location.resolve(api).await?;
    let mut body = body::given([
        ("visitor_host", &new.visitor_host),
        ("directory", &new.directory),
        ("company", &new.company),
        ("purpose", &new.purpose),
        ("team", &new.location.team.team),
        ("expected_at", &body::end("--at", Some(&new.at))?),
    ]);
    body.insert("name".into(), json!(new.name));
    body.insert("location".into(), json!(location));
    let made = api.post(&["visits"], &Value::Object(body)).await;
    output::one(format, &ONE, &made.map_err(missing_place)?)
}

/// Writes visits out as they come, whatever their number.
async fn export(api: &Api, format: Format, filter: &Filter) -> Result<(), Failure> {
    let given = filter.given()?;
    let mut query = pairs(&given);
    query.push(match format {
        Format::Csv => ("format", "csv"),
        _ => ("format", "json"),
    });
    let written = api.lines(&["visits", "export"], &query, |line| match format {
        Format::Csv | Format::Json | Format::Table => output::print(line),
        Format::Yaml | Format::Name => {
            let visit: Value = serde_json::from_str(line).map_err(Failure::plain)?;
            match format {
                Format::Yaml => output::yaml_document(&visit),
                _ => output::list(format, &LIST, &[visit]),
            }
        }
    });
    written.await.map_err(missing_place)
}

impl Filter {
    fn given(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let at = |flag: &str, text: &Option<String>| {
            let at = text.as_deref().map(|text| time::since(text, time::now()));
            let at = at.transpose();
            let at = at.map_err(|wrong| Failure::usage(format!("{flag}: {wrong}")))?;
            Ok::<_, Failure>(at.map(|at| at.to_string()))
        };
        let all = [
            ("team", self.team.team.clone()),
            ("location", self.location.clone()),
            ("state", self.state.clone()),
            ("visitor_host", self.visitor_host.clone()),
            ("from", at("--from", &self.from)?),
            ("until", at("--until", &self.until)?),
        ];
        let given = all
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        Ok(given.collect())
    }
}

fn pairs<'a>(given: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    let pairs = given.iter().map(|(name, value)| (*name, value.as_str()));
    pairs.collect()
}

fn missing(failure: Failure) -> Failure {
    failure.hint_if_missing("portreeve visit list shows the latest visits with their ids")
}

fn missing_place(failure: Failure) -> Failure {
    failure.hint_if_missing(
        "portreeve visit-location list shows the locations there are, portreeve visitor-host list the people",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_of_whom_that_they_are_gone() {
        let ada = json!({"name": "Ada King"});
        for (name, visit, shown) in [
            (
                "there",
                json!({"visitor_host": ada, "visitor_host_is_gone_since": null}),
                "Ada King",
            ),
            (
                "gone",
                json!({"visitor_host": ada, "visitor_host_is_gone_since": "2027-01-31T09:30:00Z"}),
                "Ada King (not to be found)",
            ),
            ("nobody", json!({"visitor_host": null}), ""),
        ] {
            assert_eq!(visited(&visit), shown, "{name}");
        }
    }
}
