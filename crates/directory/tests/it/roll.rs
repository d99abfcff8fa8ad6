//! The schema and its statements.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::directories::{self, Counts};
use portreeve_directory::{Refusal, roll};
use portreeve_store::params;
use serde_json::json;

on_each_engine! {
    every_statement_prepares
    a_deleted_directory_leaves_nothing_but_its_events
    names_of_directories_are_checked_and_unique
}

fn every_statement_prepares(on: Engine) {
    let world = World::new(on);
    let all: Vec<_> = roll::statements().collect();
    assert!(all.len() > 40);
    assert_eq!(
        world
            .store
            .prepare_all(&all)
            .map_err(|(name, error)| format!("{name}: {error}")),
        Ok(())
    );
}

fn a_deleted_directory_leaves_nothing_but_its_events(on: Engine) {
    let world = World::new(on);
    let ann = world.user(json!({"userName": "ann", "emails": [{"value": "a@x.example"}]}));
    world.group("Sales", &[&ann.id]);
    let before = world.events().len();
    let id = world.directory.id.clone();
    let deleted = id.clone();
    world
        .write(move |tx, _| directories::delete(tx, &deleted))
        .unwrap();
    let gone = id.clone();
    assert!(matches!(
        world.read(move |tx| directories::by_id(tx, &gone)),
        Err(Refusal::NotFound(..))
    ));
    assert_eq!(
        world.read(move |tx| directories::counts(tx, &id)).unwrap(),
        Counts::default()
    );
    assert_eq!(world.events().len(), before);
}

fn names_of_directories_are_checked_and_unique(on: Engine) {
    let world = World::new(on);
    let rename = |name: &'static str| {
        world.write(move |tx, call| {
            let other = directories::New {
                id: call.new_id(),
                team_id: call.directory.team_id.clone(),
                name: name.into(),
                provider: call.directory.provider,
                settings: call.directory.settings.clone(),
            };
            directories::create(tx, &other, 1)
        })
    };
    assert_eq!(
        rename("people").unwrap_err().to_string(),
        Refusal::Conflict {
            what: portreeve_directory::What::Directory,
            attribute: "name"
        }
        .to_string()
    );
    for bad in ["", "  ", "a\u{7}b"] {
        assert!(
            matches!(
                rename(bad),
                Err(Refusal::Invalid {
                    attribute: "name",
                    ..
                })
            ),
            "{bad:?}"
        );
    }
    assert_eq!(rename(" Ümlaut ").unwrap().name, "Ümlaut");
}

/// The steps of a plan that go through what a walk has found so far.
const WALKED: [&str; 5] = ["SCAN a", "SCAN above", "SCAN b", "SCAN below", "SCAN named"];

/// Without statistics SQLite once read every membership of a directory for each group of one person. What a plan reads of
/// a table that grows with the directory is found by more than the directory's id.
#[test]
fn walks_along_memberships_look_each_step_up() {
    let world = World::new(Engine::Sqlite);
    let walks = roll::statements().filter(|(_, sql)| sql.contains("RECURSIVE"));
    let mut seen = 0;
    for (name, sql) in walks {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let given = usize::from(sql.contains("$2")) + 1;
        let plan = world
            .read(move |tx| {
                let rows = tx.query(&explain, &params!["d", "u"][..given])?;
                let steps = rows.iter().map(|row| Ok(row.text(3)?.to_owned()));
                steps.collect::<Result<Vec<_>, Refusal>>()
            })
            .unwrap();
        for step in &plan {
            let whole = step.ends_with("(directory_id=?)")
                || step.ends_with("(application_id=?)")
                || (step.starts_with("SCAN ") && !WALKED.contains(&step.as_str()));
            assert!(!whole, "{name}: {step} in {plan:#?}");
        }
        seen += 1;
    }
    assert!(seen >= 2, "{seen} statements walk along memberships");
}

/// While a company arrives PostgreSQL has no statistics either, and once read all groups of a directory for each person.
#[test]
fn without_statistics_postgres_looks_the_groups_of_a_person_up() {
    let world = World::new(Engine::Postgres);
    let directory = world.directory.id.clone();
    world
        .write(|tx, call| {
            tx.exec(
                "INSERT INTO groups (directory_id, id, display_name, display_name_key, status, version, created_at, updated_at, resource) SELECT $1, n::text, n::text, n::text, 'active', 1, 0, 0, '{}' FROM generate_series(1, 2000) AS n",
                &params![&call.directory.id],
            )?;
            Ok(())
        })
        .unwrap();
    let walks = roll::statements().filter(|(name, _)| name.contains("GROUPS"));
    for (name, sql) in walks.filter(|(_, sql)| sql.contains("RECURSIVE above")) {
        let (explain, id) = (format!("EXPLAIN {sql}"), directory.clone());
        let plan = world
            .read(move |tx| {
                let rows = tx.query(&explain, &params![&id, "somebody"])?;
                let steps = rows.iter().map(|row| Ok(row.text(0)?.trim().to_owned()));
                steps.collect::<Result<Vec<_>, Refusal>>()
            })
            .unwrap();
        let mut of_all = plan
            .windows(2)
            .filter(|pair| pair[0].contains("on groups") && !pair[1].contains("id = a.group_id"));
        assert_eq!(of_all.next(), None, "{name}: {plan:#?}");
    }
}
