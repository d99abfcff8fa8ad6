//! The order of a run: the limits of the machine, then for each size a fresh server that is filled and measured,
//! each figure next to that of the bare handlers.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::bare::Answers;
use crate::client::{Connection, Exchange, Target};
use crate::database::{Database, Kind};
use crate::load::{Amount, Measured, run as generate};
use crate::machine::{Machine, resident_mib};
use crate::report::{Beside, Figure, Goal, GroupFigure, Memory, Report, Walk};
use crate::server::Server;
use crate::{limits, requests};

/// What to measure.
pub(crate) struct Plan {
    pub(crate) portreeve: PathBuf,
    pub(crate) folder: TempDir,
    pub(crate) database: Kind,
    pub(crate) users: Vec<u64>,
    pub(crate) members: Vec<u64>,
    pub(crate) connections: usize,
    pub(crate) time: Duration,
}

/// People that a group's membership is measured with.
const NEWCOMERS: u64 = 1000;

/// Members per request while a group is filled.
const BATCH: usize = 1000;

pub(crate) async fn run(plan: &Plan) -> Result<Report> {
    ensure!(!plan.users.is_empty(), "--users names no size");
    say("the disk and SQLite by themselves")?;
    let mut report = Report {
        machine: Machine::describe()?,
        limits: limits::measure(plan.folder.path(), plan.time)?,
        connections: plan.connections,
        database: plan.database,
        figures: Vec::new(),
        walks: Vec::new(),
        memory: Vec::new(),
        groups: Vec::new(),
    };
    let database = Database::start(plan.database);
    for (index, users) in plan.users.iter().enumerate() {
        let mut stage = Stage::start(plan, &database, *users).await?;
        stage.measure(&mut report).await?;
        if index + 1 == plan.users.len() {
            stage.measure_groups(&mut report).await?;
        }
    }
    Ok(report)
}

struct Person {
    number: u64,
    id: Arc<str>,
}

/// A server filled to one size, and the bare handlers with its answers, also over SQLite where that is its database.
struct Stage<'a> {
    plan: &'a Plan,
    users: u64,
    server: Server,
    bare: Server,
    floor: Option<Server>,
    answers: Answers,
    people: Arc<Vec<Person>>,
    next_number: u64,
}

impl<'a> Stage<'a> {
    async fn start(plan: &'a Plan, database: &Database, users: u64) -> Result<Self> {
        say(&format!("filling a server with {users} users"))?;
        let data = plan.folder.path().join(format!("portreeve-{users}"));
        std::fs::create_dir(&data)?;
        let server = Server::portreeve(&plan.portreeve, &data, database.fresh().as_deref()).await?;
        let answers = record(&server).await?;
        let file = plan.folder.path().join(format!("answers-{users}.json"));
        std::fs::write(&file, serde_json::to_vec(&answers)?)?;
        let authorization = &server.target.authorization;
        let bare = Server::bare(&file, authorization.clone()).await?;
        let floor = match plan.database {
            Kind::Sqlite => {
                let database = plan.folder.path().join(format!("floor-{users}.db"));
                Some(Server::floor(&file, &database, users, authorization.clone()).await?)
            }
            Kind::Postgres => None,
        };
        let mut stage = Self {
            plan,
            users,
            server,
            bare,
            floor,
            answers,
            people: Arc::default(),
            next_number: 1,
        };
        // One is stored already: the one whose answers were recorded.
        stage
            .create(Amount::Requests(users.saturating_sub(1)))
            .await?;
        Ok(stage)
    }

    async fn measure(&mut self, report: &mut Report) -> Result<()> {
        self.measure_reads(report).await?;
        self.measure_patch(report).await?;
        say(&format!("{} users: all of them by cursor", self.users))?;
        let walked = walk(&self.server.target, self.users).await?;
        report.walks.push(walked);
        let (now_mib, most_mib) = resident_mib(self.server.process()?)?;
        report.memory.push(Memory {
            users: self.users,
            now_mib,
            most_mib,
        });
        // Last, because it changes the size.
        self.measure_create(report).await
    }

    /// The share of the bare handler is asked of the embedded database alone.
    fn goal(&self, share: f64, embedded: f64, postgres: f64) -> Goal {
        match self.plan.database {
            Kind::Sqlite => Goal {
                share: Some(share),
                per_second: embedded,
            },
            Kind::Postgres => Goal {
                share: None,
                per_second: postgres,
            },
        }
    }

    async fn measure_reads(&self, report: &mut Report) -> Result<()> {
        let goal = self.goal(0.50, 10_000.0, 6_000.0);
        let users = self.users;
        for (name, find) in [
            (
                "lookup by userName",
                requests::find_by_user_name as fn(u64) -> Exchange,
            ),
            ("lookup by externalId", requests::find_by_external_id),
        ] {
            let beside = Beside {
                goal,
                bare: self.bare(find).await?,
                floor: self
                    .floor(move |number| find(scatter(number, users)))
                    .await?,
            };
            let ask = requests_for(&self.people, find);
            self.add(report, name, ask, Some(beside)).await?;
        }

        let people = Arc::clone(&self.people);
        let get = move |number| {
            with_person(&people, number, |person| {
                requests::read(&person.id, person.number)
            })
        };
        self.add(report, "get", get, None).await?;

        let pages = (self.users / 100).max(1);
        self.add(
            report,
            "list page of 100",
            move |number| requests::page(scatter(number, pages) * 100 + 1),
            None,
        )
        .await?;
        Ok(())
    }

    async fn measure_patch(&self, report: &mut Report) -> Result<()> {
        let users = self.users;
        let of_floor = move |number| {
            let person = scatter(number, users);
            requests::change(&requests::external_id(person), person, number)
        };
        let beside = Beside {
            goal: self.goal(0.30, 4_000.0, 1_500.0),
            bare: self
                .bare(|number| requests::change("person", number, number))
                .await?,
            floor: self.floor(of_floor).await?,
        };
        let people = Arc::clone(&self.people);
        let change = move |number| {
            with_person(&people, number, |person| {
                requests::change(&person.id, person.number, number)
            })
        };
        self.add(report, "PATCH", change, Some(beside)).await
    }

    async fn measure_create(&mut self, report: &mut Report) -> Result<()> {
        let first = self.users;
        let beside = Beside {
            goal: self.goal(0.35, 5_000.0, 1_500.0),
            bare: self.bare(requests::create).await?,
            floor: self
                .floor(move |number| requests::create(first + number))
                .await?,
        };
        say(&format!("{} users: create", self.users))?;
        let measured = self.create(Amount::Time(self.plan.time)).await?;
        report
            .figures
            .push(Figure::new(self.users, "create", measured, Some(beside)));
        Ok(())
    }

    /// Measures one kind of request on the server and adds it to the report.
    async fn add(
        &self,
        report: &mut Report,
        name: &'static str,
        make: impl Fn(u64) -> Exchange + Send + Sync + 'static,
        beside: Option<Beside>,
    ) -> Result<()> {
        say(&format!("{} users: {name}", self.users))?;
        let amount = Amount::Time(self.plan.time);
        let measured = generate(
            &self.server.target,
            self.plan.connections,
            amount,
            make,
            |_, _| Ok(()),
        )
        .await?;
        report
            .figures
            .push(Figure::new(self.users, name, measured, beside));
        Ok(())
    }

    /// Measures the same requests on the bare handlers, whose answers all name the recorded person.
    async fn bare(
        &self,
        make: impl Fn(u64) -> Exchange + Send + Sync + 'static,
    ) -> Result<Measured> {
        ensure!(
            self.answers.create.contains(&requests::user_name(0)),
            "the recorded answer names another person"
        );
        let make = move |number| Exchange {
            contains: requests::user_name(0),
            ..make(number)
        };
        generate(
            &self.bare.target,
            self.plan.connections,
            Amount::Time(self.plan.time),
            make,
            |_, _| Ok(()),
        )
        .await
    }

    /// Measures the like of them on the bare handlers over SQLite, which have their own people.
    async fn floor(
        &self,
        make: impl Fn(u64) -> Exchange + Send + Sync + 'static,
    ) -> Result<Option<Measured>> {
        let Some(floor) = &self.floor else {
            return Ok(None);
        };
        let amount = Amount::Time(self.plan.time);
        let connections = self.plan.connections;
        let measured = generate(&floor.target, connections, amount, make, |_, _| Ok(())).await?;
        Ok(Some(measured))
    }

    /// Creates people with numbers not used before.
    async fn create(&mut self, amount: Amount) -> Result<Measured> {
        let made = Arc::new(Mutex::new(Vec::new()));
        let (first, seen) = (self.next_number, Arc::clone(&made));
        let note = move |number, body: &Bytes| {
            let id = serde_json::from_slice::<Identified>(body)?.id.into();
            let person = Person {
                number: first + number,
                id,
            };
            seen.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(person);
            Ok(())
        };
        let make = move |number| requests::create(first + number);
        let measured = generate(
            &self.server.target,
            self.plan.connections,
            amount,
            make,
            note,
        )
        .await?;
        let mut made = std::mem::take(&mut *made.lock().unwrap_or_else(PoisonError::into_inner));
        self.next_number = made
            .iter()
            .map(|person| person.number + 1)
            .fold(first, u64::max);
        let people = Arc::get_mut(&mut self.people).context("the list of people is in use")?;
        people.append(&mut made);
        Ok(measured)
    }

    async fn measure_groups(&mut self, report: &mut Report) -> Result<()> {
        let most = self.plan.members.iter().copied().max().unwrap_or(0);
        let missing = (most + NEWCOMERS).saturating_sub(self.people.len() as u64);
        self.create(Amount::Requests(missing)).await?;
        for size in &self.plan.members {
            say(&format!(
                "a group of {size}: adding and removing one member"
            ))?;
            let measured = self.measure_group(usize::try_from(*size)?).await?;
            report.groups.push(GroupFigure {
                members: *size,
                measured,
            });
        }
        Ok(())
    }

    async fn measure_group(&self, size: usize) -> Result<Measured> {
        let mut connection = Connection::open(&self.server.target).await?;
        let made = connection
            .exchange(&requests::create_group(&format!("Group of {size}")))
            .await?;
        let group = serde_json::from_slice::<Identified>(&made.body)?.id;
        let members: Vec<Arc<str>> = self
            .people
            .iter()
            .take(size)
            .map(|person| Arc::clone(&person.id))
            .collect();
        for batch in members.chunks(BATCH) {
            connection
                .exchange(&requests::add_members(&group, batch))
                .await?;
        }
        let newcomers: Vec<Arc<str>> = self
            .people
            .iter()
            .skip(size)
            .map(|person| Arc::clone(&person.id))
            .collect();
        let make = move |number: u64| {
            let who = usize::try_from(number / 2 % NEWCOMERS).unwrap_or(0);
            let one = &newcomers[who..=who];
            if number.is_multiple_of(2) {
                requests::add_members(&group, one)
            } else {
                requests::remove_members(&group, one)
            }
        };
        let amount = Amount::Time(self.plan.time);
        generate(
            &self.server.target,
            self.plan.connections,
            amount,
            make,
            |_, _| Ok(()),
        )
        .await
    }
}

/// Reads all users, page by page, and counts them.
pub(crate) async fn walk(target: &Target, users: u64) -> Result<Walk> {
    let mut connection = Connection::open(target).await?;
    let begun = Instant::now();
    let (mut seen, mut pages, mut cursor) = (0, 0, Some(String::new()));
    let mut last_page = Duration::ZERO;
    while let Some(at) = cursor {
        let asked = Instant::now();
        let answer = connection.exchange(&requests::cursor_page(&at)).await?;
        last_page = asked.elapsed();
        let page: Page = serde_json::from_slice(&answer.body)?;
        seen += page.resources.len() as u64;
        pages += 1;
        cursor = page.next_cursor;
    }
    ensure!(
        seen == users,
        "the cursor led past {seen} users, {users} are stored"
    );
    Ok(Walk {
        users,
        pages,
        seconds: begun.elapsed().as_secs_f64(),
        last_page,
    })
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "Resources", default)]
    resources: Vec<IgnoredAny>,
    #[serde(rename = "nextCursor")]
    next_cursor: Option<String>,
}

/// Creates person 0 and takes down what the server answers.
async fn record(server: &Server) -> Result<Answers> {
    let mut connection = Connection::open(&server.target).await?;
    let mut ask = async |exchange: Exchange| -> Result<String> {
        Ok(String::from_utf8(
            connection.exchange(&exchange).await?.body.into(),
        )?)
    };
    let create = ask(requests::create(0)).await?;
    let lookup = ask(requests::find_by_user_name(0)).await?;
    let id = serde_json::from_str::<Identified>(&create)?.id;
    let patch = ask(requests::change(&id, 0, 0)).await?;
    Ok(Answers {
        create,
        lookup,
        patch,
    })
}

/// Requests about people all over the directory, so that no page of the database is favoured.
fn requests_for(
    people: &Arc<Vec<Person>>,
    make: fn(u64) -> Exchange,
) -> impl Fn(u64) -> Exchange + Send + Sync + 'static {
    let people = Arc::clone(people);
    move |number| with_person(&people, number, |person| make(person.number))
}

fn with_person(people: &[Person], number: u64, make: impl Fn(&Person) -> Exchange) -> Exchange {
    let index = scatter(number, people.len() as u64);
    make(&people[usize::try_from(index).unwrap_or(0)])
}

/// A number below `limit` that jumps about as `number` counts up (Fibonacci hashing).
pub(crate) fn scatter(number: u64, limit: u64) -> u64 {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % limit.max(1)
}

pub(crate) fn say(what: &str) -> Result<()> {
    writeln!(std::io::stderr(), "bench: {what}")?;
    Ok(())
}
