//! `portreeve ssh` with the OpenSSH that is here: its client, its agent and its server.

mod double;
mod machine;
mod sshd;
mod story;

use crate::program::Done;
use double::Double;
use machine::Machine;
use serde_json::json;
use sshd::Sshd;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;
use std::thread;

/// A machine that is signed in at a server that knows these hosts.
fn signed_in(double: &Double, machine: Machine) -> Machine {
    let done = machine.says(
        &["login", &double.url(), "--token-stdin"],
        "prv_cli_first\n",
    );
    assert_eq!(done.code, 0, "{done:?}");
    machine
}

fn set_up(double: &Double, machine: Machine) -> Machine {
    let machine = signed_in(double, machine);
    let done = machine.run(&["ssh", "setup"]);
    assert_eq!(done.code, 0, "{done:?}");
    machine
}

#[test]
fn plain_ssh_logs_in_after_setup_and_knows_the_host() {
    let double = Double::start();
    let sshd = Sshd::start(&double, "localhost");
    for (name, machine) in [
        ("agent", Machine::with_agent()),
        ("file", Machine::without_agent()),
    ] {
        let machine = set_up(&double, machine);
        // Nobody would answer the question whether a host is the right one.
        let done = machine.ssh(&sshd.login("localhost", "echo in; exit 7"));
        assert_eq!(
            (done.code, done.out.as_str()),
            (7, "in\n"),
            "{name}: {done:?}"
        );
        assert!(done.err.contains("names ada, deploy"), "{name}: {done:?}");
        let status = machine.run(&["ssh", "status", "-o", "json"]).json();
        assert_eq!(status["key"], name);
        let has_file = machine.place().join("id").exists();
        assert_eq!(has_file, name == "file", "{name}");
        for file in fs::read_dir(machine.place()).unwrap() {
            let file = file.unwrap();
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{name}: {:?}", file.path());
        }
        assert_eq!(double.issued(), 1, "{name}: one certificate does for all");
        double.forget();
    }
}

#[test]
fn an_agent_that_takes_no_certificate_is_as_good_as_none() {
    let double = Double::start();
    let sshd = Sshd::start(&double, "localhost");
    let machine = Machine::with_agent();
    machine.lock_agent();
    let machine = set_up(&double, machine);
    let done = machine.ssh(&sshd.login("localhost", "echo in"));
    assert_eq!((done.code, done.out.as_str()), (0, "in\n"), "{done:?}");
}

#[test]
fn without_setup_portreeve_ssh_does_the_same() {
    let double = Double::start();
    let sshd = Sshd::start(&double, "localhost");
    let machine = signed_in(&double, Machine::with_agent());
    let mut words = vec!["ssh"];
    let login = sshd.login("localhost", "cat; exit 3");
    words.extend(login.iter().map(String::as_str));
    // OpenSSH takes options behind the host, too.
    let host = words.remove(words.len() - 2);
    words.insert(1, host);
    let done = machine.says(&words, "through and through\n");
    assert_eq!(
        (done.code, done.out.as_str()),
        (3, "through and through\n"),
        "{done:?}"
    );
    assert!(
        !machine.home().join(".ssh").exists(),
        "nothing of OpenSSH's was touched"
    );
}

#[test]
fn hosts_of_others_are_reached_as_before() {
    let double = Double::start();
    double.hosts(json!([
        {"name": "web-1", "account": "ada"},
        {"name": "db-1", "account": "a_lovelace"},
        {"name": "odd name", "account": "ada"},
    ]));
    let machine = set_up(&double, Machine::without_agent());
    let chosen = |host: &str| {
        let found = machine.ssh(&["-G".to_owned(), host.to_owned()]).out;
        let of = |name: &str| {
            let mut lines = found.lines();
            lines
                .find_map(|line| line.strip_prefix(name))
                .map(str::to_owned)
        };
        (of("user "), of("proxycommand ").is_some())
    };
    let own = chosen("elsewhere.example");
    assert!(!own.1);
    assert_eq!(chosen("web-1"), (Some("ada".to_owned()), true));
    assert_eq!(
        chosen("WEB-1"),
        (Some("ada".to_owned()), true),
        "in whatever case"
    );
    assert_eq!(
        chosen("db-1"),
        (Some("a_lovelace".to_owned()), true),
        "a remote identity"
    );

    // While the server is away a certificate is good for as long as it says.
    let url = double.url();
    drop(double);
    assert_eq!(chosen("web-1"), (Some("ada".to_owned()), true));
    fs::remove_file(machine.place().join("id-cert.pub")).unwrap();
    assert_eq!(chosen("web-1"), own, "plain ssh, to {url}");
    assert_eq!(chosen("elsewhere.example"), own);
}

#[test]
fn setup_is_undone_to_the_byte() {
    let double = Double::start();
    for (name, before) in [
        ("no folder", None),
        ("no file", Some(None)),
        ("empty", Some(Some(&b""[..]))),
        ("a text", Some(Some(b"Host a\n\tUser b\n"))),
        ("no end of line", Some(Some(b"Host a\r\n\tUser b"))),
        ("no text at all", Some(Some(b"# \xff\xfe\n\n"))),
    ] {
        let machine = Machine::without_agent();
        let (folder, file) = (
            machine.home().join(".ssh"),
            machine.home().join(".ssh/config"),
        );
        if let Some(before) = before {
            fs::create_dir(&folder).unwrap();
            if let Some(before) = before {
                fs::write(&file, before).unwrap();
                fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
            }
        }
        let machine = set_up(&double, machine);
        let with = fs::read(&file).unwrap();
        assert!(with.starts_with(b"Include \""), "{name}");
        assert!(
            with.ends_with(before.flatten().unwrap_or_default()),
            "{name}"
        );
        assert_eq!(machine.run(&["ssh", "setup"]).code, 0, "{name}");
        assert_eq!(fs::read(&file).unwrap(), with, "{name}: once is enough");

        let undone = machine
            .run(&["ssh", "setup", "--undo", "-o", "json"])
            .json();
        assert_eq!(undone["set_up"], false, "{name}");
        match before {
            None => assert!(!folder.exists(), "{name}"),
            Some(None) => assert!(!file.exists(), "{name}"),
            Some(Some(before)) => {
                assert_eq!(fs::read(&file).unwrap(), before, "{name}");
                let mode = fs::metadata(&file).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o640, "{name}");
            }
        }
        assert_eq!(
            machine.run(&["ssh", "setup", "--undo"]).code,
            0,
            "{name}: twice"
        );
    }
}

#[test]
fn setup_leaves_alone_what_is_not_its_own() {
    let double = Double::start();
    let machine = signed_in(&double, Machine::without_agent());
    let folder = machine.home().join(".ssh");
    fs::create_dir(&folder).unwrap();
    let elsewhere = machine.home().join("dotfiles");
    fs::write(&elsewhere, "Host a\n").unwrap();
    symlink(&elsewhere, folder.join("config")).unwrap();
    assert_eq!(machine.run(&["ssh", "setup"]).code, 0);
    assert!(folder.join("config").is_symlink());

    // Somebody goes on writing, and works with another server, too.
    let text = fs::read_to_string(&elsewhere).unwrap();
    fs::write(&elsewhere, format!("# first\n{text}Host b\n")).unwrap();
    let other = Double::start();
    let words = ["login", &other.url(), "--token-stdin", "--context", "other"];
    assert_eq!(machine.says(&words, "prv_cli_x\n").code, 0);
    assert_eq!(machine.run(&["ssh", "setup"]).code, 0);
    assert_eq!(machine.run(&["ssh", "setup", "--undo"]).code, 0);
    let text = fs::read_to_string(&elsewhere).unwrap();
    assert!(
        text.contains("Include"),
        "the first server needs the line: {text}"
    );
    let context = double.address();
    let undo = ["ssh", "setup", "--undo", "--context", &context];
    assert_eq!(machine.run(&undo).code, 0);
    assert_eq!(
        fs::read_to_string(&elsewhere).unwrap(),
        "# first\nHost a\nHost b\n"
    );
}

#[test]
fn a_bastion_leads_to_hosts_behind_it() {
    let double = Double::start();
    let bastion = Sshd::start(&double, "127.0.0.1");
    let behind = Sshd::start(&double, "localhost");
    double.hosts(json!([
        {"name": "localhost", "account": "ada", "bastion": "127.0.0.1"},
        {"name": "127.0.0.1", "account": sshd::own_name()},
        {"name": "circle", "bastion": "circle-2"},
        {"name": "circle-2", "bastion": "circle"},
    ]));
    let machine = Machine::with_agent();
    let folder = machine.home().join(".ssh");
    fs::create_dir(&folder).unwrap();
    let port = format!("Host 127.0.0.1\n\tPort {}\n", bastion.port());
    fs::write(folder.join("config"), port).unwrap();
    let machine = set_up(&double, machine);
    let done = machine.ssh(&behind.login("localhost", "echo behind"));
    assert_eq!((done.code, done.out.as_str()), (0, "behind\n"), "{done:?}");
    assert_eq!((bastion.logins(), behind.logins()), (1, 1));

    let done = machine.ssh(&["circle".to_owned()]);
    assert_eq!(done.code, 255, "{done:?}");
    assert!(done.err.contains("circle: more than"), "{done:?}");
}

#[test]
fn bytes_go_both_ways_and_each_way_ends_by_itself() {
    const MANY: usize = 3 * 1024 * 1024 + 1;
    let double = Double::start();
    let machine = signed_in(&double, Machine::without_agent());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    for who_is_first in ["ssh", "host"] {
        let mut proxy = machine
            .command(&["ssh", "proxy", "ada", "127.0.0.1", &port])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut to_host = proxy.stdin.take().unwrap();
        let mut from_host = proxy.stdout.take().unwrap();
        let (mut host, _) = listener.accept().unwrap();
        let mut read = Vec::new();
        match who_is_first {
            "ssh" => {
                let writer = thread::spawn(move || to_host.write_all(&vec![b'a'; MANY]));
                // All has come, and its end, before anything goes back.
                host.read_to_end(&mut read).unwrap();
                assert_eq!(read, vec![b'a'; MANY]);
                writer.join().unwrap().unwrap();
                host.write_all(&vec![b'b'; MANY]).unwrap();
                drop(host);
                read.clear();
                from_host.read_to_end(&mut read).unwrap();
                assert_eq!(read, vec![b'b'; MANY]);
            }
            _ => {
                host.write_all(b"bye").unwrap();
                host.shutdown(Shutdown::Write).unwrap();
                from_host.read_to_end(&mut read).unwrap();
                assert_eq!(read, b"bye");
                to_host.write_all(b"still here").unwrap();
                drop(to_host);
                read.clear();
                host.read_to_end(&mut read).unwrap();
                assert_eq!(read, b"still here");
            }
        }
        assert!(proxy.wait().unwrap().success(), "{who_is_first}");
    }
    let nobody = machine.run(&["ssh", "proxy", "ada", "host.invalid", "22"]);
    assert_eq!(nobody.code, 9, "{nobody:?}");
}

#[test]
fn at_a_terminal_ssh_signs_in_by_itself() {
    let double = Double::start();
    let sshd = Sshd::start(&double, "localhost");
    for (name, machine) in [
        ("agent", Machine::with_agent()),
        ("file", Machine::without_agent()),
    ] {
        let machine = set_up(&double, machine);
        double.end_sessions();
        fs::remove_file(machine.place().join("id-cert.pub")).unwrap();
        let done = machine.ssh_at_a_terminal(&sshd.login("localhost", "echo in; exit 7"));
        assert_eq!(done.code, 7, "{name}: {done:?}");
        for words in ["BCDF-GHJK", "in\r\n"] {
            assert!(done.out.contains(words), "{name}: {done:?}");
        }
    }
    assert_eq!(double.logins(), 2);
}

#[test]
fn of_two_at_once_one_signs_in() {
    let double = Double::start();
    let machine = signed_in(&double, Machine::with_agent());
    double.end_sessions();
    let refused = machine.run(&["ssh", "match", "web-1"]);
    assert_eq!(refused.code, 1, "a program asks nobody: {refused:?}");
    let start = || {
        let mut command = machine.command(&["ssh", "login", "--no-browser", "-o", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let both = [start(), start()].map(|process| process.wait_with_output().unwrap());
    for output in &both {
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(double.logins(), 1);
    assert_eq!(
        machine.keys_of_agent().lines().count(),
        1,
        "the last one stays"
    );
}

#[test]
fn most_of_its_time_over_a_certificate_is_renewed_beside() {
    let double = Double::start();
    let machine = signed_in(&double, Machine::with_agent());
    double.good("-10h", "+1h");
    let before = machine.run(&["ssh", "login", "-o", "json"]).json();
    double.good("-1m", "+16h");
    let known = machine.run(&["ssh", "match", "web-1"]);
    assert_eq!((known.code, known.err.as_str()), (0, ""), "{known:?}");
    double.wait_for_issue(2);
    machine.wait_for_refresh();
    let now = machine.run(&["ssh", "status", "-o", "json"]).json();
    assert_ne!(
        now["certificate"]["serial"],
        before["certificate"]["serial"]
    );
    assert_eq!(
        machine.keys_of_agent().lines().count(),
        1,
        "the old one has gone"
    );

    // It is not tried again and again.
    double.good("-10h", "+1h");
    assert_eq!(machine.run(&["ssh", "login"]).code, 0);
    assert_eq!(machine.run(&["ssh", "match", "web-1"]).code, 0);
    machine.wait_for_refresh();
    assert_eq!(double.issued(), 3);
}

#[test]
fn a_certificate_that_lacks_a_name_is_renewed_once() {
    let double = Double::start();
    // As if it had been got a while before the list.
    double.good("-10m", "+16h");
    let machine = signed_in(&double, Machine::without_agent());
    assert_eq!(machine.run(&["ssh", "login"]).code, 0);
    double.good("-1m", "+16h");
    double.hosts(json!([{"name": "web-1", "account": "a_lovelace"}]));
    assert_eq!(machine.run(&["ssh", "hosts"]).code, 0);
    for (name, issued) in [("it may be named by now", 2), ("it is not", 2)] {
        assert_eq!(machine.run(&["ssh", "match", "web-1"]).code, 0, "{name}");
        assert_eq!(double.issued(), issued, "{name}");
    }
}

#[test]
fn a_certificate_goes_with_the_session() {
    let double = Double::start();
    for (name, words) in [("ssh", &["ssh", "logout"][..]), ("all", &["logout"])] {
        let machine = set_up(&double, Machine::with_agent());
        assert_eq!(machine.keys_of_agent().lines().count(), 1, "{name}");
        let done = machine.run(words);
        assert_eq!(done.code, 0, "{name}: {done:?}");
        assert_eq!(machine.keys_of_agent(), "", "{name}");
        assert_eq!(machine.run(&["ssh", "status"]).code, 4, "{name}");
        assert_eq!(machine.run(&["ssh", "match", "web-1"]).code, 1, "{name}");
        assert_eq!(machine.run(words).code, 4, "{name}: twice");
    }
    // Where it was ended elsewhere, that is found out at the next opportunity.
    let machine = set_up(&double, Machine::with_agent());
    double.end_sessions();
    assert_eq!(machine.run(&["ssh", "refresh"]).code, 4);
    assert_eq!(machine.keys_of_agent(), "");
    assert_eq!(machine.run(&["ssh", "status"]).code, 4);
}

#[test]
fn a_context_that_is_named_gets_a_certificate_of_its_own() {
    let double = Double::start();
    let machine = signed_in(&double, Machine::without_agent());
    let words = ["ssh", "login", &double.url(), "--context", "second"];
    let with_token = [&words[..], &["--token-stdin", "-o", "json"]].concat();
    let done = machine.says(&with_token, "prv_cli_second\n");
    assert_eq!(done.json()["context"], "second", "{done:?}");
    let contexts = machine.run(&["context", "list", "-o", "json"]).json();
    assert_eq!(contexts.as_array().unwrap().len(), 2, "{contexts}");
    // Who has signed in by that name need not again.
    let done = machine.run(&[&words[..], &["-o", "json"]].concat());
    assert_eq!(done.json()["context"], "second", "{done:?}");
    assert_eq!(double.logins(), 0);
}

#[test]
fn hosts_are_listed_and_refusals_are_the_servers() {
    let double = Double::start();
    let machine = signed_in(&double, Machine::without_agent());
    assert_eq!(
        machine.run(&["ssh", "hosts", "-o", "name"]).out,
        "web-1\nlocalhost\n"
    );
    double.refuse("nobody has granted you access to any host");
    let refused = machine.run(&["ssh", "login"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.err.contains("nobody has granted"), "{refused:?}");
    let plain = machine.run(&["ssh", "match", "web-1"]);
    assert_eq!(plain.code, 1, "{plain:?}");
    for words in ["this is plain ssh", "nobody has granted"] {
        assert!(plain.err.contains(words), "{plain:?}");
    }
}

#[test]
fn at_the_socket_nobody_is_a_person() {
    let machine = Machine::without_agent();
    let done: Done = machine.run(&["ssh", "login"]);
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.err.contains("portreeve login https://"), "{done:?}");
}
