//! People who have left: that they are out, what they have left, and removing it.

use std::os::unix::fs::{chown, symlink};

use portreeve_host::config::Backend;
use portreeve_host::wire::{Answer, Request};
use portreeve_host_policy::Document;
use portreeve_host_policy::api::{Denied, Removal, Removed};

use super::ground::{Ground, active, code, document, left, now};

const ADA: u32 = 70_001;

fn with_ada(ground: &Ground, sudo: bool) -> Document {
    let mut document = document(&ground.key);
    document.accounts = vec![active("a-1", "ada", ADA, sudo, &[])];
    document
}

fn without_ada(document: &Document) -> Document {
    Document {
        version: document.version + 1,
        accounts: vec![left("a-1", "ada", ADA)],
        ..document.clone()
    }
}

#[test]
fn who_leaves_is_sent_away_and_reported_with_what_is_left() {
    let ground = Ground::new(Backend::Userdb);
    let first = with_ada(&ground, true);
    assert_eq!(code(ground.apply(&first)), None);
    assert_eq!(ground.state().denied, []);
    ground.write("/home/ada/.ssh/authorized_keys", "ssh-ed25519 AAAA\n");
    ground.write("/var/spool/cron/crontabs/ada", "* * * * * true\n");
    ground.world().processes.insert(ADA, 3);
    assert_eq!(code(ground.apply(&without_ada(&first))), None);
    let mut expected = Denied {
        id: "a-1".to_owned(),
        since: now(),
        sessions_ended: 3,
        processes: 0,
        home: true,
        crontab: true,
        keys: true,
        had_sudo: true,
    };
    assert_eq!(ground.state().denied, [expected.clone()]);
    assert_eq!(ground.world().ended, [ADA]);
    // Another document later says the same, and something of theirs has come to run.
    ground.world().processes.insert(ADA, 1);
    std::fs::remove_dir_all(ground.paths.at("/home/ada/.ssh")).unwrap();
    let mut third = without_ada(&first);
    third.version = 9;
    assert_eq!(code(ground.apply(&third)), None);
    (expected.processes, expected.keys) = (1, false);
    assert_eq!(ground.state().denied, [expected]);
    assert_eq!(ground.world().ended, [ADA], "once");
}

#[test]
fn who_comes_back_is_denied_no_more_and_may_leave_again() {
    let ground = Ground::new(Backend::Userdb);
    let mut document = with_ada(&ground, false);
    for version in 1..=4 {
        document.version = version;
        document.accounts = match version % 2 {
            1 => vec![active("a-1", "ada", ADA, false, &[])],
            _ => vec![left("a-1", "ada", ADA)],
        };
        assert_eq!(code(ground.apply(&document)), None);
        assert_eq!(ground.state().denied.len() as u64, 1 - version % 2);
    }
    assert_eq!(ground.world().ended, [ADA, ADA]);
    assert!(!ground.state().denied[0].had_sudo);
}

#[test]
fn sessions_stay_where_the_team_wants_that() {
    let ground = Ground::new(Backend::Userdb);
    let mut first = with_ada(&ground, false);
    first.rules.end_sessions = false;
    assert_eq!(code(ground.apply(&first)), None);
    assert_eq!(code(ground.apply(&without_ada(&first))), None);
    assert_eq!(ground.world().ended, [0_u32; 0]);
    assert_eq!(ground.state().denied.len(), 1);
}

#[test]
fn who_does_not_end_is_out_but_not_reported_before_it_is_so() {
    let ground = Ground::new(Backend::Userdb);
    let first = with_ada(&ground, false);
    assert_eq!(code(ground.apply(&first)), None);
    ground.world().stubborn.insert(ADA);
    assert_eq!(code(ground.apply(&without_ada(&first))), None);
    assert!(
        ground
            .read("/run/userdb/ada.user")
            .contains("\"locked\":true")
    );
    assert_eq!(ground.state().denied, []);
    ground.world().stubborn.clear();
    assert_eq!(ground.state().denied.len(), 1);
}

fn removal(id: &str, account: &str, dry_run: bool) -> Request {
    Request::Remove(Removal {
        id: id.to_owned(),
        account: account.to_owned(),
        dry_run,
    })
}

/// A host where somebody has left a home, with a link in it that leads out of it, and a crontab.
///
/// Whose files those are is only told apart where tests may give files away; elsewhere nothing is found to be theirs.
fn abandoned() -> (Ground, Vec<String>) {
    let ground = Ground::new(Backend::Userdb);
    let first = with_ada(&ground, false);
    assert_eq!(code(ground.apply(&first)), None);
    assert_eq!(code(ground.apply(&without_ada(&first))), None);
    ground.write("/srv/precious", "stays");
    ground.write("/home/ada/notes", "goes");
    ground.write("/var/spool/cron/crontabs/ada", "* * * * * true\n");
    ground.write("/var/mail/ada", "somebody else's");
    symlink(ground.paths.at("/srv"), ground.paths.at("/home/ada/out")).unwrap();
    let given = ["/home/ada", "/var/spool/cron/crontabs/ada"];
    let is_theirs = given
        .iter()
        .all(|path| chown(ground.paths.at(path), Some(ADA), Some(ADA)).is_ok());
    let found = given.iter().filter(|_| is_theirs);
    let found = found.map(|path| (*path).to_owned()).collect();
    (ground, found)
}

#[test]
fn what_somebody_has_left_is_removed_when_that_is_wanted() {
    let (ground, paths) = abandoned();
    let removed = |dry_run| {
        Answer::Removed(Removed {
            id: "a-1".to_owned(),
            dry_run,
            paths: paths.clone(),
            error: None,
        })
    };
    assert_eq!(ground.ask(removal("a-1", "ada", true)), removed(true));
    assert_eq!(ground.read("/home/ada/notes"), "goes");
    assert_eq!(ground.ask(removal("a-1", "ada", false)), removed(false));
    for path in &paths {
        assert!(!ground.paths.at(path).exists(), "{path}");
    }
    assert_eq!(ground.read("/srv/precious"), "stays");
    assert_eq!(ground.read("/var/mail/ada"), "somebody else's");
}

#[test]
fn nothing_is_removed_of_whom_it_must_not_be() {
    let (ground, _) = abandoned();
    let cases = [
        (
            "another person",
            removal("b-2", "ada", false),
            "unknown_account",
        ),
        (
            "another account",
            removal("a-1", "warden", false),
            "unknown_account",
        ),
        ("a path", removal("a-1", "../ada", false), "unknown_account"),
    ];
    for (name, request, expected) in cases {
        assert_eq!(
            code(ground.ask(request)).as_deref(),
            Some(expected),
            "{name}"
        );
    }
    ground.world().processes.insert(ADA, 1);
    let answer = ground.ask(removal("a-1", "ada", false));
    assert_eq!(code(answer).as_deref(), Some("processes"));
    ground.world().processes.clear();
    let mut back = with_ada(&ground, false);
    back.version = 9;
    assert_eq!(code(ground.apply(&back)), None);
    for dry_run in [true, false] {
        let answer = ground.ask(removal("a-1", "ada", dry_run));
        assert_eq!(code(answer).as_deref(), Some("has_access"));
    }
    assert_eq!(ground.read("/home/ada/notes"), "goes");
}
