//! Files that are not to be believed: those in them are unknown, and everybody else is who they were.

use crate::ground::{FOLDER, Ground};

#[test]
fn files_of_somebody_else_are_not_read() {
    let ground = Ground::start();
    let own = ground.run(&format!("cat {FOLDER}/passwd"));
    for (name, change) in [
        ("gone", "rm passwd"),
        ("all gone", "rm -r ../nss"),
        ("empty", "truncate -s 0 passwd"),
        ("a group may write", "chmod 0664 passwd"),
        ("everybody may write", "chmod 0646 passwd"),
        ("somebody else's", "chown warden passwd"),
        ("a link", "mv passwd real && ln -s real passwd"),
        ("a folder", "rm passwd && mkdir passwd"),
        ("a pipe", "rm passwd && mkfifo passwd"),
        ("garbage", "head -c 100000 /dev/urandom >passwd"),
        ("one long line", "tr '\\n' , <passwd >new && mv new passwd"),
        (
            "cut off before its first line ends",
            "truncate -s 40 passwd",
        ),
    ] {
        ground.run(&format!("cd {FOLDER} && {change}"));
        assert_eq!(ground.ask("getent passwd ada"), "exit code 2", "{name}");
        assert_eq!(ground.ask("id -u warden"), "1000\n", "{name}");
        assert_eq!(
            ground.ask("getent passwd | tail -n 1 | cut -d : -f 1"),
            "warden\n",
            "{name}"
        );
        ground.run(&format!("rm -rf {FOLDER}/passwd"));
        ground.put("passwd", &own);
        assert_eq!(ground.ask("id -u ada"), "70002\n", "{name}, and back again");
    }
}

#[test]
fn only_root_sees_who_is_locked() {
    let ground = Ground::start();
    assert_eq!(ground.ask("getent shadow ada"), "ada:!*:20000::::::\n");
    assert_eq!(
        ground.ask("setpriv --reuid 1000 --clear-groups getent shadow ada"),
        "exit code 2"
    );
    assert_eq!(
        ground.ask("setpriv --reuid 1000 --clear-groups id -un 70002"),
        "ada\n"
    );
}

/// After a question nothing is open. In the middle of an enumeration the file is, but not in a program that is started.
#[test]
fn nothing_stays_open() {
    let ground = Ground::start();
    let said = ground.python(include_str!("open_files.py"));
    let passwd = format!("{FOLDER}/passwd");
    let expected =
        format!("after questions: []\nin an enumeration: ['{passwd}']\nin a program: 0\n");
    assert_eq!(said, expected);
}
