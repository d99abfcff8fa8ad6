//! Who gets in with which certificate, or with a key alone.

use crate::ground::Ground;

#[test]
fn only_a_good_certificate_of_ones_own_lets_in() {
    let ground = Ground::start();
    ground.certify("expired", "u:alice", &["-V", "-2h:-1h"]);
    ground.certify("early", "u:alice", &["-V", "+1h:+2h"]);
    ground.certify("withdrawn", "u:alice", &["-z", "7"]);
    ground.certify("star", "*", &[]);
    ground.certify("named", "alice", &[]);
    ground.certify("elsewhere", "u:alice", &["-O", "source-address=192.0.2.1"]);
    ground.certify("hosts", "u:alice", &["-h"]);
    ground.certify_by("foreign-ca", "foreign", "u:alice", &[]);
    ground.client.key("bare").unwrap();
    ground.revoke(&["serial: 7"]);
    for (name, who, allowed) in [
        ("one's own", "alice", true),
        ("somebody else's", "bob:alice", false),
        ("one that is over", "expired:alice", false),
        ("one that has not begun", "early:alice", false),
        ("one that is revoked", "withdrawn:alice", false),
        ("one for everybody", "star:alice", false),
        ("one for the name of the account", "named:alice", false),
        ("one for another address", "elsewhere:alice", false),
        ("one of a host", "hosts:alice", false),
        ("one of another authority", "foreign:alice", false),
        ("a key without a certificate", "bare:alice", false),
        ("an account that is not there", "alice:nobody-knows", false),
        ("root", "alice:root", false),
        ("the local account", "alice:warden", false),
        ("the local account's key", "warden", true),
    ] {
        assert_eq!(ground.gets_in(who), allowed, "{name}");
    }
}

/// Why a host that trusts the authority must say whom it lets in as whom.
#[test]
fn without_principals_files_a_name_in_a_certificate_is_an_account() {
    let ground = Ground::start();
    ground.certify("named", "warden", &[]);
    assert!(!ground.gets_in("named:warden"));
    ground.configure("TrustedUserCAKeys /etc/ssh/managed/user_ca.pub\n");
    assert!(ground.gets_in("named:warden"));
}

#[test]
fn another_authority_is_trusted_from_the_next_login_on() {
    let ground = Ground::start();
    ground.certify_by("next-ca", "next", "u:alice", &[]);
    assert!(!ground.gets_in("next:alice"));
    let both = ["ca", "next-ca"].map(|name| ground.client.key(name).unwrap());
    ground.write("/etc/ssh/managed/user_ca.pub", both.join("\n"));
    assert!(ground.gets_in("next:alice"));
    assert!(ground.gets_in("alice"));
}

#[test]
fn keys_that_people_bring_along_do_not_count_where_they_are_managed() {
    let ground = Ground::start();
    let key = ground.client.key("smuggled").unwrap();
    for name in ["alice", "bob"] {
        assert!(ground.gets_in(name));
        let put = format!("mkdir -p .ssh && chmod 700 .ssh && echo '{key}' >.ssh/authorized_keys");
        assert!(ground.log_in(name, &put).good());
    }
    let all = |ground: &Ground| {
        ["alice", "bob", "warden"].map(|name| ground.gets_in(&format!("smuggled:{name}")))
    };
    assert_eq!(all(&ground), [false, false, false]);
    assert!(
        ground.gets_in("warden"),
        "the rule is for managed people alone"
    );

    ground.configure(
        "TrustedUserCAKeys /etc/ssh/managed/user_ca.pub\nAuthorizedPrincipalsFile /run/principals/%u\n",
    );
    assert_eq!(
        all(&ground),
        [true, true, false],
        "why there is such a rule"
    );
    ground.person("bob", 70003, r#","locked":true"#);
    assert_eq!(
        all(&ground),
        [true, false, false],
        "what is locked is locked for keys, too"
    );
}
