//! Several hosts at once: how long it takes from a provider's answer until somebody is refused.

use crate::company::Company;
use portreeve_machine::{Client, Machine};
use serde_json::json;
use std::time::{Duration, Instant};

/// So many machines, where the environment does not say it (`PORTREEVE_TEST_MACHINES`).
const MACHINES: usize = 4;
/// From the answer to the end of the first `ssh` that was refused, in 99 of 100 cases.
const WANTED: Duration = Duration::from_secs(2);

#[test]
fn somebody_who_has_left_is_refused_within_two_seconds_everywhere() {
    let company = Company::start();
    let machines = machines();
    let client = Client::new().unwrap();
    let people: Vec<(String, String)> = (0..machines.len().clamp(10, 100))
        .map(|number| format!("person{number}"))
        .map(|name| (company.hire(&name), name))
        .collect();
    let ids: Vec<&str> = people.iter().map(|(id, _)| id.as_str()).collect();
    company.group("web-ops", &ids);
    company.grant("web-ops", "role=web", json!({"sudo": true}));
    for machine in &machines {
        client.know(machine).unwrap();
        company.enrol(machine);
    }
    for machine in &machines {
        company.is_applied(machine);
    }
    let mut taken: Vec<Duration> = people
        .iter()
        .zip(machines.iter().cycle())
        .map(|((id, name), machine)| {
            company.certify(&client, id, name);
            assert!(client.gets_in(machine, name).unwrap(), "{name}");
            company.active(id, false);
            let began = now();
            while client.gets_in(machine, name).unwrap() {}
            began.elapsed()
        })
        .collect();
    taken.sort();
    let at = |hundredth: usize| taken[(taken.len() * hundredth).div_ceil(100) - 1];
    println!(
        "{} machines, {} people: p50 {:?}, p99 {:?}, all {:?}",
        machines.len(),
        people.len(),
        at(50),
        at(99),
        at(100)
    );
    assert!(at(99) < WANTED, "{taken:?}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever measures sets how much is measured"
)]
fn machines() -> Vec<Machine> {
    let count = std::env::var("PORTREEVE_TEST_MACHINES");
    let count = count.map_or(MACHINES, |count| count.parse().unwrap());
    (1..=count)
        .map(|number| Machine::start(&format!("web-{number}")).unwrap())
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a limit of real time is what is tested"
)]
fn now() -> Instant {
    Instant::now()
}
