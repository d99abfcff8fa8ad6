//! Measures evaluations per second of the expressions that the vendors' set-up guides give, on one core:
//! `cargo run --release -p portreeve-mapping --example measure`
#![expect(clippy::print_stdout, reason = "the output is what the program is for")]

use std::hint::black_box;
use std::time::Duration;

use portreeve_mapping::{Context, Expression, Object};

const EXPRESSIONS: &[(&str, &str)] = &[
    (
        "name before the domain",
        r#"ToLower(Replace([userPrincipalName], , "(?<Suffix>@(.)*)", "Suffix", "", , ))"#,
    ),
    (
        "initial and last name",
        r#"ToLower(Replace(Replace([userPrincipalName], , "(?<=^.{1}).\w+.\.", "", "", , ), , "(@(.)*)","","" , ,))"#,
    ),
    (
        "without dots",
        r#"ToLower(Replace(Replace([userPrincipalName], , "(?<Suffix>@(.)*)", "Suffix", "", , ), ".", , ,"", , ))"#,
    ),
    ("active", "Not([IsSoftDeleted])"),
    (
        "active, Entra's default",
        r#"Switch([IsSoftDeleted], , "False", "True", "True", "False")"#,
    ),
    ("work mail", "Coalesce([mail],[userPrincipalName])"),
    (
        "second mail",
        r#"Item(Split(Coalesce([otherMails], ","), ","), 1)"#,
    ),
];

/// People differ, so that no branch is learned by heart.
fn people() -> Vec<Object> {
    let first = ["Ada", "Grace", "Jo", "Mary-Ann", "Bill", "Zoë", "Alexander"];
    let last = ["Lovelace", "Hopper", "Li", "de la Cruz", "Gates", "Müller"];
    let all = first
        .iter()
        .flat_map(|first| last.iter().map(move |last| (first, last)));
    all.map(|(first, last)| {
        let mut person = Object::new();
        let upn = format!("{first}.{last}@contoso.com");
        person.set("mail", upn.as_str());
        person.set("userPrincipalName", upn);
        person.set("IsSoftDeleted", last.len() % 3 == 0);
        person
    })
    .collect()
}

#[expect(clippy::disallowed_methods, reason = "a measurement needs a clock")]
fn timed(rounds: usize, mut work: impl FnMut()) -> Duration {
    let start = std::time::Instant::now();
    for _ in 0..rounds {
        work();
    }
    start.elapsed()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let people = people();
    let context = Context::at("2026-11-21T12:00:00Z".parse()?);
    let (mut total, mut count) = (Duration::ZERO, 0.0);
    for (name, text) in EXPRESSIONS {
        let expression = Expression::parse(text)?;
        let mut round = || {
            for person in &people {
                black_box(expression.evaluate(black_box(person), &context).is_ok());
            }
        };
        timed(100, &mut round);
        let rounds = 5_000;
        let took = timed(rounds, &mut round);
        let evaluations = f64::from(u32::try_from(rounds * people.len())?);
        println!(
            "{name:26} {:>12.0} evaluations/s",
            evaluations / took.as_secs_f64()
        );
        total += took;
        count += evaluations;
    }
    println!(
        "{:26} {:>12.0} evaluations/s",
        "all together",
        count / total.as_secs_f64()
    );
    Ok(())
}
