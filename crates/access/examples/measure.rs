//! Measures how long it takes to say where one person may log in, among 10,000 hosts by 1,000 grants, on one core:
//! `cargo run --release -p portreeve-access --example measure`
#![expect(clippy::print_stdout, reason = "the output is what the program is for")]

use std::hint::black_box;
use std::time::Duration;

use jiff::Timestamp;
use portreeve_access::grant::{Level, Subject};
use portreeve_access::{
    Account, Directory, Estate, Grant, Host, Membership, Person, Reach, Standing, Tags, may,
};

const HOSTS: usize = 10_000;
const GRANTS: usize = 1_000;
const ROUNDS: u32 = 50;

fn main() {
    let estate = Estate::new((0..HOSTS).map(host).collect());
    let grants: Vec<Grant> = (0..GRANTS).map(grant).collect();
    for (who, groups) in [
        ("somebody in 10 groups", 10),
        ("somebody in all 1000", GRANTS),
    ] {
        let person = person(groups);
        let (reached, took) = measured(|| {
            let reach = Reach::of(&person, &estate, &grants, Timestamp::UNIX_EPOCH);
            reach.map_or(0, |reach| reach.hosts().count())
        });
        say(&format!("{who}: all hosts, {reached} reached"), took);
        let (_, took) = measured(|| {
            let Some(host) = estate.hosts().first() else {
                return 0;
            };
            may(&person, host, &grants, Timestamp::UNIX_EPOCH)
                .reasons
                .len()
        });
        say(&format!("{who}: one host, with its reasons"), took);
    }
}

/// Hosts in 40 roles, 5 environments and 20 regions.
fn host(number: usize) -> Host {
    let tags = [
        format!("role=r{}", number % 40),
        format!("env=e{}", number % 5),
        format!("region=g{}", number % 20),
    ];
    Host {
        id: number.to_string(),
        name: format!("host-{number}"),
        tags: Tags::parse(tags).unwrap_or_default(),
    }
}

/// Each to a group of its own.
fn grant(number: usize) -> Grant {
    let hosts = format!(
        "role=r{} and (env=e0 or env=e{}) and not region=g{}",
        number % 40,
        number % 5,
        (number + 1) % 20
    );
    Grant {
        id: number.to_string(),
        to: Subject::Group(number.to_string()),
        hosts: hosts
            .parse()
            .unwrap_or_else(|_| portreeve_access::Expression::all()),
        level: match number % 3 {
            0 => Level::LoginSudo,
            _ => Level::Login,
        },
        posix_groups: Vec::new(),
        principals: Vec::new(),
        from: None,
        until: None,
    }
}

fn person(groups: usize) -> Person {
    let membership = |number: usize| Membership {
        group_id: (number * (GRANTS / groups)).to_string(),
        group: format!("group {number}"),
        through: Vec::new(),
        until: None,
    };
    Person {
        id: "ada".to_owned(),
        name: "ada@contoso.example".to_owned(),
        directory: Some(Directory {
            id: "contoso".to_owned(),
            name: "Contoso".to_owned(),
            is_active: true,
        }),
        standing: Standing::Active,
        account: Account::Named("ada".to_owned()),
        remote_identities: Vec::new(),
        memberships: (0..groups).map(membership).collect(),
    }
}

/// What it came to, and the time that one round took.
fn measured(work: impl Fn() -> usize) -> (usize, Duration) {
    let result = black_box(work());
    let begun = now();
    for _ in 0..ROUNDS {
        black_box(work());
    }
    (result, begun.elapsed() / ROUNDS)
}

#[expect(
    clippy::disallowed_methods,
    reason = "it measures this machine, and has no clock to be given"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn say(what: &str, took: Duration) {
    println!("{:>10.3} ms  {what}", took.as_secs_f64() * 1e3);
}
