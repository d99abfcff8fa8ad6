use super::*;
use crate::roll;
use portreeve_store::{Database, Options, Store};

/// What a page of a long log is found by.
#[test]
#[expect(clippy::too_many_lines, reason = "mostly a table of filters")]
fn the_narrowest_index_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    let options = Options::new(Database::Sqlite { path }, roll::MIGRATIONS, 0);
    let store = Store::open(&options).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let text = || Some("x".to_owned());
    let all = Query::default();
    let object = Query {
        object_id: text(),
        ..Query::default()
    };
    let category = |name: &str| Query {
        category: Some(name.to_owned()),
        ..Query::default()
    };
    let outcome = |name: &str| Query {
        outcome: Some(name.to_owned()),
        ..Query::default()
    };
    let actor = Query {
        actor_id: text(),
        ..Query::default()
    };
    let request = Query {
        request: text(),
        ..Query::default()
    };
    let action = |of: Query| Query {
        action: text(),
        ..of
    };
    let reason = Query {
        reason: text(),
        ..Query::default()
    };
    for (name, query, index) in [
        ("all", all.clone(), "sqlite_autoindex_events_1"),
        (
            "what providers do",
            category("SCIM_SYNC"),
            "sqlite_autoindex_events_1",
        ),
        ("what was done", outcome("ok"), "sqlite_autoindex_events_1"),
        ("a category", category("AUTH"), "events_category"),
        ("refusals", outcome("refused"), "events_refused"),
        ("a reason", reason.clone(), "events_refused"),
        ("an object", object.clone(), "events_object"),
        ("a person", actor.clone(), "events_actor"),
        ("an action", action(all), "events_action"),
        ("done to an object", action(object), "events_object"),
        ("done by a person", action(actor), "events_actor"),
        (
            "done in a category",
            action(category("ADMIN")),
            "events_category",
        ),
        (
            "done by providers",
            action(category("SCIM_SYNC")),
            "events_action",
        ),
        ("not done", action(outcome("refused")), "events_refused"),
        ("done", action(outcome("ok")), "events_action"),
        ("not done for a reason", action(reason), "events_refused"),
        (
            "done by a request",
            action(request),
            "sqlite_autoindex_events_1",
        ),
    ] {
        let plan = store.read(move |tx| {
            let before = [("position <", Some(Param::Int(9)))];
            let (sql, given) = statement("t", &query, &before, "position DESC");
            let rows = tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &given)?;
            let steps = rows.iter().map(|row| Ok(row.text(3)?.to_owned()));
            steps.collect::<Result<Vec<_>, Refusal>>()
        });
        let plan = runtime.block_on(plan).unwrap();
        let uses = format!("SEARCH events USING INDEX {index} ");
        assert!(plan[0].starts_with(&uses), "{name}: {plan:#?}");
        assert!(
            !plan.iter().any(|step| step.contains("TEMP B-TREE")),
            "{name} is sorted: {plan:#?}"
        );
    }
    store.close();
}
