//! The demonstration from end to end, twice on the same data.

use crate::program::{Done, Server, portreeve};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn the_sample_company_arrives_once() {
    let data = TempDir::new().unwrap();
    let path = data.path().to_str().unwrap();
    let demo = || {
        Done::of(&mut portreeve(&[
            "demo", "--exit", "-o", "json", "--data", path,
        ]))
        .json()
    };

    let report = demo()["report"].take();
    let counts = |report: &Value, round: &str| {
        let count = |path: &str| report[round].pointer(path).and_then(Value::as_u64);
        [
            "/users/created",
            "/groups/created",
            "/members_added",
            "/users/failed",
            "/groups/failed",
        ]
        .map(count)
    };
    assert_eq!(
        counts(&report, "first_round"),
        [Some(500), Some(40), Some(3000), Some(0), Some(0)]
    );
    assert_eq!(
        counts(&report, "second_round"),
        [Some(3), Some(0), Some(9), Some(0), Some(0)]
    );
    assert_eq!(report["problems"], serde_json::json!([]));

    let again = demo()["report"].take();
    assert_eq!(again["again"], true);
    assert_eq!(counts(&again, "first_round"), [Some(0); 5]);
    assert_eq!(again["notable"], report["notable"], "the story is the same");
    what_is_there_is_right(&Server::on(data, &[]));
}

fn what_is_there_is_right(server: &Server) {
    let directory = server.json(&["directory", "get", "Contoso"]);
    let count = |name: &str| directory["counts"][name].as_i64().unwrap();
    assert_eq!(
        (
            count("active_users") + count("suspended_users"),
            count("groups")
        ),
        (503, 40)
    );
    assert_eq!(
        (&directory["warnings"], &directory["unknown_attributes"]),
        (&serde_json::json!([]), &serde_json::json!([]))
    );
    assert_eq!(
        server
            .run(&["user", "list", "-o", "name"])
            .out
            .lines()
            .count(),
        503
    );
    let inactive = server.json(&["user", "list", "--filter", "active eq false"]);
    assert_eq!(
        inactive.as_array().map(Vec::len),
        Some(usize::try_from(count("suspended_users")).unwrap())
    );
    let everyone = server.json(&["group", "members", "All Contoso"]);
    assert!(everyone.as_array().unwrap().len() > 400);
    assert_eq!(
        server
            .run(&["event", "list", "--limit", "1100", "-o", "name"])
            .out
            .lines()
            .count(),
        1100,
        "pages are put together"
    );
}

#[test]
fn people_are_told_what_happened_and_what_to_look_at() {
    let data = TempDir::new().unwrap();
    let path = data.path().to_str().unwrap();
    let done = Done::of(&mut portreeve(&["demo", "--exit", "--data", path]));
    assert_eq!(done.code, 0, "{done:?}");
    for words in [
        "500 created",
        "40 created",
        "3000 memberships added",
        "joined",
        "came back",
    ] {
        assert!(done.out.contains(words), "{words}: {}", done.out);
    }
    assert!(done.err.contains("Memberships: 3000 done"), "{}", done.err);

    // Every command that it names works.
    let server = Server::on(data, &[]);
    let commands = done
        .out
        .lines()
        .filter(|line| line.starts_with("  portreeve ") && !line.contains("tail -f"));
    let mut tried = 0;
    for command in commands {
        let line = command.trim().trim_start_matches("portreeve ");
        let (line, _) = line.split_once(" --data ").unwrap();
        let tried_now = server.run_line(line);
        assert_eq!(tried_now.code, 0, "{command}: {tried_now:?}");
        assert_ne!(tried_now.out, "", "{command}");
        tried += 1;
    }
    assert!(tried >= 4, "{}", done.out);
}
