//! Logging in and becoming root, with sshd, PAM and sudo as the distribution has built them.

use portreeve_machine::Client;

use crate::ground::{FOLDER, Ground};

#[test]
fn people_log_in_until_their_line_ends_it() {
    let ground = Ground::start();
    let client = Client::new().unwrap();
    client.know(&ground.machine).unwrap();
    for who in ["ada", "bob", "warden"] {
        let key = format!("/etc/ssh/keys/{who}");
        ground
            .machine
            .write(&key, 0o644, client.key(who).unwrap())
            .unwrap();
    }
    let sudoers = "%portreeve-sudo ALL=(ALL:ALL) NOPASSWD: ALL\n";
    ground
        .machine
        .write("/etc/sudoers.d/portreeve", 0o440, sudoers)
        .unwrap();
    ground
        .machine
        .write("/etc/sudo.conf", 0o644, "Set group_source dynamic\n")
        .unwrap();
    ground.run("sed -i '/^@include common-session/a session optional pam_mkhomedir.so umask=0077' /etc/pam.d/sshd");
    let sshd = "AuthorizedKeysFile /etc/ssh/keys/%u\n";
    ground
        .machine
        .write("/etc/ssh/sshd_config.d/10-keys.conf", 0o644, sshd)
        .unwrap();
    ground.machine.reload_sshd().unwrap();
    let says = |who: &str, command: &str| {
        let said = client.log_in(&ground.machine, who, command).unwrap();
        said.text().unwrap_or("refused").to_owned()
    };

    assert_eq!(
        says("ada", "id -un; sudo -n id -un; stat -c %a ."),
        "ada\nroot\n700"
    );
    assert_eq!(says("bob", "sudo -n id -un || id -un"), "bob");

    let mut session = client.open(&ground.machine, "ada").unwrap();
    assert!(session.run("sudo -n true").unwrap().good());
    ground.put(
        "group",
        "portreeve:*:70000:ada,bob\nada:*:70002:\nbob:*:70003:\n",
    );
    assert!(
        !session.run("sudo -n true").unwrap().good(),
        "no longer in the group"
    );

    for (name, expires, expected) in [
        ("open", "", "ada"),
        ("ends in a hundred years", "57000", "ada"),
        ("ended long ago", "1", "refused"),
    ] {
        ground.put(
            "shadow",
            format!("ada:!*:20000:::::{expires}:\nbob:!*:20000::::::\n"),
        );
        assert_eq!(says("ada", "id -un"), expected, "{name}");
        assert_eq!(says("bob", "id -un"), "bob", "{name}");
        assert_eq!(says("warden", "id -un"), "warden", "{name}");
    }
    assert!(
        !session.run("sudo -n true").unwrap().good(),
        "locked, in a session that is open"
    );
    assert_eq!(session.run("id -un").unwrap().text().unwrap(), "ada");

    // PAM looks for locks only where the password is said to be elsewhere.
    let passwd = ground.run(&format!("cat {FOLDER}/passwd"));
    ground.put("passwd", passwd.replace("ada:x:", "ada:*:"));
    assert_eq!(says("ada", "id -un"), "ada", "a lock that is not looked at");
}
