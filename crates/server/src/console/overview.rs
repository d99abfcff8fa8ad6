//! The Overview: whether everything runs, what needs somebody, what is still to be set up, what happened.

use super::happening::{happening, time};
use super::trouble::Trouble;
use super::visit::Visit;
use super::{attention, attention::of_team};
use crate::contact;
use crate::sso::page;
use axum::response::Response;
use portreeve_console::pages::overview::{Overview, Tile, TileValue};
use portreeve_console::parts::Alert;
use portreeve_console::parts::{Bar, Chart, Series, Step, StepState, Steps, Tone};
use portreeve_console::{Address, Section};
use portreeve_directory::actors::Actors;
use portreeve_directory::applications::{self, Application};
use portreeve_directory::directories::{self, Counts, Directory};
use portreeve_directory::event_counts::{self, Count, HOUR};
use portreeve_directory::events::{self, Event, Query};
use portreeve_directory::{Permission, Refusal, connections, sessions};
use portreeve_store::Tx;

/// Over how many days charts go.
const DAYS: i64 = 14;
/// How many events are shown.
const RECENT: i64 = 8;
/// More sessions than this are "many".
const SESSIONS: i64 = 1000;

/// What the page is made of.
struct Facts {
    directories: Vec<Directory>,
    counts: Counts,
    applications: Vec<Application>,
    attention: Vec<Alert>,
    sessions: usize,
    has_connection: bool,
    has_sign_in: bool,
    hours: Vec<Count>,
    recent: Vec<Event>,
    actors: Actors,
}

/// The Overview. Who may see nothing but their own page is led there.
pub(super) async fn show(visit: Visit) -> Response {
    if !visit.may(Permission::DirectoryRead) {
        return page::see(Section::Me.path(), None);
    }
    visit.or_trouble(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Response, Trouble> {
    contact::flush(&visit.app).await;
    let (team, now) = (visit.team.id.clone(), visit.admin.at);
    let facts = visit.read(move |tx| Facts::read(tx, &team, now)).await?;
    let mut shell = visit.shell();
    shell.needs_attention = facts.attention.len();
    Ok(visit.page(&Overview {
        shell,
        tiles: facts.tiles(),
        checklist: facts.checklist(),
        charts: facts.charts(now),
        recent: facts
            .recent
            .iter()
            .map(|event| happening(event, &facts.actors))
            .collect(),
        attention: facts.attention,
    }))
}

impl Facts {
    fn read(tx: &mut Tx<'_>, team_id: &str, now: i64) -> Result<Self, Refusal> {
        let directories = of_team(tx, team_id)?;
        let mut counts = Counts::default();
        for directory in &directories {
            let of = directories::counts(tx, &directory.id)?;
            counts.active_users += of.active_users;
            counts.suspended_users += of.suspended_users;
            counts.groups += of.groups;
        }
        let query = Query {
            limit: RECENT,
            ..Query::default()
        };
        let recent = events::list(tx, team_id, &query)?;
        let live = sessions::live(tx, team_id, now, None, SESSIONS)?;
        Ok(Self {
            applications: applications::list(tx, team_id)?,
            attention: attention::list(tx, team_id, now)?,
            has_connection: !connections::in_team(tx, team_id)?.is_empty(),
            has_sign_in: live.iter().any(|session| session.method == "oidc"),
            sessions: live.len(),
            hours: event_counts::since(tx, team_id, first_hour(now))?,
            actors: Actors::of(tx, team_id, &recent)?,
            directories,
            counts,
            recent,
        })
    }

    fn tiles(&self) -> Vec<Tile> {
        let suspended = match self.counts.suspended_users {
            0 => "none suspended".to_owned(),
            count => format!("{count} suspended"),
        };
        let signed_in = match usize::try_from(SESSIONS) {
            Ok(most) if self.sessions >= most => format!("{most} or more"),
            _ => self.sessions.to_string(),
        };
        let users = self.counts.active_users.to_string();
        let groups = self.counts.groups.to_string();
        let sessions = Address::new("/console/settings/sessions");
        vec![
            self.last_request(),
            tile("Users", users, suspended, Section::Users.address()),
            tile("Groups", groups, String::new(), Section::Groups.address()),
            tile("Signed in", signed_in, "sessions now".to_owned(), sessions),
            self.applications_tile(),
        ]
    }

    fn last_request(&self) -> Tile {
        let heard = self.directories.iter().filter_map(|directory| {
            let at = directory.last_contact_at?;
            Some((at, directory.name.clone()))
        });
        let none = tile(
            "Last request",
            "none yet".to_owned(),
            String::new(),
            Section::Directories.address(),
        );
        match heard.max() {
            Some((at, detail)) => Tile {
                value: TileValue::Time(time(at)),
                detail,
                tone: Tone::Good,
                ..none
            },
            None => none,
        }
    }

    fn applications_tile(&self) -> Tile {
        let ill = self.applications.iter();
        let ill = ill.filter(|application| application.quarantine.is_some());
        let (detail, tone) = match ill.count() {
            0 => (String::new(), Tone::Neutral),
            count => (format!("{count} in quarantine"), Tone::Bad),
        };
        let log = Section::Logs.address().with("category", "PROVISIONING");
        Tile {
            tone,
            ..tile(
                "Applications",
                self.applications.len().to_string(),
                detail,
                log,
            )
        }
    }

    /// What is still to be set up, in the order in which one does it.
    fn checklist(&self) -> Option<Steps> {
        let first = self.directories.first();
        let directory = first.map_or(Section::Directories.address(), attention::page);
        let heard = self
            .directories
            .iter()
            .any(|directory| directory.last_contact_at.is_some());
        let people = self.counts.active_users + self.counts.suspended_users > 0;
        let steps = [
            (
                "Make a directory",
                "It gives you tenant URL and secret token.",
                first.is_some(),
                Address::new("/console/directories/new"),
            ),
            (
                "Connect the identity provider",
                "Paste both there, test the connection, start provisioning.",
                heard,
                directory.clone(),
            ),
            (
                "See people arrive",
                "They appear as the provider sends them, without a reload.",
                people,
                Section::Users.address(),
            ),
            (
                "Let people sign in",
                "Connect the provider for single sign-on.",
                self.has_connection,
                directory.join("sign-in"),
            ),
            (
                "Sign in yourself, and make an admin",
                "Then the one-time link is for emergencies only.",
                self.has_sign_in,
                Section::Users.address(),
            ),
        ];
        if steps.iter().all(|(_, _, done, _)| *done) {
            return None;
        }
        let mut current = true;
        let steps = steps.map(|(label, detail, done, href)| Step {
            label: label.to_owned(),
            detail: detail.to_owned(),
            state: match done {
                true => StepState::Done,
                false if std::mem::take(&mut current) => StepState::Current,
                false => StepState::Ahead,
            },
            href: Some(href),
        });
        Some(Steps {
            label: "First steps".to_owned(),
            steps: steps.into(),
        })
    }

    fn charts(&self, now: i64) -> Vec<Chart> {
        let chart = |id, title: &str, series: Vec<Series>, of: &[&[(&str, bool)]]| Chart {
            id,
            title: title.to_owned(),
            period: "Last 14 days",
            series,
            bars: self.bars(now, of),
        };
        let done = |label| Series {
            label,
            tone: Tone::Info,
        };
        let refused = |label| Series {
            label,
            tone: Tone::Bad,
        };
        vec![
            chart(
                "provisioning",
                "Provisioning",
                vec![done("changes"), refused("refused")],
                &[
                    &[("SCIM_SYNC", false), ("PROVISIONING", false)],
                    &[("SCIM_SYNC", true), ("PROVISIONING", true)],
                ],
            ),
            chart(
                "sign-ins",
                "Sign-ins",
                vec![done("sign-ins and -outs"), refused("refused")],
                &[&[("AUTH", false)], &[("AUTH", true)]],
            ),
        ]
    }

    /// A bar for each day; of each series what it counts: categories, and whether they were refused.
    fn bars(&self, now: i64, series: &[&[(&str, bool)]]) -> Vec<Bar> {
        let first = first_hour(now);
        let days = 0..DAYS;
        days.map(|day| {
            let hours = first + 24 * day..first + 24 * (day + 1);
            let values = series.iter().map(|counted| {
                let of = self.hours.iter().filter(|one| hours.contains(&one.hour));
                let of = of.filter(|one| counted.contains(&(one.category.as_str(), one.refused)));
                of.map(|one| u64::try_from(one.number).unwrap_or(0)).sum()
            });
            Bar {
                values: values.collect(),
                label: time(hours.start * HOUR).0.strftime("%-d %b").to_string(),
            }
        })
        .collect()
    }
}

/// The hour in which the charts begin: the first of a day (UTC).
fn first_hour(now: i64) -> i64 {
    let today = now / HOUR / 24;
    (today - DAYS + 1) * 24
}

fn tile(label: &'static str, value: String, detail: String, href: Address) -> Tile {
    Tile {
        label,
        value: TileValue::Text(value),
        detail,
        tone: Tone::Neutral,
        href,
    }
}
