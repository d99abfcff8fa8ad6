//! Session events from lines of the log, until the server has them.

use crate::setup::{machine, put};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use portreeve_host::log::{Buffer, MOST, answer, file, journal, read_file};
use portreeve_host::paths::Paths;
use portreeve_host::wire::{Answer, Sessions};
use portreeve_host_policy::api::{Happened, MAX_SESSIONS, Session};
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::Write;

const LOG: &str = "/var/log/auth.log";

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn told(paths: &Paths, after: u64) -> Sessions {
    match answer(paths, after) {
        Answer::Sessions(sessions) => sessions,
        other => panic!("{other:?}"),
    }
}

fn append(paths: &Paths, text: &str) {
    let mut log = OpenOptions::new()
        .append(true)
        .create(true)
        .open(paths.at(LOG))
        .unwrap();
    log.write_all(text.as_bytes()).unwrap();
}

fn line(program: &str, text: &str) -> String {
    format!("2026-11-22T11:40:49.123456+00:00 web-1 {program}: {text}\n")
}

fn login(pid: u32, account: &str, serial: u64) -> String {
    let text = format!(
        "Accepted publickey for {account} from 10.0.0.7 port 51234 ssh2: ED25519-CERT SHA256:abc ID {account}@example.com (serial {serial}) CA ED25519 SHA256:def"
    );
    line(&format!("sshd[{pid}]"), &text)
}

fn logout(pid: u32, account: &str) -> String {
    let text = format!("pam_unix(sshd:session): session closed for user {account}");
    line(&format!("sshd[{pid}]"), &text)
}

fn event(number: usize) -> Session {
    Session {
        id: number.to_string(),
        session: None,
        kind: Happened::Login,
        at: now(),
        account: "ada".to_owned(),
        serial: None,
        key_id: None,
        address: None,
        command: None,
    }
}

#[test]
fn a_session_is_told_with_its_certificate_from_login_to_logout() {
    let (_root, paths) = machine(&[(LOG, &login(1, "earlier", 1))]);
    assert_eq!(read_file(&paths, now()).unwrap(), 0, "before it was a host");
    append(&paths, &login(7, "ada", 42));
    append(
        &paths,
        &line(
            "sudo",
            "     ada : TTY=pts/0 ; PWD=/home/ada ; USER=root ; COMMAND=/usr/bin/id -u ; x",
        ),
    );
    append(&paths, &logout(7, "ada"));
    assert_eq!(read_file(&paths, now()).unwrap(), 3);
    let sessions = told(&paths, 0);
    let kinds: Vec<_> = sessions.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Happened::Login, Happened::Sudo, Happened::Logout]);
    for event in &sessions.events {
        assert_eq!(event.account, "ada", "{event:?}");
        assert_eq!(event.serial, Some(42), "{event:?}");
        assert_eq!(
            event.key_id.as_deref(),
            Some("ada@example.com"),
            "{event:?}"
        );
        assert_eq!(event.address.as_deref(), Some("10.0.0.7"), "{event:?}");
        assert_eq!(
            event.session,
            Some(sessions.events[0].id.clone()),
            "{event:?}"
        );
    }
    assert_eq!(
        sessions.events[1].command.as_deref(),
        Some("/usr/bin/id -u ; x")
    );
    assert_eq!(told(&paths, sessions.upto).events, []);
}

#[test]
#[expect(clippy::too_many_lines, reason = "most of it is a table of cases")]
fn lines_say_what_they_say_and_nothing_else() {
    use Happened::{Login, Sudo};
    let cases = [
        (
            "a key without a certificate",
            "sshd[1]",
            "Accepted publickey for root from ::1 port 2 ssh2: ED25519 SHA256:x",
            Some((Login, "root", None)),
        ),
        (
            "a password",
            "sshd[1]",
            "Accepted password for ops from 10.1.1.1 port 2 ssh2",
            Some((Login, "ops", None)),
        ),
        (
            "a newer sshd",
            "sshd-session[1]",
            "Accepted publickey for ada from ::1 port 2 ssh2: ED25519-CERT SHA256:x ID a (serial 9) CA ED25519 SHA256:y",
            Some((Login, "ada", Some(9))),
        ),
        (
            "a key id that looks like the rest",
            "sshd[1]",
            "Accepted publickey for ada from ::1 port 2 ssh2: ED25519-CERT SHA256:x ID a (serial 1) CA b ID c (serial 9) CA ED25519 SHA256:y",
            Some((Login, "ada", Some(9))),
        ),
        (
            "refused",
            "sshd[1]",
            "Failed publickey for ada from ::1 port 2 ssh2",
            None,
        ),
        (
            "a logout without a login",
            "sshd[1]",
            "pam_unix(sshd:session): session closed for user ada",
            None,
        ),
        (
            "another service",
            "sshd[1]",
            "pam_unix(cron:session): session closed for user ada",
            None,
        ),
        (
            "sudo",
            "sudo",
            "ada : PWD=/ ; USER=root ; COMMAND=/bin/sh",
            Some((Sudo, "ada", None)),
        ),
        (
            "sudo with a number",
            "sudo[77]",
            "ada : TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
            Some((Sudo, "ada", None)),
        ),
        (
            "sudo refused",
            "sudo",
            "ada : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
            None,
        ),
        (
            "sudo refused by PAM",
            "sudo",
            "ada : PAM account management error: Permission denied ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
            None,
        ),
        (
            "somebody else",
            "su[1]",
            "Accepted publickey for ada from ::1 port 2 ssh2",
            None,
        ),
    ];
    for (name, program, text, expected) in cases {
        let (_root, paths) = machine(&[(LOG, "")]);
        read_file(&paths, now()).unwrap();
        append(&paths, &line(program, text));
        read_file(&paths, now()).unwrap();
        let events = told(&paths, 0).events;
        let got = events
            .first()
            .map(|event| (event.kind, event.account.as_str(), event.serial));
        assert_eq!(got, expected, "{name}");
    }
}

#[test]
fn times_without_a_year_are_the_last_of_their_kind() {
    let zone = TimeZone::UTC;
    for (name, text, expected) in [
        ("today", "Nov 22 11:40:49", "2026-11-22T11:40:49Z"),
        (
            "a day of one digit",
            "Nov  2 11:40:49",
            "2026-11-02T11:40:49Z",
        ),
        ("at new year", "Dec 31 23:59:59", "2025-12-31T23:59:59Z"),
        (
            "a clock that is a little fast",
            "Nov 22 12:00:30",
            "2026-11-22T12:00:30Z",
        ),
        (
            "with a zone",
            "2026-11-22T12:00:00+01:00",
            "2026-11-22T11:00:00Z",
        ),
    ] {
        let text = format!("{text} web-1 sshd[1]: Connection closed");
        let (at, _) = file::parse(&text, now(), &zone).unwrap();
        assert_eq!(at.to_string(), expected, "{name}");
    }
}

#[test]
fn a_log_is_read_across_its_rotation_and_after_it_was_emptied() {
    let (_root, paths) = machine(&[(LOG, "")]);
    read_file(&paths, now()).unwrap();
    append(&paths, &login(1, "ada", 1));
    append(
        &paths,
        "2026-11-22T11:40:49+00:00 web-1 sshd[2]: Accepted pass",
    );
    assert_eq!(
        read_file(&paths, now()).unwrap(),
        1,
        "half a line is none yet"
    );
    append(&paths, "word for bob from ::1 port 1 ssh2\n");
    let rotated = paths.at("/var/log/auth.log.1");
    fs::rename(paths.at(LOG), &rotated).unwrap();
    append(&paths, &login(3, "eve", 3));
    while read_file(&paths, now()).unwrap() > 0 {}
    put(&paths, LOG, "");
    read_file(&paths, now()).unwrap();
    append(&paths, &login(4, "kim", 4));
    read_file(&paths, now()).unwrap();
    let events = told(&paths, 0).events;
    let accounts: Vec<_> = events.iter().map(|event| event.account.as_str()).collect();
    assert_eq!(accounts, ["ada", "bob", "eve", "kim"]);
}

#[test]
fn events_wait_in_order_up_to_a_bound() {
    let (_root, paths) = machine(&[]);
    let mut buffer = Buffer::open(&paths).unwrap();
    buffer.add((0..3).map(event).collect()).unwrap();
    drop(buffer);
    let sessions = told(&paths, 0);
    assert_eq!((sessions.events.len(), sessions.upto), (3, 3));
    assert_eq!(told(&paths, 2).events, [event(2)]);
    assert_eq!(
        told(&paths, 0).upto,
        3,
        "asked again, the rest is still there"
    );

    // Somebody is killed while writing: what they began is not an event, and what follows is.
    let events = paths.sessions().join("events.jsonl");
    let mut file = OpenOptions::new().append(true).open(&events).unwrap();
    file.write_all(b"{\"number\":4,\"ev").unwrap();
    Buffer::open(&paths).unwrap().add(vec![event(9)]).unwrap();
    assert_eq!(told(&paths, 3).events, [event(9)]);

    let many = MOST + MOST / 10 + 1;
    Buffer::open(&paths)
        .unwrap()
        .add((0..many).map(event).collect())
        .unwrap();
    let mut after = 0;
    let mut kept = Vec::new();
    loop {
        let sessions = told(&paths, after);
        assert!(sessions.events.len() <= MAX_SESSIONS);
        if sessions.events.is_empty() {
            assert_eq!(sessions.lost as usize, many + 1 - MOST);
            break;
        }
        after = sessions.upto;
        kept.extend(sessions.events);
    }
    assert_eq!(kept.len(), MOST);
    assert_eq!(kept.last(), Some(&event(many - 1)));
}

#[test]
fn the_same_lines_read_twice_are_the_same_events() {
    let (_root, paths) = machine(&[(LOG, "")]);
    read_file(&paths, now()).unwrap();
    let place = paths.sessions().join("place.json");
    let before = fs::read(&place).unwrap();
    append(&paths, &login(7, "ada", 42));
    read_file(&paths, now()).unwrap();
    // Killed before it was written down how far one had got.
    fs::write(&place, before).unwrap();
    read_file(&paths, now()).unwrap();
    let events = told(&paths, 0).events;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0], events[1]);
}

#[test]
fn the_journal_says_whose_line_is_whose() {
    let entry = |more: serde_json::Value| {
        let mut entry = json!({
            "__CURSOR": "s=1;i=2",
            "__REALTIME_TIMESTAMP": "1795348849123456",
            "SYSLOG_IDENTIFIER": "sshd",
            "_PID": "7",
            "_UID": "0",
            "_EXE": "/usr/sbin/sshd",
            "MESSAGE": "Accepted password for ada from ::1 port 2 ssh2",
        });
        let more = more.as_object().unwrap().clone();
        entry.as_object_mut().unwrap().extend(more);
        entry.to_string()
    };
    for (name, more, is_believed) in [
        ("sshd", json!({}), true),
        (
            "a newer sshd",
            json!({"SYSLOG_IDENTIFIER": "sshd-session", "_EXE": "/usr/lib/openssh/sshd-session"}),
            true,
        ),
        (
            "sudo, which has ended",
            json!({"SYSLOG_IDENTIFIER": "sudo", "_EXE": null}),
            true,
        ),
        (
            "somebody who says that they are sshd",
            json!({"_EXE": "/usr/bin/logger", "_UID": "1000"}),
            false,
        ),
        (
            "a program of that name in a home",
            json!({"_EXE": "/home/eve/sshd", "_UID": "1000"}),
            false,
        ),
        (
            "somebody who has ended",
            json!({"_EXE": null, "_UID": "1000"}),
            false,
        ),
        (
            "sudo that says it is sshd",
            json!({"_EXE": "/usr/bin/sudo"}),
            false,
        ),
        ("bytes", json!({"MESSAGE": [65, 66]}), false),
    ] {
        let found = journal::parse(entry(more).as_bytes()).unwrap();
        assert_eq!(found.line.is_some(), is_believed, "{name}");
        assert_eq!(found.cursor, "s=1;i=2", "{name}");
        assert_eq!(found.at.as_microsecond(), 1_795_348_849_123_456, "{name}");
    }
    assert_eq!(journal::parse(b"no json"), None);
}
