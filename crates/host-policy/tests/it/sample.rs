//! A document with two people, and keys to sign it.

use jiff::Timestamp;
use portreeve_host_policy::document::principal_of;
use portreeve_host_policy::{
    Access, Account, Document, Envelope, Expect, Group, Host, Ids, NAMESPACE, Principal, Rules,
    Shared, Verified, verify,
};
use portreeve_ssh_cert::Authority;
use portreeve_ssh_cert::authority::KeyType;

pub(crate) const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
    daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
    admin1:x:1000:1000:Local Admin,,,:/home/admin1:/bin/bash\n\
    toor2:x:0:0::/root:/bin/bash\n\
    deploy:x:1001:1001::/srv/deploy:/bin/bash\n";

pub(crate) const GROUP: &str =
    "root:x:0:\ndaemon:x:1:\nadmin1:x:1000:\ndeploy:x:1001:\ndocker:x:998:\nops:x:70900:admin1\n";

pub(crate) const SHELLS: &str = "# valid login shells\n/bin/sh\n/bin/bash\n";

pub(crate) fn authority(kind: KeyType) -> Authority {
    Authority::from_pkcs8(kind, &Authority::generate(kind).unwrap()).unwrap()
}

pub(crate) fn account(name: &str, number: u32) -> Account {
    Account {
        id: format!("id-{name}"),
        name: name.to_owned(),
        full_name: format!("The {name}"),
        uid: number,
        gid: number,
        home: format!("/home/{name}"),
        shell: "/bin/bash".to_owned(),
        access: Some(Access {
            until: None,
            sudo: false,
            groups: Vec::new(),
        }),
    }
}

pub(crate) fn shared(account: &str, people: &[&str]) -> Shared {
    let principal = |id: &&str| Principal {
        id: principal_of(id),
        until: None,
    };
    Shared {
        account: account.to_owned(),
        principals: people.iter().map(principal).collect(),
    }
}

pub(crate) fn group(name: &str, gid: u32) -> Group {
    Group {
        name: name.to_owned(),
        gid,
    }
}

pub(crate) fn document(key: &Authority) -> Document {
    Document {
        format: 1,
        team: "team-1".to_owned(),
        host: Host {
            id: "host-1".to_owned(),
            name: "web-1".to_owned(),
        },
        version: 5,
        issued_at: "2026-11-22T12:00:00Z".parse::<Timestamp>().unwrap(),
        lease_until: Some("2026-11-25T12:00:00Z".parse().unwrap()),
        rules: Rules {
            ids: Ids {
                first: 65_536,
                last: 99_999,
            },
            home_prefix: "/home".to_owned(),
            shell: "/bin/bash".to_owned(),
            end_sessions: true,
            people: group("portreeve", 65_536),
            sudo: group("portreeve-sudo", 65_537),
        },
        accounts: vec![account("ada", 70_000), account("bob", 70_001)],
        groups: vec![group("web", 70_500)],
        shared: vec![shared("deploy", &["id-ada"])],
        user_keys: vec![key.public_openssh("people")],
        host_keys: vec![key.public_openssh("hosts")],
    }
}

pub(crate) fn sign(document: &Document, key: &Authority) -> Envelope {
    let document = String::from_utf8(document.to_bytes()).unwrap();
    let signature = key.sign_file(NAMESPACE, document.as_bytes()).unwrap();
    Envelope {
        document,
        signature,
        successors: Vec::new(),
    }
}

pub(crate) const EXPECT: Expect<'_> = Expect {
    team: "team-1",
    host_id: "host-1",
    above_or_same: 5,
    seen: None,
};

/// A document as its host believes it.
pub(crate) fn verified(document: &Document) -> Verified {
    let key = authority(KeyType::Ed25519);
    let trusted = [key.public_openssh("")];
    verify(&sign(document, &key).to_bytes(), &trusted, &EXPECT).unwrap()
}
