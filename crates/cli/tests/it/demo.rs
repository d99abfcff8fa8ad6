//! The demonstration from end to end, twice on the same data.

use crate::program::{Done, Server, portreeve};
use serde_json::{Value, json};
use std::path::Path;
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

    let mut first = demo();
    somebody_was_let_in_and_out(&first["host"]);
    let report = first["report"].take();
    let counts = |report: &Value, cycle: usize| {
        let cycle = &report["cycles"][cycle];
        let count = |name: &str| cycle["counters"][name].as_u64().unwrap();
        let names = [
            "created",
            "updated",
            "disabled",
            "referencesWritten",
            "failed",
        ];
        (cycle["kind"].clone(), names.map(count))
    };
    assert_eq!(report["again"], false);
    let expected = [
        ("initial", [540, 0, 0, 3_499, 0]),
        ("incremental", [3, 2, 2, 14, 0]),
        ("incremental", [0, 1, 1, 0, 0]),
    ];
    for (cycle, (kind, expected)) in expected.into_iter().enumerate() {
        assert_eq!(counts(&report, cycle), (json!(kind), expected), "{cycle}");
    }
    assert_eq!(report["problems"], json!([]));

    // The server has another address now, so that everybody is matched again.
    let mut again = demo();
    somebody_was_let_in_and_out(&again["host"]);
    let again = again["report"].take();
    assert_eq!(again["again"], true);
    assert_eq!(again["cycles"].as_array().map(Vec::len), Some(1));
    let (_, [created, _, _, _, failed]) = counts(&again, 0);
    assert_eq!((created, failed), (0, 0));
    assert_eq!(again["notable"], report["notable"], "the story is the same");
    what_is_there_is_right(&Server::on(data, &[]));
}

/// By the OpenSSH server of this machine.
fn somebody_was_let_in_and_out(host: &Value) {
    assert_eq!(host["result"], "done", "{host}");
    let refused = host["refused"].as_str().unwrap();
    assert!(refused.contains("Permission denied"), "{host}");
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
        (&json!([]), &json!([]))
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
    let program = Path::new(env!("CARGO_BIN_EXE_portreeve"));
    let folder = program.parent().unwrap();
    let words = ["demo", "--exit", "--data", path];
    let others = std::env::var_os("PATH").unwrap();
    let path = [folder.to_owned()]
        .into_iter()
        .chain(std::env::split_paths(&others));
    let path = std::env::join_paths(path).unwrap();
    let done = Done::of(portreeve(&words).env("PATH", path));
    assert_eq!(done.code, 0, "{done:?}");
    for words in [
        "First day",
        "540 created",
        "3499 members and managers written",
        "503 people and 40 groups",
        "joined",
        "came back",
        "Permission denied (publickey)",
    ] {
        assert!(done.out.contains(words), "{words}: {}", done.out);
    }
    assert!(
        done.err.contains("Writing: 540 users and groups done"),
        "{}",
        done.err
    );

    // Where the program is not on the path, as after a build, its place is named.
    let built = Done::of(portreeve(&words).current_dir(folder.parent().unwrap()));
    let place = program.strip_prefix(folder.parent().unwrap()).unwrap();
    let serve = format!("{} serve --data", place.display());
    assert!(built.out.contains(&serve), "{}", built.out);

    // Every command that it names works.
    let server = Server::on(data, &[]);
    let commands = done
        .out
        .lines()
        .filter(|line| line.starts_with("  portreeve ") && !line.contains("tail -f"));
    let mut tried = 0;
    for command in commands {
        let line = command.trim().trim_start_matches("portreeve ");
        let line = line.split_once(" --data ").map_or(line, |(line, _)| line);
        let tried_now = server.run_line(line);
        assert_eq!(tried_now.code, 0, "{command}: {tried_now:?}");
        assert_ne!(tried_now.out, "", "{command}");
        tried += 1;
    }
    assert!(tried >= 9, "{}", done.out);
}
