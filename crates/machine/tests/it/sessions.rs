//! Sessions of somebody whose account is locked, and the processes they leave.

use crate::ground::Ground;

/// The processes of whoever logged in as somebody, whatever they have become since.
const OF_ALICE: &str = "for it in /proc/[0-9]*; do
    [ \"$(cat $it/loginuid 2>/dev/null)\" = 70002 ] && cat $it/comm
done 2>/dev/null | sort -u; true";

#[test]
fn a_locked_account_keeps_its_files_and_its_name_and_can_do_nothing_new() {
    let ground = Ground::start();
    let mut session = ground.open("alice");
    assert!(session.run("echo draft >report").unwrap().good());
    ground.person("alice", 70002, r#","locked":true"#);

    assert_eq!(session.run("id -un").unwrap().text().unwrap(), "alice");
    assert!(!session.run("sudo -n true").unwrap().good());
    assert!(!ground.gets_in("alice"));
    assert_eq!(
        ground.run("cat ~alice/report; stat -c %U ~alice"),
        "draft\nalice\n"
    );

    ground.person("alice", 70002, "");
    assert!(ground.gets_in("alice"));
}

#[test]
fn all_that_somebody_started_can_be_told_by_the_login() {
    let ground = Ground::start();
    let mut session = ground.open("alice");
    for start in [
        "(setsid nohup sleep 1001 >/dev/null 2>&1 &)",
        "(sudo -n setsid tail -f /dev/null >/dev/null 2>&1 &)",
    ] {
        assert!(session.run(start).unwrap().good());
    }
    let all = "sh\nsleep\nsshd\nsudo\ntail\n";
    let seen = ground
        .machine
        .eventually("what alice has started runs", || {
            Ok(ground.machine.run(OF_ALICE)? == all)
        });
    seen.unwrap_or_else(|_| panic!("{}", ground.run(OF_ALICE)));

    // As root, because a user's own power ends at what sudo has started.
    ground.run(
        "for it in /proc/[0-9]*; do
        [ \"$(cat $it/loginuid 2>/dev/null)\" = 70002 ] && kill -9 \"${it#/proc/}\"
    done 2>/dev/null; true",
    );
    ground
        .machine
        .eventually("nothing of alice's runs any more", || {
            Ok(ground.machine.run(OF_ALICE)?.is_empty())
        })
        .unwrap();
    ground
        .machine
        .eventually("the session ends", || session.is_over())
        .unwrap();
    assert!(ground.gets_in("warden"));
}
